//! GitLab's Code Quality report: broken promises beside the lines of a merge
//! request.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::told::{Spot, Told};
use crate::judge::Verdict;

/// The report of several runs, as JSON. GitLab compares it with that of the
/// target branch by fingerprints, which therefore hold nothing that differs from
/// run to run.
pub fn code_quality(runs: &[Told], root: Option<&Path>) -> String {
    let mut all: Vec<Value> = Vec::new();
    for told in runs {
        let before = all.len();
        for (index, judged) in told.broken() {
            let of = told.summary.assertions.iter().take(index);
            let same = of.filter(|other| other.text == judged.text).count();
            let text = format!(
                "{}: {}: observed {}; asked {} ({})",
                told.title(),
                judged.text,
                judged.observed,
                judged.limit,
                told.repeat
            );
            let severity = match judged.verdict {
                Verdict::Invalid => "major",
                _ => "critical",
            };
            let name = format!("ridethrough/{}", judged.kind);
            let key = format!("{}\0{}\0{same}", told.title(), judged.text);
            all.push(issue(
                told.places.get(index),
                root,
                &text,
                &name,
                severity,
                &key,
            ));
        }
        if let (Err(why), true) = (told.good(), all.len() == before) {
            let text = format!("{}: {why} ({})", told.title(), told.repeat);
            let key = format!("{}\0", told.title());
            let (name, place) = ("ridethrough/verdict", told.places.first());
            all.push(issue(place, root, &text, name, "major", &key));
        }
    }
    serde_json::to_string_pretty(&all).unwrap_or_else(|_| "[]".into()) + "\n"
}

fn issue(
    place: Option<&Spot>,
    root: Option<&Path>,
    text: &str,
    name: &str,
    severity: &str,
    key: &str,
) -> Value {
    let path = place.map_or_else(|| "playbook".into(), |spot| spot.below(root));
    let digest = Sha256::new()
        .chain_update(&path)
        .chain_update("\0")
        .chain_update(key)
        .finalize();
    let fingerprint: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    json!({
        "description": text,
        "check_name": name,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {
            "path": path,
            "lines": {"begin": place.map_or(1, |spot| spot.line)},
        },
    })
}
