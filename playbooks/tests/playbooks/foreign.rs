//! Playbooks whose stack runs programs that nobody here wrote: in real time only,
//! and only where the programs are.

use libtest_mimic::Trial;

use ridethrough::conduct::programs;
use ridethrough::playbook::{Loaded, WorldKind};

use crate::case::Case;
use crate::needs;
use crate::real_run::RealRun;

/// Stacks that are too large to be installed for every change: where they are
/// missing, not even `CI=true` asks for them.
const LARGE: [&str; 2] = ["litellm", "llama"];

/// Whether a playbook is such a one.
pub(crate) fn is(loaded: &Loaded) -> bool {
    let foreign = |loaded: &Loaded| {
        let mut services = loaded.playbook.stack.services.values();
        services.any(|service| service.command.is_some() && !service.is_container())
    };
    loaded.playbook.world == Some(WorldKind::Embedded) && foreign(loaded)
}

/// The playbook and its controls, in `embedded`.
pub(crate) fn trials(
    loaded: &Loaded,
    cases: Vec<(String, Case)>,
    missing: Option<&str>,
) -> Vec<Trial> {
    let stack = &loaded.playbook.stack;
    let program = programs(stack).err().map(|error| error.to_string());
    let large = LARGE.iter().any(|name| stack.name.starts_with(name));
    let passed_over = large && program.is_some();
    let missing = missing.map(str::to_string).or(program);
    let trial = |(name, case): (String, Case)| {
        let name = format!("playbooks::embedded::{name}");
        let test = move || RealRun::of(case, WorldKind::Embedded).judged();
        let trial = needs(name, test, missing.as_deref());
        match passed_over {
            true => trial.with_ignored_flag(true),
            false => trial,
        }
    };
    cases.into_iter().map(trial).collect()
}
