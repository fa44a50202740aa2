//! `GET` and `LIST`. Replies echo the spelling of the request.

use std::fmt::Write;

use super::bank::Bank;
use super::describe::{describe_command, describe_variable};
use super::device::{Device, Link, Variable};
use super::line::{push_quoted, quote};
use super::session::{Answer, Refusal, Session};

/// A device that answers: known, connected, fresh, checked in this order.
pub(super) fn available<'b>(bank: &'b Bank, ups: &str) -> Result<&'b Device, Refusal> {
    let device = bank.device(ups).ok_or("UNKNOWN-UPS")?;
    match device.link {
        Link::Up => Ok(device),
        Link::Stale => Err("DATA-STALE"),
        Link::Down => Err("DRIVER-NOT-CONNECTED"),
    }
}

pub(super) fn get(session: &Session, bank: &Bank, args: &[&str]) -> Answer {
    let Some((what, args)) = args.split_first() else {
        return Err("INVALID-ARGUMENT");
    };
    match (what.to_ascii_uppercase().as_str(), args) {
        ("TRACKING", []) => Ok(if session.tracking { "ON\n" } else { "OFF\n" }.into()),
        ("TRACKING", [id, ..]) => tracking(session, bank, id),
        ("NUMLOGINS", [ups, ..]) => {
            let device = available(bank, ups)?;
            Ok(format!("NUMLOGINS {ups} {}\n", bank.logins(&device.name)))
        }
        ("UPSDESC", [ups, ..]) => {
            let device = bank.device(ups).ok_or("UNKNOWN-UPS")?;
            Ok(format!("UPSDESC {ups} {}\n", description(device)))
        }
        ("VAR", [ups, name, ..]) => variable(bank, ups, name),
        ("TYPE", [ups, name, ..]) => {
            let variable = find(available(bank, ups)?, name)?;
            Ok(format!("TYPE {ups} {name}{}\n", kind(variable)))
        }
        ("DESC", [ups, name, ..]) => {
            available(bank, ups)?;
            let text = describe_variable(name).unwrap_or("Description unavailable");
            Ok(format!("DESC {ups} {name} {}\n", quote(text)))
        }
        ("CMDDESC", [ups, name, ..]) => {
            available(bank, ups)?;
            let text = describe_command(name).unwrap_or("Description unavailable");
            Ok(format!("CMDDESC {ups} {name} {}\n", quote(text)))
        }
        _ => Err("INVALID-ARGUMENT"),
    }
}

fn tracking(session: &Session, bank: &Bank, id: &str) -> Answer {
    if !session.tracking {
        return Err("FEATURE-NOT-CONFIGURED");
    }
    let text = bank.tracked(id).map_or("ERR UNKNOWN", |t| t.text());
    Ok(format!("{text}\n"))
}

/// `server.*` belongs to the server: the name of the UPS is not even looked at.
fn variable(bank: &Bank, ups: &str, name: &str) -> Answer {
    let lower = name.to_ascii_lowercase();
    let value = match lower.as_str() {
        "server.info" => "Network UPS Tools upsd 2.8.0 (ridethrough)".to_string(),
        "server.version" => "2.8.0".to_string(),
        server if server.starts_with("server.") => return Err("VAR-NOT-SUPPORTED"),
        _ => {
            let device = available(bank, ups)?;
            device.served(name, find(device, name)?).into_owned()
        }
    };
    Ok(format!("VAR {ups} {name} {}\n", quote(&value)))
}

fn find<'d>(device: &'d Device, name: &str) -> Result<&'d Variable, Refusal> {
    device.variable(name).ok_or("VAR-NOT-SUPPORTED")
}

fn kind(variable: &Variable) -> String {
    let mut text = String::new();
    for (flag, word) in [
        (variable.writable, " RW"),
        (!variable.choices.is_empty(), " ENUM"),
        (!variable.ranges.is_empty(), " RANGE"),
    ] {
        if flag {
            text.push_str(word);
        }
    }
    match variable.text {
        Some(length) => {
            let _ = write!(text, " STRING:{length}");
        }
        None => text.push_str(" NUMBER"),
    }
    text
}

fn description(device: &Device) -> String {
    if device.description.is_empty() {
        quote("Unavailable")
    } else {
        quote(&device.description)
    }
}

pub(super) fn list(bank: &Bank, args: &[&str]) -> Answer {
    let Some((what, args)) = args.split_first() else {
        return Err("INVALID-ARGUMENT");
    };
    let what = what.to_ascii_uppercase();
    let (head, rows) = match (what.as_str(), args) {
        ("UPS", _) => {
            let mut rows = String::new();
            for device in bank.devices() {
                let _ = writeln!(rows, "UPS {} {}", device.name, description(device));
            }
            ("UPS".into(), rows)
        }
        ("CLIENT", [ups, ..]) => {
            let device = bank.device(ups).ok_or("UNKNOWN-UPS")?;
            let mut rows = String::new();
            for ip in bank.clients(&device.name) {
                let _ = writeln!(rows, "CLIENT {ups} {ip}");
            }
            (format!("CLIENT {ups}"), rows)
        }
        ("VAR" | "RW" | "CMD", [ups, ..]) => {
            (format!("{what} {ups}"), of_device(bank, &what, ups)?)
        }
        ("ENUM" | "RANGE", [ups, name, ..]) => (
            format!("{what} {ups} {name}"),
            of_variable(bank, &what, ups, name)?,
        ),
        _ => return Err("INVALID-ARGUMENT"),
    };
    Ok(format!("BEGIN LIST {head}\n{rows}END LIST {head}\n"))
}

fn of_device(bank: &Bank, what: &str, ups: &str) -> Result<String, Refusal> {
    let device = available(bank, ups)?;
    let mut rows = String::new();
    if what == "CMD" {
        for command in device.commands() {
            let _ = writeln!(rows, "CMD {ups} {command}");
        }
        return Ok(rows);
    }
    let all = device.variables();
    for (name, variable) in all.filter(|(_, v)| what == "VAR" || v.writable) {
        rows.extend([what, " ", ups, " ", name, " "]);
        push_quoted(&mut rows, &device.served(name, variable));
        rows.push('\n');
    }
    Ok(rows)
}

fn of_variable(bank: &Bank, what: &str, ups: &str, name: &str) -> Result<String, Refusal> {
    let variable = find(available(bank, ups)?, name)?;
    let mut rows = String::new();
    if what == "ENUM" {
        for choice in &variable.choices {
            let _ = writeln!(rows, "ENUM {ups} {name} {}", quote(choice));
        }
        return Ok(rows);
    }
    for range in &variable.ranges {
        let _ = writeln!(
            rows,
            "RANGE {ups} {name} \"{}\" \"{}\"",
            range.min, range.max
        );
    }
    Ok(rows)
}
