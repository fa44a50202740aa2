//! A small site on a board, whose devices do what they are told.

use tokio::sync::mpsc::Receiver;

use super::targets::clock::Clock;
use super::targets::telemetry::{
    BbuReading, BessMode, BessReading, BessStatus, Board, CommandError, CoolingReading,
    CoolingStatus, DeviceCommand, DeviceOrder, Identity, MachineReading, OutletReading, PduReading,
    Reading, ShelfReading, SourceReading, SupplyReading, TransferReading, UpsReading,
};

/// The site's devices with what they measure in good times.
pub(crate) fn site() -> Vec<(Identity, Reading)> {
    let device = |name: &str, kind: &str, from: &[&str], reading| {
        let mut identity = Identity::new(name, kind, "");
        identity.from = from.iter().map(ToString::to_string).collect();
        (identity, reading)
    };
    vec![
        device("ups-a", "ups", &["ats-a"], Reading::Ups(ups())),
        device(
            "ats-a",
            "transfer",
            &["grid", "gen"],
            Reading::Transfer(ats()),
        ),
        device("pdu-a", "pdu", &["ups-a"], Reading::Pdu(pdu())),
        device("pdu-b", "pdu", &["bess-1"], Reading::Pdu(pdu())),
        device("shelf-1", "shelf", &["pdu-b"], Reading::Shelf(shelf())),
        device("bess-1", "bess", &["grid"], Reading::Bess(bess())),
        device("crac-1", "cooling", &["grid"], Reading::Cooling(cooling())),
        device("gpu-1", "machine", &[], Reading::Machine(machine("gpu-1"))),
        device("gpu-2", "machine", &[], Reading::Machine(machine("gpu-2"))),
    ]
}

/// A board that has read the site once, and its devices' inbox.
pub(crate) fn board() -> (Board, Receiver<DeviceOrder>) {
    let site = site();
    let identities = site.iter().map(|(identity, _)| identity.clone()).collect();
    let (board, orders) = Board::new(Clock::start(), identities);
    board.publish(site.into_iter().map(|(identity, r)| (identity.name, r)));
    (board, orders)
}

/// Does what the devices are told, and shows it.
pub(crate) async fn drive(board: Board, mut orders: Receiver<DeviceOrder>) {
    let mut site = site();
    while let Some(order) = orders.recv().await {
        let device = site.iter_mut().find(|(i, _)| i.name == order.device);
        let done = match device {
            Some((_, reading)) => obey(reading, &order.command),
            None => Err(CommandError::Unknown(order.device.clone())),
        };
        if let Some((identity, reading)) = site.iter().find(|(i, _)| i.name == order.device) {
            board.publish([(identity.name.clone(), reading.clone())]);
        }
        let _ = order.done.send(done);
    }
}

fn obey(reading: &mut Reading, command: &DeviceCommand) -> Result<(), CommandError> {
    match (reading, command) {
        (Reading::Pdu(r), DeviceCommand::Outlet { index, on }) => {
            let outlet = r.outlets.get_mut(*index);
            let outlet = outlet.ok_or_else(|| CommandError::OutOfRange("no outlet".into()))?;
            outlet.on = *on;
            (outlet.w, outlet.a) = if *on { (400.0, 1.74) } else { (0.0, 0.0) };
        }
        (Reading::Pdu(r), DeviceCommand::Breaker { on }) => {
            r.closed = *on;
            r.v = if *on { 230.0 } else { 0.0 };
        }
        (Reading::Transfer(r), DeviceCommand::Select { source }) => r.active = Some(*source),
        (Reading::Transfer(r), DeviceCommand::Prefer { source }) => r.preferred = *source,
        (Reading::Transfer(r), DeviceCommand::Inhibit { on }) => r.inhibited = *on,
        (Reading::Transfer(r), DeviceCommand::Retransfer { on }) => r.retransfer = *on,
        (Reading::Machine(r), DeviceCommand::Machine { on }) => {
            r.on = *on;
            r.last_reset_cause = "ManagementCommand".into();
        }
        (Reading::Machine(r), DeviceCommand::Limit { watts }) => match watts {
            Some(watts) if *watts < r.range_w[0] => {
                return Err(CommandError::OutOfRange("below idle".into()));
            }
            watts => r.limit_w = *watts,
        },
        (Reading::Bess(r), DeviceCommand::Reset) => r.fault.clear(),
        _ => return Err(CommandError::Unsupported("this device".into())),
    }
    Ok(())
}

