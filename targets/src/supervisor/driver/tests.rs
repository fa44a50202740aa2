//! Words of the protocol, and a driver with a bare client.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use super::words::{Word, changes, dump, ended, word};
use super::*;
use crate::clock::Clock;
use crate::supervisor::nut::{Device, Link, OrderKind, Range, Tracked, Variable};
use crate::telemetry::{
    Board, DeviceCommand, DeviceOrder, Distorted, Distortion, Identity, Protocol, Reading,
    ReadingStatus, UpsReading,
};

const WAIT: Duration = Duration::from_secs(20);

fn device() -> Device {
    let mut device = Device::new("ups-a", "");
    device.link = Link::Up;
    device.put("ups.status", "OL");
    device.put("battery.charge", "50");
    let low = Variable {
        value: "20".into(),
        writable: true,
        ranges: vec![Range { min: 0, max: 100 }],
        ..Variable::default()
    };
    device.define("battery.charge.low", low);
    let name = Variable {
        value: "a \"b\"".into(),
        writable: true,
        text: Some(16),
        choices: vec!["x y".into()],
        ..Variable::default()
    };
    device.define("ups.id", name);
    device.set_commands(vec!["load.off".into()]);
    device
}

#[test]
fn a_dump_tells_everything() {
    insta::assert_snapshot!(dump(&device()), @r#"
    SETINFO battery.charge "50"
    SETINFO battery.charge.low "20"
    SETFLAGS battery.charge.low RW NUMBER
    ADDRANGE battery.charge.low 0 100
    SETINFO ups.id "a \"b\""
    SETFLAGS ups.id RW STRING
    SETAUX ups.id 16
    ADDENUM ups.id "x y"
    SETINFO ups.status "OL"
    ADDCMD load.off
    DATAOK
    DUMPDONE
    "#);
}

#[test]
fn only_what_moves_is_told_again() {
    let was = device();
    let mut is = was.clone();
    assert_eq!(changes(&was, &is), "");
    is.link = Link::Stale;
    is.put("ups.status", "OB DISCHRG");
    is.put("ups.alarm", "hot");
    is.retain(|name| name != "ups.id");
    is.set_commands(vec!["load.on".into()]);
    insta::assert_snapshot!(changes(&was, &is), @r#"
    DATASTALE
    DELINFO ups.id
    SETINFO ups.alarm "hot"
    SETINFO ups.status "OB DISCHRG"
    DELCMD load.off
    ADDCMD load.on
    "#);
    assert!(changes(&is, &was).ends_with("DATAOK\n"));
    assert!(dump(&is).starts_with("DATASTALE\n"));
}

#[test]
fn lines_of_upsd_are_read() {
    let command = |command: &str, parameter: Option<&str>| OrderKind::Command {
        command: command.into(),
        parameter: parameter.map(String::from),
    };
    let set = OrderKind::Set {
        variable: "ups.id".into(),
        value: "Data room".into(),
    };
    let id = Some("1bd3-08".to_string());
    for (line, meant) in [
        ("DUMPALL", Some(Word::DumpAll)),
        (
            "INSTCMD load.off",
            Some(Word::Order(command("load.off", None), None)),
        ),
        (
            "INSTCMD load.off 10 TRACKING 1bd3-08",
            Some(Word::Order(command("load.off", Some("10")), id.clone())),
        ),
        (
            "INSTCMD load.on TRACKING 1bd3-08",
            Some(Word::Order(command("load.on", None), id.clone())),
        ),
        (
            "SET ups.id \"Data room\" TRACKING 1bd3-08",
            Some(Word::Order(set, id)),
        ),
        ("BROADCAST 0", Some(Word::Broadcast(false))),
        ("SET ups.id", None),
        ("SET ups.id x TRACKING", None),
        ("INSTCMD", None),
        ("\"", None),
        ("", None),
    ] {
        assert_eq!(word(line), meant, "{line}");
    }
    assert_eq!(
        ended("7", Tracked::Invalid).as_deref(),
        Some("TRACKING 7 2\n")
    );
}

struct Wire(BufReader<UnixStream>);

impl Wire {
    async fn say(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.0.get_mut().write_all(line.as_bytes()).await.unwrap();
    }

    async fn until(&mut self, wanted: &str) {
        let mut heard = Vec::new();
        let found = async {
            loop {
                let mut line = String::new();
                assert_ne!(self.0.read_line(&mut line).await.unwrap(), 0, "it ended");
                if line.trim_end() == wanted {
                    return;
                }
                heard.push(line);
            }
        };
        let found = timeout(WAIT, found).await;
        found.unwrap_or_else(|_| panic!("no {wanted:?} in {heard:?}"));
    }
}

fn reading(status: ReadingStatus) -> [(String, Reading); 1] {
    let ups = UpsReading {
        status,
        output_v: 230.0,
        charge: 0.5,
        runtime_s: 300.0,
        ..UpsReading::default()
    };
    [("ups-a".to_string(), Reading::Ups(ups))]
}

struct Site {
    board: Board,
    orders: Receiver<DeviceOrder>,
    folder: tempfile::TempDir,
    driver: tokio::task::JoinHandle<()>,
}

impl Site {
    async fn start() -> Self {
        let devices = vec![
            Identity::new("ups-a", "ups", "VFI \"10kW\""),
            Identity::new("grid", "utility", ""),
        ];
        let (board, orders) = Board::new(Clock::start(), devices);
        board.publish(reading(ReadingStatus::OnLine));
        let folder = tempfile::tempdir().unwrap();
        let sockets = DriverSockets::open(&board, folder.path()).await.unwrap();
        assert_eq!(
            sockets.ups_conf(),
            "[ups-a]\n  driver = ridethrough\n  port = auto\n  desc = \"VFI \\\"10kW\\\"\"\n"
        );
        let driver = tokio::spawn(run_driver_on(board.clone(), 192.0, sockets));
        Self {
            board,
            orders,
            folder,
            driver,
        }
    }

    async fn connect(&self) -> Wire {
        let path = self.folder.path().join("ridethrough-ups-a");
        Wire(BufReader::new(UnixStream::connect(path).await.unwrap()))
    }

    fn distort(&self, how: Distortion) {
        let distorted = Distorted {
            how,
            protocols: vec![Protocol::Nut],
            devices: vec!["ups-a".into()],
        };
        self.board.distort(1, distorted);
    }
}

#[tokio::test]
async fn what_the_board_shows_is_pushed() {
    let site = Site::start().await;
    let mut upsd = site.connect().await;
    upsd.say("DUMPALL").await;
    upsd.until("SETINFO ups.status \"OL\"").await;
    upsd.until("DUMPDONE").await;
    site.board.publish(reading(ReadingStatus::OnBattery));
    upsd.until("SETINFO ups.status \"OB DISCHRG\"").await;
    site.distort(Distortion::Stale);
    upsd.until("DATASTALE").await;
    site.board.restore(1);
    upsd.until("DATAOK").await;
    site.distort(Distortion::Lost);
    upsd.say("PING").await;
    let silent = timeout(Duration::from_millis(200), upsd.until("PONG")).await;
    assert!(silent.is_err(), "a driver that hangs answered");
    site.board.restore(1);
    upsd.until("PONG").await;
}

#[tokio::test]
async fn orders_are_done_and_their_end_is_told() {
    let mut site = Site::start().await;
    let mut upsd = site.connect().await;
    upsd.say("DUMPALL").await;
    upsd.until("DUMPDONE").await;
    upsd.say("INSTCMD load.off TRACKING 7").await;
    let order = timeout(WAIT, site.orders.recv()).await.unwrap().unwrap();
    assert_eq!(order.command, DeviceCommand::Output { on: false });
    order.done.send(Ok(())).unwrap();
    upsd.until("TRACKING 7 0").await;
    upsd.say("INSTCMD warp.start TRACKING 8").await;
    upsd.until("TRACKING 8 1").await;
    upsd.say("SET battery.charge.low 101 TRACKING 9").await;
    upsd.until("TRACKING 9 2").await;
    site.board.publish(reading(ReadingStatus::OnBattery));
    upsd.until("SETINFO ups.status \"OB DISCHRG\"").await;
    upsd.say("SET battery.charge.low 60 TRACKING 10").await;
    // What it changes is there when it is said to be done.
    upsd.until("SETINFO ups.status \"OB DISCHRG LB\"").await;
    upsd.until("TRACKING 10 0").await;
}

#[tokio::test]
async fn sockets_are_nobody_elses_and_go_with_the_driver() {
    let site = Site::start().await;
    let path = site.folder.path().join("ridethrough-ups-a");
    let taken = DriverSockets::open(&site.board, site.folder.path()).await;
    let taken = taken.err().unwrap().to_string();
    assert!(taken.ends_with("another driver answers there"), "{taken}");
    site.driver.abort();
    let _ = site.driver.await;
    assert!(!path.exists());
    // What a dead process leaves behind is replaced; anything else is not.
    drop(tokio::net::UnixListener::bind(&path).unwrap());
    drop(
        DriverSockets::open(&site.board, site.folder.path())
            .await
            .unwrap(),
    );
    std::fs::write(&path, "mine").unwrap();
    let taken = DriverSockets::open(&site.board, site.folder.path()).await;
    let taken = taken.err().unwrap().to_string();
    assert!(taken.ends_with("is no socket has this name"), "{taken}");
}
