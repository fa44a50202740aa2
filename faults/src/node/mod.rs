//! Faults of machines beyond their supply.

mod clock_jump;
mod crash_loop;
mod hang;
mod short;
mod slow_boot;

pub(crate) use clock_jump::ClockJump;
pub(crate) use crash_loop::CrashLoop;
pub(crate) use hang::Hang;
pub(crate) use short::Short;
pub(crate) use slow_boot::SlowBoot;
