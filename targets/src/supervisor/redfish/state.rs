//! What the service knows of itself: accounts, sessions, subscriptions, events.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::config::{RedfishConfig, RedfishRole};
use super::events::{Log, Subscription};
use super::site::Memory;
use crate::clock::Micros;

/// An account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) role: RedfishRole,
    pub(super) enabled: bool,
}

/// A session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) token: String,
    /// The id of its account.
    pub(super) account: String,
    pub(super) created_us: Micros,
    pub(super) used_us: Micros,
}

/// The service's own state.
#[derive(Debug)]
pub(super) struct State {
    pub(super) memory: Memory,
    pub(super) accounts: IndexMap<String, Account>,
    pub(super) sessions: IndexMap<String, Session>,
    pub(super) subscriptions: IndexMap<String, Subscription>,
    pub(super) log: Log,
    pub(super) ntp_servers: Vec<Json>,
    pub(super) session_timeout_s: u32,
    /// Grows with everything that gets a number.
    number: u64,
}

impl State {
    /// The state at the beginning.
    pub(super) fn new(config: &RedfishConfig) -> Self {
        let mut state = Self {
            memory: Memory::new(),
            accounts: IndexMap::new(),
            sessions: IndexMap::new(),
            subscriptions: IndexMap::new(),
            log: Log::new(config.limits.events),
            ntp_servers: Vec::new(),
            session_timeout_s: config.session_timeout_s.clamp(30, 86_400),
            number: 0,
        };
        for user in &config.users {
            let account = Account {
                name: user.name.clone(),
                password: user.password.clone(),
                role: user.role,
                enabled: true,
            };
            let id = state.next();
            state.accounts.insert(id, account);
        }
        state
    }

    /// A number that nothing had before.
    pub(super) fn next(&mut self) -> String {
        self.number += 1;
        self.number.to_string()
    }

    /// Ends the sessions that nobody has used for too long.
    pub(super) fn expire(&mut self, now_us: Micros) {
        let limit = u64::from(self.session_timeout_s) * 1_000_000;
        self.sessions
            .retain(|_, session| now_us.saturating_sub(session.used_us) <= limit);
    }
}
