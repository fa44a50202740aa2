//! Faults of the network as readable words.

use ridethrough_faults::catalogue::{BurstLoss, FaultKind, Latency, OnLink};
use ridethrough_targets::units::Span;
use ridethrough_targets::world::{Direction, Distribution, NameAnswer};

/// `gateway <-> gpu-2, port 8000`.
pub(super) fn link(on: OnLink<'_>) -> String {
    let (a, b) = on.link;
    let arrow = match on.direction {
        Direction::Both => "<->",
        Direction::AToB => "->",
    };
    let port = on.port.map(|port| format!(", port {port}"));
    format!("{a} {arrow} {b}{}", port.unwrap_or_default())
}

/// A network fault's size, where it has one: `+30ms ± 5ms`.
pub(super) fn size(kind: &FaultKind) -> Option<String> {
    Some(match kind {
        FaultKind::Latency(f) => latency(f),
        FaultKind::Loss(f) => f.probability.to_string(),
        FaultKind::BurstLoss(f) => bursts(f)?,
        FaultKind::Duplicate(f) => format!("{} twice", f.probability),
        FaultKind::Reorder(f) => format!("{} held back by {}", f.probability, f.by),
        FaultKind::Corrupt(f) => format!("{} damaged", f.probability),
        FaultKind::Rate(f) => format!("at most {}, a queue of {}", f.rate, f.queue),
        FaultKind::Reset(f) if f.probability.get() < 1.0 => {
            format!("by {} of segments", f.probability)
        }
        FaultKind::Flap(f) => format!("dark for {} of every {}", f.down, f.period),
        FaultKind::Mtu(f) => format!("packets over {} bytes vanish", f.mtu),
        FaultKind::Dns(f) => match &f.answer {
            NameAnswer::Nxdomain => "no such name".into(),
            NameAnswer::Servfail => "server failure".into(),
            NameAnswer::Silence => "no answer".into(),
            NameAnswer::AddressOf(other) => format!("the address of {other}"),
        },
        _ => return None,
    })
}

fn latency(f: &Latency) -> String {
    if f.jitter == Span::default() {
        return format!("+{}", f.delay);
    }
    let how = match f.distribution {
        Distribution::Uniform => "",
        Distribution::Normal => " normal",
        Distribution::Pareto => " Pareto",
    };
    let like = if f.correlation.is_zero() {
        String::new()
    } else {
        format!(", {} correlated", f.correlation)
    };
    format!("+{} ± {}{how}{like}", f.delay, f.jitter)
}

/// `7.4% in bursts of 4.0`.
fn bursts(f: &BurstLoss) -> Option<String> {
    let gilbert = f.gilbert_elliott.map(|asked| asked.chain());
    let chain = gilbert.or_else(|| Some(f.four_state?.chain()))?;
    let (share, burst) = (chain.share() * 100.0, chain.mean_burst());
    Some(format!("{share:.1}% in bursts of {burst:.1}"))
}
