//! The machine that a task lives on.
//!
//! Where nodes are processes, the kernel knows which task is whose, stops them
//! and kills them. Where all nodes share one runtime, somebody else must: every
//! task that a service starts with [`spawn`] or [`spawn_in`] belongs to the
//! [`Home`] of the task that starts it, and freezes and dies with it. Without a
//! home these are tokio's own calls.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

thread_local! {
    static CURRENT: RefCell<Option<Home>> = const { RefCell::new(None) };
}

/// Counts what the tasks of all homes do.
pub trait Census: Send + Sync {
    /// A task of `home` is polled, for the `polls`th time among its tasks.
    fn polled(&self, home: &str, polls: u64);
}

/// Where the tasks of one service live.
#[derive(Clone)]
pub struct Home(Arc<Inner>);

struct Inner {
    label: String,
    census: Arc<dyn Census>,
    polls: AtomicU64,
    state: Mutex<State>,
    /// Told when the last task is gone.
    empty: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    tasks: BTreeMap<u64, AbortHandle>,
    frozen: bool,
    dead: bool,
    /// Tasks that were woken while frozen.
    waiting: BTreeMap<u64, Waker>,
}

impl Home {
    /// An empty home. `label` names it in counts and logs.
    pub fn new(label: impl Into<String>, census: Arc<dyn Census>) -> Self {
        Self(Arc::new(Inner {
            label: label.into(),
            census,
            polls: AtomicU64::new(0),
            state: Mutex::default(),
            empty: Notify::new(),
        }))
    }

    /// The home of the task that is being polled.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Its name.
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// Starts a task here. On a dead home it never runs.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (id, homed) = self.house(future);
        let task = tokio::spawn(homed);
        self.enter(id, task.abort_handle());
        task
    }

    fn spawn_in<F>(&self, set: &mut JoinSet<F::Output>, future: F) -> AbortHandle
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (id, homed) = self.house(future);
        let task = set.spawn(homed);
        self.enter(id, task.clone());
        task
    }

    fn house<F: Future>(&self, future: F) -> (u64, Homed<F>) {
        let id = {
            let mut state = self.lock();
            state.next += 1;
            state.next
        };
        let future = Some(Box::pin(future));
        let home = self.clone();
        (id, Homed { id, home, future })
    }

    fn enter(&self, id: u64, task: AbortHandle) {
        let mut state = self.lock();
        if state.dead {
            drop(state);
            task.abort();
        } else if !task.is_finished() {
            state.tasks.insert(id, task);
        }
    }

    fn leave(&self, id: u64) {
        let mut state = self.lock();
        state.tasks.remove(&id);
        state.waiting.remove(&id);
        if state.tasks.is_empty() {
            drop(state);
            self.0.empty.notify_waiters();
        }
    }

    /// Stops every task where it is, as SIGSTOP does.
    pub fn freeze(&self) {
        self.lock().frozen = true;
    }

    /// Ends [`Home::freeze`]: what was missed meanwhile happens now.
    pub fn thaw(&self) {
        let waiting = {
            let mut state = self.lock();
            state.frozen = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_values().for_each(Waker::wake);
    }

    /// Ends every task where it is, as SIGKILL does. They are gone once
    /// [`Home::emptied`] returns.
    pub fn kill(&self) {
        let tasks: Vec<AbortHandle> = {
            let mut state = self.lock();
            state.dead = true;
            state.waiting.clear();
            state.tasks.values().cloned().collect()
        };
        tasks.iter().for_each(AbortHandle::abort);
    }

    /// Whether no task is left.
    pub fn is_empty(&self) -> bool {
        self.lock().tasks.is_empty()
    }

    /// Waits until no task is left.
    pub async fn emptied(&self) {
        loop {
            let empty = self.0.empty.notified();
            if self.is_empty() {
                return;
            }
            empty.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a task on the machine of the task that starts it.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    match Home::current() {
        Some(home) => home.spawn(future),
        None => tokio::spawn(future),
    }
}

/// As [`spawn`], into a set.
pub fn spawn_in<F>(set: &mut JoinSet<F::Output>, future: F) -> AbortHandle
where
    F: Future<Output: Send> + Send + 'static,
{
    match Home::current() {
        Some(home) => home.spawn_in(set, future),
        None => set.spawn(future),
    }
}

/// A task of a home.
struct Homed<F> {
    id: u64,
    home: Home,
    /// Gone once it is done. Boxed, so that it can be dropped in place.
    future: Option<Pin<Box<F>>>,
}

/// Makes `home` the current one until it is dropped.
struct Inside(Option<Home>);

impl Inside {
    fn of(home: &Home) -> Self {
        Self(CURRENT.replace(Some(home.clone())))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // A thread that is ending has no current home any more.
        let _ = CURRENT.try_with(|current| current.replace(self.0.take()));
    }
}

impl<F: Future> Future for Homed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        {
            let mut state = this.home.lock();
            if state.dead {
                return Poll::Pending;
            }
            if state.frozen {
                state.waiting.insert(this.id, cx.waker().clone());
                return Poll::Pending;
            }
        }
        let polls = this.home.0.polls.fetch_add(1, Ordering::Relaxed) + 1;
        this.home.0.census.polled(&this.home.0.label, polls);
        let Some(future) = &mut this.future else {
            return Poll::Pending;
        };
        let _inside = Inside::of(&this.home);
        let polled = future.as_mut().poll(cx);
        if polled.is_ready() {
            this.future = None;
        }
        polled
    }
}

impl<F> Drop for Homed<F> {
    fn drop(&mut self) {
        if self.future.is_some() {
            let _inside = Inside::of(&self.home);
            self.future = None;
        }
        self.home.leave(self.id);
    }
}

#[cfg(test)]
mod tests;
