//! What needs a user: `LOGIN`, `PRIMARY`, `FSD`, `SET`, `INSTCMD`. The order of
//! the checks is that of upsd, which clients can observe.

use super::access::NutUser;
use super::bank::{Bank, OrderKind};
use super::device::Variable;
use super::query::available;
use super::session::{Answer, Refusal, Session};

pub(super) fn act(session: &mut Session, bank: &mut Bank, verb: &str, args: &[&str]) -> Answer {
    match (verb, args) {
        ("LOGIN", [ups]) => login(session, bank, ups),
        ("PRIMARY", [ups]) => {
            known(bank, ups)?;
            allowed(session, bank, "PRIMARY")?;
            Ok("OK PRIMARY-GRANTED\n".into())
        }
        ("MASTER", [ups]) => {
            known(bank, ups)?;
            allowed(session, bank, "PRIMARY")?;
            Ok("OK MASTER-GRANTED\n".into())
        }
        ("FSD", [ups]) => {
            known(bank, ups)?;
            allowed(session, bank, "FSD")?;
            if let Some(device) = bank.device_mut(ups) {
                device.fsd = true;
            }
            Ok("OK FSD-SET\n".into())
        }
        ("SET", [what, value, ..]) if what.eq_ignore_ascii_case("TRACKING") => {
            session.tracking = match value.to_ascii_uppercase().as_str() {
                "ON" => true,
                "OFF" => false,
                _ => return Err("INVALID-ARGUMENT"),
            };
            Ok("OK\n".into())
        }
        ("SET", [what, ups, name, value, ..]) if what.eq_ignore_ascii_case("VAR") => {
            set(session, bank, ups, name, value)
        }
        ("INSTCMD", [ups, command, parameters @ ..]) => {
            let parameter = parameters.first().map(|p| (*p).to_string());
            run(session, bank, ups, command, parameter)
        }
        _ => Err("INVALID-ARGUMENT"),
    }
}

fn known(bank: &Bank, ups: &str) -> Result<usize, Refusal> {
    bank.index(ups).ok_or("UNKNOWN-UPS")
}

fn user<'b>(session: &Session, bank: &'b Bank) -> Result<&'b NutUser, Refusal> {
    let (Some(name), Some(password)) = (&session.username, &session.password) else {
        return Err("ACCESS-DENIED");
    };
    bank.user(name, password).ok_or("ACCESS-DENIED")
}

fn allowed(session: &Session, bank: &Bank, action: &str) -> Result<(), Refusal> {
    match user(session, bank)?.may(action) {
        true => Ok(()),
        false => Err("ACCESS-DENIED"),
    }
}

/// One login a connection. Staleness does not matter: a secondary may come up
/// while the device cannot be heard.
fn login(session: &Session, bank: &mut Bank, ups: &str) -> Answer {
    if bank.is_logged_in(session.connection) {
        return Err("ALREADY-LOGGED-IN");
    }
    let index = known(bank, ups)?;
    allowed(session, bank, "LOGIN")?;
    bank.log_in(session.connection, index, session.peer);
    Ok("OK\n".into())
}

fn set(session: &Session, bank: &mut Bank, ups: &str, name: &str, value: &str) -> Answer {
    let device = available(bank, ups)?;
    allowed(session, bank, "SET")?;
    let spelling = device.find(name).ok_or("VAR-NOT-SUPPORTED")?.to_string();
    let variable = device.variable(name).ok_or("VAR-NOT-SUPPORTED")?;
    check_value(variable, value)?;
    let device = device.name.clone();
    let kind = OrderKind::Set {
        variable: spelling,
        value: value.into(),
    };
    let id = bank
        .order(&device, kind, session.tracking)
        .map_err(|()| "SET-FAILED")?;
    Ok(id.map_or_else(|| "OK\n".into(), |id| format!("OK TRACKING {id}\n")))
}

/// Whether a variable may be set to a value.
pub(in crate::supervisor) fn check_value(variable: &Variable, value: &str) -> Result<(), Refusal> {
    if !variable.writable {
        return Err("READONLY");
    }
    if variable.text.is_some_and(|length| value.len() > length) {
        return Err("TOO-LONG");
    }
    if !variable.choices.is_empty() && !variable.choices.iter().any(|c| c == value) {
        return Err("INVALID-VALUE");
    }
    if !variable.ranges.is_empty() {
        let number = leading_integer(value);
        if !variable
            .ranges
            .iter()
            .any(|r| (r.min..=r.max).contains(&number))
        {
            return Err("INVALID-VALUE");
        }
    }
    // A number without any limit must still be a number.
    if variable.text.is_none() && variable.choices.is_empty() && value.parse::<f64>().is_err() {
        return Err("INVALID-VALUE");
    }
    Ok(())
}

/// The whole number that a text begins with, 0 where it begins with none: upsd
/// compares ranges so (C's `atoi`).
fn leading_integer(text: &str) -> i64 {
    let text = text.trim_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let length = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let magnitude: i64 = digits[..length].parse().unwrap_or(match length {
        0 => 0,
        _ => i64::MAX,
    });
    if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    }
}

/// An unknown command is refused before the user's rights are looked at.
fn run(
    session: &Session,
    bank: &mut Bank,
    ups: &str,
    command: &str,
    parameter: Option<String>,
) -> Answer {
    let device = available(bank, ups)?;
    let spelling = device.command(command).ok_or("CMD-NOT-SUPPORTED")?;
    if !user(session, bank)?.may_run(spelling) {
        return Err("ACCESS-DENIED");
    }
    let (device, command) = (device.name.clone(), spelling.to_string());
    let kind = OrderKind::Command { command, parameter };
    let id = bank
        .order(&device, kind, session.tracking)
        .map_err(|()| "INSTCMD-FAILED")?;
    Ok(id.map_or_else(|| "OK\n".into(), |id| format!("OK TRACKING {id}\n")))
}
