//! The forwarding itself: from a frame that was read to the ports it is
//! written to.

use std::sync::Arc;

use crate::fabric::link::Nanos;
use crate::fabric::{Decision, Frame, Link, Verdict};

use super::alter;
use super::capture::Tape;
use super::hold::{Held, HoldQueue, LINK_LIMIT, TOTAL_LIMIT};
use super::port::{Device, Gate, Life};
use super::tap::VNET_HEADER;
use super::view::{Published, View};

/// No link in the table of directions.
const PLAIN: u32 = u32::MAX;

/// Owns the state of every direction; used by the one thread of the switch.
#[derive(Debug)]
pub(crate) struct Forwarder<D> {
    seed: u64,
    published: Arc<Published<D>>,
    gate: Arc<Gate>,
    tape: Option<Tape>,
    generation: u64,
    view: Arc<View<D>>,
    /// For each ordered pair of ports, its link, or [`PLAIN`].
    table: Vec<u32>,
    links: Vec<(usize, usize, Link)>,
    held: HoldQueue<D>,
    /// Where a frame is changed.
    scratch: Vec<u8>,
}

impl<D: Device> Forwarder<D> {
    pub(crate) fn new(
        seed: u64,
        published: Arc<Published<D>>,
        gate: Arc<Gate>,
        tape: Option<Tape>,
    ) -> Self {
        Self {
            seed,
            published,
            gate,
            tape,
            generation: 0,
            view: Arc::new(View::empty()),
            table: Vec::new(),
            links: Vec::new(),
            held: HoldQueue::new(),
            scratch: Vec::new(),
        }
    }

    /// The life that is lit on a port.
    pub(crate) fn life(&self, port: usize) -> Option<Arc<Life<D>>> {
        self.view.ports.get(port)?.life.clone()
    }

    /// When the next held frame is due.
    pub(crate) fn next_due(&self) -> Option<Nanos> {
        self.held.next_due()
    }

    /// Takes over the newest view, if there is a newer one.
    #[inline]
    pub(crate) fn refresh(&mut self) {
        if self.published.generation() != self.generation {
            self.adopt();
        }
    }

    #[cold]
    fn adopt(&mut self) {
        let (generation, view) = self.published.newest();
        self.view = view;
        self.generation = generation;
        // A frame on the wire of a port that lost its power is lost with it,
        // whichever way it was going.
        for held in self.held.purge() {
            self.unhold(&held, 0);
            self.lose(&held.from, &held.to);
        }
        self.rebuild();
        self.published.adopt(generation);
    }

    fn rebuild(&mut self) {
        let ports = self.view.ports.len();
        let mut old = std::mem::take(&mut self.links);
        self.table = vec![PLAIN; ports * ports];
        for rules in &self.view.links {
            let known = old
                .iter()
                .position(|(f, t, _)| (*f, *t) == (rules.from, rules.to));
            let mut link = known.map_or_else(Link::new, |at| old.swap_remove(at).2);
            let stream = (rules.from as u32) << 16 | rules.to as u32;
            link.update(self.seed, stream, &rules.rules);
            self.links.push((rules.from, rules.to, link));
        }
        // A direction without rules keeps its place in the queue until what it
        // holds has left, so that nothing overtakes.
        for (from, to, mut link) in old {
            if link.held_frames > 0 {
                link.update(self.seed, 0, &[]);
                self.links.push((from, to, link));
            }
        }
        for (at, (from, to, _)) in self.links.iter().enumerate() {
            self.table[from * ports + to] = at as u32;
        }
    }

    /// Forwards one frame, virtio-net header included, that `from` has sent.
    pub(crate) fn receive(&mut self, from: &Arc<Life<D>>, bytes: &[u8], now: impl Fn() -> Nanos) {
        self.refresh();
        let length = bytes.len().saturating_sub(VNET_HEADER) as u64;
        from.counters.sent(length);
        let Some(frame) = Frame::parse(bytes) else {
            from.counters.drop_one();
            return;
        };
        if from.is_dark() {
            from.counters.drop_one();
            return;
        }
        let went = if frame.group {
            let view = Arc::clone(&self.view);
            let segment = view.ports.get(from.port).map(|port| port.segment);
            let near = view.ports.iter().filter(|p| Some(p.segment) == segment);
            let lit = near.filter_map(|port| port.life.as_ref());
            let mut went = false;
            for to in lit.filter(|to| to.port != from.port) {
                went |= self.pass(from, to, &frame, bytes, &now);
            }
            went
        } else {
            self.unicast(from, &frame, bytes, &now)
        };
        if let Some(tape) = &mut self.tape {
            tape.record(from.port, &bytes[VNET_HEADER..], went);
        }
    }

    fn unicast(
        &mut self,
        from: &Arc<Life<D>>,
        frame: &Frame,
        bytes: &[u8],
        now: &impl Fn() -> Nanos,
    ) -> bool {
        let to = self
            .view
            .port_of(frame.to, from.port)
            .filter(|to| *to != from.port);
        let Some(to) = to.and_then(|to| self.view.ports.get(to)) else {
            return false;
        };
        let Some(life) = to.life.as_ref().map(Arc::clone) else {
            from.counters.drop_one();
            to.counters.drop_one();
            return false;
        };
        self.pass(from, &life, frame, bytes, now)
    }

