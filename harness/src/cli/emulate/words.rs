//! What can be typed while a site is emulated.

use std::str::FromStr;

use ridethrough_targets::plant::{PlantAction, PowerTarget, Site};
use ridethrough_targets::telemetry::{DeviceCommand, Distorted, Distortion, Protocol};
use ridethrough_targets::units::{PerUnit, Span};

use crate::playbook::closest;

/// What can be typed, for `help`.
pub(super) const HELP: &str = "  status                          the one-line diagram
  outage [UTILITY]                a utility goes to 0 V (without a name, all)
  utility UTILITY LEVEL           a utility goes to a level: utility grid 60%
  restore [UTILITY]               back to normal
  cut   feed|pdu|rack|node NAME   supply is cut, past every protection
  uncut feed|pdu|rack|node NAME   the cut is undone
  battery UPS open|close|LEVEL    its string opens, closes or has a health: 40%
  breaker PDU open|close          a PDU's breaker
  tell DEVICE ORDER               an order as its own protocol would give it:
      tell ups-a off|on|bypass|no-bypass|reset
      tell gen-1 start|stop|reset
      tell ats-1 source 2|prefer 1|inhibit|allow
      tell pdu-a outlet 1 off|on
      tell bess-1 connect|disconnect|run|standby|island|rejoin
      tell bess-1 form|follow|power 50kW|free|heartbeat
      tell gpu-1 off|on|limit 400W|free
  telemetry HOW [PROTOCOL] [DEVICE]
      stale, frozen, lost, out_of_order, delayed 2s, slow 500ms, flapping 4s,
      lie VARIABLE VALUE, scale VARIABLE FACTOR
  telemetry clear                 telemetry tells the truth again
  help, quit";

/// One thing typed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// Show the diagram.
    Status,
    /// Show what can be typed.
    Help,
    /// End.
    Quit,
    /// Nothing.
    Empty,
    /// Do these to the plant.
    Act(Vec<PlantAction>),
    /// Tell a device.
    Tell(String, DeviceCommand),
    /// Make telemetry fail.
    Distort(Distorted),
    /// Let telemetry be.
    Clear,
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it, in one line.
pub(super) fn parse(line: &str, site: &Site) -> Result<Word, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((verb, rest)) = words.split_first() else {
        return Ok(Word::Empty);
    };
    match (*verb, rest) {
        ("status" | "s", []) => Ok(Word::Status),
        ("help" | "?", _) => Ok(Word::Help),
        ("quit" | "exit" | "q", []) => Ok(Word::Quit),
        ("outage", names) => supply(site, names, Some("0pu")),
        ("restore", names) => supply(site, names, None),
        ("utility", [name, level]) => supply(site, &[name], Some(level)),
        ("cut", [kind, name]) => Ok(Word::Act(vec![PlantAction::Cut(target(kind, name)?)])),
        ("uncut", [kind, name]) => Ok(Word::Act(vec![PlantAction::Uncut(target(kind, name)?)])),
        ("battery", [ups, what]) => battery(site, ups, what),
        ("breaker", [pdu, what]) => breaker(site, pdu, what),
        ("tell", [device, order @ ..]) => Ok(Word::Tell((*device).into(), command(order)?)),
        ("telemetry", ["clear"]) => Ok(Word::Clear),
        ("telemetry", how) => distortion(how).map(Word::Distort),
        (verb, _) => Err(unknown(verb)),
    }
}

const VERBS: [&str; 12] = [
    "status",
    "help",
    "quit",
    "outage",
    "restore",
    "utility",
    "cut",
    "uncut",
    "battery",
    "breaker",
    "tell",
    "telemetry",
];

fn unknown(verb: &str) -> String {
    if VERBS.contains(&verb) {
        return format!("`{verb}` wants other words; `help` shows them");
    }
    match closest(verb, VERBS) {
        Some(guess) => format!("no command `{verb}`; did you mean `{guess}`?"),
        None => format!("no command `{verb}`; `help` shows what there is"),
    }
}

/// A name that must be among the site's.
fn known<'a>(
    noun: &str,
    name: &str,
    all: impl Iterator<Item = &'a String> + Clone,
) -> Result<String, String> {
    if all.clone().any(|n| n == name) {
        return Ok(name.into());
    }
    let have: Vec<&str> = all.map(String::as_str).collect();
    Err(format!(
        "no {noun} `{name}`; the site has {}",
        have.join(", ")
    ))
}

