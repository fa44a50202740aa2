//! What a client sees of each known-bad mode through a gateway without
//! defences, and that a full one hides it.

use std::time::Duration;

use proptest::prelude::*;

use super::stack::{Answer, Stack, chat_body, expected, replica_config, stack};
use crate::service::AttemptEnd;
use crate::serving::{GatewayMode, KnownBad};

/// Streams 12 tokens through `mode` from one replica that breaks after 5.
async fn broken(mode: GatewayMode, bad: KnownBad) -> Answer {
    let (stack, _gateway, _replicas) = stack(mode, &[Some(bad)]).await;
    stack.chat(super::stack::GATEWAY, 12).await
}

#[tokio::test(start_paused = true)]
async fn a_gateway_without_defences_shows_each_break() {
    for (bad, text, finish, done, clean, errors) in [
        (KnownBad::EofClean, expected(0, 5), None, false, true, 0),
        (KnownBad::EofRaw, expected(0, 5), None, false, false, 0),
        (KnownBad::Rst, expected(0, 5), None, false, false, 0),
        (KnownBad::ErrorThenDone, expected(0, 5), None, true, true, 1),
        (KnownBad::EventError, expected(0, 5), None, false, true, 1),
        (KnownBad::DoneEarly, expected(0, 5), None, true, true, 0),
        (
            KnownBad::ShortLength,
            expected(0, 5),
            Some("length"),
            true,
            true,
            0,
        ),
        (
            KnownBad::DuplicateToken,
            expected(0, 5) + &expected(4, 8),
            Some("length"),
            true,
            true,
            0,
        ),
        (
            KnownBad::MissingToken,
            expected(0, 5) + &expected(6, 6),
            Some("length"),
            true,
            true,
            0,
        ),
        (
            KnownBad::Restart,
            expected(0, 5) + &expected(0, 12),
            Some("length"),
            true,
            true,
            0,
        ),
        (
            KnownBad::Stall,
            expected(0, 12),
            Some("length"),
            true,
            true,
            0,
        ),
        (KnownBad::NoFinish, expected(0, 12), None, true, true, 0),
        (KnownBad::DoneOnly, String::new(), None, true, true, 0),
        (KnownBad::ErrorOnly, String::new(), None, false, true, 1),
    ] {
        let seen = broken(GatewayMode::None, bad).await;
        assert_eq!(seen.status, 200, "{bad:?}");
        assert_eq!(seen.text, text, "{bad:?}");
        assert_eq!(seen.finish.as_deref(), finish, "{bad:?}");
        assert_eq!(
            (seen.done, seen.clean, seen.errors),
            (done, clean, errors),
            "{bad:?} {seen:?}"
        );
    }
    let seen = broken(GatewayMode::None, KnownBad::SplitJson).await;
    assert_eq!(seen.broken, 2);
    let seen = broken(GatewayMode::None, KnownBad::CrossTalk).await;
    assert!(seen.text.starts_with(&expected(0, 5)));
    assert_ne!(seen.text, expected(0, 12));
    assert_eq!(seen.tokens, 12);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_replica_says_that_it_is_healthy() {
    let mut stack = Stack::memory();
    let mut replica = stack.replica("gpu-1", replica_config(1, Some(KnownBad::FrozenHealthy)));
    replica.ready().await;
    let health = stack
        .post(1, "/health", &[], &serde_json::Value::Null)
        .await;
    assert_eq!(health.status.as_u16(), 200);
    let asked = tokio::time::timeout(Duration::from_secs(60), stack.chat(1, 1)).await;
    assert!(asked.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_full_gateway_hides_each_break() {
    for (bad, end) in [
        (KnownBad::EofClean, AttemptEnd::Eof),
        (KnownBad::EofRaw, AttemptEnd::Eof),
        (KnownBad::ErrorThenDone, AttemptEnd::ErrorFrame),
        (KnownBad::EventError, AttemptEnd::ErrorFrame),
        (KnownBad::DoneEarly, AttemptEnd::Eof),
        (KnownBad::ShortLength, AttemptEnd::Eof),
        (KnownBad::DuplicateToken, AttemptEnd::Completed),
        (KnownBad::MissingToken, AttemptEnd::ErrorFrame),
        (KnownBad::Restart, AttemptEnd::Completed),
        (KnownBad::Stall, AttemptEnd::IdleTimeout),
        (KnownBad::NoFinish, AttemptEnd::Completed),
        (KnownBad::SplitJson, AttemptEnd::ErrorFrame),
        (KnownBad::DoneOnly, AttemptEnd::Eof),
        (KnownBad::ErrorOnly, AttemptEnd::ErrorFrame),
    ] {
        let (stack, mut gateway, _replicas) = stack(GatewayMode::Full, &[Some(bad), None]).await;
        let seen = stack.chat(super::stack::GATEWAY, 12).await;
        assert_eq!(seen.text, expected(0, 12), "{bad:?}");
        seen.assert_exact(&expected(0, 12));
        assert_eq!(seen.roles, 1, "{bad:?}");
        let attempts = gateway.attempts();
        assert_eq!(attempts[0].end, end, "{bad:?} {attempts:?}");
        assert_eq!(attempts[0].replica, "gpu-1");
        assert!(attempts.iter().all(|attempt| attempt.request == "r1"));
        if end != AttemptEnd::Completed {
            assert_eq!(attempts.len(), 2, "{bad:?}");
            let last = &attempts[1];
            assert_eq!(
                (last.replica.as_str(), last.end),
                ("gpu-2", AttemptEnd::Completed)
            );
            assert_eq!(last.from_token, 12 - last.tokens, "{bad:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn retries_help_before_the_first_token_only() {
    for (bad, ok) in [
        (KnownBad::ErrorOnly, true),
        (KnownBad::DoneOnly, true),
        (KnownBad::EofRaw, false),
    ] {
        let (stack, _gateway, _replicas) = stack(GatewayMode::RetryOnly, &[Some(bad), None]).await;
        let seen = stack.chat(super::stack::GATEWAY, 12).await;
        assert_eq!(
            seen.text == expected(0, 12) && seen.done,
            ok,
            "{bad:?} {seen:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_idle_timeout_tears_loudly() {
    let seen = broken(GatewayMode::IdleTimeout, KnownBad::Stall).await;
    assert_eq!(seen.text, expected(0, 5));
    assert_eq!((seen.errors, seen.done, seen.clean), (1, false, false));
    let seen = broken(GatewayMode::KeepaliveOnly, KnownBad::Stall).await;
    seen.assert_exact(&expected(0, 12));
}

#[tokio::test]
async fn a_reset_is_a_reset_on_the_wire_and_resumed() {
    let net = std::sync::Arc::new(crate::net::HostNet::loopback());
    let mut stack = Stack::over(net);
    let ports = free_ports(3).await;
    let mut bad = stack.replica("bad", replica_config(ports[0], Some(KnownBad::Rst)));
    let mut good = stack.replica("good", replica_config(ports[1], None));
    bad.ready().await;
    good.ready().await;
    let mut config = super::stack::gateway_config(GatewayMode::Full, &ports[..2]);
    config.port = ports[2];
    let mut gateway = stack.gateway(config);
    gateway.ready().await;
    let reply = stack
        .post(ports[2], "/v1/chat/completions", &[], &chat_body(12))
        .await;
    reply.answer().await.assert_exact(&expected(0, 12));
    let attempts = gateway.attempts();
    assert_eq!(attempts[0].end, AttemptEnd::Reset, "{attempts:?}");
}

/// Ports that were free a moment ago.
pub(super) async fn free_ports(count: usize) -> Vec<u16> {
    let mut held = Vec::new();
    for _ in 0..count {
        held.push(
            tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("bind"),
        );
    }
    held.iter()
        .map(|l| l.local_addr().expect("address").port())
        .collect()
}

const HIDDEN: [KnownBad; 15] = [
    KnownBad::EofClean,
    KnownBad::EofRaw,
    KnownBad::Rst,
    KnownBad::ErrorThenDone,
    KnownBad::EventError,
    KnownBad::DoneEarly,
    KnownBad::ShortLength,
    KnownBad::DuplicateToken,
    KnownBad::MissingToken,
    KnownBad::Restart,
    KnownBad::Stall,
    KnownBad::NoFinish,
    KnownBad::SplitJson,
    KnownBad::DoneOnly,
    KnownBad::ErrorOnly,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever breaks wherever, the client reads each token once.
    #[test]
    fn a_full_gateway_is_exact_wherever_it_breaks(
        bad in prop::sample::select(HIDDEN.to_vec()),
        after in 0u32..12,
        tokens in 1u32..12,
        is_stream: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("runtime");
        runtime.block_on(async {
            let mut stack = Stack::memory();
            let config = crate::serving::ReplicaConfig {
                known_bad_after: after,
                ..replica_config(1, Some(bad))
            };
            let mut replicas = [stack.replica("gpu-1", config), stack.replica("gpu-2", replica_config(2, None))];
            let mut gateway = stack.gateway(super::stack::gateway_config(GatewayMode::Full, &[1, 2]));
            for replica in &mut replicas {
                replica.ready().await;
            }
            gateway.ready().await;
            let want = expected(0, tokens);
            for _ in 0..2 {
                if is_stream {
                    stack.chat(super::stack::GATEWAY, tokens).await.assert_exact(&want);
                } else {
                    let mut body = chat_body(tokens);
                    body["stream"] = false.into();
                    let reply = stack.post(super::stack::GATEWAY, "/v1/chat/completions", &[], &body).await;
                    let document = reply.json().await;
                    assert_eq!(document["choices"][0]["message"]["content"], want, "{document}");
                }
            }
        });
    }
}
