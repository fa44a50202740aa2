//! By NUT.

use std::time::Duration;

use super::client::{Question, failed};
use super::point::{Wire, points};
use crate::net::Net;
use crate::supervisor::nut::{ClientError, NutClient};
use crate::telemetry::{Protocol, Seen};

pub(super) async fn ask(net: &dyn Net, question: &Question, wait: Duration) -> Seen {
    match rows(net, question, wait).await {
        Ok(rows) => seen(&rows, question),
        Err(ClientError::Refused(code)) => match code.as_str() {
            "DATA-STALE" | "DRIVER-NOT-CONNECTED" => Seen::Stale,
            _ => Seen::Refused(code),
        },
        Err(ClientError::Timeout(_)) => Seen::Silent,
        Err(ClientError::Io(error)) => failed(&error),
        Err(error) => Seen::Refused(error.to_string()),
    }
}

async fn rows(
    net: &dyn Net,
    question: &Question,
    wait: Duration,
) -> Result<Vec<(String, String)>, ClientError> {
    let mut client = NutClient::connect(net, &question.host, question.port, wait).await?;
    client.list_var(&question.device).await
}

fn seen(rows: &[(String, String)], question: &Question) -> Seen {
    let row = |name: &str| {
        let found = rows.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    };
    let value = |wire: &Wire| match *wire {
        Wire::Nut { name, factor } => {
            let number: f64 = row(name)?.parse().ok()?;
            Some((number * factor).into())
        }
        Wire::NutStatus => status(row("ups.status")?).map(Into::into),
        _ => None,
    };
    let points = points(Protocol::Nut, &question.kind);
    let values = points
        .iter()
        .filter_map(|point| Some((point.field.to_string(), value(&point.wire)?)));
    Seen::Values(values.collect())
}

/// The status of a reading that `ups.status` tells of.
fn status(tokens: &str) -> Option<&'static str> {
    let has = |token: &str| tokens.split_ascii_whitespace().any(|t| t == token);
    let named = [
        ("OFF", "off"),
        ("OB", "on_battery"),
        ("BYPASS", "bypass"),
        ("BOOST", "boost"),
        ("TRIM", "trim"),
        ("OL", "on_line"),
    ];
    named.iter().find(|(t, _)| has(t)).map(|(_, name)| *name)
}
