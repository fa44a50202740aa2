//! Our drivers at Debian's `upsd`, asked by `upsc`, `upscmd` and `upsrw`.

use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::clock::Clock;
use ridethrough_targets::supervisor::driver::{DriverSockets, run_driver_on};
use ridethrough_targets::telemetry::{
    Board, DeviceCommand, DeviceOrder, Distorted, Distortion, Identity, OutletReading, PduReading,
    Protocol, Reading, ReadingStatus,
};
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};

use super::daemon::{Daemon, private};
use super::peer::{Output, Peer, WAIT, check};
use super::site::reading;

/// A board, its drivers, and the `upsd` that serves them.
struct Site {
    board: Board,
    orders: Receiver<DeviceOrder>,
    upsd: Daemon,
    drivers: tokio::task::JoinHandle<()>,
}

impl Site {
    async fn start(upsd: &Peer) -> Result<Self, Failed> {
        let devices = vec![
            Identity::new("ups-a", "ups", "VFI 10kW"),
            Identity::new("pdu-a", "pdu", "63A"),
            Identity::new("grid", "utility", ""),
        ];
        let (board, orders) = Board::new(Clock::start(), devices);
        let outlet = OutletReading {
            node: "gpu-1".into(),
            on: true,
            ..OutletReading::default()
        };
        let pdu = PduReading {
            v: 229.6,
            outlets: vec![outlet],
            ..PduReading::default()
        };
        board.publish([("pdu-a".to_string(), Reading::Pdu(pdu))]);
        publish(&board, ReadingStatus::OnLine);
        let folder = tempfile::tempdir()?;
        let sockets = DriverSockets::open(&board, folder.path()).await?;
        private(folder.path(), "ups.conf", &sockets.ups_conf())?;
        let drivers = tokio::spawn(run_driver_on(board.clone(), 192.0, sockets));
        let upsd = Daemon::upsd(upsd, folder, Vec::new(), "ups-a").await?;
        Ok(Self {
            board,
            orders,
            upsd,
            drivers,
        })
    }

    fn ups(&self, name: &str) -> String {
        format!("{name}@127.0.0.1:{}", self.upsd.port)
    }

    fn distort(&self, how: Distortion) {
        let distorted = Distorted {
            how,
            protocols: vec![Protocol::Nut],
            devices: vec!["ups-a".into()],
        };
        self.board.distort(1, distorted);
    }

    /// Asks `upsc` again and again until it says what is wanted.
    async fn until(&self, name: &str, variable: &str, wanted: &str) -> Result<Output, Failed> {
        let upsc = client("upsc")?;
        let mut last = String::new();
        let said = async {
            loop {
                let output = upsc.run(&[&self.ups(name), variable]).await?;
                last = format!("{}{}", output.out, output.err);
                if last.contains(wanted) {
                    return Ok(output);
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        let said = timeout(WAIT, said).await;
        said.map_err(|_| format!("{name} {variable} never was {wanted:?} but {last:?}"))?
    }
}

fn client(program: &str) -> Result<Peer, Failed> {
    let lack = || format!("no {program} here: apt-get install nut-client");
    Ok(Peer::find(program).ok_or_else(lack)?)
}

fn publish(board: &Board, status: ReadingStatus) {
    board.publish([("ups-a".to_string(), Reading::Ups(reading(status)))]);
}

pub(crate) async fn reads(upsd: Peer) -> Result<(), Failed> {
    let site = Site::start(&upsd).await?;
    let upsc = client("upsc")?;
    let server = format!("127.0.0.1:{}", site.upsd.port);
    let list = upsc.run(&["-L", &server]).await?;
    check(list.out == "ups-a: VFI 10kW\npdu-a: 63A\n", list.out)?;
    let all = upsc.run(&[&site.ups("ups-a")]).await?;
    for line in [
        "battery.charge: 60",
        "device.type: ups",
        "driver.name: ridethrough",
        "input.voltage: 231.2",
        "ups.status: OL",
    ] {
        let there = all.out.lines().any(|l| l == line);
        check(there, format!("no {line:?} in {}", all.out))?;
    }
    site.until("pdu-a", "outlet.1.desc", "gpu-1").await?;
    // What moves is pushed: upsd asks its drivers for nothing.
    publish(&site.board, ReadingStatus::OnBattery);
    site.until("ups-a", "ups.status", "OB DISCHRG").await?;
    site.until("ups-a", "input.voltage", "0.0").await?;
    // Drivers that end are missed at once.
    site.drivers.abort();
    site.until("ups-a", "ups.status", "Driver not connected")
        .await
        .map(drop)
}

pub(crate) async fn fails(upsd: Peer) -> Result<(), Failed> {
    let site = Site::start(&upsd).await?;
    site.distort(Distortion::Stale);
    site.until("ups-a", "ups.status", "Data stale").await?;
    site.until("pdu-a", "ups.status", "OL").await?;
    site.board.restore(1);
    site.until("ups-a", "ups.status", "OL").await?;
    // A driver that hangs says nothing, and upsd finds out by itself.
    site.distort(Distortion::Lost);
    publish(&site.board, ReadingStatus::OnBattery);
    site.until("ups-a", "ups.status", "OL").await?;
    site.until("ups-a", "ups.status", "Data stale").await?;
    site.board.restore(1);
    site.until("ups-a", "ups.status", "OB DISCHRG").await?;
    let value = serde_json::json!(0.07);
    let variable = "charge".into();
    site.distort(Distortion::Lie { variable, value });
    site.until("ups-a", "battery.charge", "7\n").await.map(drop)
}

pub(crate) async fn orders(upsd: Peer) -> Result<(), Failed> {
    let mut site = Site::start(&upsd).await?;
    let (upscmd, upsrw) = (client("upscmd")?, client("upsrw")?);
    let ups = site.ups("ups-a");
    let user = ["-u", "supervisor", "-p", "supervisor", "-w", "-t", "30"];
    let list = upscmd.run(&["-l", &ups]).await?;
    check(list.out.contains("load.off"), list.out)?;
    let off: Vec<&str> = [&user[..], &[&ups, "load.off"]].concat();
    let plant = async {
        let order = timeout(WAIT, site.orders.recv()).await.ok().flatten();
        let order = order.ok_or("no order reached the board")?;
        check(
            order.device == "ups-a" && order.command == DeviceCommand::Output { on: false },
            format!("{order:?}"),
        )?;
        let _ = order.done.send(Ok(()));
        Ok::<(), Failed>(())
    };
    let (off, plant) = tokio::join!(upscmd.run(&off), plant);
    plant?;
    let off = off?;
    check(off.good, format!("{} {}", off.out, off.err))?;

    let writable = upsrw.run(&[&ups]).await?;
    let named = writable.out.contains("[battery.charge.low]");
    check(
        named && writable.out.contains("Type: RANGE NUMBER"),
        writable.out,
    )?;
    publish(&site.board, ReadingStatus::OnBattery);
    site.until("ups-a", "ups.status", "OB DISCHRG").await?;
    for (value, good) in [("70", true), ("101", false)] {
        let set = format!("battery.charge.low={value}");
        let words: Vec<&str> = [&["-s", &set], &user[..], &[&ups]].concat();
        let set = upsrw.run(&words).await?;
        check(
            set.good == good,
            format!("{value}: {} {}", set.out, set.err),
        )?;
    }
    site.until("ups-a", "battery.charge.low", "70").await?;
    site.until("ups-a", "ups.status", "OB DISCHRG LB").await?;
    Ok(())
}
