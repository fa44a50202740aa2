//! Faults of the network: their ends and their numbers.

use ridethrough_faults::catalogue::{BurstLoss, Dns, FaultKind, Flap, Latency, Mtu, Reorder};
use ridethrough_targets::units::{PerUnit, Span};
use ridethrough_targets::world::{FourState, GilbertElliott, NameAnswer};

use super::super::cards::cards;
use super::super::infrastructure::supervised;
use super::super::wiring::{CLIENTS, SUPERVISOR};
use super::checker::Checker;

/// The smallest MTU of IPv4 (RFC 791), and the largest packet of the fabric.
const MTU_LEAST: u32 = 68;
const MTU_FABRIC: u32 = 1_500;
/// A packet held back for less is overtaken by chance only.
const OVERTAKEN_LEAST: Span = Span::from_millis(2);
/// Were nearly all packets held back, nobody would overtake them.
const HELD_MOST: f64 = 0.9;
/// A darkness that is shorter than some packets of a probe cannot be measured.
const DARK_LEAST: Span = Span::from_millis(20);

pub(super) fn target(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    let Some(on) = kind.on_link() else {
        return;
    };
    let (a, b) = on.link;
    let (site, stack) = (&c.playbook.site, &c.playbook.stack);
    let powered = supervised(site);
    let cards = cards(site, stack);
    let mut known = true;
    for (i, name) in [a, b].into_iter().enumerate() {
        let mut all: Vec<&str> = stack.nodes.keys().map(String::as_str).collect();
        all.extend(stack.services.keys().map(String::as_str));
        all.push(CLIENTS);
        all.extend(powered.then_some(SUPERVISOR));
        all.extend(cards.iter().map(|card| card.node.as_str()));
        all.extend(site.racks.keys().map(String::as_str));
        let owner = ("node, service or rack", "the run");
        known &= c.exists(&format!("{path}.link.{i}"), owner, name, all);
    }
    let (side_a, side_b) = (c.wiring.side(a), c.wiring.side(b));
    if known && let Some(shared) = side_a.iter().find(|n| side_b.contains(n)) {
        let message = format!("`{shared}` is on both sides of the link");
        c.wrong(&format!("{path}.link.1"), message, "no link to itself");
    }
    if on.port == Some(0) {
        let message = "no packet is from or to port 0".to_string();
        c.wrong(&format!("{path}.port"), message, "1 to 65535");
    }
}

/// Names of machines, other than the one that is given instead.
pub(super) fn names(c: &mut Checker<'_>, path: &str, f: &Dns) {
    let (site, stack) = (&c.playbook.site, &c.playbook.stack);
    let cards = cards(site, stack);
    let powered = supervised(site);
    let all = || {
        let mut all: Vec<&str> = stack.nodes.keys().map(String::as_str).collect();
        all.extend(powered.then_some(SUPERVISOR));
        all.extend(cards.iter().map(|card| card.node.as_str()));
        all
    };
    if f.names.is_empty() {
        let message = "no name resolves wrongly".to_string();
        c.wrong(&format!("{path}.names"), message, "which names?");
    }
    for (i, name) in f.names.iter().enumerate() {
        let at = format!("{path}.names.{i}");
        c.exists(&at, ("node", "the run"), name, all());
    }
    if let NameAnswer::AddressOf(other) = &f.answer {
        let at = format!("{path}.answer.address_of");
        if c.exists(&at, ("node", "the run"), other, all()) && f.names.contains(other) {
            let message = format!("`{other}` resolves to its own address");
            c.wrong(&at, message, "another node");
        }
    }
}

pub(super) fn size(c: &mut Checker<'_>, path: &str, kind: &FaultKind) {
    match kind {
        FaultKind::Latency(f) => latency(c, path, f),
        FaultKind::Loss(f) => share(c, path, "a loss", f.probability),
        FaultKind::Duplicate(f) => share(c, path, "a share of copies", f.probability),
        FaultKind::Corrupt(f) => share(c, path, "a share of damage", f.probability),
        FaultKind::Reset(f) => share(c, path, "a share of resets", f.probability),
        FaultKind::Reorder(f) => reorder(c, path, f),
        FaultKind::BurstLoss(f) => burst_loss(c, path, f),
        FaultKind::Rate(f) if f.rate.is_zero() => {
            let message = "a rate of nothing".to_string();
            c.wrong(&format!("{path}.rate"), message, "above 0bit/s");
            c.hint("where nothing passes it is a `partition`");
        }
        FaultKind::Flap(f) => flap(c, path, f),
        FaultKind::Mtu(f) => mtu(c, path, f),
        _ => {}
    }
}

/// A probability that is more than nothing and no more than all.
fn share(c: &mut Checker<'_>, path: &str, what: &str, probability: PerUnit) {
    let at = format!("{path}.probability");
    if probability.get() > 1.0 {
        c.wrong(&at, format!("{what} of {probability}"), "at most 100%");
    } else if probability.get() <= 0.0 {
        c.wrong(&at, format!("{what} of nothing"), "above 0%");
    }
}

fn latency(c: &mut Checker<'_>, path: &str, f: &Latency) {
    if f.delay == Span::default() && f.jitter == Span::default() {
        let message = "a latency of nothing".to_string();
        c.wrong(&format!("{path}.delay"), message, "longer than 0s");
    } else if f.jitter > f.delay {
        let message = format!("jitter of ±{} around a delay of {}", f.jitter, f.delay);
        c.wrong(&format!("{path}.jitter"), message, "at most the delay");
        c.hint("a frame cannot arrive before it was sent");
    }
    if f.correlation.get() < 0.0 || f.correlation.get() >= 1.0 {
        let message = format!("a correlation of {}", f.correlation);
        let at = format!("{path}.correlation");
        c.wrong(&at, message, "at least 0%, below 100%");
        c.hint("at 100% every delay would be as long as the first");
    }
}

