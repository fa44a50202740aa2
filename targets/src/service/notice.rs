//! A value that many wait on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A value, and a way to wait until it is as one wants it.
///
/// Who waits is woken in the order of waiting. tokio's `watch` wakes its
/// receivers in random order, which makes two runs of one seed part; it is right
/// where there is one receiver.
#[derive(Debug, Default)]
pub struct Notice<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T: Copy> Notice<T> {
    /// Begins with this value.
    pub fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            changed: Notify::new(),
        }
    }

    /// The value now.
    pub fn get(&self) -> T {
        *self.lock()
    }

    /// Sets the value, and wakes who waits.
    pub fn set(&self, value: T) {
        self.update(|_| value);
    }

    /// Changes the value, and wakes who waits.
    pub fn update(&self, change: impl FnOnce(T) -> T) {
        {
            let mut value = self.lock();
            *value = change(*value);
        }
        self.changed.notify_waiters();
    }

    /// Waits until the value is as `wanted`.
    pub async fn wait_for(&self, wanted: impl Fn(T) -> bool) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let value = self.get();
            if wanted(value) {
                return value;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::Notice;

    #[tokio::test(start_paused = true)]
    async fn waiters_are_woken_in_the_order_of_waiting() {
        let notice = Arc::new(Notice::new(0));
        let woken = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..50)
            .map(|n| {
                let (notice, woken) = (Arc::clone(&notice), Arc::clone(&woken));
                tokio::spawn(async move {
                    notice.wait_for(|value| value == 2).await;
                    woken.lock().unwrap().push(n);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        notice.set(1);
        tokio::task::yield_now().await;
        notice.update(|value| value + 1);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*woken.lock().unwrap(), (0..50).collect::<Vec<_>>());
        assert_eq!(notice.get(), 2);
    }
}
