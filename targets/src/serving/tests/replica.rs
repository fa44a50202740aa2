use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::stack::{Answer, Stack, chat_body, expected, replica_config};
use crate::plant::ClockReasons;
use crate::service::{FromService, ToService};
use crate::serving::{Message, ReplicaConfig, answer, request_key};

async fn one() -> (Stack, super::stack::Service) {
    let mut stack = Stack::memory();
    let mut replica = stack.replica("gpu-1", replica_config(1, None));
    replica.ready().await;
    (stack, replica)
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_exact_and_paced() {
    let (stack, _replica) = one().await;
    let start = Instant::now();
    let answer = stack.chat(1, 20).await;
    answer.assert_exact(&expected(0, 20));
    assert_eq!((answer.served_by.as_str(), answer.roles), ("gpu-1", 1));
    assert_eq!(answer.fingerprints, ["gpu-1"]);
    // 30 ms and 4 x 0.1 ms of prefill, then 19 steps of 20 ms.
    let took = start.elapsed().as_millis();
    assert!((410..=415).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_is_exact() {
    let (stack, _replica) = one().await;
    let mut body = chat_body(7);
    body["stream"] = false.into();
    let document = stack
        .post(1, "/v1/chat/completions", &[], &body)
        .await
        .json()
        .await;
    assert_eq!(document["object"], "chat.completion");
    assert_eq!(document["choices"][0]["message"]["content"], expected(0, 7));
    assert_eq!(document["choices"][0]["finish_reason"], "length");
    assert_eq!(document["usage"]["total_tokens"], 11);
}

#[tokio::test(start_paused = true)]
async fn three_dialects_continue_and_a_plain_message_does_not() {
    let (stack, _replica) = one().await;
    let with_tail = |extra: &[(&str, Value)], tail: Value| {
        let mut body = chat_body(4);
        body["messages"]
            .as_array_mut()
            .expect("messages")
            .push(tail);
        for (name, value) in extra {
            body[*name] = value.clone();
        }
        body
    };
    let tail = json!({"role": "assistant", "content": expected(0, 6)});
    let flags = [
        ("continue_final_message", json!(true)),
        ("add_generation_prompt", json!(false)),
    ];
    let mut prefixed = tail.clone();
    prefixed["prefix"] = true.into();
    for body in [with_tail(&flags, tail.clone()), with_tail(&[], prefixed)] {
        let answer = stack
            .post(1, "/v1/chat/completions", &[], &body)
            .await
            .answer()
            .await;
        assert_eq!(answer.text, expected(6, 4));
    }
    let naive = with_tail(&[], tail);
    let restarted = stack
        .post(1, "/v1/chat/completions", &[], &naive)
        .await
        .answer()
        .await;
    let key = request_key(
        &[
            Message::user("tell me about power"),
            Message::assistant(expected(0, 6)),
        ],
        None,
    );
    assert_eq!(restarted.text, answer(&key, 0, 4));
    let prompt = format!("tell me about power{}", expected(0, 6));
    let body = json!({"prompt": prompt, "max_tokens": 4, "stream": true});
    let continued = stack
        .post(1, "/v1/completions", &[], &body)
        .await
        .answer()
        .await;
    assert_eq!(continued.text, expected(6, 4));
}

#[tokio::test(start_paused = true)]
async fn bad_requests_get_openai_errors() {
    let (stack, _replica) = one().await;
    let chat = "/v1/chat/completions";
    for (path, body, status) in [
        (chat, json!({}), 400),
        (chat, json!({"messages": []}), 400),
        (chat, json!({"messages": "x"}), 400),
        (
            chat,
            json!({"messages": [{"role": "user", "content": "x"}], "max_tokens": 0}),
            400,
        ),
        (
            chat,
            json!({"messages": [{"role": "user", "content": "x"}], "n": 2}),
            400,
        ),
        (
            chat,
            json!({"messages": [{"role": "user", "content": "x"}], "continue_final_message": true, "add_generation_prompt": false}),
            400,
        ),
        ("/v1/completions", json!({"prompt": ["a", "b"]}), 400),
        (chat, Value::Null, 405),
        ("/nowhere", Value::Null, 404),
    ] {
        let reply = stack.post(1, path, &[], &body).await;
        assert_eq!(reply.status.as_u16(), status, "{path} {body}");
        assert!(reply.json().await["error"]["message"].is_string());
    }
    stack.chat(1, 3).await.assert_exact(&expected(0, 3));
}

#[tokio::test(start_paused = true)]
async fn health_waits_for_the_model() {
    let mut stack = Stack::memory();
    let mut replica = stack.replica("gpu-1", replica_config(1, None));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let health = async |stack: &Stack| {
        stack
            .post(1, "/health", &[], &Value::Null)
            .await
            .status
            .as_u16()
    };
    assert_eq!(health(&stack).await, 503);
    assert_eq!(stack.chat(1, 1).await.status, 503);
    replica.ready().await;
    assert_eq!(health(&stack).await, 200);
    let models = stack
        .post(1, "/v1/models", &[], &Value::Null)
        .await
        .json()
        .await;
    assert_eq!(models["data"][0]["id"], "reference");
}

#[tokio::test(start_paused = true)]
async fn slots_queue_and_then_refuse_and_a_leaving_client_frees_its_slot() {
    let mut stack = Stack::memory();
    let config = ReplicaConfig {
        slots: 1,
        queue: 1,
        ..replica_config(1, None)
    };
    let mut replica = stack.replica("gpu-1", config);
    replica.ready().await;
    let path = "/v1/chat/completions";
    let mut first = stack.post(1, path, &[], &chat_body(10_000)).await;
    first.read(&mut Answer::default(), 1).await;
    let second = stack.post(1, path, &[], &chat_body(3)).await;
    let third = stack.post(1, path, &[], &chat_body(3)).await;
    assert_eq!(
        (third.status.as_u16(), third.header("retry-after").as_str()),
        (429, "1")
    );
    let probe = stack
        .post(1, path, &[("x-ridethrough-class", "health")], &chat_body(1))
        .await;
    assert_eq!(
        probe.answer().await.text,
        expected(0, 1),
        "probes pass a full replica"
    );
    drop(first);
    let start = Instant::now();
    second.answer().await.assert_exact(&expected(0, 3));
    assert!(start.elapsed() < Duration::from_secs(1));
    let metrics = stack
        .post(1, "/metrics", &[], &Value::Null)
        .await
        .text()
        .await;
    assert!(
        metrics.contains("vllm:num_requests_running{model_name=\"reference\"} 0"),
        "{metrics}"
    );
    assert!(
        metrics.contains("finished_reason=\"abort\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("finished_reason=\"length\"} 1"),
        "{metrics}"
    );
}

#[tokio::test(start_paused = true)]
async fn clocks_act_at_once_and_draw_follows() {
    let (stack, mut replica) = one().await;
    let mut reply = stack
        .post(1, "/v1/chat/completions", &[], &chat_body(50))
        .await;
    let mut answer = Answer::default();
    reply.read(&mut answer, 10).await;
    replica
        .outbox
        .send(ToService::Clocks {
            ratio: 0.25,
            reasons: Default::default(),
        })
        .expect("panel");
    let start = Instant::now();
    reply.read(&mut answer, 20).await;
    let took = start.elapsed().as_millis();
    assert!((1500..=1601).contains(&took), "{took}");
    let slow = replica
        .hear(|word| match word {
            FromService::Draw(draw) if draw.tokens_per_s < 20.0 && draw.tokens_per_s > 0.0 => {
                Some(draw)
            }
            _ => None,
        })
        .await;
    assert!((slow.utilisation - 0.25 / 32.0).abs() < 1e-9, "{slow:?}");
    assert!((slow.tokens_per_s - 12.5).abs() < 1e-9, "{slow:?}");
    replica
        .outbox
        .send(ToService::Clocks {
            ratio: 0.0,
            reasons: ClockReasons::HW_SLOWDOWN.and(ClockReasons::HW_POWER_BRAKE_SLOWDOWN),
        })
        .expect("panel");
    let metrics = stack
        .post(1, "/metrics", &[], &Value::Null)
        .await
        .text()
        .await;
    let reasons = "DCGM_FI_DEV_CLOCKS_EVENT_REASONS{gpu=\"0\"} 136";
    assert!(metrics.contains(reasons), "{metrics}");
    let frozen = tokio::time::timeout(Duration::from_secs(60), reply.read(&mut answer, 5)).await;
    assert!(frozen.is_err(), "a stopped accelerator makes no token");
    replica
        .outbox
        .send(ToService::Clocks {
            ratio: 1.0,
            reasons: Default::default(),
        })
        .expect("panel");
    reply.read(&mut answer, usize::MAX).await;
    answer.assert_exact(&expected(0, 50));
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_running_requests_finish() {
    let (stack, replica) = one().await;
    let mut reply = stack
        .post(1, "/v1/chat/completions", &[], &chat_body(30))
        .await;
    let mut answer = Answer::default();
    reply.read(&mut answer, 1).await;
    replica.outbox.send(ToService::Stop).expect("panel");
    reply.read(&mut answer, 3).await;
    assert_eq!(stack.chat(1, 1).await.status, 503);
    reply.read(&mut answer, usize::MAX).await;
    answer.assert_exact(&expected(0, 30));
    while !replica.task.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_before_its_answer_frees_its_slot_too() {
    let (stack, _replica) = one().await;
    let mut body = chat_body(10_000);
    body["stream"] = false.into();
    let asked = stack.post(1, "/v1/chat/completions", &[], &body);
    let asked = tokio::time::timeout(Duration::from_secs(1), asked).await;
    assert!(asked.is_err());
    let mut metrics = String::new();
    for _ in 0..100 {
        metrics = stack
            .post(1, "/metrics", &[], &Value::Null)
            .await
            .text()
            .await;
        if metrics.contains("vllm:num_requests_running{model_name=\"reference\"} 0") {
            return;
        }
    }
    panic!("still running: {metrics}");
}

#[tokio::test(start_paused = true)]
async fn draw_is_said_at_most_twenty_times_a_second() {
    let (stack, mut replica) = one().await;
    for _ in 0..40 {
        stack.chat(1, 2).await.assert_exact(&expected(0, 2));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut said = Vec::new();
    while let Ok(word) = replica.inbox.try_recv() {
        if let FromService::Draw(draw) = word {
            said.push(draw);
        }
    }
    assert!(said.len() > 10, "{}", said.len());
    assert!(
        said.windows(2)
            .all(|pair| pair[1].t_us - pair[0].t_us >= 50_000)
    );
    assert_eq!(said.last().map(|draw| draw.utilisation), Some(0.0));
}
