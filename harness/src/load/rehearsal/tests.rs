use ridethrough_targets::clock::Clock;
use ridethrough_targets::net::Net;
use ridethrough_targets::service::panel_pair;
use ridethrough_targets::units::{Rate, Span};

use super::super::testing::{self, DONE, Memory, Play, Plays, Step, delta, foreign};
use super::*;
use crate::playbook::{Arrivals, ClientSpec, Range};

const PROMPTS: usize = 4;

fn spec() -> LoadSpec {
    LoadSpec {
        name: "chat".into(),
        arrivals: Arrivals::Constant { rate: Rate(100.0) },
        prompt_tokens: Range { min: 8, max: 8 },
        output_tokens: Range { min: 40, max: 40 },
        class: "interactive".into(),
        model: None,
        oracle: Some(OracleSpec::Recorded(RecordedSpec {
            prompts: PROMPTS as u32,
            within: Span::from_secs(30),
        })),
        stream: true,
        client: ClientSpec::default(),
    }
}

/// What a pass comes to whose requests are answered so, in order.
async fn pass(plays: Vec<Play>) -> Rehearsed {
    let net: Arc<dyn Net> = Arc::new(Memory(Plays::each(plays)));
    let (panel, mut peer) = panel_pair();
    let env = Env {
        service: "load".into(),
        node: "clients".into(),
        boot: 0,
        disk: None,
        net,
        clock: Clock::start(),
        seed: 7,
        panel,
    };
    let config = serde_json::from_value(serde_json::json!({
        "loads": [spec()],
        "target_host": "gateway",
        "target_port": 80,
        "start_us": 0,
        "duration": "0s",
        "drain": "0s",
    }));
    let running = tokio::spawn(run_rehearsal(env, config.expect("a configuration")));
    loop {
        let word = peer.inbox.recv().await.expect("it goes on");
        if let FromService::Ledger(value) = word {
            let word = LedgerWord::try_from(value).expect("a ledger word");
            peer.outbox.send(ToService::Stop).expect("it listens");
            running.await.expect("no panic").expect("it ends well");
            let LedgerWord::Rehearsed(rehearsed) = word else {
                panic!("not {word:?}");
            };
            return rehearsed;
        }
    }
}

fn all(script: testing::Script) -> Vec<Play> {
    vec![Play::Stream(script)]
}

async fn problem(plays: Vec<Play>) -> String {
    let rehearsed = pass(plays).await;
    assert!(rehearsed.answers.is_empty());
    rehearsed.problem.expect("it did not hold")
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_sure_is_recorded() {
    let rehearsed = pass(all(foreign::GOOD)).await;
    assert_eq!(rehearsed.problem, None);
    assert_eq!(rehearsed.verdict(), "4 prompts answered alike twice");
    assert_eq!(rehearsed.answers.len(), PROMPTS);
    assert_eq!(rehearsed.dialect, Some(super::super::Dialect::OPENAI));
    let first = &rehearsed.answers[0];
    assert_eq!((first.pieces, first.usage), (40, Some(40)));
    assert!(
        rehearsed.answers[1..]
            .iter()
            .all(|answer| answer.text != first.text)
    );
}

#[tokio::test(start_paused = true)]
async fn pieces_do_not_matter() {
    let mut plays = vec![Play::Stream(foreign::GOOD); PROMPTS];
    plays.push(Play::Stream(foreign::COALESCED));
    let rehearsed = pass(plays).await;
    assert_eq!((rehearsed.problem, rehearsed.differing), (None, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_changes_its_mind_is_noticed() {
    let mut plays = vec![Play::Stream(foreign::GOOD); PROMPTS + 1];
    plays.extend([Play::Stream(foreign::MOODY), Play::Stream(foreign::GOOD)]);
    let rehearsed = pass(plays).await;
    assert_eq!(rehearsed.problem, None);
    let differing = Differing {
        prompt: 1,
        character: 100,
    };
    assert_eq!(rehearsed.differing, [differing]);
    let verdict = "1 of 4 prompts differed, the earliest at character 100";
    assert_eq!(rehearsed.verdict(), verdict);
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_fails_says_what_to_do() {
    let not_found = "HTTP/1.1 404 Not Found\r\ncontent-length: 37\r\n\r\n\
                     {\"error\":{\"message\":\"no such model\"}}";
    let busy = "HTTP/1.1 429 Too Many\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\n{}";
    let thinks: testing::Script = |_, n| {
        let tail = [testing::finish("length"), testing::usage(n), DONE.into()];
        let mut steps: Vec<Step> = tail.into_iter().map(Step::Body).collect();
        steps.push(Step::End);
        steps
    };
    let cut: testing::Script = |o, _| vec![Step::Body(delta(&foreign::word(o, 0))), Step::Fin];
    let said = [
        problem(vec![Play::Raw(not_found)]).await,
        problem(vec![Play::Raw(busy)]).await,
        problem(all(thinks)).await,
        problem(vec![Play::Stream(foreign::GOOD), Play::Stream(cut)]).await,
        problem(vec![Play::Silent]).await,
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn answers_that_do_not_end_alike_are_no_record() {
    let bare: testing::Script = |o, n| {
        let mut steps = foreign::words(o, 0..n);
        steps.extend([Step::Body(testing::finish("stop")), Step::End]);
        steps
    };
    let said = problem(vec![Play::Stream(foreign::GOOD), Play::Stream(bare)]).await;
    assert!(
        said.starts_with("the answers did not all end alike"),
        "{said}"
    );
}

#[test]
fn a_load_that_hardly_ever_asks_is_hurried() {
    let mut spec = spec();
    let recorded = RecordedSpec::default();
    let last = |spec: &LoadSpec| due(spec, recorded, 1).expect("times").last().copied();
    assert_eq!(last(&spec), Some(310_000));
    spec.arrivals = Arrivals::Poisson { rate: Rate(0.1) };
    assert_eq!(last(&spec), Some(MOST_SENDING_US));
}
