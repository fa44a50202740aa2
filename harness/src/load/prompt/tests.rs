use serde_json::Value;

use super::*;

fn planned(prompt_tokens: u32, seed: u64) -> Planned {
    Planned {
        at_us: 0,
        prompt_tokens,
        output_tokens: 40,
        seed,
        prompt: None,
    }
}

#[test]
fn the_body_asks_for_what_was_planned() {
    let prepared = prepare("chat", "chat-1", "m", &planned(5, 9), true);
    let body: Value = serde_json::from_slice(&prepared.body).expect("JSON");
    let content = body["messages"][0]["content"].as_str().expect("text");
    assert_eq!(content.split(' ').count(), 5);
    assert!(content.starts_with("chat-1 "));
    assert_eq!(body["stream_options"]["include_usage"], true);
    assert_eq!(body["max_tokens"], 40);
    assert_eq!(body["seed"], 9);
    assert_eq!(body["temperature"], 0.0);

    let whole: Value =
        serde_json::from_slice(&prepare("chat", "a", "m", &planned(0, 9), false).body)
            .expect("JSON");
    assert_eq!(whole["stream"], false);
    assert!(whole.get("stream_options").is_none());
}

#[test]
fn no_two_requests_share_their_tokens() {
    let first = |id, seed| {
        prepare("chat", id, "m", &planned(8, seed), true)
            .oracle
            .token(0)
    };
    assert_eq!(first("a", 1), first("a", 1));
    assert_ne!(first("a", 1), first("b", 1));
    assert_ne!(first("a", 1), first("a", 2));
}
