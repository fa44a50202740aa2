use std::time::Duration;

use serde_json::{Value, json};
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
        .send(ToService::Clocks { ratio: 0.0 })
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
        .send(ToService::Clocks { ratio: 1.0 })
        .expect("panel");
    gateway.state("replica:gpu-1", "healthy").await;
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_is_left_after_the_first_token_timeout() {
    let mut stack = Stack::memory();
    let mut hole = stack
        .net
        .listen(1, SocketOptions::default())
        .await
        .expect("listen");
    let mut good = stack.replica("gpu-2", replica_config(2, None));
    good.ready().await;
    // It looks healthy at first: probes are answered, requests are not.
    let mut frozen = stack.replica("gpu-3", replica_config(3, Some(KnownBad::FrozenHealthy)));
    frozen.ready().await;
    let mut gateway = stack.gateway(gateway_config(GatewayMode::Full, &[1, 2, 3]));
    let swallow = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(conn) = hole.accept().await {
            held.push(conn);
        }
    });
    gateway.state("replica:gpu-2", "healthy").await;
    for _ in 0..4 {
        stack.chat(GATEWAY, 8).await.assert_exact(&expected(0, 8));
    }
    swallow.abort();
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
