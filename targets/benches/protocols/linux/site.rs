//! One small site and an agent of each protocol, all on one thread.

use std::net::SocketAddr;

use ridethrough_targets::net::{HostNet, Listener, Net, SocketOptions};
use ridethrough_targets::supervisor::redfish::{RedfishConfig, run_redfish_on};
use ridethrough_targets::supervisor::snmp::{SnmpConfig, TrapMib, TrapSink, run_snmp_on};
use ridethrough_targets::supervisor::sunspec::{SunspecConfig, run_sunspec_on};
use ridethrough_targets::supervisor::{NutAgentConfig, nut_on};
use ridethrough_targets::telemetry::{BessReading, Board, Reading, ReadingStatus, UpsReading};

use super::{Result, fixture};

/// The UPS that is asked.
pub(super) const UPS: &str = "ups-a";

/// The board, and where its agents are.
pub(super) struct Site {
    pub(super) board: Board,
    pub(super) nut: SocketAddr,
    pub(super) snmp: SocketAddr,
    pub(super) modbus: SocketAddr,
    pub(super) redfish: SocketAddr,
}

impl Site {
    /// Starts them; traps go to this port.
    pub(super) fn start(sink: u16) -> Result<Self> {
        let (told, site) = std::sync::mpsc::channel();
        std::thread::spawn(move || -> std::io::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let (board, orders) = fixture::board();
                let (nut, nut_at) = listen().await?;
                let (modbus, modbus_at) = listen().await?;
                let (redfish, redfish_at) = listen().await?;
                let snmp = HostNet::loopback().bind_udp(0).await?;
                let site = Self {
                    board: board.clone(),
                    nut: nut_at,
                    snmp: snmp.local_addr(),
                    modbus: modbus_at,
                    redfish: redfish_at,
                };
                site.ups(true);
                let _ = told.send(site);
                let snmp_config = SnmpConfig {
                    traps: vec![TrapSink {
                        port: sink,
                        mib: TrapMib::Powernet,
                        ..TrapSink::default()
                    }],
                    ..SnmpConfig::default()
                };
                let redfish_config = RedfishConfig::default();
                tokio::join!(
                    fixture::drive(board.clone(), orders),
                    nut_on(board.clone(), NutAgentConfig::default(), nut, 1),
                    run_snmp_on(board.clone(), snmp_config, snmp),
                    run_sunspec_on(board.clone(), SunspecConfig::default(), modbus),
                    run_redfish_on(board, redfish_config, redfish),
                );
                Ok(())
            })
        });
        Ok(site.recv()?)
    }

    /// The UPS is on its input, or on its battery.
    pub(super) fn ups(&self, on_line: bool) {
        let status = match on_line {
            true => ReadingStatus::OnLine,
            false => ReadingStatus::OnBattery,
        };
        let reading = UpsReading {
            status,
            input_nominal_v: 230.0,
            input_hz: 50.0,
            input_window_v: [196.0, 265.0],
            output_hz: 50.0,
            rating_w: 10_000.0,
            bypass_v: 230.0,
            runtime_s: 600.0,
            charge_low: 0.2,
            runtime_low_s: 120.0,
            transfer_reason: "input voltage out of range".into(),
            ..fixture::ups()
        };
        self.show(UPS, Reading::Ups(reading));
    }

    /// The storage's charge is 80 % or 70 %.
    pub(super) fn bess(&self, high: bool) {
        let charge = if high { 0.8 } else { 0.7 };
        let reading = BessReading {
            charge,
            ..fixture::bess()
        };
        self.show("bess-1", Reading::Bess(reading));
    }

    /// The first outlet of `pdu-a` is on or off.
    pub(super) fn outlet(&self, on: bool) {
        let mut reading = fixture::pdu();
        reading.outlets.iter_mut().take(1).for_each(|o| o.on = on);
        self.show("pdu-a", Reading::Pdu(reading));
    }

    fn show(&self, device: &str, reading: Reading) {
        self.board.publish([(device.to_string(), reading)]);
    }
}

async fn listen() -> std::io::Result<(Box<dyn Listener>, SocketAddr)> {
    let net = HostNet::loopback();
    let listener = net.listen(0, SocketOptions::default()).await?;
    let address = listener.local_addr();
    Ok((listener, address))
}
