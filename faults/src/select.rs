//! From the vocabulary to the thing that does it.

use ridethrough_targets::world::Shortage;

use crate::catalogue::FaultKind;
use crate::lifecycle::{Aim, Fault};
use crate::network::{self, Cut, Dns};
use crate::node::{ClockJump, CrashLoop, Hang, Short, SlowBoot};
use crate::power::{
    BatteryAged, BatteryOpen, Brake, Breaker, Cap, Converter, Cooling, Frequency, Generator,
    Outlet, Pickup, PowerLoss, Psu, Retransfer, Supply, Transfer, Waveform, Why,
};
use crate::storage::{DiskFull, DiskSlow, IoError, Keeping};
use crate::telemetry::Distort;

/// The fault of a kind, aimed.
pub fn fault(kind: &FaultKind, aim: &Aim) -> Box<dyn Fault> {
    let aim = aim.clone();
    match kind.clone() {
        FaultKind::UtilityOutage(_) => Box::new(Supply::new(aim, 0.0)),
        FaultKind::Sag(level) | FaultKind::Brownout(level) | FaultKind::Swell(level) => {
            Box::new(Supply::new(aim, level.to.get()))
        }
        FaultKind::Frequency(level) => Box::new(Frequency::new(aim, level.to.get())),
        FaultKind::Waveform(waveform) => Box::new(Waveform::new(aim, waveform.profile)),
        FaultKind::GeneratorFails(it) => Box::new(Generator::new(aim, it)),
        FaultKind::AtsFails(it) => Box::new(Transfer::new(aim, it.transfer)),
        FaultKind::UpsFails(it) => Box::new(Converter::new(aim, it.ups, Why::Failed)),
        FaultKind::UpsBypass(it) => Box::new(Converter::new(aim, it.ups, Why::Held)),
        FaultKind::RetransferFails(it) => Box::new(Retransfer::new(it.ups)),
        FaultKind::BatteryOpen(_) => Box::new(BatteryOpen::new(aim)),
        FaultKind::BatteryAged(aged) => Box::new(BatteryAged::new(aim, aged.health)),
        FaultKind::BreakerOpens(_) => Box::new(Breaker::new(aim)),
        FaultKind::BreakerPickup(it) => Box::new(Pickup::new(aim, it)),
        FaultKind::OutletOff(it) => Box::new(Outlet::new(it)),
        FaultKind::PsuFails(it) => Box::new(Psu::new(aim, it)),
        FaultKind::CoolingTrips(it) => Box::new(Cooling::new(it.cooling)),
        FaultKind::PowerCap(cap) => Box::new(Cap::new(aim, cap.to)),
        FaultKind::PowerLoss(target) => Box::new(PowerLoss::new(aim, target)),
        FaultKind::PowerBrake(brake) => Box::new(Brake::new(aim, brake.clocks.get())),
        FaultKind::Hang(_) => Box::new(Hang::new(aim)),
        FaultKind::SlowBoot(it) => Box::new(SlowBoot::new(aim, it.by)),
        FaultKind::CrashLoop(it) => Box::new(CrashLoop::new(aim, it.every, it.restart)),
        FaultKind::CpuTheft(it) => Box::new(Short::new(
            aim,
            Shortage::Cpu {
                stolen: it.stolen,
                period: it.period,
            },
        )),
        FaultKind::MemoryPressure(it) => Box::new(Short::new(
            aim,
            Shortage::Memory {
                leave_bytes: it.leave.get() as u64,
            },
        )),
        FaultKind::ClockJump(it) => Box::new(ClockJump::new(aim, it.by)),
        FaultKind::FdExhaustion(it) => {
            Box::new(Short::new(aim, Shortage::Files { leave: it.leave }))
        }
        FaultKind::LinkDown(_) => Box::new(Cut::off(aim)),
        FaultKind::Partition(_)
        | FaultKind::Latency(_)
        | FaultKind::Loss(_)
        | FaultKind::BurstLoss(_)
        | FaultKind::Duplicate(_)
        | FaultKind::Reorder(_)
        | FaultKind::Corrupt(_)
        | FaultKind::Rate(_)
        | FaultKind::Reset(_)
        | FaultKind::Flap(_)
        | FaultKind::Mtu(_) => network::on_link(kind, aim),
        FaultKind::Dns(dns) => Box::new(Dns::new(aim, dns)),
        FaultKind::DiskSlow(it) => Box::new(DiskSlow::new(aim, it.by)),
        FaultKind::DiskFull(_) => Box::new(DiskFull::new(aim)),
        FaultKind::IoError(it) => Box::new(IoError::new(aim, &it)),
        FaultKind::TornWrites(_) => Box::new(Keeping::torn(aim)),
        FaultKind::ForgetsFsync(_) => Box::new(Keeping::forgets(aim)),
        FaultKind::TelemetryStale(_)
        | FaultKind::TelemetryFrozen(_)
        | FaultKind::TelemetryDelayed(_)
        | FaultKind::TelemetryLie(_)
        | FaultKind::TelemetryScale(_)
        | FaultKind::TelemetrySlow(_)
        | FaultKind::TelemetryLost(_)
        | FaultKind::TelemetryFlapping(_)
        | FaultKind::TelemetryOutOfOrder(_) => Box::new(Distort::new(aim, kind.distortion())),
    }
}
