//! The official Python SDK: the client that most applications have.

use std::process::Command;

use libtest_mimic::Failed;
use ridethrough_targets::serving::{GatewayMode, KnownBad};

use crate::Case;
use crate::stack::{PROMPT, Stack, expected};

pub(crate) const CASES: &[Case] = &[
    ("streams through a break", resumes),
    ("whole answers, completions and models", others),
    ("raises on an error in the stream", raises),
    ("takes a truncated stream for a whole one", silent),
    ("raises on a reset connection", reset),
];

pub(crate) fn missing() -> Option<&'static str> {
    let found = Command::new("python3")
        .args(["-c", "import openai"])
        .output();
    let found = found.is_ok_and(|output| output.status.success());
    (!found).then_some("pip install openai")
}

/// Prints what a stream brought, and how it ended.
const STREAM: &str = r#"
import sys, openai
client = openai.OpenAI(max_retries=0)
text, finish = "", None
try:
    stream = client.chat.completions.create(model="reference", max_tokens=12, stream=True,
        messages=[{"role": "user", "content": sys.argv[1]}])
    for chunk in stream:
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    end = "returned"
except Exception as error:
    end = "raised " + type(error).__name__
print(end, finish, text, sep="|")
"#;

const OTHERS: &str = r#"
import sys, openai
client = openai.OpenAI(max_retries=0)
whole = client.chat.completions.create(model="reference", max_tokens=6,
    messages=[{"role": "user", "content": [{"type": "text", "text": sys.argv[1]}]}])
text = client.completions.create(model="reference", max_tokens=6, prompt=sys.argv[1])
model = client.models.list().data[0].id
try:
    client.chat.completions.create(model="reference", max_tokens=0, messages=[{"role": "user", "content": "x"}])
    refused = "no"
except openai.BadRequestError as error:
    refused = error.type
print(whole.choices[0].message.content, text.choices[0].text, whole.usage.total_tokens, model, refused, sep="|")
"#;

fn python(mode: GatewayMode, faults: &[Option<KnownBad>], script: &str) -> Result<String, Failed> {
    let stack = Stack::start(mode, faults)?;
    let outcome = stack.run(&["python3", "-c", script, PROMPT], None)?;
    if outcome.code != Some(0) {
        return Err(outcome.err.into());
    }
    Ok(outcome.out.trim_end_matches('\n').to_string())
}

fn same(got: &str, want: &str) -> Result<(), Failed> {
    if got == want {
        return Ok(());
    }
    Err(format!("got  {got}\nwant {want}").into())
}

fn resumes() -> Result<(), Failed> {
    let got = python(GatewayMode::Full, &[Some(KnownBad::Rst), None], STREAM)?;
    same(&got, &format!("returned|length|{}", expected(12)))
}

fn others() -> Result<(), Failed> {
    let got = python(GatewayMode::Full, &[None], OTHERS)?;
    let text = expected(6);
    same(
        &got,
        &format!("{text}|{text}|10|reference|invalid_request_error"),
    )
}

fn raises() -> Result<(), Failed> {
    let got = python(GatewayMode::None, &[Some(KnownBad::ErrorThenDone)], STREAM)?;
    same(&got, &format!("raised APIError|None|{}", expected(5)))
}

fn silent() -> Result<(), Failed> {
    let got = python(GatewayMode::None, &[Some(KnownBad::EofClean)], STREAM)?;
    same(&got, &format!("returned|None|{}", expected(5)))
}

fn reset() -> Result<(), Failed> {
    // The gateway's own side of it: the body breaks off.
    let got = python(GatewayMode::None, &[Some(KnownBad::Rst)], STREAM)?;
    let raised = got.starts_with("raised ") && got.ends_with(&expected(5));
    if raised { Ok(()) } else { Err(got.into()) }
}
