//! Card, supervisor and watcher together, on the loopback network.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::nut::{ClientError, NutClient, NutUser};
use super::*;
use crate::clock::Clock;
use crate::net::{HostNet, Listener, Net, SocketOptions};
use crate::service::{Env, FromService, PanelPeer, ServiceError, ToService, panel_pair};
use crate::telemetry::{CommandError, DeviceCommand, Identity, Reading, ReadingStatus, UpsReading};
use crate::units::Span;

const WAIT: Duration = Duration::from_secs(20);

fn env(service: &str) -> (Env, PanelPeer) {
    let (panel, peer) = panel_pair();
    let env = Env {
        service: service.into(),
        node: service.into(),
        boot: 0,
        net: Arc::new(HostNet::loopback()),
        disk: None,
        clock: Clock::start(),
        seed: 1,
        panel,
    };
    (env, peer)
}

fn reading(status: ReadingStatus) -> UpsReading {
    let on_battery = status == ReadingStatus::OnBattery;
    UpsReading {
        t_us: 0,
        status,
        input_v: if on_battery { 0.0 } else { 230.0 },
        input_nominal_v: 230.0,
        input_hz: if on_battery { 0.0 } else { 50.0 },
        output_v: 230.0,
        output_w: 3200.0,
        rating_w: 10_000.0,
        charge: 0.6,
        runtime_s: 500.0,
        charging: false,
        low_battery: false,
        replace_battery: false,
        transfer_reason: "input voltage out of range".into(),
        ..UpsReading::default()
    }
}

async fn listener() -> (Box<dyn Listener>, u16) {
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await.unwrap();
    let port = listener.local_addr().port();
    (listener, port)
}

struct Running {
    clock: Clock,
    peer: PanelPeer,
    port: u16,
    task: JoinHandle<Result<(), ServiceError>>,
}

impl Running {
    fn read(&self, mut reading: UpsReading) {
        reading.t_us = self.clock.now_us();
        let _ = self.peer.outbox.send(ToService::Reading {
            device: "ups-a".into(),
            reading: Reading::Ups(reading),
        });
    }

    async fn until(&mut self, what: impl Fn(&FromService) -> bool) -> FromService {
        let found = async {
            loop {
                let word = self.peer.inbox.recv().await.expect("the service ended");
                if what(&word) {
                    return word;
                }
            }
        };
        timeout(WAIT, found).await.expect("the word never came")
    }

    /// Waits for an order to the device and answers for it.
    async fn obey(&mut self, outcome: Result<(), CommandError>) -> DeviceCommand {
        let word = self
            .until(|w| matches!(w, FromService::Command { .. }))
            .await;
        let FromService::Command {
            ticket, command, ..
        } = word
        else {
            unreachable!("waited for an order");
        };
        let _ = self.peer.outbox.send(ToService::Obeyed { ticket, outcome });
        command
    }

    async fn until_state(&mut self, state: &str) {
        self.until(|w| matches!(w, FromService::State { to, .. } if to == state))
            .await;
    }

    async fn client(&self) -> NutClient {
        let net = HostNet::loopback();
        NutClient::connect(&net, "host", self.port, WAIT)
            .await
            .unwrap()
    }

    async fn stop(self) {
        let _ = self.peer.outbox.send(ToService::Stop);
        timeout(WAIT, self.task).await.unwrap().unwrap().unwrap();
    }
}

async fn card(change: impl FnOnce(&mut NutAgentConfig)) -> Running {
    let mut nut = NutAgentConfig {
        port: 0,
        ..NutAgentConfig::default()
    };
    change(&mut nut);
    let config = CardConfig {
        devices: vec![Identity::new("ups-a", "ups", "VFI 10kW")],
        nut: Some(nut),
        ..CardConfig::default()
    };
    let (env, peer) = env("card");
    let sockets = CardSockets::open(env.net.as_ref(), &config).await.unwrap();
    let port = sockets.nut_port();
    let clock = env.clock;
    let task = tokio::spawn(card_on(env, config, sockets));
    Running {
        clock,
        peer,
        port,
        task,
    }
}

