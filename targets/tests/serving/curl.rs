//! curl: what the wire looks like to a client that only knows HTTP.

use std::process::Command;
use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::serving::{GatewayMode, KnownBad};

use crate::Case;
use crate::stack::{Outcome, PROMPT, Stack, expected};

pub(crate) const CASES: &[Case] = &[
    ("streams through a break", resumes),
    ("sees a torn stream as a partial transfer", torn),
    ("sees a clean end of a truncated one", truncated),
    ("gets an error for nonsense", nonsense),
];

pub(crate) fn missing() -> Option<&'static str> {
    let found = Command::new("curl").arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    (!found).then_some("apt-get install curl")
}

fn ask(stack: &Stack, tokens: u32, kill_after: Option<Duration>) -> Result<Outcome, Failed> {
    let body = format!(
        r#"{{"messages":[{{"role":"user","content":"{PROMPT}"}}],"max_tokens":{tokens},"stream":true}}"#
    );
    let url = format!("http://127.0.0.1:{}/v1/chat/completions", stack.port);
    stack.run(
        &[
            "curl",
            "-sN",
            &url,
            "-H",
            "content-type: application/json",
            "-d",
            &body,
        ],
        kill_after,
    )
}

/// The text of the stream's chunks.
fn text(out: &str) -> String {
    out.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str::<serde_json::Value>(data).ok())
        .filter_map(|chunk| {
            chunk["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_string)
        })
        .collect()
}

fn check(ok: bool, outcome: &Outcome) -> Result<(), Failed> {
    if ok {
        return Ok(());
    }
    Err(format!("code {:?}\n{}\n{}", outcome.code, outcome.out, outcome.err).into())
}

fn resumes() -> Result<(), Failed> {
    let stack = Stack::start(GatewayMode::Full, &[Some(KnownBad::EofRaw), None])?;
    let outcome = ask(&stack, 12, None)?;
    let done = outcome.out.ends_with("data: [DONE]\n\n");
    check(
        outcome.code == Some(0) && done && text(&outcome.out) == expected(12),
        &outcome,
    )
}

fn torn() -> Result<(), Failed> {
    let stack = Stack::start(GatewayMode::Full, &[None, None])?;
    let outcome = ask(&stack, 2000, Some(Duration::from_millis(500)))?;
    let loud = outcome.out.contains("\"error\"") && !outcome.out.contains("[DONE]");
    // 18: the transfer ended before its end.
    let prefix = !text(&outcome.out).is_empty() && expected(2000).starts_with(&text(&outcome.out));
    check(outcome.code == Some(18) && loud && prefix, &outcome)
}

fn truncated() -> Result<(), Failed> {
    let stack = Stack::start(GatewayMode::None, &[Some(KnownBad::EofClean)])?;
    let outcome = ask(&stack, 12, None)?;
    let silent = !outcome.out.contains("[DONE]") && !outcome.out.contains("\"error\"");
    check(
        outcome.code == Some(0) && silent && text(&outcome.out) == expected(5),
        &outcome,
    )
}

fn nonsense() -> Result<(), Failed> {
    let stack = Stack::start(GatewayMode::Full, &[None])?;
    let url = format!("http://127.0.0.1:{}/v1/chat/completions", stack.port);
    let outcome = stack.run(
        &["curl", "-s", "-w", " %{http_code}", &url, "-d", "{nonsense"],
        None,
    )?;
    let refused = outcome.out.contains("invalid_request_error") && outcome.out.ends_with(" 400");
    check(refused, &outcome)?;
    let outcome = ask(&stack, 3, None)?;
    check(text(&outcome.out) == expected(3), &outcome)
}
