use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::super::events::{Event, Filter};
use super::super::messages::Message;
use super::*;
use crate::net::{Conn, Io, Listener, Net, SocketOptions};
use crate::supervisor::web::acceptor;
use crate::telemetry::{Distorted, Distortion, Protocol, Reading};

/// Publishes a reading, and gives what events it makes, as `key origin`.
async fn after(site: &Site, device: &str, reading: Reading) -> Vec<String> {
    let before = site.core.lock().log.last();
    site.core.board.publish([(device.to_string(), reading)]);
    site.settle().await;
    told(site, before)
}

fn told(site: &Site, before: u64) -> Vec<String> {
    let state = site.core.lock();
    let events = state.log.kept().filter(|(number, _)| *number > before);
    events
        .map(|(_, event)| {
            let key = event.message.id.rsplit('.').next().unwrap_or_default();
            let origin = event.origin.as_ref().map_or("", |(uri, _)| uri);
            format!("{key} {}", origin.trim_start_matches("/redfish/v1/"))
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_a_pdu_is_told() {
    let site = Site::start();
    site.settle().await;
    let pdu = "PowerEquipment/RackPDUs/pdu-a";
    let mut reading = fixture::pdu();
    reading.outlets[1].on = false;
    let events = after(&site, "pdu-a", Reading::Pdu(reading.clone())).await;
    assert_eq!(events, [format!("OutletPoweredOff {pdu}/Outlets/2")]);
    (reading.closed, reading.tripped, reading.v) = (false, true, 0.0);
    let events = after(&site, "pdu-a", Reading::Pdu(reading.clone())).await;
    assert_eq!(events, [format!("BreakerTripped {pdu}/Branches/1")]);
    (reading.closed, reading.tripped, reading.v) = (true, false, 230.0);
    let events = after(&site, "pdu-a", Reading::Pdu(reading.clone())).await;
    let expected = [
        format!("BreakerReset {pdu}/Branches/1"),
        format!("LineInputPowerRestored {pdu}/Mains/1"),
        format!("VoltageNormal {pdu}/Sensors/Voltage"),
    ];
    assert_eq!(events, expected);
    reading.v = 180.0;
    let events = after(&site, "pdu-a", Reading::Pdu(reading.clone())).await;
    let low = format!("VoltageBelowLowerCriticalThreshold {pdu}/Sensors/Voltage");
    assert_eq!(events, [low]);
    reading.v = 0.0;
    let events = after(&site, "pdu-a", Reading::Pdu(reading)).await;
    assert_eq!(events, [format!("LossOfInputPower {pdu}/Mains/1")]);
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_a_machine_is_told() {
    let site = Site::start();
    site.settle().await;
    let mut reading = fixture::machine("gpu-1");
    (reading.braked, reading.temperature_c) = (true, 39.0);
    reading.supplies[0].input_v = 0.0;
    reading.supplies[1].healthy = false;
    let events = after(&site, "gpu-1", Reading::Machine(reading.clone())).await;
    let supplies = "Chassis/gpu-1/PowerSubsystem/PowerSupplies";
    let expected = [
        "PowerBrake Systems/gpu-1".to_string(),
        format!("LossOfInputPower {supplies}/1"),
        format!("PowerSupplyFailed {supplies}/2"),
        "TemperatureAboveUpperCriticalThreshold Chassis/gpu-1/Sensors/Temperature".into(),
    ];
    assert_eq!(events, expected);
    reading = fixture::machine("gpu-1");
    reading.on = false;
    let events = after(&site, "gpu-1", Reading::Machine(reading)).await;
    let expected = [
        "ResourcePoweredOff Systems/gpu-1".to_string(),
        "ResourceStatusChangedOK Systems/gpu-1".into(),
        format!("LineInputPowerRestored {supplies}/1"),
        format!("PowerSupplyRestored {supplies}/2"),
        "TemperatureNormal Chassis/gpu-1/Sensors/Temperature".into(),
    ];
    assert_eq!(events, expected);
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_the_rest_is_told() {
    let site = Site::start();
    site.settle().await;
    let mut ats = fixture::ats();
    (ats.sources[0].good, ats.sources[0].v, ats.active) = (false, 0.0, None);
    let events = after(&site, "ats-a", Reading::Transfer(ats)).await;
    let here = "PowerEquipment/TransferSwitches/ats-a";
    assert_eq!(
        events,
        [
            format!("LossOfInputPower {here}/Mains/1"),
            format!("ResourceChanged {here}")
        ]
    );
    let before = site.core.lock().log.last();
    let stale = Distorted {
        how: Distortion::Stale,
        protocols: vec![Protocol::Redfish],
        devices: vec!["bess-1".into()],
    };
    site.core.board.distort(1, stale);
    site.settle().await;
    site.core.board.restore(1);
    site.settle().await;
    let here = "PowerEquipment/PowerShelves/bess-1";
    let expected = [
        format!("ResourceStatusChangedCritical {here}"),
        format!("ResourceStatusChangedOK {here}"),
    ];
    assert_eq!(told(&site, before), expected);
}

#[test]
fn filters_are_read_as_they_are_written() {
    let event = Event {
        t_us: 0,
        message: Message::new("Power", "OutletPoweredOff", &["1"]),
        kind: "Alert".into(),
        origin: Some(("/redfish/v1/X/1".into(), "Outlet")),
    };
    let wants = |text: &str| Filter::read(text).map(|filter| filter.wants(&event));
    assert_eq!(wants("RegistryPrefix eq 'Power'"), Some(true));
    assert_eq!(
        wants("MessageId eq 'Power.1.2.OutletPoweredOff'"),
        Some(true)
    );
    assert_eq!(wants("MessageId eq 'Power.OutletPoweredOff'"), Some(true));
    assert_eq!(
        wants("RegistryPrefix eq 'Base' or ResourceType eq 'Outlet'"),
        Some(true)
    );
    let bracketed =
        "(RegistryPrefix eq 'Base' or RegistryPrefix eq 'Power') and ResourceType eq 'Sensor'";
    assert_eq!(wants(bracketed), Some(false));
    for nonsense in [
        "",
        "X eq 'a'",
        "RegistryPrefix eq Power",
        "((((((",
        "MessageId eq 'a' and",
    ] {
        assert_eq!(wants(nonsense), None, "{nonsense}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_is_bounded() {
    let mut config = RedfishConfig::default();
    config.limits.events = 8;
    let site = Site::with(config);
    site.settle().await;
    for round in 0..20 {
        let mut reading = fixture::pdu();
        reading.outlets[0].on = round % 2 == 1;
        after(&site, "pdu-a", Reading::Pdu(reading)).await;
    }
    let state = site.core.lock();
    assert_eq!((state.log.last(), state.log.kept().count()), (20, 8));
}

/// A network whose only peer takes what is posted, after refusing it a few times.
struct Receiver {
    refusals: std::sync::Mutex<u32>,
    bodies: mpsc::UnboundedSender<Json>,
}

#[async_trait]
impl Net for Receiver {
    async fn listen(&self, _: u16, _: SocketOptions) -> std::io::Result<Box<dyn Listener>> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    async fn connect(&self, _: &str, port: u16, _: SocketOptions) -> std::io::Result<Conn> {
        {
            let mut refusals = self.refusals.lock().unwrap();
            if *refusals > 0 {
                *refusals -= 1;
                return Err(std::io::ErrorKind::ConnectionRefused.into());
            }
        }
        let (near, far) = duplex(1 << 20);
        let bodies = self.bodies.clone();
        tokio::spawn(async move {
            let mut far: Box<dyn Io> = match port {
                443 => {
                    let tls = acceptor(&["listener".to_string()]).unwrap();
                    Box::new(tls.accept(far).await.unwrap())
                }
                _ => Box::new(far),
            };
            let mut got = String::new();
            let mut buffer = [0; 4096];
            let body = loop {
                let read = far.read(&mut buffer).await.unwrap();
                got.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                if let Some((_, body)) = got.split_once("\r\n\r\n")
                    && let Ok(body) = serde_json::from_str::<Json>(body)
                {
                    break body;
                }
            };
            bodies.send(body).unwrap();
            let _ = far.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        });
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Conn {
            io: Box::new(near),
            local: address,
            peer: address,
        })
    }

    fn resolve(&self, _: &str) -> Option<std::net::Ipv4Addr> {
        None
    }
}

fn with_receiver(refusals: u32) -> (Site, mpsc::UnboundedReceiver<Json>) {
    let (bodies, inbox) = mpsc::unbounded_channel();
    let (board, orders) = fixture::board();
    let net = Receiver {
        refusals: refusals.into(),
        bodies,
    };
    let config = RedfishConfig::default();
    let core = Arc::new(Core::new(board.clone(), config, Some(Arc::new(net))));
    let mut tasks = JoinSet::new();
    tasks.spawn(fixture::drive(board, orders));
    tasks.spawn(watch(Arc::clone(&core)));
    let site = Site {
        core,
        _tasks: tasks,
    };
    (site, inbox)
}

async fn subscribe(site: &Site, more: Json) -> Reply {
    let mut body = json!({"Destination": "http://listener:9999/events", "Protocol": "Redfish"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let path = "/EventService/Subscriptions";
    site.admin(Method::POST, path, &body.to_string()).await
}

#[tokio::test(start_paused = true)]
async fn subscribers_get_what_they_asked_for() {
    let (site, mut inbox) = with_receiver(2);
    site.settle().await;
    let more = json!({"Context": "mine", "RegistryPrefixes": ["Power"],
        "OriginResources": [{"@odata.id": "/redfish/v1/PowerEquipment/RackPDUs/pdu-a"}],
        "SubordinateResources": true});
    let reply = subscribe(&site, more).await;
    assert_eq!(reply.status, 201);
    let location = header(&reply, "location").to_string();
    let mut machine = fixture::machine("gpu-1");
    machine.braked = true;
    after(&site, "gpu-1", Reading::Machine(machine)).await;
    let mut pdu = fixture::pdu();
    pdu.outlets[0].on = false;
    after(&site, "pdu-a", Reading::Pdu(pdu)).await;
    // Two attempts are refused; each is followed by five seconds' wait.
    let document = inbox.recv().await.unwrap();
    assert_eq!(site.core.board.clock().now_us() / 1_000_000, 10);
    assert_eq!(document["Context"], "mine");
    assert_eq!(document["Events"].as_array().unwrap().len(), 1);
    let record = &document["Events"][0];
    assert_eq!(record["MessageId"], "Power.1.2.OutletPoweredOff");
    let test = r#"{"MessageId":"Power.1.2.OutletPoweredOn","MessageArgs":["x"],
        "OriginOfCondition":"/redfish/v1/PowerEquipment/RackPDUs/pdu-a/Outlets/1"}"#;
    let action = "/EventService/Actions/EventService.SubmitTestEvent";
    assert_eq!(site.admin(Method::POST, action, test).await.status, 204);
    let document = inbox.recv().await.unwrap();
    assert_eq!(document["Events"][0]["Message"], "Outlet 'x' powered on.");
    let path = location.strip_prefix("/redfish/v1").unwrap();
    assert_eq!(site.admin(Method::DELETE, path, "").await.status, 204);
    assert_eq!(site.admin(Method::GET, path, "").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_never_answers_is_given_up() {
    let (site, _inbox) = with_receiver(100);
    site.settle().await;
    let ended = subscribe(&site, json!({})).await;
    let suspended = subscribe(&site, json!({"DeliveryRetryPolicy": "SuspendRetries"})).await;
    let mut pdu = fixture::pdu();
    pdu.outlets[0].on = false;
    after(&site, "pdu-a", Reading::Pdu(pdu)).await;
    sleep(Duration::from_secs(60)).await;
    let path = |reply: &Reply| header(reply, "location").replace("/redfish/v1", "");
    let gone = site.admin(Method::GET, &path(&ended), "").await;
    assert_eq!(gone.status, 404);
    let waits = site.get(&path(&suspended)).await;
    assert_eq!(waits["Status"]["State"], "Disabled");
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_checked_and_bounded() {
    let (site, _inbox) = with_receiver(0);
    let refused = [
        (
            json!({"Destination": "ftp://x/"}),
            "PropertyValueFormatError",
        ),
        (json!({"Protocol": "SNMPv3"}), "PropertyValueNotInList"),
        (
            json!({"RegistryPrefixes": ["Nothing"]}),
            "PropertyValueNotInList",
        ),
        (json!({"RegistryPrefixes": 3}), "PropertyValueTypeError"),
        (json!({"OriginResources": ["/x"]}), "PropertyValueTypeError"),
        (json!({"Nonsense": 3}), "PropertyUnknown"),
    ];
    for (more, key) in refused {
        let reply = subscribe(&site, more).await;
        assert_eq!(keys(&reply), [key]);
    }
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..80 {
        let status = subscribe(&site, json!({})).await.status.as_u16();
        *statuses.entry(status).or_default() += 1;
    }
    assert_eq!(statuses, [(201, 64), (503, 16)].into());
    let deaf = Site::start();
    assert_eq!(subscribe(&deaf, json!({})).await.status, 503);
}

#[tokio::test(start_paused = true)]
async fn events_are_posted_over_tls_too() {
    let (site, mut inbox) = with_receiver(0);
    site.settle().await;
    let reply = subscribe(&site, json!({"Destination": "https://listener/events"})).await;
    assert_eq!(document(&reply)["VerifyCertificate"], false);
    let mut pdu = fixture::pdu();
    pdu.closed = false;
    after(&site, "pdu-a", Reading::Pdu(pdu)).await;
    let document = inbox.recv().await.unwrap();
    assert_eq!(
        document["Events"][0]["MessageId"],
        "Power.1.2.CircuitPoweredOff"
    );
}

#[tokio::test(start_paused = true)]
async fn two_runs_are_told_alike() {
    let run = async || {
        let (site, mut inbox) = with_receiver(1);
        site.settle().await;
        subscribe(&site, json!({})).await;
        let mut pdu = fixture::pdu();
        pdu.outlets.iter_mut().for_each(|outlet| outlet.on = false);
        after(&site, "pdu-a", Reading::Pdu(pdu)).await;
        let login = r#"{"UserName":"reader","Password":"reader"}"#;
        let sessions = "/redfish/v1/SessionService/Sessions";
        let session = site.ask(Method::POST, sessions, &[], login).await;
        let token = header(&session, "x-auth-token").to_string();
        (inbox.recv().await.unwrap().to_string(), token)
    };
    assert_eq!(run().await, run().await);
}
