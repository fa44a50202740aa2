//! The supervisor's ear at a storage system: asks it by Modbus, again and again,
//! and lets it hear that its controller is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::policy::HEARTBEAT;
use super::sunspec::{ModbusClient, ModbusError, SunspecMap};
use crate::net::Net;
use crate::telemetry::{BessMode, BessReading, BessStatus};

/// The unit of a card's only storage system.
const UNIT: u8 = 1;
/// What is read again at each look.
const MOVING: [u16; 2] = [701, 713];

/// Where a storage system's card is and how often to ask it.
#[derive(Clone, Debug)]
pub(super) struct BessEar {
    pub(super) name: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) poll: Duration,
    pub(super) heartbeat: Duration,
    pub(super) timeout: Duration,
}

/// One answer of a storage system, or its lack.
#[derive(Debug)]
pub(super) struct BessHeard {
    pub(super) name: String,
    pub(super) reading: Result<BessReading, ModbusError>,
}

struct Connection {
    client: ModbusClient,
    map: SunspecMap,
    beats: u16,
    beat_at: Instant,
}

impl BessEar {
    /// Listens until nobody wants to hear any more.
    pub(super) async fn listen(self, net: Arc<dyn Net>, to: mpsc::Sender<BessHeard>) {
        let mut tick = interval(self.poll);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connection = None;
        loop {
            tick.tick().await;
            let asked = self.ask(net.as_ref(), connection.take()).await;
            let reading = asked.map(|(open, reading)| {
                connection = Some(open);
                reading
            });
            let name = self.name.clone();
            if to.send(BessHeard { name, reading }).await.is_err() {
                return;
            }
        }
    }

    async fn ask(
        &self,
        net: &dyn Net,
        connection: Option<Connection>,
    ) -> Result<(Connection, BessReading), ModbusError> {
        let mut open = match connection {
            Some(mut open) => {
                open.client.refresh(&mut open.map, &MOVING).await?;
                open
            }
            None => {
                let (host, wait) = (self.host.as_str(), self.timeout);
                let mut client = ModbusClient::connect(net, host, self.port, UNIT, wait).await?;
                let map = client.map().await?;
                Connection {
                    client,
                    map,
                    beats: 0,
                    beat_at: Instant::now(),
                }
            }
        };
        if Instant::now() >= open.beat_at {
            open.beat().await?;
            open.beat_at = Instant::now() + self.heartbeat;
        }
        let reading = reading(&open.map).ok_or(ModbusError::Unexpected)?;
        Ok((open, reading))
    }
}

impl Connection {
    async fn beat(&mut self) -> Result<(), ModbusError> {
        let at = self.map.address(HEARTBEAT.0, HEARTBEAT.1);
        let at = at.ok_or(ModbusError::Unexpected)?;
        self.beats = self.beats.wrapping_add(1);
        self.client.write(at, &[self.beats]).await
    }
}

/// What the map says, as far as a supervisor needs it.
fn reading(map: &SunspecMap) -> Option<BessReading> {
    let alarms = map.long(701, 6)?;
    let status = match map.word(701, 4)? {
        0 => BessStatus::Disconnected,
        2 => BessStatus::Initializing,
        7 => BessStatus::Standby,
        6 => BessStatus::Fault,
        _ => BessStatus::Connected,
    };
    let energy_wh = map.unsigned(713, 2, 7)?;
    let charge = map.unsigned(713, 4, 8)? / 100.0;
    Some(BessReading {
        status,
        mode: match map.long(701, 8)? {
            2 => BessMode::Forming,
            _ => BessMode::Following,
        },
        islanded: alarms & 1 << 4 != 0,
        v: map.unsigned(701, 16, 114)?,
        nominal_v: map.unsigned(702, 14, 49)?,
        hz: f64::from(map.long(701, 17)?) / 100.0,
        w: map.signed(701, 10, 116)?,
        charge,
        energy_wh,
        // 713 `Sta` says when little is left, whatever the limits are.
        limits: match map.word(713, 6)? {
            1 => [charge, 1.0],
            _ => [0.0, 1.0],
        },
        ..BessReading::default()
    })
}

/// The tokens of `ups.status` that say the same.
pub(super) fn status(reading: &BessReading) -> &'static str {
    let live = reading.v >= 0.85 * reading.nominal_v;
    let low = reading.charge <= reading.limits[0];
    match reading.mode {
        BessMode::Forming if live && low => "OB DISCHRG LB",
        BessMode::Forming if live => "OB DISCHRG",
        BessMode::Following if live && reading.w < 0.0 => "OL CHRG",
        BessMode::Following if live => "OL",
        _ => "OFF",
    }
}

/// The variables of a storage system among UPSs.
pub(super) fn variables(reading: &BessReading) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("battery.charge", format!("{:.1}", reading.charge * 100.0)),
        ("device.type", "bess".to_string()),
        ("output.frequency", format!("{:.1}", reading.hz)),
        ("output.voltage", format!("{:.1}", reading.v)),
        ("ups.realpower", format!("{:.0}", reading.w)),
        ("ups.status", status(reading).to_string()),
    ])
}
