//! Traps: the four of UPS-MIB (RFC 1628, section 2.10) and those of PowerNet-MIB
//! whose numbers are known for certain. A device that answers slowly sends its
//! traps in time; one that is silent sends none.

mod form;
mod inform;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rasn_snmp::v2::{Pdus, VarBind};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::agent::Agent;
use super::alarms::{Alarm, ON_BATTERY};
use super::config::{TrapMib, TrapSink, TrapVersion};
use super::mib::{APC, UPS_MIB, below, ups::WELL_KNOWN_ALARMS};
use super::server::send;
use super::table::Table;
use super::usm;
use super::value::{Value, bind};
use crate::net::Datagram;
use crate::service::spawn_in;
use crate::telemetry::{ReadingStatus, UpsReading};

/// How often `upsTrapOnBattery` is repeated while it holds.
const REPEAT: Duration = Duration::from_secs(60);
/// How long a loop without news sleeps.
const NEVER: Duration = Duration::from_secs(86_400);

/// Informs that may be under way at one time; more are not sent.
const MAX_INFORMS: usize = 256;

pub(super) use inform::Informs;

/// Something to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// `upsTrapOnBattery`.
    OnBattery,
    /// `upsTrapTestCompleted`.
    TestCompleted,
    /// `upsTrapAlarmEntryAdded`.
    Added(Alarm),
    /// `upsTrapAlarmEntryRemoved`.
    Removed(Alarm),
    /// A trap of PowerNet-MIB by its number.
    Apc(u32),
}

/// Something to tell of a device.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) device: String,
    pub(super) notice: Notice,
}

impl Event {
    pub(super) fn new(device: &str, notice: Notice) -> Self {
        Self {
            device: device.into(),
            notice,
        }
    }
}

/// What PowerNet-MIB's traps have told last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    lost: bool,
    overload: bool,
    discharged: bool,
    on_battery: bool,
    boost: bool,
    low: bool,
}

impl Seen {
    /// What there is to tell of a reading, and of the alarms that came and went.
    pub(super) fn notices(
        &mut self,
        reading: Option<&UpsReading>,
        came: &[Alarm],
        gone: &[Alarm],
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        if came.iter().any(|alarm| alarm.kind == ON_BATTERY) {
            notices.push(Notice::OnBattery);
        }
        // OnBattery has a trap of its own, and gets no other.
        let tells = |alarm: &&Alarm| alarm.kind != ON_BATTERY;
        notices.extend(came.iter().filter(tells).copied().map(Notice::Added));
        notices.extend(gone.iter().filter(tells).copied().map(Notice::Removed));
        let before = *self;
        let mut tell =
            |holds: bool, number: u32| notices.extend(holds.then_some(Notice::Apc(number)));
        let Some(ups) = reading else {
            self.lost = true;
            tell(!before.lost, 1);
            return notices;
        };
        *self = Self {
            lost: false,
            overload: ups.overload,
            discharged: ups.depleted,
            on_battery: ups.status == ReadingStatus::OnBattery,
            boost: ups.status == ReadingStatus::Boost,
            low: ups.low_battery,
        };
        tell(before.lost, 8);
        tell(self.overload && !before.overload, 2);
        tell(self.discharged && !before.discharged, 4);
        tell(self.on_battery && !before.on_battery, 5);
        tell(self.boost && !before.boost, 6);
        tell(self.low && !before.low, 7);
        tell(before.on_battery && ups.status.on_mains(), 9);
        notices
    }
}

/// A trap, in no form yet.
pub(super) struct Trap {
    /// The parent of its name: `upsTraps`, or the enterprise `apc`.
    enterprise: Vec<u32>,
    number: u32,
    mib: TrapMib,
    binds: Vec<VarBind>,
}

/// Sends traps until it is dropped.
pub(super) async fn run(agent: &Arc<Agent>, socket: &Arc<dyn Datagram>) {
    let sinks: Vec<(TrapSink, SocketAddr)> =
        agent.config.traps.iter().filter_map(address).collect();
    if sinks.is_empty() {
        return std::future::pending().await;
    }
    let devices = agent.devices();
    // When each device that is on battery says so again.
    let mut again: Vec<Option<Instant>> = vec![None; devices.len()];
    let mut version = 0;
    let mut teller = Teller {
        agent,
        socket,
        sinks,
        informs: JoinSet::new(),
    };
    loop {
        let due = again.iter().flatten().min().copied();
        let due = due.unwrap_or_else(|| Instant::now() + NEVER);
        tokio::select! {
            seen = agent.board.changed(version) => version = seen,
            () = sleep_until(due) => {}
            () = agent.news.notified() => {}
            Some(_) = teller.informs.join_next(), if !teller.informs.is_empty() => continue,
        }
        let tables: Vec<_> = devices.iter().map(|device| agent.look(device)).collect();
        let mut events = agent.take_events();
        let now = Instant::now();
        for (at, device) in devices.iter().enumerate() {
            let starts = |e: &Event| e.device == *device && e.notice == Notice::OnBattery;
            let on = tables[at].as_deref().is_some_and(on_battery);
            if !on {
                again[at] = None;
            } else if events.iter().any(starts) {
                again[at] = Some(now + REPEAT);
            } else if again[at].is_some_and(|due| due <= now) {
                again[at] = Some(now + REPEAT);
                events.push(Event::new(device, Notice::OnBattery));
            }
        }
        for event in events {
            let at = devices.iter().position(|device| *device == event.device);
            let Some(Some(table)) = at.map(|at| &tables[at]) else {
                continue;
            };
            let trap = trap(&event, table, agent.uptime());
            teller.tell(&event.device, &trap).await;
        }
    }
}