fn quantity<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn supply(site: &Site, names: &[&str], level: Option<&str>) -> Result<Word, String> {
    let level = level.map(|text| if text == "0" { "0pu" } else { text });
    let level: Option<PerUnit> = level.map(quantity).transpose()?;
    let utilities: Vec<String> = match names {
        [] => site.utilities.keys().cloned().collect(),
        names => names
            .iter()
            .map(|name| known("utility", name, site.utilities.keys()))
            .collect::<Result<_, _>>()?,
    };
    let act = |utility: String| match level {
        Some(level) => PlantAction::Supply { utility, level },
        None => PlantAction::SupplyRestored { utility },
    };
    Ok(Word::Act(utilities.into_iter().map(act).collect()))
}

fn target(kind: &str, name: &str) -> Result<PowerTarget, String> {
    let name = name.to_string();
    match kind {
        "feed" => Ok(PowerTarget::Feed(name)),
        "pdu" => Ok(PowerTarget::Pdu(name)),
        "rack" => Ok(PowerTarget::Rack(name)),
        "node" => Ok(PowerTarget::Node(name)),
        other => Err(format!(
            "`{other}` cannot be cut; feed, pdu, rack and node can"
        )),
    }
}

fn battery(site: &Site, ups: &str, what: &str) -> Result<Word, String> {
    let ups = known("UPS", ups, site.ups.keys())?;
    let action = match what {
        "open" => PlantAction::BatteryOpens { ups },
        "close" => PlantAction::BatteryCloses { ups },
        level => PlantAction::BatteryHealth {
            ups,
            health: quantity(level)?,
        },
    };
    Ok(Word::Act(vec![action]))
}

fn breaker(site: &Site, pdu: &str, what: &str) -> Result<Word, String> {
    let pdu = known("PDU", pdu, site.pdus.keys())?;
    let action = match what {
        "open" => PlantAction::BreakerOpens { pdu },
        "close" => PlantAction::BreakerCloses { pdu },
        other => return Err(format!("a breaker is `open` or `close`, not `{other}`")),
    };
    Ok(Word::Act(vec![action]))
}

/// An order to a device. `on` and `off` mean a UPS's output or a machine.
fn command(words: &[&str]) -> Result<DeviceCommand, String> {
    use DeviceCommand as C;
    let number = |text: &str| match text.parse::<usize>() {
        Ok(n) if n > 0 => Ok(n - 1),
        _ => Err(format!("`{text}` is no number from 1")),
    };
    let watts = |text: &str| quantity::<ridethrough_targets::units::Watts>(text).map(|w| w.get());
    Ok(match words {
        ["on"] => C::Output { on: true },
        ["off"] => C::Output { on: false },
        ["bypass"] => C::Bypass { on: true },
        ["no-bypass"] => C::Bypass { on: false },
        ["reset"] => C::Reset,
        ["restart"] => C::Restart,
        ["start"] => C::Start,
        ["stop"] => C::Stop,
        ["source", n] => C::Select { source: number(n)? },
        ["prefer", n] => C::Prefer { source: number(n)? },
        ["inhibit"] => C::Inhibit { on: true },
        ["allow"] => C::Inhibit { on: false },
        ["connect"] => C::Connect { on: true },
        ["disconnect"] => C::Connect { on: false },
        ["run"] => C::Run { on: true },
        ["standby"] => C::Run { on: false },
        ["island"] => C::Island { on: true },
        ["rejoin"] => C::Island { on: false },
        ["form"] => C::Form { on: true },
        ["follow"] => C::Form { on: false },
        ["heartbeat"] => C::Heartbeat,
        ["power", w] => C::Power {
            watts: Some(watts(w)?),
        },
        ["limit", w] => C::Limit {
            watts: Some(watts(w)?),
        },
        ["free"] => C::Limit { watts: None },
        ["outlet", n, "on"] => C::Outlet {
            index: number(n)?,
            on: true,
        },
        ["outlet", n, "off"] => C::Outlet {
            index: number(n)?,
            on: false,
        },
        [] => return Err("tell it what? `help` shows orders".into()),
        words => return Err(format!("no order `{}`; `help` shows them", words.join(" "))),
    })
}

