//! Faults of machines beyond their supply: what they name and how large they
//! are.

use ridethrough_faults::catalogue::FaultKind;
use ridethrough_targets::units::{Bytes, Span};

use super::super::wiring::machine_target;
use super::checker::Checker;
use super::faults::node_target;

/// A shorter turn is shorter than what a kernel's scheduler gives out.
const SHORTEST_TURN: Span = Span::from_millis(10);
/// With less than this the kernel kills what only breathes.
const LEAST_MEMORY: Bytes = Bytes(1_048_576.0);
/// A shorter jump is hard to tell from the start of a process.
const SHORTEST_JUMP: Span = Span::from_secs(1);
/// A service that dies sooner has never started.
const SHORTEST_LIFE: Span = Span::from_millis(100);

/// What a fault of machines names; false where it is none.
pub(super) fn target(c: &mut Checker<'_>, path: &str, kind: &FaultKind) -> bool {
    let Some(target) = machine_target(kind) else {
        return false;
    };
    node_target(c, &format!("{path}.target"), target, false);
    true
}

pub(super) fn size(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    let at = |key: &str| format!("{path}.{key}");
    match kind {
        FaultKind::SlowBoot(f) if f.by == Span::default() => {
            c.wrong(&at("by"), "a slow boot by nothing", "longer than 0s");
        }
        FaultKind::ClockJump(f) if f.by < SHORTEST_JUMP => {
            let message = format!("a clock that jumps by {}", f.by);
            c.wrong(&at("by"), message, &format!("at least {SHORTEST_JUMP}"));
        }
        FaultKind::CpuTheft(f) if f.stolen.get() <= 0.0 || f.stolen.get() >= 1.0 => {
            let message = format!("a theft of {} of the processor", f.stolen);
            c.wrong(&at("stolen"), message, "above 0%, below 100%");
            if f.stolen.get() >= 1.0 {
                c.hint("a machine of which nothing runs is a `hang`");
            }
        }
        FaultKind::CpuTheft(f) if f.period < SHORTEST_TURN => {
            let message = format!("turns of {}", f.period);
            c.wrong(&at("period"), message, &format!("at least {SHORTEST_TURN}"));
        }
        FaultKind::CrashLoop(f) if f.restart < SHORTEST_LIFE => {
            let message = format!("a restart after {}", f.restart);
            c.wrong(
                &at("restart"),
                message,
                &format!("at least {SHORTEST_LIFE}"),
            );
        }
        FaultKind::CrashLoop(f)
            if f.every.micros() < f.restart.micros() + SHORTEST_LIFE.micros() =>
        {
            let message = format!(
                "a crash every {}, and a restart after {}",
                f.every, f.restart
            );
            c.wrong(&at("every"), message, "nothing ever runs");
            c.hint("services that never run are a `power_loss`, or a `hang`");
        }
        FaultKind::MemoryPressure(f) if f.leave.get() < LEAST_MEMORY.get() => {
            let message = format!("{} are left", f.leave);
            c.wrong(&at("leave"), message, &format!("at least {LEAST_MEMORY}"));
        }
        _ => {}
    }
}
