//! One order to one device, over the protocol that the device takes it by.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value as Json, json};

use crate::net::Net;
use crate::supervisor::forward::{Address, hand_over};
use crate::supervisor::nut::{Order, OrderKind};
use crate::supervisor::redfish::basic;
use crate::supervisor::sunspec::ModbusClient;
use crate::supervisor::web::fetch;
use crate::telemetry::DeviceCommand;

/// SunSpec points that are written: model and place.
const ENTER_SERVICE: (u16, u16) = (703, 2);
const ANTI_ISLANDING: (u16, u16) = (704, 52);
/// How long a request of a Modbus client may take.
const WAIT: Duration = Duration::from_secs(2);

/// How a device is told things.
#[derive(Clone, Debug)]
pub(in crate::supervisor) enum Way {
    /// NUT, as this user.
    Nut(Address),
    /// Modbus TCP.
    Modbus { host: String, port: u16 },
    /// Redfish, as this user.
    Redfish {
        host: String,
        port: u16,
        user: String,
        password: String,
    },
}

pub(super) async fn carry(
    net: &dyn Net,
    way: &Way,
    device: &str,
    command: &DeviceCommand,
) -> Result<(), String> {
    match way {
        Way::Nut(address) => nut(net, address, device, command).await,
        Way::Modbus { host, port } => {
            let mut client = ModbusClient::connect(net, host, *port, 1, WAIT)
                .await
                .map_err(|error| error.to_string())?;
            modbus(&mut client, command).await
        }
        Way::Redfish {
            host,
            port,
            user,
            password,
        } => {
            let (method, path, body) = redfish(device, command).ok_or("no such order")?;
            let request = Request::builder()
                .method(method)
                .uri(format!("/redfish/v1/{path}"))
                .header(AUTHORIZATION, basic(user, password))
                .header(CONTENT_TYPE, "application/json")
                .body(Full::new(Bytes::from(body.to_string())))
                .map_err(|error| error.to_string())?;
            let answer = fetch(net, (host, *port), false, request).await;
            let (status, body) = answer.map_err(|error| error.to_string())?;
            match status.is_success() {
                true => Ok(()),
                false => Err(refusal(&body).unwrap_or_else(|| format!("answered {status}"))),
            }
        }
    }
}

async fn nut(
    net: &dyn Net,
    address: &Address,
    device: &str,
    command: &DeviceCommand,
) -> Result<(), String> {
    let command = match command {
        DeviceCommand::Start => "generator.start",
        DeviceCommand::Stop => "generator.stop",
        DeviceCommand::Output { on: true } => "load.on",
        DeviceCommand::Output { on: false } => "load.off",
        _ => return Err("no such order".into()),
    };
    let order = Order {
        id: None,
        device: device.into(),
        kind: OrderKind::Command {
            command: command.into(),
            parameter: None,
        },
    };
    let done = hand_over(net, address, &order).await;
    done.map_err(|error| error.to_string())
}

/// Writes what an order means to the points of the map.
async fn modbus(client: &mut ModbusClient, command: &DeviceCommand) -> Result<(), String> {
    let (point, value) = match command {
        DeviceCommand::Island { on } => (ENTER_SERVICE, u16::from(!*on)),
        DeviceCommand::Form { on } => (ANTI_ISLANDING, u16::from(!*on)),
        _ => return Err("no such order".into()),
    };
    let map = client.map().await.map_err(|error| error.to_string())?;
    let at = map.address(point.0, point.1).ok_or("no such point")?;
    let written = client.write(at, &[value]).await;
    written.map_err(|error| error.to_string())
}

/// Where the controller's heartbeat is written.
pub(in crate::supervisor) const HEARTBEAT: (u16, u16) = (802, 19);

fn redfish(device: &str, command: &DeviceCommand) -> Option<(&'static str, String, Json)> {
    Some(match command {
        DeviceCommand::Limit { watts } => (
            "PATCH",
            format!("Chassis/{device}/EnvironmentMetrics"),
            json!({"PowerLimitWatts": {"SetPoint": watts}}),
        ),
        DeviceCommand::Machine { on } => (
            "POST",
            format!("Systems/{device}/Actions/ComputerSystem.Reset"),
            json!({"ResetType": if *on { "On" } else { "ForceOff" }}),
        ),
        DeviceCommand::Retransfer { on } => (
            "PATCH",
            format!("PowerEquipment/TransferSwitches/{device}"),
            json!({"TransferConfiguration": {"RetransferEnabled": on}}),
        ),
        _ => return None,
    })
}

/// The message of an error of Redfish.
fn refusal(body: &[u8]) -> Option<String> {
    let document: Json = serde_json::from_slice(body).ok()?;
    let messages = document.pointer("/error/@Message.ExtendedInfo/0/Message");
    let message = messages.or_else(|| document.pointer("/error/message"))?;
    message.as_str().map(String::from)
}
