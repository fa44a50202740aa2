use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::stack::{Answer, GATEWAY, Stack, chat_body, expected, gateway_config, replica_config};
use crate::net::SocketOptions;
use crate::service::FromService;
use crate::serving::{Admission, GatewayMode};

const CHAT: &str = "/v1/chat/completions";

#[tokio::test(start_paused = true)]
async fn bounds_hold_by_class() {
    let mut stack = Stack::memory();
    let mut replica = stack.replica("gpu-1", replica_config(1, None));
    replica.ready().await;
    let mut config = gateway_config(GatewayMode::Full, &[1]);
    config.admission = Admission {
        max_in_flight: 2,
        max_batch: 1,
    };
    let mut gateway = stack.gateway(config);
    gateway.ready().await;
    let batch = [("x-ridethrough-class", "batch")];
    let mut first = stack.post(GATEWAY, CHAT, &batch, &chat_body(20)).await;
    let mut answer = Answer::default();
    first.read(&mut answer, 1).await;
    let second = stack.post(GATEWAY, CHAT, &batch, &chat_body(5)).await;
    assert_eq!(
        (
            second.status.as_u16(),
            second.header("retry-after").as_str()
        ),
        (429, "1")
    );
    let third = stack.post(GATEWAY, CHAT, &[], &chat_body(20)).await;
    assert_eq!(third.status.as_u16(), 200);
    let fourth = stack.post(GATEWAY, CHAT, &[], &chat_body(5)).await;
    assert_eq!(fourth.status.as_u16(), 429);
    // What is in stays in, and leaves its place.
    first.read(&mut answer, usize::MAX).await;
    answer.assert_exact(&expected(0, 20));
    third.answer().await.assert_exact(&expected(0, 20));
    stack.chat(GATEWAY, 3).await.assert_exact(&expected(0, 3));
}

/// A NUT server that says what it is told to, and hangs up when told nothing.
fn nut(
    stack: &Stack,
    port: u16,
    status: Arc<Mutex<Option<&'static str>>>,
) -> tokio::task::JoinHandle<()> {
    let net = Arc::clone(&stack.net);
    tokio::spawn(async move {
        let mut listener = net
            .listen(port, SocketOptions::default())
            .await
            .expect("listen");
        while let Ok(conn) = listener.accept().await {
            let status = Arc::clone(&status);
            tokio::spawn(async move {
                let mut wire = BufReader::new(conn.io);
                let mut line = String::new();
                while wire.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                    assert_eq!(line, "GET VAR ups-a ups.status\n");
                    line.clear();
                    let now = *status.lock().expect("status");
                    let Some(now) = now else { return };
                    let said = format!("VAR ups-a ups.status \"{now}\"\n");
                    if wire.write_all(said.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    })
}

#[tokio::test(start_paused = true)]
async fn power_sheds_classes_and_never_a_running_stream() {
    let mut stack = Stack::memory();
    let status = Arc::new(Mutex::new(Some("OL CHRG")));
    let _nut = nut(&stack, 3493, Arc::clone(&status));
    let mut replica = stack.replica("gpu-1", replica_config(1, None));
    replica.ready().await;
    let mut config = gateway_config(GatewayMode::Full, &[1]);
    config.power.nut = "supervisor:3493".into();
    config.power.ups = vec!["ups-a".into()];
    let mut gateway = stack.gateway(config);
    gateway.ready().await;
    let say = |text| *status.lock().expect("status") = text;
    let batch = [("x-ridethrough-class", "batch")];
    let code = async |class: &[(&str, &str)]| {
        stack
            .post(GATEWAY, CHAT, class, &chat_body(1))
            .await
            .status
            .as_u16()
    };

    let mut running = stack.post(GATEWAY, CHAT, &batch, &chat_body(400)).await;
    let mut answer = Answer::default();
    running.read(&mut answer, 1).await;
    say(Some("OB DISCHRG"));
    assert_eq!(
        gateway.state("shedding", "on_battery").await,
        "ups-a: OB DISCHRG"
    );
    assert_eq!((code(&batch).await, code(&[]).await), (503, 200));
    say(Some("OB DISCHRG LB"));
    gateway.state("shedding", "low_battery").await;
    assert_eq!((code(&batch).await, code(&[]).await), (503, 503));
    // A server that cannot be asked changes nothing.
    say(None);
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(code(&[]).await, 503);
    say(Some("OL"));
    let observed = gateway
        .hear(|word| match word {
            FromService::Observed {
                via,
                device,
                variable,
                value,
                ..
            } => Some((via, device, variable, value)),
            _ => None,
        })
        .await;
    assert_eq!(
        observed,
        (
            "nut".into(),
            "ups-a".into(),
            "ups.status".into(),
            "OL".into()
        )
    );
    gateway.state("shedding", "normal").await;
    assert_eq!((code(&batch).await, code(&[]).await), (200, 200));
    running.read(&mut answer, usize::MAX).await;
    answer.assert_exact(&expected(0, 400));
}

#[test]
fn configurations_are_strict_and_defaulted() {
    let config: crate::serving::GatewayConfig =
        serde_yaml::from_str("mode: retry_only\nfirst_token_timeout: 3s\n").expect("partial");
    assert_eq!(config.mode, GatewayMode::RetryOnly);
    assert_eq!(config.port, 8000);
    assert!(serde_yaml::from_str::<crate::serving::GatewayConfig>("modus: full").is_err());
    assert!(serde_yaml::from_str::<crate::serving::ReplicaConfig>("slots: 4\nslotz: 4").is_err());
}