fn distortion(words: &[&str]) -> Result<Distorted, String> {
    use Distortion as D;
    let (how, rest) = match words {
        ["stale", rest @ ..] => (D::Stale, rest),
        ["frozen", rest @ ..] => (D::Frozen, rest),
        ["lost", rest @ ..] => (D::Lost, rest),
        ["out_of_order", rest @ ..] => (D::OutOfOrder, rest),
        ["delayed", by, rest @ ..] => (
            D::Delayed {
                by: quantity::<Span>(by)?,
            },
            rest,
        ),
        ["slow", by, rest @ ..] => (
            D::Slow {
                by: quantity::<Span>(by)?,
            },
            rest,
        ),
        ["flapping", period, rest @ ..] => {
            let period = quantity::<Span>(period)?;
            (D::Flapping { period }, rest)
        }
        ["lie", variable, value, rest @ ..] => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| (*value).into());
            let variable = (*variable).to_string();
            (D::Lie { variable, value }, rest)
        }
        ["scale", variable, factor, rest @ ..] => {
            let factor = factor
                .parse()
                .map_err(|_| format!("`{factor}` is no number"))?;
            let variable = (*variable).to_string();
            (D::Scale { variable, factor }, rest)
        }
        _ => return Err("telemetry fails how? `help` shows the ways".into()),
    };
    let mut distorted = Distorted {
        how,
        protocols: Vec::new(),
        devices: Vec::new(),
    };
    for word in rest {
        match protocol(word) {
            Some(protocol) => distorted.protocols.push(protocol),
            None => distorted.devices.push((*word).to_string()),
        }
    }
    Ok(distorted)
}

fn protocol(word: &str) -> Option<Protocol> {
    match word {
        "nut" => Some(Protocol::Nut),
        "snmp" => Some(Protocol::Snmp),
        "modbus" => Some(Protocol::Modbus),
        "redfish" => Some(Protocol::Redfish),
        "metrics" => Some(Protocol::Metrics),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        serde_json::from_value(serde_json::json!({
            "name": "s",
            "utilities": {"grid": {}},
            "ups": {"ups-a": {"from": "grid", "rating": "10kW", "battery": {"energy": "1kWh"}}},
            "pdus": {"pdu-a": {"from": "ups-a", "breaker": {"rating": "63A"}}},
            "racks": {"r1": {"cords": ["pdu-a"]}},
        }))
        .unwrap()
    }

    fn read(line: &str) -> Result<Word, String> {
        parse(line, &site())
    }

    #[test]
    fn words_mean_acts() {
        let outage = PlantAction::Supply {
            utility: "grid".into(),
            level: PerUnit(0.0),
        };
        assert_eq!(read("outage"), Ok(Word::Act(vec![outage])));
        let sag = PlantAction::Supply {
            utility: "grid".into(),
            level: PerUnit(0.6),
        };
        assert_eq!(read("utility grid 60%"), Ok(Word::Act(vec![sag])));
        let off = DeviceCommand::Outlet {
            index: 0,
            on: false,
        };
        assert_eq!(
            read("tell pdu-a outlet 1 off"),
            Ok(Word::Tell("pdu-a".into(), off))
        );
        let frozen = Distorted {
            how: Distortion::Frozen,
            protocols: vec![Protocol::Nut],
            devices: vec!["ups-a".into()],
        };
        assert_eq!(
            read("telemetry frozen nut ups-a"),
            Ok(Word::Distort(frozen))
        );
        assert_eq!(read("  "), Ok(Word::Empty));
    }

    #[test]
    fn mistakes_say_what_to_do() {
        let wrong = |line| read(line).unwrap_err();
        insta::assert_snapshot!(
            [
                "outrage", "utility mains 0", "utility grid", "utility grid low",
                "cut wire x", "breaker pdu-a half", "tell ups-a", "tell pdu-a outlet 0 off",
                "telemetry drunk",
            ]
            .map(wrong)
            .join("\n"),
            @r#"
        no command `outrage`; did you mean `outage`?
        no utility `mains`; the site has grid
        `utility` wants other words; `help` shows them
        "low" is not a share such as `0.85pu` or `85%`
        `wire` cannot be cut; feed, pdu, rack and node can
        a breaker is `open` or `close`, not `half`
        tell it what? `help` shows orders
        `0` is no number from 1
        telemetry fails how? `help` shows the ways
        "#
        );
    }
}
