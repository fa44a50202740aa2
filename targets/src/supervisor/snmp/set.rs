//! SET (RFC 3416, section 4.2.5): every variable is checked, then all are
//! applied, in their order.

use rasn_smi::v2::{ObjectSyntax, SimpleSyntax};
use rasn_snmp::v2::{Pdu, VarBind, VarBindValue};

use super::agent::Agent;
use super::control::{Own, Timer};
use super::mib::{UPS_MIB, below};
use super::query::{Version, failed};
use super::selftest;
use super::table::{Missing, Table};
use super::value::Value;
use crate::telemetry::{Answer, DeviceCommand, Protocol, Reading, ReadingStatus};

/// Seconds for which a rebooted outlet stays off.
const OUTLET_OFF_S: u64 = 5;
/// The greatest countdown, RFC 1628.
const MAX_DELAY_S: i64 = 2_147_483_648;

/// What setting an object does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setter {
    Contact,
    SysName,
    Location,
    Name,
    Attached,
    TestId,
    SpinLock,
    Audible,
    AutoRestart,
    ShutdownType,
    ShutdownAfter,
    StartupAfter,
    Reboot,
    ShutdownDelay,
    Conserve,
    Off,
    On,
    Bypass,
    Prefer,
    Outlet(usize),
}

/// What one variable of a SET leads to.
#[derive(Clone, Debug, PartialEq)]
enum Effect {
    Text(Setter, String),
    Number(Setter, i64),
    /// A countdown in seconds, or the end of one.
    Timer(Timer, Option<u64>),
    Order(DeviceCommand),
    /// A test, by the last arc of its name.
    Test(u32),
}

/// The answer to SET.
pub(super) async fn set(agent: &Agent, device: &str, pdu: &Pdu, version: Version) -> Option<Pdu> {
    let table = agent.look(device)?;
    let word = |status| match version {
        Version::V1 => in_v1(status),
        Version::V2 => status,
    };
    let mut effects = Vec::new();
    for (index, bind) in (1..).zip(&pdu.variable_bindings) {
        match check(agent, device, &table, bind) {
            Ok(of_bind) => effects.extend(of_bind.into_iter().map(|effect| (index, effect))),
            Err(status) => return Some(failed(pdu, word(status), index)),
        }
    }
    for (index, effect) in effects {
        if !apply(agent, device, effect).await {
            let status = word(Pdu::ERROR_STATUS_COMMIT_FAILED);
            return Some(failed(pdu, status, index));
        }
    }
    Some(failed(pdu, Pdu::ERROR_STATUS_NO_ERROR, 0))
}

/// RFC 3584, section 4.4.
fn in_v1(status: u32) -> u32 {
    match status {
        Pdu::ERROR_STATUS_WRONG_TYPE
        | Pdu::ERROR_STATUS_WRONG_LENGTH
        | Pdu::ERROR_STATUS_WRONG_ENCODING
        | Pdu::ERROR_STATUS_WRONG_VALUE
        | Pdu::ERROR_STATUS_INCONSISTENT_VALUE => Pdu::ERROR_STATUS_BAD_VALUE,
        Pdu::ERROR_STATUS_NO_ACCESS
        | Pdu::ERROR_STATUS_NOT_WRITABLE
        | Pdu::ERROR_STATUS_NO_CREATION
        | Pdu::ERROR_STATUS_INCONSISTENT_NAME
        | Pdu::ERROR_STATUS_AUTHORIZATION_ERROR => Pdu::ERROR_STATUS_NO_SUCH_NAME,
        Pdu::ERROR_STATUS_RESOURCE_UNAVAILABLE
        | Pdu::ERROR_STATUS_COMMIT_FAILED
        | Pdu::ERROR_STATUS_UNDO_FAILED => Pdu::ERROR_STATUS_GEN_ERR,
        other => other,
    }
}

