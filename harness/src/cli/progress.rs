//! The line that a person watches while a run goes on.

use std::time::Duration;

use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use ridethrough_targets::plant::{Change, UpsState};

use crate::record::{Body, Event};

/// Follows the events of a run and shows them as one line on a terminal; says
/// only phases and faults where there is no terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    origin_us: Option<u64>,
    total: Duration,
    phase: String,
    power: IndexMap<String, UpsState>,
    dark: Vec<String>,
    values: IndexMap<String, f64>,
}

impl Progress {
    /// A line for a run whose phases last `total`.
    pub(super) fn new(name: &str, total: Duration) -> Self {
        let bar = ProgressBar::new(total.as_millis().max(1) as u64);
        let style = ProgressStyle::with_template("{prefix:.bold} [{bar:24}] {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸ ");
        bar.set_style(style);
        bar.set_prefix(name.to_string());
        bar.set_message("starting the stack");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            origin_us: None,
            total,
            phase: "starting".into(),
            power: IndexMap::new(),
            dark: Vec::new(),
            values: IndexMap::new(),
        }
    }

    /// Shows events until the run is over.
    pub(super) async fn follow(mut self, mut events: mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            self.hear(&event);
        }
        self.bar.finish_and_clear();
    }

    fn hear(&mut self, event: &Event) {
        match &event.body {
            Body::Phase(phase) => {
                self.origin_us.get_or_insert(event.t_us);
                self.phase.clone_from(&phase.name);
                self.say(&format!("phase {}", phase.name));
            }
            Body::Plant {
                component,
                change: Change::Ups { to, .. },
                ..
            } => {
                self.power.insert(component.clone(), *to);
            }
            Body::NodeDown { node, .. } => {
                self.dark.push(node.clone());
                self.say(&format!("{node} lost power"));
            }
            Body::NodeUp { node } => self.dark.retain(|n| n != node),
            Body::FaultInjected(fault) => {
                self.say(&format!("{} hits {}", fault.fault_kind, fault.target));
            }
            Body::FaultHealed { .. } => self.say("healed"),
            Body::Rehearsal(pass) if pass.problem.is_none() => {
                self.say(&format!("{}: {}", pass.load, pass.verdict()));
            }
            Body::Invalid { reason } => self.say(&format!("invalid: {reason}")),
            Body::Progress { values } => {
                self.values
                    .extend(values.iter().map(|(k, v)| (k.clone(), *v)));
            }
            _ => return,
        }
        self.show(event.t_us);
    }

    /// A line of its own where nobody can see the bar.
    fn say(&self, text: &str) {
        if self.bar.is_hidden() {
            eprintln!("{}: {text}", self.bar.prefix());
        }
    }

    fn show(&self, t_us: u64) {
        if let Some(pass) = self.pass() {
            self.bar.set_message(pass);
            return;
        }
        let since = Duration::from_micros(t_us.saturating_sub(self.origin_us.unwrap_or(t_us)));
        self.bar
            .set_position(since.min(self.total).as_millis() as u64);
        let value = |name: &str| self.values.get(name).copied().unwrap_or(0.0);
        self.bar.set_message(format!(
            "{:>4.0}s {} · {} · {:.0} req/s · {:.0} tok/s · {:.0} in flight",
            since.as_secs_f64(),
            self.phase,
            self.power_state(),
            value("requests_per_s"),
            value("tokens_per_s"),
            value("in_flight"),
        ));
    }

    /// How far the fault-free pass is, while it lasts.
    fn pass(&self) -> Option<String> {
        let sum = |end: &str| {
            let those = self.values.iter().filter(|(name, _)| name.ends_with(end));
            those.map(|(_, value)| value).sum::<f64>()
        };
        let (heard, all) = (sum("_recorded"), sum("_to_record"));
        let lasts = self.origin_us.is_none() && all > 0.0;
        lasts.then(|| format!("recording answers, {heard:.0} of {all:.0}, nothing is broken yet"))
    }

    fn power_state(&self) -> String {
        let on = |wanted: &[UpsState]| self.power.values().any(|state| wanted.contains(state));
        let supply = if on(&[UpsState::Off]) {
            "UPS off"
        } else if on(&[
            UpsState::OnBattery,
            UpsState::Transferring,
            UpsState::Qualifying,
        ]) {
            "on battery"
        } else if on(&[UpsState::WalkIn]) {
            "walking in"
        } else {
            "on utility"
        };
        if self.dark.is_empty() {
            supply.to_string()
        } else {
            format!("{supply}, {} dark", self.dark.len())
        }
    }
}
