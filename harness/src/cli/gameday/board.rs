//! What a terminal shows while a game day goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use ridethrough_targets::plant::{Change, UpsState};

use crate::load::Group;
use crate::plan::Plan;
use crate::record::{Body, Event, HumanAct};

/// Follows the events of a run: a few lines on a terminal, a line for whatever
/// matters where there is none.
pub(super) struct Board {
    name: String,
    lines: MultiProgress,
    course: ProgressBar,
    load: ProgressBar,
    hold: ProgressBar,
    origin_us: Option<u64>,
    phase: String,
    power: BTreeMap<String, UpsState>,
    faults: BTreeMap<usize, String>,
    groups: BTreeMap<Group, u64>,
    in_flight: BTreeMap<String, f64>,
    question: Option<String>,
}

impl Board {
    pub(super) fn new(plan: &Plan, blind: bool) -> Self {
        let lines = MultiProgress::new();
        let line = || {
            let bar = lines.add(ProgressBar::new_spinner());
            let style = ProgressStyle::with_template("{msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        };
        let (course, load, hold) = (line(), line(), line());
        course.set_message("starting the stack");
        course.enable_steady_tick(Duration::from_millis(250));
        Self {
            name: match blind {
                true => format!("{} (blind)", plan.playbook.name),
                false => plan.playbook.name.clone(),
            },
            lines,
            course,
            load,
            hold,
            origin_us: None,
            phase: String::new(),
            power: BTreeMap::new(),
            faults: BTreeMap::new(),
            groups: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            question: None,
        }
    }

    /// Shows events until the run is over.
    pub(super) async fn follow(mut self, mut events: mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            self.hear(&event);
        }
        for line in [&self.course, &self.load, &self.hold] {
            line.finish_and_clear();
        }
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
            Body::FaultInjected(fault) => {
                let text = format!("{} hits {}", fault.fault_kind, fault.target);
                self.say(&text);
                self.faults.insert(fault.fault, fault.fault_kind.clone());
            }
            Body::FaultHealed { fault } => {
                self.faults.remove(fault);
                self.say(&format!("fault {fault} is healed"));
            }
            Body::Held(held) => {
                self.say(&format!("waiting before {}: {}", held.name, held.question));
                self.question = Some(held.question.clone());
            }
            Body::Resumed { .. } => self.question = None,
            Body::Human(human) => {
                if let HumanAct::Note { text } = &human.act {
                    self.say(&format!("note: {text}"));
                }
            }
            Body::Request(row) => *self.groups.entry(row.group()).or_default() += 1,
            Body::Progress { values } => {
                if let Some(value) = values.get("in_flight") {
                    self.in_flight.insert(event.source.clone(), *value);
                }
            }
            Body::Invalid { reason } => self.say(&format!("invalid: {reason}")),
            _ => return,
        }
        self.show(event.t_us);
    }

    /// A line that stays.
    fn say(&self, text: &str) {
        if self.course.is_hidden() {
            eprintln!("{}: {text}", self.name);
        } else {
            let _ = self.lines.println(text);
        }
    }

    fn show(&self, t_us: u64) {
        let since = t_us.saturating_sub(self.origin_us.unwrap_or(t_us)) as f64 / 1e6;
        let supply = match self
            .power
            .values()
            .any(|state| *state == UpsState::OnBattery)
        {
            true => "on battery",
            false => "power fine",
        };
        let faults: Vec<&str> = self.faults.values().map(String::as_str).collect();
        let faults = match faults.is_empty() {
            true => "no fault".into(),
            false => faults.join(", "),
        };
        let (name, phase) = (&self.name, &self.phase);
        self.course.set_message(format!(
            "{name}  {since:.0} s  {phase} · {supply} · {faults}"
        ));
        let count = |group| self.groups.get(&group).copied().unwrap_or(0);
        let flight: f64 = self.in_flight.values().sum();
        self.load.set_message(format!(
            "so far {} whole · {} shed · {} torn · {} lost · {} wrong · {flight:.0} in flight",
            count(Group::Whole),
            count(Group::Shed),
            count(Group::Torn),
            count(Group::Lost),
            count(Group::Corrupted),
        ));
        let question = self.question.as_deref();
        self.hold
            .set_message(question.map_or(String::new(), |q| format!("HOLD  {q}")));
    }
}