fn check(agent: &Agent, device: &str, table: &Table, bind: &VarBind) -> Result<Vec<Effect>, u32> {
    let entry = table.get(&bind.name).map_err(|missing| match missing {
        Missing::Object => Pdu::ERROR_STATUS_NOT_WRITABLE,
        Missing::Instance => Pdu::ERROR_STATUS_NO_CREATION,
    })?;
    let setter = entry.setter.ok_or(Pdu::ERROR_STATUS_NOT_WRITABLE)?;
    let VarBindValue::Value(ObjectSyntax::Simple(value)) = &bind.value else {
        return ticks(setter, &bind.value);
    };
    match (value, &entry.value) {
        (SimpleSyntax::String(bytes), Value::Text(_)) => {
            if bytes.len() > longest(setter) {
                return Err(Pdu::ERROR_STATUS_WRONG_LENGTH);
            }
            let text = String::from_utf8(bytes.to_vec());
            let text = text.map_err(|_| Pdu::ERROR_STATUS_WRONG_VALUE)?;
            Ok(vec![Effect::Text(setter, text)])
        }
        (SimpleSyntax::ObjectId(oid), Value::Oid(_)) => test(agent, device, oid),
        (SimpleSyntax::Integer(number), Value::Int(_) | Value::Until(_)) => {
            let number = i64::try_from(number.clone());
            let number = number.map_err(|_| Pdu::ERROR_STATUS_WRONG_VALUE)?;
            let effects = number_effects(setter, number)?;
            consistent(agent, device, setter, number)?;
            Ok(effects)
        }
        _ => Err(Pdu::ERROR_STATUS_WRONG_TYPE),
    }
}

/// The one object of TimeTicks that can be set.
fn ticks(setter: Setter, value: &VarBindValue) -> Result<Vec<Effect>, u32> {
    use rasn_smi::v2::ApplicationSyntax::Ticks;
    match (setter, value) {
        (
            Setter::ShutdownDelay,
            VarBindValue::Value(ObjectSyntax::ApplicationWide(Ticks(ticks))),
        ) => Ok(vec![Effect::Number(setter, i64::from(ticks.0 / 100))]),
        _ => Err(Pdu::ERROR_STATUS_WRONG_TYPE),
    }
}

fn longest(setter: Setter) -> usize {
    match setter {
        Setter::Name | Setter::Attached => 63,
        _ => 255,
    }
}

/// `upsTestId`: of the tests of RFC 1628 there is no deep calibration.
fn test(agent: &Agent, device: &str, oid: &[u32]) -> Result<Vec<Effect>, u32> {
    use selftest::{ABORT, GENERAL, NO_TEST, QUICK};
    let named = |test: &u32| below(&UPS_MIB, &[1, 7, 7, *test]) == oid;
    let known = [NO_TEST, ABORT, GENERAL, QUICK].into_iter().find(named);
    match known {
        None => Err(Pdu::ERROR_STATUS_WRONG_VALUE),
        Some(GENERAL | QUICK) if !selftest::can_begin(agent, device) => {
            Err(Pdu::ERROR_STATUS_INCONSISTENT_VALUE)
        }
        Some(test) => Ok(vec![Effect::Test(test)]),
    }
}

fn number_effects(setter: Setter, number: i64) -> Result<Vec<Effect>, u32> {
    let wrong = Err(Pdu::ERROR_STATUS_WRONG_VALUE);
    let output = |on| Effect::Order(DeviceCommand::Output { on });
    Ok(match (setter, number) {
        (Setter::SpinLock, 0..=0x7fff_ffff) => vec![Effect::Number(setter, number)],
        (Setter::Audible, 1..=3) => vec![Effect::Number(setter, number)],
        (Setter::AutoRestart | Setter::ShutdownType, 1..=2) => {
            vec![Effect::Number(setter, number)]
        }
        (Setter::ShutdownAfter, _) => countdown(Timer::Shutdown, number, output(false))?,
        (Setter::StartupAfter, _) => countdown(Timer::Startup, number, output(true))?,
        (Setter::Reboot, -1) => vec![Effect::Timer(Timer::Reboot, None)],
        (Setter::Reboot, 0..=300) => {
            let duration = number.unsigned_abs();
            vec![output(false), Effect::Timer(Timer::Reboot, Some(duration))]
        }
        // "No": nothing is done.
        (Setter::Conserve | Setter::Off | Setter::On | Setter::Bypass, 1) => vec![],
        (Setter::Conserve | Setter::Off, 2) => vec![output(false)],
        (Setter::Off, 3) => vec![Effect::Number(setter, 3)],
        (Setter::On, 2) => vec![output(true)],
        (Setter::Bypass, 2 | 3) => {
            let on = number == 2;
            vec![Effect::Order(DeviceCommand::Bypass { on })]
        }
        (Setter::Prefer, 1 | 2) => {
            let source = usize::from(number == 2);
            vec![Effect::Order(DeviceCommand::Prefer { source })]
        }
        (Setter::Outlet(index), 1 | 2) => {
            let on = number == 1;
            vec![
                Effect::Timer(Timer::Outlet(index), None),
                Effect::Order(DeviceCommand::Outlet { index, on }),
            ]
        }
        (Setter::Outlet(index), 3) => vec![
            Effect::Order(DeviceCommand::Outlet { index, on: false }),
            Effect::Timer(Timer::Outlet(index), Some(OUTLET_OFF_S)),
        ],
        _ => return wrong,
    })
}