    /// Sends a frame on one direction, by its rules. Returns whether it went or
    /// is on its way.
    #[inline]
    fn pass(
        &mut self,
        from: &Arc<Life<D>>,
        to: &Arc<Life<D>>,
        frame: &Frame,
        bytes: &[u8],
        now: &impl Fn() -> Nanos,
    ) -> bool {
        let at = self.table[from.port * self.view.ports.len() + to.port];
        if at == PLAIN {
            return deliver(&self.gate, from, to, bytes);
        }
        let decision = self.links[at as usize].2.decide(now(), frame);
        if decision.flip.is_none() && !decision.reset {
            return self.send(at, decision, from, to, bytes);
        }
        let mut changed = std::mem::take(&mut self.scratch);
        changed.clear();
        let whole = if decision.reset {
            self.reset(from, bytes, &mut changed)
        } else {
            let bit = decision.flip.unwrap_or(0);
            alter::flip(bytes, bit, &mut changed)
        };
        // What cannot be changed as asked would be of no use to its receiver.
        let went = if whole {
            self.send(at, decision, from, to, &changed)
        } else {
            self.lose(from, to);
            false
        };
        self.scratch = changed;
        went
    }

    /// Makes the reset that leaves in a segment's place, and gives its sender
    /// one of its own.
    fn reset(&mut self, from: &Arc<Life<D>>, bytes: &[u8], ahead: &mut Vec<u8>) -> bool {
        let Some(back) = alter::resets(bytes, ahead) else {
            return false;
        };
        deliver(&self.gate, from, from, &back);
        true
    }

    /// Sends a frame and its copies as was decided.
    fn send(
        &mut self,
        at: u32,
        decision: Decision,
        from: &Arc<Life<D>>,
        to: &Arc<Life<D>>,
        bytes: &[u8],
    ) -> bool {
        let mut went = false;
        for _ in 0..=decision.copies {
            went |= match decision.verdict {
                Verdict::Now => deliver(&self.gate, from, to, bytes),
                Verdict::At(due) => self.hold(at, due, from, to, bytes),
                Verdict::Drop => {
                    self.lose(from, to);
                    return false;
                }
            };
        }
        went
    }

    /// Holds a frame back, as far as there is room.
    fn hold(
        &mut self,
        at: u32,
        due: Nanos,
        from: &Arc<Life<D>>,
        to: &Arc<Life<D>>,
        bytes: &[u8],
    ) -> bool {
        let link = &mut self.links[at as usize].2;
        if link.held_bytes + bytes.len() > LINK_LIMIT
            || self.held.bytes() + bytes.len() > TOTAL_LIMIT
        {
            self.lose(from, to);
            return false;
        }
        link.held_frames += 1;
        link.held_bytes += bytes.len();
        self.held.push(due, from, to, bytes);
        true
    }

    /// Delivers the held frames that are due. Returns whether there were any.
    pub(crate) fn release(&mut self, now: Nanos) -> bool {
        let mut any = false;
        while let Some(held) = self.held.pop_due(now) {
            any = true;
            self.refresh();
            if self.unhold(&held, now) {
                self.lose(&held.from, &held.to);
            } else {
                deliver(&self.gate, &held.from, &held.to, &held.bytes);
            }
            self.held.recycle(held.bytes);
        }
        any
    }

    /// Takes a frame off the books of its direction; tells whether that
    /// direction is cut.
    fn unhold(&mut self, held: &Held<D>, now: Nanos) -> bool {
        let at = self.table[held.from.port * self.view.ports.len() + held.to.port];
        let Some((_, _, link)) = self.links.get_mut(at as usize) else {
            return false;
        };
        link.held_frames = link.held_frames.saturating_sub(1);
        link.held_bytes = link.held_bytes.saturating_sub(held.bytes.len());
        link.is_cut(now)
    }

    fn lose(&self, from: &Life<D>, to: &Life<D>) {
        from.counters.drop_one();
        to.counters.drop_one();
    }

    /// Ends the capture, if there is one.
    pub(crate) fn take_tape(&mut self) -> Option<Tape> {
        self.tape.take()
    }
}

/// The one place where a frame leaves the switch.
#[inline]
fn deliver<D: Device>(gate: &Gate, from: &Life<D>, to: &Life<D>, bytes: &[u8]) -> bool {
    gate.enter();
    let lit = !from.is_dark() && !to.is_dark();
    let went = lit && to.device.write(bytes).is_ok();
    if went {
        to.counters
            .given(bytes.len().saturating_sub(VNET_HEADER) as u64);
        // The proof: nobody may have been told that the port is dark while
        // this frame was still leaving.
        if from.is_declared_dark() || to.is_declared_dark() {
            from.counters.leak_one();
        }
    } else {
        from.counters.drop_one();
        to.counters.drop_one();
    }
    gate.leave();
    went
}

#[cfg(test)]
mod tests;
