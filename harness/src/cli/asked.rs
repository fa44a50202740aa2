//! What was asked of `ridethrough run`, read and checked before anything starts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::args::{RunArgs, WorldArg};
use super::fallback::Fallback;
use super::main::complain;
use crate::conduct::Outcome;
use crate::plan::{Plan, assertion_name, attached, plan, plan_file_in};
use crate::playbook::{Loaded, PlaybookErrors, WorldKind};
use crate::record::record_of;
use crate::report::{Expectation, Spot, Told};

/// One run that was asked for.
pub(super) struct Asked {
    pub(super) plan: Plan,
    /// The playbook's file.
    pub(super) file: PathBuf,
    /// The command that repeats it.
    pub(super) repeat: String,
    /// The control that it is.
    pub(super) control: Option<String>,
    /// What it must come to, where that is not simply a pass.
    pub(super) expected: Option<Expectation>,
    /// Where its promises are written.
    places: Vec<Spot>,
}

impl Asked {
    /// The run as reports tell it, now that it is judged.
    pub(super) fn told(&self, outcome: &Outcome) -> Told {
        Told {
            control: self.control.clone(),
            expected: self.expected.clone(),
            places: self.places.clone(),
            ..outcome.told(&self.repeat)
        }
    }

    /// As reports name it.
    pub(super) fn title(&self) -> String {
        match &self.control {
            Some(control) => format!("{}: {control}", self.plan.playbook.name),
            None => self.plan.playbook.name.clone(),
        }
    }
}

/// Why nothing starts.
pub(super) enum Refusal {
    /// A playbook is none.
    Playbook(PlaybookErrors),
    /// The words do not go together.
    Usage(String),
}

impl Refusal {
    pub(super) fn tell(&self, color: bool) {
        match self {
            Self::Playbook(errors) => eprint!("{}", errors.render(color)),
            Self::Usage(message) => complain(message),
        }
    }
}

impl From<PlaybookErrors> for Refusal {
    fn from(errors: PlaybookErrors) -> Self {
        Self::Playbook(errors)
    }
}

/// Everything is read and checked before anything starts, and everything that
/// is wrong is told at once.
pub(super) fn collect(args: &RunArgs) -> Result<Vec<Asked>, Vec<Refusal>> {
    let mut asked = Vec::new();
    let mut refusals = Vec::new();
    let mut fallback = Fallback::default();
    if let Some(out) = &args.out
        && record_of(out).exists()
    {
        let message = format!("{} already holds a run; name another folder", out.display());
        refusals.push(Refusal::Usage(message));
    }
    for path in &args.playbooks {
        match planned(args, path, &mut fallback) {
            Err(refusal) => refusals.push(refusal),
            Ok((loaded, own)) => {
                for one in ask(args, path, &loaded, own) {
                    match one {
                        Ok(one) => asked.push(one),
                        Err(refusal) => refusals.push(refusal),
                    }
                }
            }
        }
    }
    if refusals.is_empty() {
        Ok(asked)
    } else {
        Err(refusals)
    }
}

/// The runs that are asked of one playbook.
fn ask(args: &RunArgs, path: &Path, loaded: &Loaded, own: Plan) -> Vec<Result<Asked, Refusal>> {
    let mut all = vec![match &args.control {
        Some(name) => ask_control(args, path, loaded, name, args.expect.clone()),
        None => Ok(Asked {
            plan: seeded(own, args.seed),
            file: path.to_path_buf(),
            repeat: repeat(args, path, loaded.playbook.seed, None),
            control: None,
            expected: args.expect.clone(),
            places: places(path, loaded),
        }),
    }];
    if args.controls {
        let controls = loaded.playbook.controls.iter();
        // A control that was asked for by name shows its own verdict; among
        // `--controls` it is good when it fails as it must.
        let must = |fails: &str| Some(Expectation::fails(fails));
        all.extend(controls.map(|c| ask_control(args, path, loaded, &c.name, must(&c.fails))));
    }
    let checked = all.into_iter().map(|one| one.and_then(can_come_to));
    checked.collect()
}

/// Nothing can fail on a promise that is not made.
fn can_come_to(asked: Asked) -> Result<Asked, Refusal> {
    let Some(kind) = asked.expected.as_ref().and_then(|e| e.kind.as_deref()) else {
        return Ok(asked);
    };
    let all = asked.plan.assertions.iter();
    let names: BTreeSet<&str> = all.map(|a| assertion_name(&a.assertion)).collect();
    if names.contains(kind) {
        return Ok(asked);
    }
    let (title, names) = (asked.title(), Vec::from_iter(names).join(", "));
    let message = format!("{title} promises no `{kind}`; it promises {names}");
    Err(Refusal::Usage(message))
}

fn places(path: &Path, loaded: &Loaded) -> Vec<Spot> {
    let spot = |line| Spot {
        file: path.to_path_buf(),
        line,
    };
    loaded.promise_lines().into_iter().map(spot).collect()
}

/// A plan whose playbook names the world it will run in.
fn planned(
    args: &RunArgs,
    path: &Path,
    fallback: &mut Fallback,
) -> Result<(Loaded, Plan), Refusal> {
    let asked = args.world.map(WorldKind::from);
    let (mut loaded, mut plan) = plan_file_in(path, asked)?;
    if loaded.playbook.world.is_none() {
        (loaded, plan) = plan_file_in(path, Some(fallback.world()))?;
    }
    if args.pcap && loaded.playbook.world == Some(WorldKind::Virtual) {
        let message = "a virtual world has no frames to capture; use --world embedded";
        return Err(Refusal::Usage(message.into()));
    }
    Ok((loaded, plan))
}

fn ask_control(
    args: &RunArgs,
    path: &Path,
    loaded: &Loaded,
    name: &str,
    expected: Option<Expectation>,
) -> Result<Asked, Refusal> {
    let controls = &loaded.playbook.controls;
    let Some(control) = controls.iter().find(|c| c.name == name) else {
        let names: Vec<_> = controls.iter().map(|c| c.name.as_str()).collect();
        let message = format!(
            "{} has no control {name:?}; it has {}",
            path.display(),
            if names.is_empty() {
                "none".to_string()
            } else {
                names.join(", ")
            }
        );
        return Err(Refusal::Usage(message));
    };
    let changed = attached(loaded.with_control(control)?)?;
    Ok(Asked {
        plan: seeded(plan(&changed)?, args.seed),
        file: path.to_path_buf(),
        repeat: repeat(args, path, loaded.playbook.seed, Some(name)),
        control: Some(control.name.clone()),
        expected,
        places: places(path, loaded),
    })
}

fn seeded(mut plan: Plan, seed: Option<u64>) -> Plan {
    if let Some(seed) = seed {
        plan.reseed(seed);
    }
    plan
}

fn repeat(args: &RunArgs, path: &Path, own_seed: u64, control: Option<&str>) -> String {
    let seed = args.seed.unwrap_or(own_seed);
    let world = match args.world {
        Some(WorldArg::Virtual) => " --world virtual",
        Some(WorldArg::Embedded) => " --world embedded",
        Some(WorldArg::Docker) => " --world docker",
        None => "",
    };
    let control = control
        .map(|name| format!(" --control '{}'", name.replace('\'', r"'\''")))
        .unwrap_or_default();
    let expect = args.expect.as_ref();
    let expect = expect.map_or(String::new(), |e| format!(" --expect {e}"));
    format!(
        "ridethrough run {} --seed {seed}{world}{control}{expect}",
        path.display()
    )
}
