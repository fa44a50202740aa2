use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::stack::{
    Answer, GATEWAY, Stack, chat_body, expected, gateway_config, replica_config, stack,
};
use crate::net::SocketOptions;
use crate::service::{AttemptEnd, ToService};
use crate::serving::{GatewayMode, KnownBad, ReplicaConfig};

#[tokio::test(start_paused = true)]
async fn a_killed_replica_is_survived_in_mid_answer() {
    let (stack, mut gateway, mut replicas) = stack(GatewayMode::Full, &[None, None]).await;
    let mut reply = stack
        .post(GATEWAY, "/v1/chat/completions", &[], &chat_body(40))
        .await;
    let served = reply.header("x-served-by");
    let mut answer = Answer::default();
    reply.read(&mut answer, 10).await;
    let at = usize::from(served == "gpu-2");
    replicas[at].task.abort();
    reply.read(&mut answer, usize::MAX).await;
    answer.assert_exact(&expected(0, 40));
    assert_eq!(answer.fingerprints.len(), 2, "each chunk says who made it");
    let attempts = gateway.attempts();
    assert_eq!(attempts[0].end, AttemptEnd::Eof);
    assert_eq!(attempts[1].from_token, attempts[0].tokens);
    // A new boot of it is taken back.
    replicas[at] = stack_replica_again(stack, at, &mut gateway, &served).await;
}

async fn stack_replica_again(
    mut stack: Stack,
    at: usize,
    gateway: &mut super::stack::Service,
    name: &str,
) -> super::stack::Service {
    let of = format!("replica:{name}");
    gateway.state(&of, "unhealthy").await;
    let replica = stack.replica(name, replica_config(at as u16 + 1, None));
    gateway.state(&of, "healthy").await;
    replica
}

#[tokio::test(start_paused = true)]
async fn completions_and_whole_answers_are_resumed_too() {
    let (stack, _gateway, _replicas) =
        stack(GatewayMode::Full, &[Some(KnownBad::EofRaw), None]).await;
    let body = json!({"prompt": "tell me about power", "max_tokens": 12, "stream": true,
                      "stream_options": {"include_usage": true}});
    let answer = stack
        .post(GATEWAY, "/v1/completions", &[], &body)
        .await
        .answer()
        .await;
    answer.assert_exact(&expected(0, 12));
    let mut body = chat_body(12);
    body["stream"] = false.into();
    for _ in 0..2 {
        let document = stack
            .post(GATEWAY, "/v1/chat/completions", &[], &body)
            .await
            .json()
            .await;
        assert_eq!(
            document["choices"][0]["message"]["content"],
            expected(0, 12)
        );
        assert_eq!(document["usage"]["completion_tokens"], 12);
        assert_eq!(document["object"], "chat.completion");
    }
}

#[tokio::test(start_paused = true)]
async fn a_continuation_of_the_client_is_resumed() {
    let (stack, _gateway, _replicas) =
        stack(GatewayMode::Full, &[Some(KnownBad::EofRaw), None]).await;
    let mut body = chat_body(12);
    let tail = json!({"role": "assistant", "content": expected(0, 6)});
    body["messages"]
        .as_array_mut()
        .expect("messages")
        .push(tail);
    body["continue_final_message"] = true.into();
    body["add_generation_prompt"] = false.into();
    let answer = stack
        .post(GATEWAY, "/v1/chat/completions", &[], &body)
        .await
        .answer()
        .await;
    assert_eq!(answer.text, expected(6, 12));
    assert!(answer.done && answer.clean);
}

/// A replica whose requests hang at some point while its port stays open.
#[tokio::test(start_paused = true)]
async fn eviction_moves_requests_at_once() {
    let mut stack = Stack::memory();
    // Idle and first-token bounds are out of the way: only eviction can help.
    let mut config = gateway_config(GatewayMode::Full, &[1, 2]);
    config.idle_timeout = crate::units::Span::from_secs(600);
    config.first_token_timeout = crate::units::Span::from_secs(600);
    config.deadline = crate::units::Span::from_secs(3600);
    let mut first = stack.replica("gpu-1", replica_config(1, None));
    first.ready().await;
    let mut gateway = stack.gateway(config);
    gateway.state("replica:gpu-1", "healthy").await;
    // One stream running and one without its first token, both at gpu-1.
    let mut reply = stack
        .post(GATEWAY, "/v1/chat/completions", &[], &chat_body(100))
        .await;
    let mut answer = Answer::default();
    reply.read(&mut answer, 10).await;
    let mut second = stack.replica(
        "gpu-2",
        ReplicaConfig {
            slots: 4,
            ..replica_config(2, None)
        },
    );
    second.ready().await;
    gateway.state("replica:gpu-2", "healthy").await;
    // The accelerator of gpu-1 stops: its kernel answers, its model does not.
    first
        .outbox
        .send(ToService::Clocks {
            ratio: 0.0,
            reasons: Default::default(),
        })
        .expect("panel");
    let start = Instant::now();
    let body = chat_body(5);
    let (waiting, other) = tokio::join!(
        stack.post(GATEWAY, "/v1/chat/completions", &[], &body),
        stack.post(GATEWAY, "/v1/chat/completions", &[], &body),
    );
    waiting.answer().await.assert_exact(&expected(0, 5));
    other.answer().await.assert_exact(&expected(0, 5));
    reply.read(&mut answer, usize::MAX).await;
    answer.assert_exact(&expected(0, 100));
    assert!(
        start.elapsed() < Duration::from_secs(6),
        "{:?}",
        start.elapsed()
    );
    let ends: Vec<AttemptEnd> = gateway.attempts().iter().map(|a| a.end).collect();
    assert!(ends.contains(&AttemptEnd::Evicted), "{ends:?}");
    assert!(!ends.contains(&AttemptEnd::IdleTimeout), "{ends:?}");
    // And it comes back by checks alone.
    first
        .outbox
        .send(ToService::Clocks {
            ratio: 1.0,
            reasons: Default::default(),
        })
        .expect("panel");
    gateway.state("replica:gpu-1", "healthy").await;
}

