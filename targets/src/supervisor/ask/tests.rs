//! Every kind of device, asked by every protocol that speaks of it.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::Clock;
use crate::net::{HostNet, Net, SocketOptions};
use crate::plant::{NodeLoad, Plant, PlantAction, Site};
use crate::supervisor::redfish::{RedfishConfig, run_redfish_on};
use crate::supervisor::snmp::{SnmpConfig, run_snmp_on};
use crate::supervisor::sunspec::{SunspecConfig, run_sunspec_on};
use crate::supervisor::{NutAgentConfig, nut_on};
use crate::telemetry::{Board, Distorted, Distortion, Protocol, Reading, Seen};
use crate::units::{PerUnit, Watts};

const WAIT: Duration = Duration::from_secs(20);
const SITE: &str = include_str!("../../../../playbooks/sites/full.yaml");

/// A site with one of each device, on all of its protocols.
struct Served {
    plant: Plant,
    board: Board,
    net: Arc<dyn Net>,
    ports: Vec<(Protocol, u16)>,
}

impl Served {
    async fn start() -> Self {
        let site: Site = serde_yaml::from_str(SITE).unwrap();
        let rack = site.racks.keys().next().unwrap().clone();
        let load = NodeLoad {
            name: "gpu-1".into(),
            rack,
            idle: Watts(300.0),
            peak: Watts(700.0),
        };
        let plant = Plant::new(&site, &[load]).unwrap();
        let (board, orders) = Board::new(Clock::start(), plant.identities());
        board.publish(plant.readings());
        // Nobody gives orders here.
        drop(orders);
        let net: Arc<dyn Net> = Arc::new(HostNet::loopback());
        let mut ports = Vec::new();
        for via in Protocol::OF_CARDS {
            if via == Protocol::Snmp {
                let socket = net.bind_udp(0).await.unwrap();
                ports.push((via, socket.local_addr().port()));
                tokio::spawn(run_snmp_on(board.clone(), SnmpConfig::default(), socket));
                continue;
            }
            let listener = net.listen(0, SocketOptions::default()).await.unwrap();
            ports.push((via, listener.local_addr().port()));
            let board = board.clone();
            match via {
                Protocol::Nut => {
                    tokio::spawn(nut_on(board, NutAgentConfig::default(), listener, 1));
                }
                Protocol::Modbus => {
                    tokio::spawn(run_sunspec_on(board, SunspecConfig::default(), listener));
                }
                _ => {
                    tokio::spawn(run_redfish_on(board, RedfishConfig::default(), listener));
                }
            }
        }
        Self {
            plant,
            board,
            net,
            ports,
        }
    }

    async fn ask(&self, device: &str, kind: &str, via: Protocol, wait: Duration) -> Seen {
        let port = self.ports.iter().find(|(of, _)| *of == via).unwrap().1;
        let question = Question {
            host: "localhost".into(),
            port,
            device: device.into(),
            kind: kind.into(),
            via,
        };
        ask(self.net.as_ref(), &question, wait).await
    }

    fn reading(&self, device: &str) -> Reading {
        let readings = self.plant.readings();
        let found = readings.into_iter().find(|(name, _)| name == device);
        found.unwrap().1
    }

    /// Every point of every device shows what the plant's meters read.
    async fn agree(&self) -> usize {
        let mut count = 0;
        for identity in self.board.devices() {
            for via in Protocol::OF_CARDS {
                let points = points(via, &identity.kind);
                // A board with one storage system has it as the first unit.
                if points.is_empty() {
                    continue;
                }
                let (name, kind) = (&identity.name, &identity.kind);
                let seen = self.ask(name, kind, via, WAIT).await;
                let reading = self.reading(name);
                for point in points {
                    let truth = point.of(&reading).unwrap();
                    let value = seen.value(point.field);
                    assert!(
                        value.is_some_and(|value| point.shows(value, &truth)),
                        "{} of {name} by {}: {seen:?}, not {truth}",
                        point.field,
                        via.name(),
                    );
                    count += 1;
                }
            }
        }
        count
    }
}

#[tokio::test]
async fn every_client_reads_what_the_meters_show() {
    let mut served = Served::start().await;
    assert!(served.agree().await > 20);
    served.plant.act(&PlantAction::Supply {
        utility: "grid".into(),
        level: PerUnit(0.0),
    });
    served.plant.advance(30_000_000);
    served.board.publish(served.plant.readings());
    // The NUT agent's task is woken by the board.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(served.agree().await > 20);
}

#[tokio::test]
async fn stale_and_lost_agents_are_told_apart() {
    let served = Served::start().await;
    let distort = |how| {
        served.board.distort(
            1,
            Distorted {
                how,
                protocols: Vec::new(),
                devices: Vec::new(),
            },
        );
    };
    let devices = served.board.devices();
    let asked = || {
        let pairs = devices
            .iter()
            .flat_map(|d| Protocol::OF_CARDS.map(|via| (d, via)));
        pairs.filter(|(d, via)| !points(*via, &d.kind).is_empty())
    };
    distort(Distortion::Stale);
    tokio::time::sleep(Duration::from_millis(50)).await;
    for (device, via) in asked() {
        let seen = served.ask(&device.name, &device.kind, via, WAIT).await;
        assert_eq!(seen, Seen::Stale, "{} by {}", device.name, via.name());
    }
    served.board.restore(1);
    distort(Distortion::Lost);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let soon = Duration::from_millis(100);
    for (device, via) in asked() {
        let seen = served.ask(&device.name, &device.kind, via, soon).await;
        assert_eq!(seen, Seen::Silent, "{} by {}", device.name, via.name());
    }
    served.board.restore(1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(served.agree().await > 20);
}
