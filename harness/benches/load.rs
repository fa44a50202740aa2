//! How many streamed tokens per second one core can read, stamp and check:
//! event reader, JSON, tokeniser and oracle, over streams in memory.
#![forbid(unsafe_code)]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

use ridethrough::load::{Answer, Dialect, Fate, Oracle, SseReader, classify};

/// Tokens of one answer.
const TOKENS: u32 = 2_000;

fn main() {
    divan::main();
}

/// A stream as an engine sends it, with `per_chunk` tokens in each event.
fn stream(oracle: &Oracle, per_chunk: u32) -> Vec<u8> {
    let mut text = String::new();
    let mut from = 0;
    while from < TOKENS {
        let to = (from + per_chunk).min(TOKENS);
        let content: String = (from..to).map(|n| oracle.token(n)).collect();
        let event = format!(
            "data: {{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\
             \"created\":1700000000,\"model\":\"reference\",\"system_fingerprint\":\"gpu-1\",\
             \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}},\
             \"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
        );
        text.push_str(&event);
        from = to;
    }
    text.push_str(
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n",
    );
    let usage =
        format!("data: {{\"choices\":[],\"usage\":{{\"completion_tokens\":{TOKENS}}}}}\n\n");
    text.push_str(&usage);
    text.push_str("data: [DONE]\n\n");
    text.into_bytes()
}

/// From bytes to a fate, in reads of `read` bytes.
fn judge(oracle: &Oracle, bytes: &[u8], read: usize) {
    let mut answer = Answer::new(oracle.clone(), TOKENS, true);
    answer.head(200, false);
    let mut now = 1_000_000;
    for piece in bytes.chunks(read) {
        now += 10;
        answer.feed(black_box(piece), now);
    }
    let seen = answer.finish(now).seen;
    let (fate, detail) = classify(&seen, Dialect::OPENAI);
    assert_eq!(fate, Fate::Completed, "{detail}");
}

/// One token in each event; reads as small as a segment and as large as a buffer.
#[divan::bench(args = [64, 1_448, 16_384])]
fn one_token_per_event(bencher: Bencher<'_, '_>, read: usize) {
    let oracle = Oracle::from_key(b"bench");
    let bytes = stream(&oracle, 1);
    bencher
        .counter(ItemsCount::new(TOKENS))
        .bench_local(|| judge(&oracle, &bytes, read));
}

/// A gateway that coalesces.
#[divan::bench]
fn eight_tokens_per_event(bencher: Bencher<'_, '_>) {
    let oracle = Oracle::from_key(b"bench");
    let bytes = stream(&oracle, 8);
    bencher
        .counter(ItemsCount::new(TOKENS))
        .bench_local(|| judge(&oracle, &bytes, 16_384));
}

/// The event reader alone.
#[divan::bench]
fn events_only(bencher: Bencher<'_, '_>) {
    let bytes = stream(&Oracle::from_key(b"bench"), 1);
    bencher.counter(ItemsCount::new(TOKENS)).bench_local(|| {
        let mut events = 0u32;
        let mut reader = SseReader::new();
        reader
            .feed(black_box(&bytes), |_| events += 1)
            .expect("lines are short");
        assert!(events > TOKENS);
    });
}
