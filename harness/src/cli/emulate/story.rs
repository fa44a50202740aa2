//! One line for each thing that happens on a site.

use ridethrough_targets::clock::Micros;
use ridethrough_targets::emulator::Story;

/// `   12.345 s  ups-a  ups normal → on_battery (input lost)`.
pub(super) fn line(story: &Story) -> String {
    match story {
        Story::Event(event) => {
            let change = serde_json::to_value(&event.change).unwrap_or_default();
            let what = told(&change);
            let cause = match event.cause.as_str() {
                "" => String::new(),
                cause => format!(" ({cause})"),
            };
            row(event.t_us, &event.component, &format!("{what}{cause}"))
        }
        Story::Order {
            t_us,
            device,
            command,
            outcome,
        } => row(*t_us, device, &format!("told {command}: {outcome}")),
    }
}

fn row(t_us: Micros, component: &str, what: &str) -> String {
    let seconds = t_us as f64 / 1e6;
    format!("{seconds:>10.3} s  {component:<12} {what}")
}

/// The fields of a change in a row; `from` and `to` as an arrow.
fn told(change: &serde_json::Value) -> String {
    let Some(fields) = change.as_object() else {
        return change.to_string();
    };
    let word = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) if text.is_empty() => "none".to_string(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(n) => n
            .as_f64()
            .map_or_else(|| n.to_string(), |f| ((f * 1e3).round() / 1e3).to_string()),
        other => other.to_string(),
    };
    let mut words = Vec::new();
    for (name, value) in fields {
        match name.as_str() {
            "kind" => words.push(word(value)),
            "from" => words.push(format!("{} →", word(value))),
            "to" => words.push(word(value)),
            _ if value.is_object() => words.push(format!("{name} {}", told(value))),
            _ => words.push(format!("{name} {}", word(value))),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ridethrough_targets::plant::{Change, PlantEvent, UpsState};
    use ridethrough_targets::telemetry::DeviceCommand;

    #[test]
    fn lines() {
        let event = PlantEvent {
            t_us: 12_345_000,
            component: "ups-a".into(),
            cause: "input lost".into(),
            change: Change::Ups {
                from: UpsState::Normal,
                to: UpsState::OnBattery,
            },
        };
        let order = Story::Order {
            t_us: 1_000,
            device: "pdu-a".into(),
            command: DeviceCommand::Outlet {
                index: 0,
                on: false,
            },
            outcome: "done".into(),
        };
        insta::assert_snapshot!(
            format!("{}\n{}", line(&Story::Event(event)), line(&order)),
            @r"
            12.345 s  ups-a        ups normal → on_battery (input lost)
             0.001 s  pdu-a        told outlet 1 off: done
        "
        );
    }
}
