//! A card and a supervisor of this crate on free ports.

use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::clock::Clock;
use ridethrough_targets::net::{HostNet, Listener, Net, SocketOptions};
use ridethrough_targets::service::{Env, FromService, PanelPeer, ToService, panel_pair};
use ridethrough_targets::supervisor::nut::{NutClient, NutRole, NutUser};
use ridethrough_targets::supervisor::{
    CardAddress, CardConfig, CardSockets, NutAgentConfig, SupervisorConfig, SupervisorService,
    card_on, supervisor_on,
};
use ridethrough_targets::telemetry::{Identity, Reading, ReadingStatus, UpsReading};
use ridethrough_targets::units::Span;
use tokio::time::timeout;

use super::peer::WAIT;

/// A site of one UPS, `ups-a`.
pub(crate) struct Site {
    pub(crate) card: PanelPeer,
    pub(crate) supervisor: PanelPeer,
    /// The supervisor's port.
    pub(crate) port: u16,
}

pub(crate) fn env(service: &str) -> (Env, PanelPeer) {
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

pub(crate) async fn listener() -> Result<(Box<dyn Listener>, u16), Failed> {
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await?;
    let port = listener.local_addr().port();
    Ok((listener, port))
}

pub(crate) fn reading(status: ReadingStatus) -> UpsReading {
    UpsReading {
        t_us: 0,
        status,
        input_v: if status == ReadingStatus::OnBattery {
            0.0
        } else {
            231.2
        },
        input_nominal_v: 230.0,
        input_hz: 50.0,
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

pub(crate) fn users() -> Vec<NutUser> {
    let upsmon = |name: &str, role| NutUser {
        name: name.into(),
        password: "pw".into(),
        upsmon: Some(role),
        ..NutUser::default()
    };
    vec![
        NutUser::all("admin", "pw"),
        upsmon("pri", NutRole::Primary),
        upsmon("sec", NutRole::Secondary),
    ]
}

impl Site {
    /// Starts on mains. `shuts_down` is the supervisor's policy on low battery.
    pub(crate) async fn start(shuts_down: bool) -> Result<Self, Failed> {
        let (card_env, card) = env("card");
        let config = CardConfig {
            devices: vec![Identity::new("ups-a", "ups", "Row A, \"left\" feed")],
            nut: Some(NutAgentConfig {
                port: 0,
                ..NutAgentConfig::default()
            }),
            ..CardConfig::default()
        };
        let sockets = CardSockets::open(card_env.net.as_ref(), &config).await?;
        let card_port = sockets.nut_port();
        tokio::spawn(card_on(card_env, config, sockets));
        let (listener, port) = listener().await?;
        let (env, supervisor) = env("supervisor");
        let config = SupervisorService {
            policy: SupervisorConfig {
                poll: Span::from_millis(50),
                stale_after: Span::from_secs(1),
                settle: Span::from_millis(500),
                shutdown_on_low_battery: shuts_down,
                ..SupervisorConfig::default()
            },
            devices: vec![CardAddress {
                name: "ups-a".into(),
                description: "Row A, \"left\" feed".into(),
                host: "card".into(),
                port: card_port,
            }],
            users: users(),
            ..SupervisorService::default()
        };
        tokio::spawn(supervisor_on(env, config, listener));
        let mut site = Self {
            card,
            supervisor,
            port,
        };
        site.read(reading(ReadingStatus::OnLine));
        site.until_state("utility").await?;
        Ok(site)
    }

    /// `ups-a@127.0.0.1:<port>`.
    pub(crate) fn ups(&self) -> String {
        format!("ups-a@{}", self.server())
    }

    /// `127.0.0.1:<port>`.
    pub(crate) fn server(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Tells the card what the meters read.
    pub(crate) fn read(&self, reading: UpsReading) {
        let word = ToService::Reading {
            device: "ups-a".into(),
            reading: Reading::Ups(reading),
        };
        let _ = self.card.outbox.send(word);
    }

    /// Waits for the supervisor to enter a state.
    pub(crate) async fn until_state(&mut self, state: &str) -> Result<(), Failed> {
        let entered =
            |word: &FromService| matches!(word, FromService::State { to, .. } if to == state);
        until(&mut self.supervisor, entered).await.map(drop)
    }

    /// Waits until this many clients are logged in.
    pub(crate) async fn until_logins(&self, logins: u32) -> Result<(), Failed> {
        let mut client = self.client().await?;
        let reached = async {
            while client.num_logins("ups-a").await? != logins {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        };
        let late = format!("never {logins} logins");
        timeout(WAIT, reached).await.map_err(|_| late)?
    }

    /// A client of our own at the supervisor.
    pub(crate) async fn client(&self) -> Result<NutClient, Failed> {
        let net = HostNet::loopback();
        Ok(NutClient::connect(&net, "host", self.port, WAIT).await?)
    }
}

/// Waits for a word of a service.
pub(crate) async fn until(
    peer: &mut PanelPeer,
    what: impl Fn(&FromService) -> bool,
) -> Result<FromService, Failed> {
    let mut heard = Vec::new();
    let found = async {
        while let Some(word) = peer.inbox.recv().await {
            if what(&word) {
                return Some(word);
            }
            heard.push(word);
        }
        None
    };
    let found = timeout(WAIT, found).await.ok().flatten();
    found.ok_or_else(|| format!("the word never came; heard {heard:?}").into())
}