pub(crate) fn ups() -> UpsReading {
    UpsReading {
        input_v: 231.2,
        output_v: 230.0,
        output_w: 3_200.0,
        charge: 1.0,
        ..UpsReading::default()
    }
}

pub(crate) fn ats() -> TransferReading {
    let source = |name: &str, v, hz, good| SourceReading {
        name: name.into(),
        v,
        hz,
        good,
    };
    TransferReading {
        sources: vec![
            source("grid", 231.0, 50.0, true),
            source("gen", 0.0, 0.0, false),
        ],
        active: Some(0),
        output_v: 231.0,
        output_w: 4_100.0,
        retransfer: true,
        transfer_delay_s: 0.5,
        retransfer_delay_s: 30.0,
        nominal_v: 230.0,
        ..TransferReading::default()
    }
}

pub(crate) fn pdu() -> PduReading {
    let outlet = |node: &str| OutletReading {
        node: node.into(),
        on: true,
        pending: None,
        w: 400.0,
        a: 1.74,
    };
    PduReading {
        v: 230.0,
        hz: 50.0,
        a: 3.48,
        w: 800.0,
        energy_wh: 1_234.0,
        rating_a: 32.0,
        closed: true,
        restore_policy: "LastState".into(),
        restore_delay_s: 2.0,
        nominal_v: 230.0,
        outlets: vec![outlet("gpu-1"), outlet("gpu-2")],
        ..PduReading::default()
    }
}

fn supply(name: &str, pdu: &str) -> SupplyReading {
    SupplyReading {
        name: name.into(),
        pdu: pdu.into(),
        input_v: 230.0,
        input_w: 400.0,
        rating_w: 3_000.0,
        healthy: true,
    }
}

pub(crate) fn shelf() -> ShelfReading {
    ShelfReading {
        w: 760.0,
        supplies: vec![supply("shelf-1/0", "pdu-b"), supply("shelf-1/1", "pdu-b")],
        bbu: Some(BbuReading {
            charge: 0.95,
            energy_wh: 300.0,
            health: 0.98,
            charging: true,
            discharging: false,
        }),
        ..ShelfReading::default()
    }
}

pub(crate) fn bess() -> BessReading {
    BessReading {
        status: BessStatus::Connected,
        mode: BessMode::Following,
        v: 230.0,
        nominal_v: 230.0,
        hz: 50.0,
        rating_w: 100_000.0,
        energy_wh: 200_000.0,
        charge: 0.8,
        health: 0.97,
        dc_v: 780.0,
        cell_v: [3.31, 3.34],
        temperature_c: 27.0,
        ..BessReading::default()
    }
}

pub(crate) fn cooling() -> CoolingReading {
    CoolingReading {
        status: CoolingStatus::Running,
        temperature_c: 24.0,
        capacity_w: 50_000.0,
        limits_c: [32.0, 38.0, 45.0],
        ..CoolingReading::default()
    }
}

pub(crate) fn machine(name: &str) -> MachineReading {
    MachineReading {
        rack: "r1".into(),
        on: true,
        w: 800.0,
        range_w: [200.0, 1_000.0],
        clocks: 1.0,
        temperature_c: 24.5,
        supplies: vec![
            supply(&format!("{name}/0"), "pdu-a"),
            supply(&format!("{name}/1"), "pdu-b"),
        ],
        ..MachineReading::default()
    }
}