async fn supervisor(cards: &[(&str, u16)], change: impl FnOnce(&mut SupervisorService)) -> Running {
    let address = |(name, port): &(&str, u16)| CardAddress {
        name: (*name).into(),
        description: String::new(),
        host: "card".into(),
        port: *port,
    };
    let mut config = SupervisorService {
        port: 0,
        policy: SupervisorConfig {
            poll: Span::from_millis(10),
            stale_after: Span::from_secs(2),
            settle: Span::from_millis(100),
            ..SupervisorConfig::default()
        },
        devices: cards.iter().map(address).collect(),
        users: vec![NutUser::all("admin", "pw")],
        ..SupervisorService::default()
    };
    change(&mut config);
    let (listener, port) = listener().await;
    let (env, peer) = env("supervisor");
    let clock = env.clock;
    let task = tokio::spawn(supervisor_on(env, config, listener));
    Running {
        clock,
        peer,
        port,
        task,
    }
}

async fn watch(port: u16, ups: &str) -> Running {
    let (env, peer) = env("watch");
    let config = WatchConfig {
        port,
        ups: vec![ups.into()],
        poll: Span::from_millis(10),
        timeout: Span::from_millis(300),
        ..WatchConfig::default()
    };
    let clock = env.clock;
    let task = tokio::spawn(run_watch(env, config));
    Running {
        clock,
        peer,
        port,
        task,
    }
}

async fn until_seen(watch: &mut Running, status: &str) {
    watch
        .until(|w| matches!(w, FromService::Observed { value, .. } if value == status))
        .await;
}

#[tokio::test]
async fn an_outage_reaches_a_watcher_and_goes_again() {
    let card = card(|_| {}).await;
    let mut supervisor = supervisor(&[("ups-a", card.port)], |_| {}).await;
    let mut watch = watch(supervisor.port, "ups-a").await;
    card.read(reading(ReadingStatus::OnLine));
    supervisor.until_state("utility").await;
    until_seen(&mut watch, "OL").await;
    card.read(reading(ReadingStatus::OnBattery));
    supervisor.until_state("on_battery").await;
    until_seen(&mut watch, "OB DISCHRG").await;
    card.read(reading(ReadingStatus::OnLine));
    for state in ["retransfer", "recovered", "utility"] {
        supervisor.until_state(state).await;
    }
    until_seen(&mut watch, "OL").await;
    watch.stop().await;
    supervisor.stop().await;
    card.stop().await;
}

#[tokio::test]
async fn low_battery_orders_a_shutdown_until_mains_settles() {
    let card = card(|_| {}).await;
    let mut supervisor = supervisor(&[("ups-a", card.port)], |_| {}).await;
    card.read(reading(ReadingStatus::OnLine));
    supervisor.until_state("utility").await;
    card.read(UpsReading {
        low_battery: true,
        ..reading(ReadingStatus::OnBattery)
    });
    supervisor.until_state("low_battery").await;
    supervisor.until_state("shutting_down").await;
    let mut client = supervisor.client().await;
    let status = client.get_var("ups-a", "ups.status").await.unwrap();
    assert_eq!(status, "FSD OB DISCHRG LB");
    card.read(reading(ReadingStatus::OnLine));
    supervisor.until_state("recovered").await;
    let status = client.get_var("ups-a", "ups.status").await.unwrap();
    assert_eq!(status, "OL");
}

#[tokio::test]
async fn a_card_without_data_is_stale_and_a_dead_one_is_down() {
    let card = card(|c| c.stale_after = Some(Span::from_secs(1))).await;
    let mut supervisor = supervisor(&[("ups-a", card.port)], |_| {}).await;
    let mut watch = watch(supervisor.port, "ups-a").await;
    card.read(reading(ReadingStatus::OnLine));
    until_seen(&mut watch, "OL").await;
    until_seen(&mut watch, "DATA-STALE").await;
    supervisor.until_state("blind").await;
    card.read(reading(ReadingStatus::OnLine));
    until_seen(&mut watch, "OL").await;
    card.stop().await;
    until_seen(&mut watch, "DRIVER-NOT-CONNECTED").await;
    supervisor.until_state("blind").await;
    supervisor.stop().await;
    until_seen(&mut watch, UNREACHABLE).await;
}

