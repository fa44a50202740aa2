//! The agent around its socket: requests, delays, countdowns, traps.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::agent::Agent;
use super::config::SnmpConfig;
use super::message::{MAX_REQUEST, Step, receive};
use super::{control, traps};
use crate::net::{Datagram, Net};
use crate::service::spawn_in;
use crate::telemetry::{Board, Protocol};

/// Answers that may be under way at one time; more requests are dropped, as a
/// card with a full queue does.
const MAX_LATE: usize = 256;

/// Binds the agent's port, finds the sinks of its traps by name and serves
/// until it is dropped.
pub async fn run_snmp(board: Board, mut config: SnmpConfig, net: &dyn Net) -> io::Result<()> {
    let datagram = net.bind_udp(config.port).await?;
    for sink in &mut config.traps {
        let address = net.resolve(&sink.host).ok_or_else(|| {
            let message = format!("no address for the trap sink {:?}", sink.host);
            io::Error::new(io::ErrorKind::NotFound, message)
        })?;
        sink.host = address.to_string();
    }
    run_snmp_on(board, config, datagram).await;
    Ok(())
}

/// Serves on this socket until it is dropped. Sinks of traps must be addresses.
pub async fn run_snmp_on(board: Board, config: SnmpConfig, datagram: Box<dyn Datagram>) {
    let agent = Arc::new(Agent::new(board, config));
    let socket: Arc<dyn Datagram> = Arc::from(datagram);
    tokio::select! {
        biased;
        () = traps::run(&agent, &socket) => {}
        () = control::run(&agent) => {}
        () = serve(&agent, &socket) => {}
    }
}

async fn serve(agent: &Arc<Agent>, socket: &Arc<dyn Datagram>) {
    let mut late = JoinSet::new();
    let mut buffer = vec![0; MAX_REQUEST];
    loop {
        tokio::select! {
            biased;
            Some(_) = late.join_next(), if !late.is_empty() => {}
            received = socket.recv_from(&mut buffer) => match received {
                Ok((length, from)) => {
                    one(agent, socket, &buffer[..length], from, &mut late).await;
                }
                Err(error) => {
                    // Such as an ICMP refusal of an answer: the next may do.
                    tracing::debug!(%error, "receive");
                    sleep(Duration::from_millis(1)).await;
                }
            },
        }
    }
}

async fn one(
    agent: &Arc<Agent>,
    socket: &Arc<dyn Datagram>,
    bytes: &[u8],
    from: SocketAddr,
    late: &mut JoinSet<()>,
) {
    if agent.informs.hear(bytes, from) {
        return;
    }
    let request = match receive(agent, bytes) {
        Step::Drop => return,
        Step::Send(bytes) => return send(&**socket, &bytes, from).await,
        Step::Answer(request) => request,
    };
    let delay = agent.board.delay(Protocol::Snmp, &request.device);
    if delay.is_zero() && !request.sets() {
        if let Some(bytes) = request.answer_now(agent) {
            send(&**socket, &bytes, from).await;
        }
    } else if late.len() < MAX_LATE {
        let (agent, socket) = (Arc::clone(agent), Arc::clone(socket));
        spawn_in(late, async move {
            sleep(delay).await;
            if let Some(bytes) = request.answer(&agent).await {
                send(&*socket, &bytes, from).await;
            }
        });
    }
}

/// Datagrams may be lost: a failure is not the agent's end.
pub(super) async fn send(socket: &dyn Datagram, bytes: &[u8], to: SocketAddr) {
    if let Err(error) = socket.send_to(bytes, to).await {
        tracing::debug!(%error, %to, "send");
    }
}
