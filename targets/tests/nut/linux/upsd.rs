//! Our client, supervisor and watcher at Debian's `upsd` with its `dummy-ups`.

use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::net::HostNet;
use ridethrough_targets::service::FromService;
use ridethrough_targets::supervisor::nut::{ClientError, NutClient};
use ridethrough_targets::supervisor::{
    CardAddress, SupervisorConfig, SupervisorService, WatchConfig, run_watch, supervisor_on,
};
use ridethrough_targets::units::Span;
use tokio::time::timeout;

use super::daemon::Daemon;
use super::peer::{Peer, WAIT, check};
use super::site::{env, listener, until, users};

/// What the dummy device says of itself.
const DEVICE: &str = "ups.status: OL\nbattery.charge: 42\n";

pub(crate) async fn client(upsd: Peer) -> Result<(), Failed> {
    let daemon = Daemon::start(&upsd, "ups1", DEVICE).await?;
    let mut client = daemon.client().await?;
    let listed = client.list_ups().await?;
    check(
        listed.len() == 1 && listed[0].0 == "ups1",
        format!("{listed:?}"),
    )?;
    let all = client.list_var("ups1").await?;
    let charge = all.iter().find(|(name, _)| name == "battery.charge");
    check(charge.is_some_and(|(_, v)| v == "42"), format!("{all:?}"))?;
    let kind = client.get_type("ups1", "battery.charge").await?;
    check(kind.writable, format!("{kind:?}"))?;
    let unknown = client.get_var("ups1", "no.such").await;
    let refused =
        matches!(&unknown, Err(ClientError::Refused(code)) if code == "VAR-NOT-SUPPORTED");
    check(refused, format!("{unknown:?}"))?;

    client.credentials("supervisor", "supervisor").await?;
    client.login("ups1").await?;
    client.primary("ups1").await?;
    let logins = client.num_logins("ups1").await?;
    check(logins == 1, format!("{logins} logins"))?;
    client.track().await?;
    let id = client.set_var("ups1", "battery.charge", "41").await?;
    let id = id.ok_or("the order has no number")?;
    let done = async {
        while client.tracking(&id).await? == "PENDING" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<(), Failed>(())
    };
    timeout(WAIT, done).await.map_err(|_| "still pending")??;
    client.fsd("ups1").await?;
    let status = client.get_var("ups1", "ups.status").await?;
    check(status == "FSD OL", status)?;
    client.logout().await;
    Ok(())
}

/// A real `upsd` stands in for a card.
pub(crate) async fn supervisor(upsd: Peer) -> Result<(), Failed> {
    let daemon = Daemon::start(&upsd, "ups1", DEVICE).await?;
    let (listener, port) = listener().await?;
    let (supervisor_env, mut supervisor) = env("supervisor");
    let config = SupervisorService {
        policy: SupervisorConfig {
            poll: Span::from_millis(50),
            ..SupervisorConfig::default()
        },
        devices: vec![CardAddress {
            name: "ups1".into(),
            description: String::new(),
            host: "upsd".into(),
            port: daemon.port,
        }],
        users: users(),
        ..SupervisorService::default()
    };
    tokio::spawn(supervisor_on(supervisor_env, config, listener));
    let (watch_env, mut watch) = env("watch");
    let config = WatchConfig {
        port,
        ups: vec!["ups1".into()],
        ..WatchConfig::default()
    };
    tokio::spawn(run_watch(watch_env, config));

    let entered = |state: &'static str| move |w: &FromService| matches!(w, FromService::State { to, .. } if to == state);
    let seen = |status: &'static str| move |w: &FromService| matches!(w, FromService::Observed { value, .. } if value == status);
    until(&mut supervisor, entered("utility")).await?;
    until(&mut watch, seen("OL")).await?;

    // An order of a client of ours goes through to the real driver.
    let mut client = NutClient::connect(&HostNet::loopback(), "us", port, WAIT).await?;
    client.credentials("admin", "pw").await?;
    client.set_var("ups1", "ups.status", "OB DISCHRG").await?;
    until(&mut supervisor, entered("on_battery")).await?;
    until(&mut watch, seen("OB DISCHRG")).await?;
    Ok(())
}