/// A server that answers probes; requests get `said` and then silence.
async fn hole(stack: &Stack, port: u16, said: &'static str) -> JoinHandle<()> {
    let mut listener = stack
        .net
        .listen(port, SocketOptions::default())
        .await
        .expect("listen");
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok(mut conn) = listener.accept().await {
            connections.spawn(async move {
                let mut head = vec![0; 4096];
                let read = conn.io.read(&mut head).await.expect("a request");
                let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
                let probe = "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"choices\":[1]}";
                let answer = if head.contains("x-ridethrough-class: health") {
                    probe
                } else {
                    said
                };
                conn.io.write_all(answer.as_bytes()).await.expect("write");
                std::future::pending::<()>().await;
            });
        }
    })
}

/// Two tokens of an answer in a chunked body that goes no further.
fn two_tokens() -> &'static str {
    let mut wire = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_string();
    for n in 0..2 {
        let token = expected(n, 1);
        let event = json!({"id": "x", "created": 1, "model": "reference", "choices": [{"delta": {"content": token}}]});
        let event = format!("data: {event}\n\n");
        let size = format!("{:x}\r\n", event.len());
        wire.extend([size.as_str(), event.as_str(), "\r\n"]);
    }
    wire.leak()
}

#[tokio::test(start_paused = true)]
async fn silence_is_left_before_and_after_the_first_token() {
    for (said, end, tokens, bound_ms) in [
        ("", AttemptEnd::IdleTimeout, 0, 2000),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            AttemptEnd::IdleTimeout,
            0,
            2000,
        ),
        (two_tokens(), AttemptEnd::IdleTimeout, 2, 1000),
    ] {
        let mut stack = Stack::memory();
        let _hole = hole(&stack, 1, said).await;
        let mut good = stack.replica("gpu-2", replica_config(2, None));
        good.ready().await;
        let mut gateway = stack.gateway(gateway_config(GatewayMode::Full, &[1, 2]));
        gateway.ready().await;
        let start = Instant::now();
        stack.chat(GATEWAY, 8).await.assert_exact(&expected(0, 8));
        let took = start.elapsed().as_millis();
        assert!((bound_ms..bound_ms + 300).contains(&took), "{took}");
        let attempts = gateway.attempts();
        assert_eq!(
            (attempts[0].end, attempts[0].tokens),
            (end, tokens),
            "{attempts:?}"
        );
        assert_eq!(attempts[1].from_token, tokens);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_without_defences_waits_with_its_replica() {
    let mut stack = Stack::memory();
    let _hole = hole(&stack, 1, two_tokens()).await;
    let mut config = gateway_config(GatewayMode::None, &[1]);
    config.deadline = crate::units::Span::from_secs(60);
    let mut gateway = stack.gateway(config);
    gateway.ready().await;
    let start = Instant::now();
    let seen = stack.chat(GATEWAY, 8).await;
    assert!(
        start.elapsed() >= Duration::from_secs(60),
        "only the deadline ends it"
    );
    assert_eq!(
        (seen.text, seen.clean, seen.done),
        (expected(0, 2), false, false)
    );
}

/// Replicas that break every stream after five tokens: each request needs one
/// resume per five, and the budget pays for a hundred in ten seconds.
#[tokio::test(start_paused = true)]
async fn the_budget_ends_and_comes_back() {
    let faults = [Some(KnownBad::ErrorThenDone), Some(KnownBad::ErrorThenDone)];
    let (stack, mut gateway, _replicas) = stack(GatewayMode::Full, &faults).await;
    let whole = expected(0, 300);
    let (first, second, third) = tokio::join!(
        stack.chat(GATEWAY, 300),
        stack.chat(GATEWAY, 300),
        stack.chat(GATEWAY, 300),
    );
    for seen in [first, second, third] {
        assert!(
            whole.starts_with(&seen.text) && seen.text != whole,
            "{seen:?}"
        );
        assert_eq!((seen.done, seen.clean, seen.errors), (false, false, 1));
    }
    assert_eq!(gateway.attempts().len(), 103);
    tokio::time::sleep(Duration::from_secs(11)).await;
    stack
        .chat(GATEWAY, 100)
        .await
        .assert_exact(&expected(0, 100));
}

#[tokio::test(start_paused = true)]
async fn when_nobody_is_left_the_client_hears_it() {
    let (stack, mut gateway, replicas) = stack(GatewayMode::Full, &[None, None]).await;
    let mut reply = stack
        .post(GATEWAY, "/v1/chat/completions", &[], &chat_body(40))
        .await;
    let mut answer = Answer::default();
    reply.read(&mut answer, 10).await;
    for replica in &replicas {
        replica.task.abort();
    }
    reply.read(&mut answer, usize::MAX).await;
    assert!(
        !answer.done && !answer.clean,
        "no [DONE], no clean end: {answer:?}"
    );
    assert_eq!((answer.errors, answer.finish.as_deref()), (1, None));
    assert!(expected(0, 40).starts_with(&answer.text));
    gateway.state("replica:gpu-1", "unhealthy").await;
    let refused = stack.chat(GATEWAY, 1).await;
    assert!(
        refused.status == 503 || refused.status == 502,
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_leaving_client_ends_the_attempt() {
    let (stack, mut gateway, _replicas) = stack(GatewayMode::Full, &[None]).await;
    let mut reply = stack
        .post(GATEWAY, "/v1/chat/completions", &[], &chat_body(5000))
        .await;
    reply.read(&mut Answer::default(), 3).await;
    drop(reply);
    let end = gateway
        .hear(|word| match word {
            crate::service::FromService::Attempt(attempt) => Some(attempt.end),
            _ => None,
        })
        .await;
    assert_eq!(end, AttemptEnd::ClientGone);
    let metrics = stack
        .post(GATEWAY, "/metrics", &[], &Value::Null)
        .await
        .text()
        .await;
    assert!(
        metrics.contains("ridethrough_gateway_in_flight 0"),
        "{metrics}"
    );
    let running = stack
        .post(1, "/metrics", &[], &Value::Null)
        .await
        .text()
        .await;
    assert!(
        running.contains("vllm:num_requests_running{model_name=\"reference\"} 0"),
        "{running}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_keeps_no_place() {
    for mode in [GatewayMode::None, GatewayMode::Full] {
        let mut stack = Stack::memory();
        let mut replica = stack.replica("gpu-1", replica_config(1, None));
        replica.ready().await;
        let mut config = gateway_config(mode, &[1]);
        config.deadline = crate::units::Span::from_secs(60);
        let mut gateway = stack.gateway(config);
        gateway.ready().await;
        // Far more than all buffers on the way hold.
        let mut conn = stack
            .net
            .connect("localhost", GATEWAY, SocketOptions::default())
            .await
            .expect("connect");
        let body = chat_body(100_000).to_string();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        conn.io.write_all(head.as_bytes()).await.expect("head");
        conn.io.write_all(body.as_bytes()).await.expect("body");
        tokio::time::sleep(Duration::from_secs(70)).await;
        let metrics = stack
            .post(GATEWAY, "/metrics", &[], &Value::Null)
            .await
            .text()
            .await;
        assert!(
            metrics.contains("ridethrough_gateway_in_flight 0"),
            "{mode:?} {metrics}"
        );
        let mut rest = Vec::new();
        let _ = conn.io.read_to_end(&mut rest).await;
        assert!(!rest.ends_with(b"0\r\n\r\n"), "broken off, not ended");
    }
}

/// Two runs on paused time say the same, microsecond for microsecond.
#[tokio::test(start_paused = true)]
async fn a_run_can_be_repeated() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (stack, mut gateway, replicas) = stack(GatewayMode::Full, &[None, None, None]).await;
        let kill = async {
            tokio::time::sleep(Duration::from_millis(777)).await;
            replicas[1].task.abort();
        };
        let chats = futures_util::future::join_all((1..20).map(|n| stack.chat(GATEWAY, n * 7)));
        let (answers, ()) = tokio::join!(chats, kill);
        for (n, seen) in answers.iter().enumerate() {
            seen.assert_exact(&expected(0, (n as u32 + 1) * 7));
        }
        let attempts = gateway.attempts();
        assert!(attempts.len() > 19);
        runs.push(attempts);
    }
    assert_eq!(runs[0], runs[1]);
}
