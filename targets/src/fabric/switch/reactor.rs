//! The thread of the switch: it sleeps in epoll, reads what the devices have,
//! and keeps the held frames' appointments.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::{ClockId as Reading, clock_gettime};

use crate::fabric::link::Nanos;

use super::forward::Forwarder;
use super::port::{Device, Life};
use super::tap;

const WAKE: u64 = u64::MAX;
const TIMER: u64 = u64::MAX - 1;
/// Frames taken from one device before the next has its turn.
const BUDGET: usize = 64;
/// A sleeping thread wakes late by tens of microseconds, so the last stretch
/// before a frame is due is spent awake.
const SPIN_NS: Nanos = 20_000;
/// The largest segment with its headers, and room to see that one was larger.
const BUFFER: usize = 68 << 10;

/// A TAP device.
#[derive(Debug)]
pub(crate) struct Tap(pub(crate) OwnedFd);

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Device for Tap {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(nix::unistd::read(&self.0, buffer)?)
    }

    fn write(&self, frame: &[u8]) -> io::Result<usize> {
        Ok(nix::unistd::write(&self.0, frame)?)
    }
}

/// What the thread sleeps on, shared with those who wake it.
#[derive(Debug)]
pub(crate) struct Bell {
    epoll: Epoll,
    wake: EventFd,
    timer: TimerFd,
    stop: AtomicBool,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let wake = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        epoll.add(&wake, EpollEvent::new(EpollFlags::EPOLLIN, WAKE))?;
        epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER))?;
        Ok(Self {
            epoll,
            wake,
            timer,
            stop: AtomicBool::new(false),
        })
    }

    /// Wakes the thread. A full counter means that it is being woken already.
    pub(crate) fn ring(&self) {
        let _ = self.wake.write(1);
    }

    /// Asks the thread to end.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.ring();
    }

    /// Watches a device of a port.
    pub(crate) fn watch(&self, port: usize, device: impl AsFd) -> io::Result<()> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, port as u64);
        Ok(self.epoll.add(device, event)?)
    }

    /// Stops watching a device. One whose namespace is gone may be unwatched
    /// already.
    pub(crate) fn unwatch(&self, device: impl AsFd) {
        let _ = self.epoll.delete(device);
    }

    fn set_timer(&self, due: Nanos) -> io::Result<()> {
        let at = TimeSpec::new((due / 1_000_000_000) as _, (due % 1_000_000_000) as _);
        let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME;
        Ok(self.timer.set(Expiration::OneShot(at), flags)?)
    }
}

/// Nanoseconds of the monotonic clock, by which the kernel's timers run.
pub(crate) fn now() -> Nanos {
    // The clock always exists on Linux; were it unreadable, held frames would
    // leave at once rather than never.
    clock_gettime(Reading::CLOCK_MONOTONIC).map_or(Nanos::MAX, |at| {
        at.tv_sec() as u64 * 1_000_000_000 + at.tv_nsec() as u64
    })
}

/// The thread's own state.
pub(crate) struct Reactor {
    bell: Arc<Bell>,
    forwarder: Forwarder<Tap>,
    buffer: Vec<u8>,
    /// What the timer is set to; 0 when it is not.
    armed: Nanos,
}

impl Reactor {
    pub(crate) fn new(bell: Arc<Bell>, forwarder: Forwarder<Tap>) -> Self {
        Self {
            bell,
            forwarder,
            buffer: vec![0; BUFFER],
            armed: 0,
        }
    }

    /// Runs until the bell says stop.
    pub(crate) fn run(mut self) {
        if let Err(error) = tap::prefer_this_thread() {
            tracing::debug!(%error, "the switch runs at ordinary priority");
        }
        let mut events = [EpollEvent::empty(); 64];
        while !self.bell.stop.load(Ordering::Acquire) {
            let timeout = self.plan_sleep();
            let count = match self.bell.epoll.wait(&mut events, timeout) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                Err(error) => {
                    tracing::error!(%error, "the switch cannot wait for frames");
                    break;
                }
            };
            self.forwarder.refresh();
            for event in events.iter().take(count) {
                match event.data() {
                    WAKE => drop(self.bell.wake.read()),
                    TIMER => drop(self.bell.timer.wait()),
                    port => self.drain(port as usize),
                }
            }
            self.keep_appointments();
        }
        drop(self.forwarder.take_tape());
    }

    /// Sets the timer for the next held frame, and says how long to sleep.
    fn plan_sleep(&mut self) -> EpollTimeout {
        let Some(due) = self.forwarder.next_due() else {
            return EpollTimeout::NONE;
        };
        let wake = due.saturating_sub(SPIN_NS);
        if wake <= now() {
            return EpollTimeout::ZERO;
        }
        if self.armed != wake {
            if self.bell.set_timer(wake).is_err() {
                return EpollTimeout::ZERO;
            }
            self.armed = wake;
        }
        EpollTimeout::NONE
    }

    /// Delivers what is due, and waits awake for what is due in a moment.
    fn keep_appointments(&mut self) {
        while let Some(due) = self.forwarder.next_due() {
            let mut time = now();
            if due > time.saturating_add(SPIN_NS) {
                return;
            }
            while due > time {
                std::hint::spin_loop();
                time = now();
            }
            self.forwarder.release(time);
        }
    }

    /// Forwards what a device has, up to the budget.
    fn drain(&mut self, port: usize) {
        let Some(life) = self.forwarder.life(port) else {
            return;
        };
        for _ in 0..BUDGET {
            match life.device.read(&mut self.buffer) {
                Ok(length) => self.forwarder.receive(&life, &self.buffer[..length], now),
                Err(error) => {
                    self.read_failed(&life, &error);
                    return;
                }
            }
            if self.forwarder.next_due().is_some() {
                self.forwarder.release(now());
            }
        }
    }

    fn read_failed(&self, life: &Life<Tap>, error: &io::Error) {
        use io::ErrorKind::{Interrupted, WouldBlock};
        if matches!(error.kind(), WouldBlock | Interrupted) {
            return;
        }
        // The device went away with its namespace: it has nothing more to say,
        // and would report that for ever.
        tracing::debug!(port = life.port, %error, "a device is gone");
        self.bell.unwatch(&life.device);
    }
}
