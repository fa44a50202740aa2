//! Closes devices where nobody waits: the kernel takes milliseconds to take a
//! network device down, which neither the switch nor a power cut may spend.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::port::Life;
use super::reactor::Tap;

/// Devices that may wait to be closed.
const QUEUE: usize = 1024;
/// Turns to wait for the switch to let go of a device.
const PATIENCE: u32 = 100_000;

/// The thread that closes devices.
#[derive(Debug)]
pub(crate) struct Reaper {
    inbox: Option<SyncSender<Arc<Life<Tap>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Reaper {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (inbox, outbox) = sync_channel::<Arc<Life<Tap>>>(QUEUE);
        let thread = std::thread::Builder::new()
            .name("reaper".into())
            .spawn(move || {
                while let Ok(life) = outbox.recv() {
                    let alone = || Arc::strong_count(&life) == 1;
                    // Whoever drops a life last closes its device; let it be
                    // this thread.
                    (0..PATIENCE).take_while(|_| !alone()).for_each(|_| {
                        std::thread::yield_now();
                    });
                }
            })?;
        Ok(Self {
            inbox: Some(inbox),
            thread: Some(thread),
        })
    }

    /// Closes the device of a life that is over.
    pub(crate) fn close(&self, life: Arc<Life<Tap>>) {
        if let Some(inbox) = &self.inbox {
            // Were the thread gone, the device would be closed right here.
            drop(inbox.send(life));
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.inbox = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