/// Only an address can be sent to.
fn address(sink: &TrapSink) -> Option<(TrapSink, SocketAddr)> {
    match sink.host.parse::<IpAddr>() {
        Ok(ip) => Some((sink.clone(), SocketAddr::new(ip, sink.port))),
        Err(_) => {
            tracing::warn!(host = sink.host, "a trap sink that is not an address");
            None
        }
    }
}

/// `upsOutputSource` is battery.
fn on_battery(table: &Table) -> bool {
    let source = table.get(&below(&UPS_MIB, &[1, 4, 1, 0]));
    source.is_ok_and(|entry| entry.value == Value::Int(5))
}

fn trap(event: &Event, table: &Table, uptime: u64) -> Trap {
    let ups = |number, binds| Trap {
        enterprise: below(&UPS_MIB, &[2]),
        number,
        mib: TrapMib::Ups,
        binds,
    };
    let alarm = |alarm: Alarm| {
        let row = |column| below(&UPS_MIB, &[1, 6, 2, 1, column, alarm.id]);
        let kind = Value::Oid(below(&WELL_KNOWN_ALARMS, &[alarm.kind]));
        vec![
            bind(&row(1), Value::Int(i64::from(alarm.id)).syntax(uptime)),
            bind(&row(2), kind.syntax(uptime)),
        ]
    };
    let shown = |object: [u32; 4]| {
        let entry = table.get(&below(&UPS_MIB, &object)).ok()?;
        Some(bind(&entry.oid, entry.value.syntax(uptime)))
    };
    match event.notice {
        Notice::OnBattery => {
            let objects = [[1, 2, 3, 0], [1, 2, 2, 0], [1, 9, 7, 0]];
            ups(1, objects.into_iter().filter_map(shown).collect())
        }
        Notice::TestCompleted => {
            let objects = (1..=6).map(|object| [1, 7, object, 0]);
            ups(2, objects.filter_map(shown).collect())
        }
        Notice::Added(row) => ups(3, alarm(row)),
        Notice::Removed(row) => ups(4, alarm(row)),
        Notice::Apc(number) => {
            let words = format!("{}: {}", event.device, words(number));
            // `mtrapargsString`.
            let name = below(&APC, &[2, 3, 3, 0]);
            Trap {
                enterprise: APC.to_vec(),
                number,
                mib: TrapMib::Powernet,
                binds: vec![bind(&name, Value::Text(words).syntax(uptime))],
            }
        }
    }
}

fn words(number: u32) -> &'static str {
    match number {
        1 => "communication with the UPS is lost",
        2 => "the UPS is overloaded",
        4 => "the battery is discharged",
        5 => "the UPS is on battery",
        6 => "the UPS raises the voltage",
        7 => "the battery is low",
        8 => "communication with the UPS is there again",
        _ => "power is restored",
    }
}

/// Sends traps to all who want them.
struct Teller<'a> {
    agent: &'a Arc<Agent>,
    socket: &'a Arc<dyn Datagram>,
    sinks: Vec<(TrapSink, SocketAddr)>,
    informs: JoinSet<()>,
}

impl Teller<'_> {
    async fn tell(&mut self, device: &str, trap: &Trap) {
        let (agent, uptime) = (self.agent, self.agent.uptime());
        for (sink, to) in &self.sinks {
            if sink.mib != TrapMib::Both && sink.mib != trap.mib {
                continue;
            }
            let id = agent.informs.number();
            let pdu = form::pdu(trap, uptime, id);
            let bytes = match sink.version {
                TrapVersion::V1 => form::v1_form(trap, sink, uptime, self.socket.local_addr()),
                _ if sink.inform => {
                    if self.informs.len() < MAX_INFORMS {
                        let inform = inform::Inform {
                            agent: Arc::clone(agent),
                            socket: Arc::clone(self.socket),
                            sink: sink.clone(),
                            to: *to,
                            device: device.into(),
                            pdu,
                        };
                        spawn_in(&mut self.informs, inform.deliver());
                    }
                    continue;
                }
                TrapVersion::V2c => form::by_community(sink, Pdus::Trap(rasn_snmp::v2::Trap(pdu))),
                TrapVersion::V3 => {
                    let pdus = Pdus::Trap(rasn_snmp::v2::Trap(pdu));
                    usm::trap(agent, &sink.user, device, id, pdus)
                }
            };
            match bytes {
                Some(bytes) => send(&**self.socket, &bytes, *to).await,
                None => tracing::warn!(user = sink.user, "a trap that cannot be sent"),
            }
        }
    }
}
