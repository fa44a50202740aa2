//! A transfer switch: one output, two inputs, and a time between them in which
//! the output is dead.

use super::bus::{Notes, Output};
use super::event::{Change, TransferState};
use super::site::{self, TransferKind};
use super::timers::earlier;
use crate::clock::Micros;

/// Contacts of a mechanical switch (typical).
const ATS_OPEN_US: Micros = 100_000;
/// A static switch, detection included.
const STS_OPEN_US: Micros = 4_000;

/// A transfer switch.
#[derive(Clone, Debug)]
pub(super) struct TransferModel {
    /// It is static.
    pub(super) fast: bool,
    open_us: Micros,
    window: site::TransferWindow,
    nominal_hz: f64,
    /// How long its input must be bad before it moves.
    pub(super) transfer_delay_us: Micros,
    /// How long the preferred input must be good before it goes back.
    pub(super) retransfer_delay_us: Micros,
    /// It goes back by itself.
    pub(super) retransfer: bool,
    /// The input that it prefers.
    pub(super) preferred: usize,
    /// It does not move by itself.
    pub(super) inhibited: bool,
    /// It cannot move.
    pub(super) stuck: bool,
    /// The input that feeds the output.
    pub(super) active: Option<usize>,
    target: usize,
    moved_at: Micros,
    /// It was put where it is by hand.
    held: bool,
    order: Option<usize>,
    /// Each input is inside the window.
    pub(super) good: [bool; 2],
    since: [Micros; 2],
    seen: bool,
}

impl TransferModel {
    pub(super) fn new(site: &site::Transfer, nominal_hz: f64) -> Self {
        let fast = site.kind == TransferKind::Sts;
        let by_kind = if fast { STS_OPEN_US } else { ATS_OPEN_US };
        Self {
            fast,
            open_us: site.open.map_or(by_kind, |open| open.micros()),
            window: site.window.clone(),
            nominal_hz,
            transfer_delay_us: site.transfer_delay.micros(),
            retransfer_delay_us: site.retransfer_delay.micros(),
            retransfer: site.retransfer,
            preferred: site.preferred.min(1),
            inhibited: site.inhibit,
            stuck: false,
            active: Some(site.preferred.min(1)),
            target: 0,
            moved_at: 0,
            held: false,
            order: None,
            good: [false; 2],
            since: [0; 2],
            seen: false,
        }
    }

    fn accepts(&self, input: Output) -> bool {
        let window = &self.window;
        let off = input.frequency_hz - self.nominal_hz;
        (window.low.get()..=window.high.get()).contains(&input.voltage_pu)
            && off <= window.above.get()
            && off >= -window.below.get()
    }

    /// Handles what is due and returns its output.
    pub(super) fn react(&mut self, t_us: Micros, inputs: [Output; 2], notes: &mut Notes) -> Output {
        for (i, input) in inputs.into_iter().enumerate() {
            if self.accepts(input) != self.good[i] {
                self.good[i] = !self.good[i];
                self.since[i] = t_us;
            }
        }
        if !self.seen {
            // Before time begins it has long been where it can be.
            self.seen = true;
            if !self.good[self.preferred] && self.good[1 - self.preferred] {
                self.active = Some(1 - self.preferred);
            }
        }
        for _ in 0..4 {
            let Some((to, cause)) = self.next_move(t_us) else {
                break;
            };
            let from = self.state();
            if self.active.is_some() {
                self.target = to;
                self.active = None;
                self.moved_at = t_us;
            } else {
                self.active = Some(to);
            }
            let to = self.state();
            notes.push((cause.to_string(), Change::Transfer { from, to }));
        }
        self.active.map_or(Output::DEAD, |active| inputs[active])
    }

    /// Its position.
    pub(super) fn state(&self) -> TransferState {
        match self.active {
            Some(0) => TransferState::OnA,
            Some(_) => TransferState::OnB,
            None => TransferState::Open,
        }
    }

    fn next_move(&mut self, t_us: Micros) -> Option<(usize, &'static str)> {
        if self.stuck {
            return None;
        }
        let Some(active) = self.active else {
            let there = self.moved_at.saturating_add(self.open_us) <= t_us;
            return there.then_some((self.target, "contacts closed"));
        };
        if let Some(order) = self.order.take().filter(|order| *order != active) {
            return Some((order, "told to"));
        }
        let at = self.leaves_at(active)?;
        if at > t_us {
            return None;
        }
        self.held = false;
        let lost = !self.good[active];
        Some((
            1 - active,
            if lost {
                "input lost"
            } else {
                "preferred input good"
            },
        ))
    }

    /// When it will leave an input by itself, as things are.
    fn leaves_at(&self, active: usize) -> Option<Micros> {
        let other = 1 - active;
        if self.inhibited || !self.good[other] {
            None
        } else if !self.good[active] {
            Some(self.since[active].saturating_add(self.transfer_delay_us))
        } else if self.retransfer && !self.held && other == self.preferred {
            Some(self.since[other].saturating_add(self.retransfer_delay_us))
        } else {
            None
        }
    }

    /// Moves to an input by hand, and stays there while it is good.
    pub(super) fn select(&mut self, source: usize) {
        self.order = Some(source);
        self.held = true;
    }

    /// Prefers an input from now on.
    pub(super) fn prefer(&mut self, source: usize) {
        self.preferred = source;
        self.held = false;
    }

    /// When it wants to be looked at again.
    pub(super) fn next_due(&self) -> Option<Micros> {
        if self.stuck {
            return None;
        }
        match self.active {
            None => Some(self.moved_at.saturating_add(self.open_us)),
            Some(active) => earlier(self.leaves_at(active), None),
        }
    }
}