fn reorder(c: &mut Checker<'_>, path: &str, f: &Reorder) {
    share(c, path, "a share to be overtaken", f.probability);
    if f.probability.get() > HELD_MOST && f.probability.get() <= 1.0 {
        let message = format!("{} of packets held back", f.probability);
        c.wrong(&format!("{path}.probability"), message, "at most 90%");
        c.hint("where all are held back, nobody overtakes: that is a `latency`");
    }
    if f.by < OVERTAKEN_LEAST {
        let message = format!("packets held back by {}", f.by);
        c.wrong(&format!("{path}.by"), message, "at least 2ms");
    }
}

fn burst_loss(c: &mut Checker<'_>, path: &str, f: &BurstLoss) {
    match (&f.gilbert_elliott, &f.four_state) {
        (Some(asked), None) => gilbert(c, &format!("{path}.gilbert_elliott"), asked),
        (None, Some(asked)) => four_state(c, &format!("{path}.four_state"), asked),
        (Some(_), Some(_)) => {
            let message = "losses follow two models at once".to_string();
            c.wrong_key(&format!("{path}.four_state"), message, "one of the two");
            c.also_key(&format!("{path}.gilbert_elliott"), "the other");
        }
        (None, None) => {
            let message = "losses follow no model".to_string();
            c.wrong_key(path, message, "in what bursts?");
            c.hint(
                "write `gilbert_elliott: {p: 1%, r: 25%}`, or `four_state: {p13: 1%, p31: 25%}`",
            );
        }
    }
}

/// Whether all are probabilities.
fn probabilities(c: &mut Checker<'_>, path: &str, all: &[(&str, PerUnit)]) -> bool {
    let mut fine = true;
    for (key, value) in all {
        if value.get() < 0.0 || value.get() > 1.0 {
            let message = format!("a probability of {value}");
            c.wrong(&format!("{path}.{key}"), message, "0% to 100%");
            fine = false;
        }
    }
    fine
}

/// A state that is never left, or a chain that never loses anything.
fn never(c: &mut Checker<'_>, path: &str, key: &str, what: &str) {
    c.wrong(&format!("{path}.{key}"), what.to_string(), "above 0%");
}

fn gilbert(c: &mut Checker<'_>, path: &str, f: &GilbertElliott) {
    let (good, bad) = (f.loss_good, f.loss_bad);
    let all = [
        ("p", f.p),
        ("r", f.r),
        ("loss_good", good),
        ("loss_bad", bad),
    ];
    if !probabilities(c, path, &all) {
        return;
    }
    if f.r.is_zero() {
        never(c, path, "r", "a bad state that never ends");
    }
    if f.p.is_zero() {
        never(c, path, "p", "a bad state that never begins");
    }
    if bad <= good {
        let message = format!("a bad state that loses {bad}, and a good one {good}");
        c.wrong(
            &format!("{path}.loss_bad"),
            message,
            "more than the good one",
        );
    }
}

fn four_state(c: &mut Checker<'_>, path: &str, f: &FourState) {
    let all = [
        ("p13", f.p13),
        ("p31", f.p31),
        ("p32", f.p32),
        ("p23", f.p23),
        ("p14", f.p14),
    ];
    if !probabilities(c, path, &all) {
        return;
    }
    for ((key, first), (with, second), from) in [
        (("p14", f.p14), ("p13", f.p13), 1),
        (("p32", f.p32), ("p31", f.p31), 3),
    ] {
        let sum = PerUnit(first.get() + second.get());
        if sum.get() > 1.0 {
            let message = format!("{with} and {key} are {sum}, and both leave state {from}");
            c.wrong(&format!("{path}.{key}"), message, "together at most 100%");
            c.also(&format!("{path}.{with}"), "the other");
        }
    }
    if f.p31.is_zero() {
        never(c, path, "p31", "a burst that never ends");
    }
    if f.p13.is_zero() && f.p14.is_zero() {
        never(c, path, "p13", "a link that never loses anything");
    }
    if f.p23.is_zero() && !f.p32.is_zero() {
        never(c, path, "p23", "a gap in a burst that never ends");
    }
}

fn flap(c: &mut Checker<'_>, path: &str, f: &Flap) {
    if f.down >= f.period {
        let message = format!("dark for {} of every {}", f.down, f.period);
        c.wrong(&format!("{path}.down"), message, "shorter than the period");
        c.hint("a link that never comes back is a `partition`");
    } else if f.down < DARK_LEAST {
        let message = format!("dark for {}", f.down);
        c.wrong(&format!("{path}.down"), message, "at least 20ms");
    }
}

fn mtu(c: &mut Checker<'_>, path: &str, f: &Mtu) {
    let message = format!("an MTU of {} bytes", f.mtu);
    let at = format!("{path}.mtu");
    if f.mtu < MTU_LEAST {
        c.wrong(&at, message, "at least 68");
        c.hint("every path of IPv4 carries packets of 68 bytes (RFC 791)");
    } else if f.mtu >= MTU_FABRIC {
        c.wrong(&at, message, "below 1500");
        c.hint("machines here send no packet over 1500 bytes, so that none would vanish");
    }
}
