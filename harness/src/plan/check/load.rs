//! The load and the phases.

use ridethrough_targets::units::Span;

use crate::playbook::Arrivals;

use super::super::time::{LONGEST, phases};
use super::checker::Checker;

/// The highest rate of one stream of requests, per second.
const MOST_A_SECOND: f64 = 100_000.0;

pub(super) fn check(c: &mut Checker<'_>) {
    streams(c);
    lengths(c);
}

fn streams(c: &mut Checker<'_>) {
    let playbook = c.playbook;
    if playbook.load.is_empty() {
        c.wrong_key(
            "load",
            "there is no load, so nothing can be promised",
            "empty",
        );
        c.hint("add one: `- {name: chat, arrivals: {poisson: {rate: 20/s}}}`");
    }
    for (i, load) in playbook.load.iter().enumerate() {
        let path = format!("load.{i}");
        let name = &load.name;
        if let Some(first) = playbook.load[..i].iter().position(|l| &l.name == name) {
            let message = format!("two loads are called `{name}`");
            c.wrong(&format!("{path}.name"), message, "again here");
            c.also(&format!("load.{first}.name"), "first here");
        }
        if name.is_empty() {
            c.wrong(&format!("{path}.name"), "a load without a name", "empty");
        }
        let (kind, rate) = match &load.arrivals {
            Arrivals::Constant { rate } => ("constant", rate.get()),
            Arrivals::Poisson { rate } => ("poisson", rate.get()),
        };
        let at = format!("{path}.arrivals.{kind}.rate");
        if rate <= 0.0 {
            c.wrong(
                &at,
                format!("load `{name}` sends nothing"),
                "a rate above 0",
            );
        } else if rate > MOST_A_SECOND {
            let message =
                format!("load `{name}` sends more than {MOST_A_SECOND} requests a second");
            c.wrong(&at, message, "too fast");
        }
        if load.output_tokens.min == 0 {
            let message = format!("load `{name}` asks for answers of no tokens");
            c.wrong(&format!("{path}.output_tokens"), message, "at least 1");
        }
        let client = &load.client;
        let waits = [
            ("connect_timeout", client.connect_timeout),
            ("idle_timeout", client.idle_timeout),
            ("total_timeout", client.total_timeout),
        ];
        for (key, wait) in waits {
            if wait == Span::default() {
                let message = format!("clients of load `{name}` give up at once");
                c.wrong(&format!("{path}.client.{key}"), message, "longer than 0s");
            }
        }
    }
}

fn lengths(c: &mut Checker<'_>) {
    let playbook = c.playbook;
    if playbook.phases.is_empty() {
        c.wrong_key("phases", "the run has no phase", "empty");
        c.hint("write their lengths: `{baseline: 5s, outage: 20s, recovery: 10s}`");
    }
    for (name, length) in &playbook.phases {
        if *length == Span::default() {
            let message = format!("phase `{name}` has no length");
            c.wrong(&format!("phases.{name}"), message, "longer than 0s");
        }
    }
    let total = phases(&playbook.phases).last().map(|p| p.end);
    if total.is_some_and(|total| total > LONGEST) {
        c.wrong_key("phases", format!("a run longer than {LONGEST}"), "too long");
    }
}
