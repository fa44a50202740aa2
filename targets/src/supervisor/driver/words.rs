//! What goes over a driver's socket, as text.

use std::fmt::Write;

use crate::supervisor::nut::{Device, Link, OrderKind, Tracked, Variable, quote, split};

/// What a client says to a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `DUMPALL`.
    DumpAll,
    /// `PING`.
    Ping,
    /// `GETPID`.
    GetPid,
    /// `BROADCAST`, `NOBROADCAST`: whether it wants to hear of changes.
    Broadcast(bool),
    /// `SET` and `INSTCMD`; with the number to report the end by.
    Order(OrderKind, Option<String>),
    /// `LOGOUT`.
    Logout,
}

/// Reads a line; nothing for one that no driver understands, which upsd's own
/// drivers pass over as well.
pub(super) fn word(line: &str) -> Option<Word> {
    let words = split(line)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match words.as_slice() {
        ["DUMPALL"] => Word::DumpAll,
        ["PING"] => Word::Ping,
        ["GETPID"] => Word::GetPid,
        ["LOGOUT"] => Word::Logout,
        ["NOBROADCAST"] => Word::Broadcast(false),
        ["BROADCAST"] => Word::Broadcast(true),
        ["BROADCAST", number] => Word::Broadcast(number.parse::<i64>().is_ok_and(|n| n > 0)),
        ["SET", name, value, rest @ ..] => {
            let kind = OrderKind::Set {
                variable: (*name).into(),
                value: (*value).into(),
            };
            Word::Order(kind, tracking(rest)?)
        }
        ["INSTCMD", name, "TRACKING", id] => command(name, None, Some((*id).into())),
        ["INSTCMD", name] => command(name, None, None),
        ["INSTCMD", name, parameter, rest @ ..] => {
            command(name, Some((*parameter).into()), tracking(rest)?)
        }
        _ => return None,
    })
}

fn command(name: &str, parameter: Option<String>, id: Option<String>) -> Word {
    let command = name.to_string();
    Word::Order(OrderKind::Command { command, parameter }, id)
}

/// The number of a tracked order; nothing where the words are none of it.
fn tracking(words: &[&str]) -> Option<Option<String>> {
    match words {
        [] => Some(None),
        ["TRACKING", id] => Some(Some((*id).into())),
        _ => None,
    }
}

/// What became of an order (`drivers/upshandler.h`: 0 handled, 1 unknown,
/// 2 invalid, 3 failed).
pub(super) fn ended(id: &str, outcome: Tracked) -> Option<String> {
    let code = match outcome {
        Tracked::Pending => return None,
        Tracked::Success => 0,
        Tracked::Unknown => 1,
        Tracked::Invalid => 2,
        Tracked::Failed => 3,
    };
    Some(format!("TRACKING {id} {code}\n"))
}

/// Everything of a device, for who knows nothing of it.
pub(super) fn dump(device: &Device) -> String {
    let mut text = String::new();
    if device.link != Link::Up {
        text.push_str("DATASTALE\n");
    }
    shape(&mut text, &Device::default(), device);
    if device.link == Link::Up {
        text.push_str("DATAOK\n");
    }
    text.push_str("DUMPDONE\n");
    text
}

/// What has changed of a device between two looks at it. Stale is said before
/// anything else, and fresh after everything else.
pub(super) fn changes(was: &Device, is: &Device) -> String {
    let mut text = String::new();
    let (fresh_was, fresh_is) = (was.link == Link::Up, is.link == Link::Up);
    if fresh_was && !fresh_is {
        text.push_str("DATASTALE\n");
    }
    shape(&mut text, was, is);
    if fresh_is && !fresh_was {
        text.push_str("DATAOK\n");
    }
    text
}

fn shape(text: &mut String, was: &Device, is: &Device) {
    for (name, _) in was.variables() {
        if is.variable(name).is_none() {
            line(text, format_args!("DELINFO {name}"));
        }
    }
    for (name, variable) in is.variables() {
        match was.variable(name) {
            Some(old) if old == variable => {}
            Some(old) if same_kind(old, variable) => info(text, name, variable),
            Some(_) => {
                line(text, format_args!("DELINFO {name}"));
                define(text, name, variable);
            }
            None => define(text, name, variable),
        }
    }
    for command in was.commands() {
        if !is.commands().contains(command) {
            line(text, format_args!("DELCMD {command}"));
        }
    }
    for command in is.commands() {
        if !was.commands().contains(command) {
            line(text, format_args!("ADDCMD {command}"));
        }
    }
}

/// Whether only the value differs.
fn same_kind(old: &Variable, new: &Variable) -> bool {
    old.writable == new.writable
        && old.choices == new.choices
        && old.ranges == new.ranges
        && (old.text == new.text || !new.writable)
}

fn info(text: &mut String, name: &str, variable: &Variable) {
    line(
        text,
        format_args!("SETINFO {name} {}", quote(&variable.value)),
    );
}

fn define(text: &mut String, name: &str, variable: &Variable) {
    info(text, name, variable);
    if !variable.writable {
        return;
    }
    let kind = if variable.text.is_some() {
        "STRING"
    } else {
        "NUMBER"
    };
    line(text, format_args!("SETFLAGS {name} RW {kind}"));
    if let Some(length) = variable.text {
        line(text, format_args!("SETAUX {name} {length}"));
    }
    for choice in &variable.choices {
        line(text, format_args!("ADDENUM {name} {}", quote(choice)));
    }
    for range in &variable.ranges {
        let (min, max) = (range.min, range.max);
        line(text, format_args!("ADDRANGE {name} {min} {max}"));
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}