#[tokio::test]
async fn a_network_that_goes_silent_is_noticed() {
    // The listener takes connections into its backlog and never answers.
    let (_silent, port) = listener().await;
    let mut watch = watch(port, "ups-a").await;
    until_seen(&mut watch, UNREACHABLE).await;
    let supervisor = supervisor(&[("ups-a", port)], |_| {}).await;
    let mut client = supervisor.client().await;
    let refused = client.get_var("ups-a", "ups.status").await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(code) if code == "DRIVER-NOT-CONNECTED"));
}

async fn outcome(client: &mut NutClient, id: Option<String>) -> Result<String, ClientError> {
    let id = id.expect("tracking is on");
    let end = async {
        loop {
            let state = client.tracking(&id).await?;
            if state != "PENDING" {
                return Ok(state);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(WAIT, end).await.expect("the order never ended")
}

#[tokio::test]
async fn orders_go_through_to_the_device() {
    let mut card = card(|_| {}).await;
    let mut supervisor = supervisor(&[("ups-a", card.port)], |_| {}).await;
    card.read(reading(ReadingStatus::OnBattery));
    supervisor.until_state("on_battery").await;
    let mut client = supervisor.client().await;
    client.credentials("admin", "pw").await.unwrap();
    client.track().await.unwrap();

    // A higher threshold makes 60 % of charge a low battery.
    let id = client
        .set_var("ups-a", "battery.charge.low", "70")
        .await
        .unwrap();
    assert_eq!(outcome(&mut client, id).await.unwrap(), "SUCCESS");
    supervisor.until_state("low_battery").await;
    let low = client.get_var("ups-a", "battery.charge.low").await.unwrap();
    assert_eq!(low, "70");

    let id = client.instcmd("ups-a", "beeper.mute", None).await.unwrap();
    assert_eq!(outcome(&mut client, id).await.unwrap(), "SUCCESS");

    let refused = client
        .instcmd("ups-a", "test.battery.start.quick", None)
        .await;
    assert!(matches!(refused, Err(ClientError::Refused(code)) if code == "CMD-NOT-SUPPORTED"));

    let id = client.instcmd("ups-a", "load.off", None).await.unwrap();
    let command = card.obey(Ok(())).await;
    assert_eq!(command, DeviceCommand::Output { on: false });
    assert_eq!(outcome(&mut client, id).await.unwrap(), "SUCCESS");
}

#[tokio::test]
async fn a_device_that_refuses_is_a_failure() {
    let mut card = card(|_| {}).await;
    card.read(reading(ReadingStatus::OnLine));
    let mut client = card.client().await;
    client
        .credentials("supervisor", "supervisor")
        .await
        .unwrap();
    client.track().await.unwrap();
    let id = client.instcmd("ups-a", "load.off", None).await.unwrap();
    let refusal = CommandError::Refused("ups-a: not now".into());
    card.obey(Err(refusal)).await;
    let failed = outcome(&mut client, id).await.unwrap_err();
    assert!(matches!(failed, ClientError::Refused(code) if code == "FAILED"));
}

#[tokio::test]
async fn names_must_differ_and_be_words() {
    let address = |name: &str| CardAddress {
        name: name.into(),
        description: String::new(),
        host: "card".into(),
        port: 1,
    };
    for names in [["ups-a", "UPS-A"], ["ups-a", "ups b"]] {
        let (listener, _) = listener().await;
        let (env, _peer) = env("supervisor");
        let config = SupervisorService {
            devices: names.map(address).to_vec(),
            ..SupervisorService::default()
        };
        let end = supervisor_on(env, config, listener).await;
        assert!(matches!(end, Err(ServiceError::Config(_))), "{names:?}");
    }
}
