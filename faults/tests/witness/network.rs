//! Faults of links, of every kind and both ways.

use ridethrough_faults::catalogue::{
    BurstLoss, Dns, FaultKind, Flap, Latency, Link, Mtu, NodeTarget, PacketShare, Partition, Rate,
    Reorder, Reset,
};
use ridethrough_targets::units::{Bandwidth, PerUnit, Span};
use ridethrough_targets::world::{Direction, Distribution, FourState, GilbertElliott, NameAnswer};

fn link() -> Link {
    ("gateway".to_string(), "replica".to_string())
}

fn share(p: f64, direction: Direction, port: Option<u16>) -> PacketShare {
    PacketShare {
        link: link(),
        probability: PerUnit(p),
        direction,
        port,
    }
}

/// At least one fault of every kind, each way.
pub(crate) fn all() -> Vec<FaultKind> {
    let ways = [Direction::Both, Direction::AToB];
    let links = ways.into_iter().flat_map(|way| of(way, None));
    links.chain(names()).collect()
}

/// Faults for one port, and whether anybody uses it.
pub(crate) fn on_ports() -> Vec<(FaultKind, bool)> {
    let on = |port, used| {
        of(Direction::Both, Some(port))
            .into_iter()
            .zip(std::iter::repeat(used))
    };
    on(8_000, true).chain(on(9_999, false)).collect()
}

fn of(direction: Direction, port: Option<u16>) -> Vec<FaultKind> {
    let latency = |distribution, jitter| {
        FaultKind::Latency(Latency {
            link: link(),
            delay: Span::from_millis(20),
            jitter: Span::from_millis(jitter),
            distribution,
            correlation: PerUnit(0.0),
            direction,
            port,
        })
    };
    let mut all = vec![
        FaultKind::Partition(Partition {
            link: link(),
            direction,
            port,
        }),
        latency(Distribution::Uniform, 1),
        latency(Distribution::Normal, 5),
        latency(Distribution::Pareto, 8),
        FaultKind::Loss(share(0.2, direction, port)),
        FaultKind::Duplicate(share(0.1, direction, port)),
        FaultKind::Corrupt(share(0.05, direction, port)),
        FaultKind::Reorder(Reorder {
            link: link(),
            probability: PerUnit(0.1),
            by: Span::from_millis(10),
            direction,
            port,
        }),
        FaultKind::Rate(Rate {
            link: link(),
            rate: Bandwidth(10e6),
            queue: Span::from_millis(50),
            direction,
            port,
        }),
        FaultKind::Reset(Reset {
            link: link(),
            probability: PerUnit(1.0),
            direction,
            port,
        }),
        FaultKind::Flap(Flap {
            link: link(),
            period: Span::from_millis(400),
            down: Span::from_millis(150),
            direction,
            port,
        }),
        FaultKind::Mtu(Mtu {
            link: link(),
            mtu: 576,
            direction,
            port,
        }),
    ];
    all.extend(bursts(direction, port));
    all
}

fn names() -> Vec<FaultKind> {
    let answers = [
        NameAnswer::Nxdomain,
        NameAnswer::Servfail,
        NameAnswer::Silence,
        NameAnswer::AddressOf("gpu-3".into()),
    ];
    let dns = |answer| {
        FaultKind::Dns(Dns {
            target: NodeTarget::Node("gpu-1".into()),
            names: vec!["gw".into()],
            answer,
        })
    };
    answers.map(dns).to_vec()
}

fn bursts(direction: Direction, port: Option<u16>) -> Vec<FaultKind> {
    let model = |gilbert_elliott, four_state| {
        FaultKind::BurstLoss(BurstLoss {
            link: link(),
            gilbert_elliott,
            four_state,
            direction,
            port,
        })
    };
    let gilbert = GilbertElliott {
        p: PerUnit(0.02),
        r: PerUnit(0.2),
        loss_good: PerUnit(0.0),
        loss_bad: PerUnit(1.0),
    };
    let four = FourState {
        p13: PerUnit(0.02),
        p31: PerUnit(0.25),
        p32: PerUnit(0.0),
        p23: PerUnit(1.0),
        p14: PerUnit(0.0),
    };
    vec![model(Some(gilbert), None), model(None, Some(four))]
}
