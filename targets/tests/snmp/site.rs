//! A board of four devices and an agent of it on a free port.

use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::clock::Clock;
use ridethrough_targets::net::{HostNet, Net};
use ridethrough_targets::supervisor::snmp::{SnmpConfig, run_snmp_on};
use ridethrough_targets::telemetry::{
    Board, CommandError, DeviceCommand, Identity, OutletReading, PduReading, Reading,
    ReadingStatus, SourceReading, TransferReading, UpsReading,
};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::peer::{Output, Peer, WAIT};

pub(crate) const UPS: &str = "1.3.6.1.2.1.33.1";
pub(crate) const APC: &str = "1.3.6.1.4.1.318.1.1";

/// A site of `ups-a`, `ups-b`, `ats` and `pdu-a`.
pub(crate) struct Site {
    pub(crate) board: Board,
    pub(crate) port: u16,
    /// The orders that devices were given.
    pub(crate) orders: UnboundedReceiver<(String, DeviceCommand)>,
    agent: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.agent.abort();
    }
}

pub(crate) fn ups(status: ReadingStatus) -> UpsReading {
    let out = status == ReadingStatus::OnBattery;
    UpsReading {
        status,
        input_v: if out { 0.0 } else { 231.2 },
        input_nominal_v: 230.0,
        input_hz: if out { 0.0 } else { 50.0 },
        input_window_v: [195.0, 265.0],
        line_bads: u32::from(out),
        output_v: 230.0,
        output_hz: 50.0,
        output_w: 3_200.0,
        rating_w: 10_000.0,
        bypass_v: 231.0,
        charge: 0.6,
        runtime_s: 500.0,
        on_battery_s: if out { 3.0 } else { 0.0 },
        charge_low: 0.2,
        runtime_low_s: 120.0,
        ..UpsReading::default()
    }
}

pub(crate) fn low() -> UpsReading {
    UpsReading {
        low_battery: true,
        charge: 0.1,
        runtime_s: 60.0,
        ..ups(ReadingStatus::OnBattery)
    }
}

fn source(name: &str) -> SourceReading {
    SourceReading {
        name: name.into(),
        v: 229.0,
        hz: 50.0,
        good: true,
    }
}

fn outlet(node: &str) -> OutletReading {
    OutletReading {
        node: node.into(),
        on: true,
        w: 400.0,
        ..OutletReading::default()
    }
}

impl Site {
    /// Everything on mains.
    pub(crate) async fn start(config: SnmpConfig) -> Result<Self, Failed> {
        let devices = [
            ("pdu-a", "pdu"),
            ("ups-a", "ups"),
            ("ups-b", "ups"),
            ("ats", "transfer"),
        ];
        let devices = devices.map(|(name, kind)| Identity::new(name, kind, ""));
        let (board, mut inbox) = Board::new(Clock::start(), devices.to_vec());
        let transfer = TransferReading {
            sources: vec![source("grid-a"), source("grid-b")],
            active: Some(0),
            output_v: 229.0,
            output_w: 2_290.0,
            nominal_v: 230.0,
            ..TransferReading::default()
        };
        let pdu = PduReading {
            v: 230.0,
            outlets: vec![outlet("gpu-1"), outlet("gpu-2")],
            ..PduReading::default()
        };
        let on_line = Reading::Ups(ups(ReadingStatus::OnLine));
        board.publish([
            ("ups-a".to_string(), on_line.clone()),
            ("ups-b".to_string(), on_line),
            ("ats".to_string(), Reading::Transfer(transfer)),
            ("pdu-a".to_string(), Reading::Pdu(pdu)),
        ]);
        let (told, orders) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(order) = inbox.recv().await {
                let outcome = match order.command {
                    // This site's UPSs have no bypass.
                    DeviceCommand::Bypass { .. } => {
                        Err(CommandError::Unsupported(order.device.clone()))
                    }
                    _ => Ok(()),
                };
                let _ = order.done.send(outcome);
                let _ = told.send((order.device, order.command));
            }
        });
        let datagram = HostNet::loopback().bind_udp(0).await?;
        let port = datagram.local_addr().port();
        let agent = tokio::spawn(run_snmp_on(board.clone(), config, datagram));
        Ok(Self {
            board,
            port,
            orders,
            agent,
        })
    }

    /// What `ups-a` shows from now on.
    pub(crate) fn read(&self, reading: UpsReading) {
        let reading = Reading::Ups(reading);
        self.board.publish([("ups-a".to_string(), reading)]);
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Runs one of net-snmp's programs: `options`, the agent, `rest`. Numbers
    /// stay numbers, and nothing is asked twice.
    pub(crate) async fn run(
        &self,
        peer: &Peer,
        options: &[&str],
        rest: &[&str],
    ) -> Result<Output, Failed> {
        let address = self.address();
        let fixed = ["-m", "", "-M", "", "-On", "-t", "2", "-r", "0"];
        let all: Vec<&str> = [&fixed[..], options, &[address.as_str()], rest].concat();
        peer.run(&all).await
    }

    /// The next order.
    pub(crate) async fn order(&mut self) -> Result<(String, DeviceCommand), Failed> {
        let order = timeout(WAIT, self.orders.recv()).await;
        Ok(order
            .map_err(|_| "no order came")?
            .ok_or("no more orders")?)
    }

    /// No order has come.
    pub(crate) async fn no_order(&mut self) -> bool {
        let order = timeout(Duration::from_millis(50), self.orders.recv());
        order.await.is_err()
    }
}
