//! The load and the phases.

use ridethrough_targets::units::Span;

use crate::playbook::{Arrivals, LoadSpec, OracleSpec};

use super::super::time::{LONGEST, phases};
use super::checker::Checker;

/// The highest rate of one stream of requests, per second.
const MOST_A_SECOND: f64 = 100_000.0;

/// What `TCP_KEEPIDLE` and `TCP_KEEPINTVL` may be at most in Linux.
const LONGEST_KEEPALIVE: Span = Span::from_secs(32_767);

/// What `TCP_KEEPCNT` may be at most in Linux.
const MOST_PROBES: u32 = 127;

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
        client(c, &path, load);
        oracle(c, &path, load);
    }
}

/// Most prompts that are recorded: all their answers are kept.
const MOST_PROMPTS: u32 = 256;

fn oracle(c: &mut Checker<'_>, path: &str, load: &LoadSpec) {
    let name = &load.name;
    let Some(OracleSpec::Recorded(recorded)) = load.oracle else {
        return;
    };
    let path = format!("{path}.oracle.recorded");
    if !(1..=MOST_PROMPTS).contains(&recorded.prompts) {
        let message = format!("load `{name}` records 1 to {MOST_PROMPTS} prompts");
        c.wrong(&format!("{path}.prompts"), message, "out of range");
    }
    if recorded.within == Span::default() || recorded.within > LONGEST {
        let message = format!("the fault-free pass of load `{name}` takes up to {LONGEST}");
        c.wrong(&format!("{path}.within"), message, "out of range");
    }
}

fn client(c: &mut Checker<'_>, path: &str, load: &LoadSpec) {
    let (name, client) = (&load.name, &load.client);
    let waits = [
        ("connect_timeout", Some(client.connect_timeout)),
        ("idle_timeout", client.idle_timeout.span()),
        ("total_timeout", client.total_timeout.span()),
    ];
    for (key, wait) in waits {
        if wait == Some(Span::default()) {
            let message = format!("clients of load `{name}` give up at once");
            c.wrong(&format!("{path}.client.{key}"), message, "longer than 0s");
        }
    }
    let Some(keepalive) = client.keepalive else {
        return;
    };
    let path = format!("{path}.client.keepalive");
    for (key, span) in [("idle", keepalive.idle), ("interval", keepalive.interval)] {
        let whole = span.micros().is_multiple_of(1_000_000);
        if !whole || span == Span::default() || span > LONGEST_KEEPALIVE {
            let most = LONGEST_KEEPALIVE.secs_f64();
            let message = format!("kernels take keepalive times of 1s to {most}s");
            c.wrong(&format!("{path}.{key}"), message, "in whole seconds");
        }
    }
    if !(1..=MOST_PROBES).contains(&keepalive.count) {
        let message = format!("kernels send 1 to {MOST_PROBES} keepalive probes");
        c.wrong(&format!("{path}.count"), message, "out of range");
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
