//! Every order that the policy has, carried to an agent of the protocol that it
//! goes by: the device's board must get it, and a refusal must come back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use super::carry::{Way, carry};
use crate::clock::Clock;
use crate::net::{HostNet, Net, SocketOptions};
use crate::plant::{NodeLoad, Plant, Site};
use crate::supervisor::bess::BessEar;
use crate::supervisor::forward::Address;
use crate::supervisor::redfish::{RedfishConfig, run_redfish_on};
use crate::supervisor::sunspec::{SunspecConfig, run_sunspec_on};
use crate::supervisor::{NutAgentConfig, nut_on};
use crate::telemetry::{Board, CommandError, DeviceCommand, DeviceOrder};
use crate::units::Watts;

const WAIT: Duration = Duration::from_secs(20);
const SITE: &str = include_str!("../../../../playbooks/sites/full.yaml");

/// One site on the three protocols that take orders.
struct Served {
    net: Arc<dyn Net>,
    orders: Receiver<DeviceOrder>,
    nut: u16,
    modbus: u16,
    redfish: u16,
}

impl Served {
    async fn start() -> Self {
        let site: Site = serde_yaml::from_str(SITE).unwrap();
        let load = NodeLoad {
            name: "gpu-1".into(),
            rack: "r1".into(),
            idle: Watts(300.0),
            peak: Watts(700.0),
        };
        let plant = Plant::new(&site, &[load]).unwrap();
        let (board, orders) = Board::new(Clock::start(), plant.identities());
        board.publish(plant.readings());
        let net: Arc<dyn Net> = Arc::new(HostNet::loopback());
        let mut listeners = Vec::new();
        for _ in 0..3 {
            listeners.push(net.listen(0, SocketOptions::default()).await.unwrap());
        }
        let [nut, modbus, redfish] = listeners.try_into().ok().unwrap();
        let port = |listener: &dyn crate::net::Listener| listener.local_addr().port();
        let served = Self {
            net,
            orders,
            nut: port(&*nut),
            modbus: port(&*modbus),
            redfish: port(&*redfish),
        };
        tokio::spawn(nut_on(board.clone(), NutAgentConfig::default(), nut, 1));
        tokio::spawn(run_sunspec_on(
            board.clone(),
            SunspecConfig::default(),
            modbus,
        ));
        tokio::spawn(run_redfish_on(board, RedfishConfig::default(), redfish));
        served
    }

    fn way(&self, device: &str) -> Way {
        let (host, user) = ("localhost".to_string(), "supervisor".to_string());
        match device {
            "gen-1" => Way::Nut(Address {
                host,
                port: self.nut,
                user: user.clone(),
                password: user,
                timeout: WAIT,
            }),
            "bess-1" => Way::Modbus {
                host,
                port: self.modbus,
            },
            _ => Way::Redfish {
                host,
                port: self.redfish,
                user: user.clone(),
                password: user,
            },
        }
    }

    /// Carries an order; gives what reached the board, and what was said.
    async fn carried(
        &mut self,
        device: &str,
        command: &DeviceCommand,
        answer: Result<(), CommandError>,
    ) -> ((String, DeviceCommand), Result<(), String>) {
        let (net, way) = (Arc::clone(&self.net), self.way(device));
        let order = async {
            let order = timeout(WAIT, self.orders.recv()).await;
            let order = order.expect("no order came").unwrap();
            let _ = order.done.send(answer);
            (order.device, order.command)
        };
        tokio::join!(order, carry(net.as_ref(), &way, device, command))
    }
}

#[tokio::test]
async fn every_order_reaches_its_device_and_every_refusal_comes_back() {
    let mut served = Served::start().await;
    for (device, command) in [
        ("gen-1", DeviceCommand::Start),
        ("gen-1", DeviceCommand::Stop),
        ("bess-1", DeviceCommand::Island { on: true }),
        ("bess-1", DeviceCommand::Form { on: true }),
        ("bess-1", DeviceCommand::Island { on: false }),
        ("ats-1", DeviceCommand::Retransfer { on: false }),
        ("gpu-1", DeviceCommand::Limit { watts: Some(420.0) }),
        ("gpu-1", DeviceCommand::Limit { watts: None }),
        ("gpu-1", DeviceCommand::Machine { on: false }),
    ] {
        let (reached, said) = served.carried(device, &command, Ok(())).await;
        assert_eq!(reached, (device.to_string(), command.clone()));
        assert_eq!(said, Ok(()), "{device} {command}");
        let no = Err(CommandError::Refused(format!("{device}: not now")));
        let (_, said) = served.carried(device, &command, no).await;
        assert!(said.is_err(), "{device} {command} was refused");
    }
}

#[tokio::test]
async fn a_storage_system_is_read_and_hears_its_controller() {
    let mut served = Served::start().await;
    let ear = BessEar {
        name: "bess-1".into(),
        host: "localhost".into(),
        port: served.modbus,
        poll: Duration::from_millis(10),
        heartbeat: Duration::from_millis(30),
        timeout: WAIT,
    };
    let (to, mut heard) = tokio::sync::mpsc::channel(8);
    let listening = tokio::spawn(ear.listen(Arc::clone(&served.net), to));
    for _ in 0..3 {
        let order = timeout(WAIT, served.orders.recv()).await.unwrap().unwrap();
        assert_eq!(order.command, DeviceCommand::Heartbeat);
        let _ = order.done.send(Ok(()));
        let word = timeout(WAIT, heard.recv()).await.unwrap().unwrap();
        let reading = word.reading.unwrap();
        assert!((reading.v - 230.0).abs() < 0.1 && reading.nominal_v == 230.0);
        assert!((reading.charge - 0.95).abs() < 0.001, "{}", reading.charge);
        assert!(!reading.islanded);
    }
    listening.abort();
}
