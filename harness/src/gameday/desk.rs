//! What the page shows beside the events: questions, faults by hand, the verdict.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::hub::Hub;
use super::roles::{Role, Tokens};
use crate::engine::{Manual, Podium, Waiting};
use crate::judge::Verdict;
use crate::plan::Plan;
use crate::report::live;

/// Everything that the pages of one game day share.
pub struct Desk {
    /// What happens.
    pub hub: Arc<Hub>,
    /// Where people have their say.
    pub podium: Arc<Podium>,
    /// Stops the run, as Ctrl-C does.
    pub stop: CancellationToken,
    /// Who may do what.
    pub tokens: Tokens,
    /// The playbook's name.
    pub title: String,
    /// The site as the diagram draws it, as JSON.
    pub site: String,
    /// The verdict, once there is one.
    verdict: Mutex<Option<Told>>,
}

/// What the desk of a game day begins with.
pub struct DeskParts<'a> {
    /// What will happen.
    pub plan: &'a Plan,
    /// Where people have their say.
    pub podium: Arc<Podium>,
    /// Stops the run.
    pub stop: CancellationToken,
    /// Who may do what.
    pub tokens: Tokens,
    /// The crew sees only what production would show.
    pub blind: bool,
}

/// The verdict, when there is one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// `pass`, `fail` or `invalid`.
    pub verdict: Verdict,
    /// The same in words.
    pub sentence: String,
}

/// What somebody sees of the desk.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Seen {
    role: &'static str,
    blind: bool,
    /// The run is being healed and ended.
    stopping: bool,
    waiting: Vec<Waiting>,
    manual: Vec<Manual>,
    missed: u64,
    verdict: Option<Told>,
}

impl Desk {
    /// A desk before the first event.
    pub fn new(parts: DeskParts<'_>) -> Arc<Self> {
        Arc::new(Self {
            hub: Hub::new(parts.blind),
            podium: parts.podium,
            stop: parts.stop,
            tokens: parts.tokens,
            title: parts.plan.playbook.name.clone(),
            site: live().site(parts.plan),
            verdict: Mutex::default(),
        })
    }

    /// The desk as a role sees it.
    pub(super) fn seen(&self, role: Role) -> Seen {
        let blind = self.hub.is_blind();
        let conducts = role == Role::Conductor;
        let hidden = blind && !conducts;
        Seen {
            role: role.name(),
            blind: hidden,
            stopping: self.stop.is_cancelled(),
            waiting: match hidden {
                true => Vec::new(),
                false => self.podium.waiting(),
            },
            manual: match conducts {
                true => self.podium.manual(),
                false => Vec::new(),
            },
            missed: self.hub.missed(),
            verdict: self.told(),
        }
    }

    /// The run is over, and this is what came of it.
    pub fn tell(&self, told: Told) {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }

    fn told(&self) -> Option<Told> {
        let verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        verdict.clone()
    }
}