/// A countdown of RFC 1628: -1 calls it off, 0 is at once.
fn countdown(timer: Timer, seconds: i64, at_once: Effect) -> Result<Vec<Effect>, u32> {
    match seconds {
        -1 => Ok(vec![Effect::Timer(timer, None)]),
        0 => Ok(vec![Effect::Timer(timer, None), at_once]),
        1..=MAX_DELAY_S => Ok(vec![Effect::Timer(timer, Some(seconds.unsigned_abs()))]),
        _ => Err(Pdu::ERROR_STATUS_WRONG_VALUE),
    }
}

/// What a value has to agree with besides its own range.
fn consistent(agent: &Agent, device: &str, setter: Setter, number: i64) -> Result<(), u32> {
    let consistent = match (setter, number) {
        // TestAndIncr, RFC 2579.
        (Setter::SpinLock, _) => agent.own(device, |own| own.spin_lock == number) == Some(true),
        // Only what runs on battery can conserve it.
        (Setter::Conserve, 2) => match agent.board.peek(Protocol::Snmp, device) {
            Some(Answer::Reading(reading)) => {
                matches!(&*reading, Reading::Ups(r) if r.status == ReadingStatus::OnBattery)
            }
            _ => false,
        },
        _ => true,
    };
    match consistent {
        true => Ok(()),
        false => Err(Pdu::ERROR_STATUS_INCONSISTENT_VALUE),
    }
}

async fn apply(agent: &Agent, device: &str, effect: Effect) -> bool {
    let uptime = agent.uptime();
    match effect {
        Effect::Text(setter, text) => agent.own(device, |own| write(own, setter, text)).is_some(),
        Effect::Number(setter, number) => {
            let done = agent.own(device, |own| keep(own, setter, number, uptime));
            agent.timers_moved.notify_waiters();
            done.is_some()
        }
        Effect::Timer(timer, seconds) => {
            let done = agent.own(device, |own| match seconds {
                Some(seconds) => own.timers.insert(timer, uptime + seconds * 100),
                None => own.timers.remove(&timer),
            });
            agent.timers_moved.notify_waiters();
            done.is_some()
        }
        Effect::Test(test) => {
            selftest::set(agent, device, test);
            true
        }
        Effect::Order(command) => match agent.order(device, command).await {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(device, %error, "an order was refused");
                false
            }
        },
    }
}

fn write(own: &mut Own, setter: Setter, text: String) {
    match setter {
        Setter::Contact => own.contact = text,
        Setter::SysName => own.sys_name = text,
        Setter::Location => own.location = text,
        Setter::Name => own.name = text,
        Setter::Attached => own.attached = text,
        _ => {}
    }
}

fn keep(own: &mut Own, setter: Setter, number: i64, uptime: u64) {
    let small = u8::try_from(number).unwrap_or_default();
    match setter {
        Setter::SpinLock => own.spin_lock = (number + 1) & 0x7fff_ffff,
        Setter::Audible => own.audible = small,
        Setter::AutoRestart => own.auto_restart = small,
        Setter::ShutdownType => own.shutdown_type = small,
        Setter::ShutdownDelay => {
            own.shutdown_delay_s = u32::try_from(number).unwrap_or_default();
        }
        // A graceful end: after the delay.
        Setter::Off => {
            let delay = u64::from(own.shutdown_delay_s) * 100;
            own.timers.insert(Timer::Shutdown, uptime + delay);
        }
        _ => {}
    }
}
