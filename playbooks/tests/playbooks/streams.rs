//! Every actor draws from a stream of its own: one client more changes nobody
//! else's luck.

use std::path::Path;

use ridethrough::playbook::{WorldKind, load_text};

use crate::case::Case;

/// A link that loses and delays at random, where no client's traffic passes.
const PLAYBOOK: &str = "name: streams
site: ../sites/two-feed.yaml
stack: ../stacks/reference.yaml
load:
  - name: chat
    arrivals: {poisson: {rate: 6/s}}
phases: {baseline: 2s, noise: 8s, after: 2s}
faults:
  - inject: {loss: {link: [supervisor, ups-a], probability: 30%}}
    during: noise
  - inject: {latency: {link: [supervisor, ups-b], delay: 20ms, jitter: 15ms}}
    during: noise
assert:
  - nodes: {lost_at_most: 0}
";

const ANOTHER: &str = "  - name: another
    arrivals: {poisson: {rate: 3/s}}
phases:";

/// What faults did and what `chat` asked are the same beside another load.
pub(crate) fn one_client_more_changes_no_draw() -> Result<(), String> {
    let alone = drawn(PLAYBOOK)?;
    let beside = drawn(&PLAYBOOK.replace("phases:", ANOTHER))?;
    let witnessed = alone.iter().filter(|line| line.contains("witness")).count();
    let asked = alone.len() - witnessed;
    if witnessed < 4 || asked < 50 {
        return Err(format!(
            "{witnessed} reports and {asked} requests are too few"
        ));
    }
    match alone.iter().zip(&beside).find(|(a, b)| a != b) {
        Some((a, b)) => Err(format!("one client more changes\n  {a}\nto\n  {b}")),
        None if alone.len() != beside.len() => Err("one client more changes how many".into()),
        None => Ok(()),
    }
}

/// What was measured of faults, and what `chat` sent and when, in order.
fn drawn(text: &str) -> Result<Vec<String>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("network/streams.yaml");
    let playbook = load_text(&path, text).map_err(|errors| errors.render(false))?;
    let case = Case {
        playbook,
        control: None,
    };
    let record = case.run(WorldKind::Virtual)?.record()?;
    let mut drawn = Vec::new();
    for line in record
        .split(|byte| *byte == b'\n')
        .filter(|l| !l.is_empty())
    {
        let event: serde_json::Value = serde_json::from_slice(line).map_err(|e| e.to_string())?;
        let of = |keys: &[&str]| {
            keys.iter()
                .map(|key| format!(" {key} {}", event[*key]))
                .collect()
        };
        let chat = event["load"] == "chat";
        let words: String = match event["kind"].as_str() {
            Some("witness") => of(&["kind", "fault", "stage", "measured", "observed_us"]),
            Some("request") if chat => {
                of(&["id", "scheduled_us", "prompt_tokens", "output_tokens"])
            }
            _ => continue,
        };
        drawn.push(words);
    }
    // Rows come when requests end, which may be in another order.
    drawn.sort_unstable();
    Ok(drawn)
}
