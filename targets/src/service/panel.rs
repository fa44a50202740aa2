//! A service's end of its wires.

use tokio::sync::mpsc;

use super::signal::{FromService, ToService};

/// The service's end. Words to the harness are never waited for: the queue is
/// bounded by what the service itself does.
pub struct Panel {
    /// Words from the machine; take it once.
    pub inbox: mpsc::UnboundedReceiver<ToService>,
    outbox: mpsc::UnboundedSender<FromService>,
}

/// The machine's end.
pub struct PanelPeer {
    /// Words to the service.
    pub outbox: mpsc::UnboundedSender<ToService>,
    /// Words from the service.
    pub inbox: mpsc::UnboundedReceiver<FromService>,
}

/// Both ends of a new panel.
pub fn panel_pair() -> (Panel, PanelPeer) {
    let (to_service, from_machine) = mpsc::unbounded_channel();
    let (to_machine, from_service) = mpsc::unbounded_channel();
    (
        Panel {
            inbox: from_machine,
            outbox: to_machine,
        },
        PanelPeer {
            outbox: to_service,
            inbox: from_service,
        },
    )
}

impl Panel {
    /// Says a word to the harness; silent when nobody listens any more.
    pub fn say(&self, word: FromService) {
        let _ = self.outbox.send(word);
    }

    /// A handle that can say but not hear, for tasks of the service.
    pub fn voice(&self) -> mpsc::UnboundedSender<FromService> {
        self.outbox.clone()
    }
}
