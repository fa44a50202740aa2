//! Faults of machines beyond their supply, and of their volumes.

use ridethrough_faults::catalogue::{
    ClockJump, CpuTheft, CrashLoop, DiskSlow, FaultKind, FdExhaustion, IoError, MemoryPressure,
    NodeTarget, SlowBoot, Volumes,
};
use ridethrough_targets::disk::DiskOp;
use ridethrough_targets::units::{Bytes, PerUnit, Span};

/// Faults of machines beyond their supply.
pub(crate) fn machines() -> Vec<FaultKind> {
    let target = || NodeTarget::Rack("r1".into());
    vec![
        FaultKind::Hang(target()),
        FaultKind::SlowBoot(SlowBoot {
            target: target(),
            by: Span::from_secs(3),
        }),
        FaultKind::CrashLoop(CrashLoop {
            target: target(),
            every: Span::from_secs(2),
            restart: Span::from_millis(500),
        }),
        FaultKind::CpuTheft(CpuTheft {
            target: target(),
            stolen: PerUnit(0.6),
            period: Span::from_millis(50),
        }),
        FaultKind::MemoryPressure(MemoryPressure {
            target: target(),
            leave: Bytes(67_108_864.0),
        }),
        FaultKind::ClockJump(ClockJump {
            target: target(),
            by: Span::from_secs(3_600),
        }),
        FaultKind::FdExhaustion(FdExhaustion {
            target: target(),
            leave: 2,
        }),
    ]
}

/// Faults of volumes.
pub(crate) fn storage() -> Vec<FaultKind> {
    let target = || NodeTarget::Service("journal".into());
    let volumes = || Volumes { target: target() };
    let failing = |on, probability| {
        FaultKind::IoError(IoError {
            target: target(),
            on,
            probability: PerUnit(probability),
        })
    };
    vec![
        FaultKind::DiskSlow(DiskSlow {
            target: target(),
            by: Span::from_millis(30),
        }),
        FaultKind::DiskFull(volumes()),
        failing(DiskOp::All, 1.0),
        failing(DiskOp::Read, 0.3),
        failing(DiskOp::Fsync, 0.5),
        FaultKind::TornWrites(volumes()),
        FaultKind::ForgetsFsync(volumes()),
    ]
}
