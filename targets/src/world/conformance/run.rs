//! Playing one row of the table in a world.

use std::net::Ipv4Addr;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout_at};

use crate::clock::Micros;
use crate::service::{FromService, Program, ToService};
use crate::world::{NodeSpec, ServiceSpec, World, WorldError, WorldEvent};

use super::judge;
use super::service::{CLIENT, ClientConfig, SERVER, Sighting};
use super::table::{Cell, Column, Fault, Row};

/// How long everything may take to be connected.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// How long streams run before the fault.
const SETTLE: Duration = Duration::from_millis(300);
/// How long the effects are looked at.
const OBSERVE: Duration = Duration::from_millis(7000);
/// How long a power cut lasts before the next boot.
const DARK: Duration = Duration::from_millis(700);
/// How long the clients may take to tell what they saw.
const TELL_LIMIT: Duration = Duration::from_secs(10);

/// The nodes that a row needs; all three must be down.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The node that suffers.
    pub server: (String, Ipv4Addr),
    /// The node whose clients have the defaults of its kernel.
    pub client: (String, Ipv4Addr),
    /// The node whose client connects late.
    pub late: (String, Ipv4Addr),
    /// The built-in service that is the late client. Real kernels keep a
    /// neighbour for up to a minute; a service other than [`CLIENT`] may shorten
    /// that before it does as [`CLIENT`] does. Afterwards is too late: a
    /// neighbour that is known by then is kept as long as it was to be.
    pub late_client: String,
}

/// What was seen in a row.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// When the fault began.
    pub(super) begun_us: Micros,
    /// When it was complete.
    pub(super) effective_us: Micros,
    /// When a reboot was complete, else as above.
    pub(super) settled_us: Micros,
    /// By node, in order.
    pub(super) sightings: IndexMap<String, Vec<Sighting>>,
}

/// Plays a row: boots the stage, does what the row says to the server, and
/// judges what the clients saw. Cuts the stage at the end. `events` is the
/// world's; other nodes' events are dropped.
///
/// # Errors
/// What the world says, or [`WorldError::Failed`] when the clients do not get
/// connected or do not report.
pub async fn row(
    world: &dyn World,
    events: &mut UnboundedReceiver<WorldEvent>,
    stage: &Stage,
    row: &Row,
) -> Result<Vec<Cell>, WorldError> {
    let server = server(stage);
    world.boot(&server, 0).await?;
    world.boot(&client(stage, &stage.client, true), 0).await?;
    world.boot(&client(stage, &stage.late, false), 0).await?;
    let mut seen = Seen::default();
    connected(events, stage, &mut seen).await?;
    tokio::time::sleep(SETTLE).await;

    let until = Instant::now() + OBSERVE;
    seen.begun_us = world.clock().now_us();
    let victim = stage.server.0.as_str();
    match row.fault {
        Fault::PowerCut | Fault::Reboot => drop(world.cut(&[victim.to_string()]).await?),
        Fault::Sigkill => world.kill(victim).await?,
        Fault::Hang => world.hang(victim).await?,
    }
    seen.effective_us = world.clock().now_us();
    if row.fault == Fault::Reboot {
        tokio::time::sleep(DARK).await;
        world.boot(&server, 1).await?;
    }
    seen.settled_us = world.clock().now_us();
    collect(events, &mut seen, until, |_| false).await;

    for (node, _) in [&stage.client, &stage.late] {
        world.say(node, CLIENT, ToService::Stop);
    }
    let told = |seen: &Seen| {
        let done = |node: &String| {
            let rows = seen.sightings.get(node).and_then(|rows| rows.last());
            matches!(rows, Some(Sighting::Done))
        };
        done(&stage.client.0) && done(&stage.late.0)
    };
    if !collect(events, &mut seen, Instant::now() + TELL_LIMIT, told).await {
        return Err(WorldError::Failed("the clients did not report".into()));
    }
    let all = [&stage.server, &stage.client, &stage.late].map(|(name, _)| name.clone());
    world.cut(&all).await?;
    Ok(judge::cells(&seen, stage, row))
}

/// Waits until every stream moves and both clients have connected once.
async fn connected(
    events: &mut UnboundedReceiver<WorldEvent>,
    stage: &Stage,
    seen: &mut Seen,
) -> Result<(), WorldError> {
    let ready = |seen: &Seen| {
        let rows = |node: &String| seen.sightings.get(node).into_iter().flatten();
        let opened = rows(&stage.client.0).filter(|row| matches!(row, Sighting::Open(_)));
        let door = |node| rows(node).any(|row| matches!(row, Sighting::Attempt { .. }));
        opened.count() == Column::STREAMS.len() && door(&stage.client.0) && door(&stage.late.0)
    };
    if collect(events, seen, Instant::now() + READY_LIMIT, ready).await {
        return Ok(());
    }
    let text = format!(
        "the clients did not get connected; seen: {:?}",
        seen.sightings
    );
    Err(WorldError::Failed(text))
}

/// Takes in events until `enough` or the end; tells which.
async fn collect(
    events: &mut UnboundedReceiver<WorldEvent>,
    seen: &mut Seen,
    until: Instant,
    enough: impl Fn(&Seen) -> bool,
) -> bool {
    while !enough(seen) {
        match timeout_at(until, events.recv()).await {
            Ok(Some(WorldEvent::Said {
                node,
                word: FromService::Ledger(row),
                ..
            })) => {
                if let Ok(sighting) = serde_json::from_value(row) {
                    seen.sightings.entry(node).or_default().push(sighting);
                }
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return false,
        }
    }
    true
}

fn server(stage: &Stage) -> NodeSpec {
    NodeSpec {
        name: stage.server.0.clone(),
        ip: stage.server.1,
        services: vec![service(SERVER, SERVER, serde_json::Value::Null)],
    }
}

fn client(stage: &Stage, place: &(String, Ipv4Addr), streams: bool) -> NodeSpec {
    let config = ClientConfig {
        server: stage.server.0.clone(),
        streams,
    };
    let program = if streams { CLIENT } else { &stage.late_client };
    let config = serde_json::to_value(config).unwrap_or_default();
    NodeSpec {
        name: place.0.clone(),
        ip: place.1,
        services: vec![service(CLIENT, program, config)],
    }
}

fn service(name: &str, program: &str, config: serde_json::Value) -> ServiceSpec {
    ServiceSpec {
        name: name.to_string(),
        program: Program::Builtin {
            name: program.to_string(),
            config,
        },
        seed: 0,
        volume: None,
    }
}
