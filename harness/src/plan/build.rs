//! From a playbook to a plan.

use std::net::Ipv4Addr;
use std::path::Path;

use ridethrough_targets::telemetry::Protocol;

use crate::playbook::{
    Assertion, Loaded, NetworkDef, PlaybookErrors, Problem, Teller, WorldKind, load_parts, read,
    shown,
};

use super::attach::attached;
use super::check::{check, check_rest};
use super::common_mode;
use super::doors::doors;
use super::faults::faults;
use super::infrastructure::{self, Clients};
use super::machines::{dialect, entry, held_against, loads, machines, model, writers};
use super::model::{Plan, PlannedAssertion, PlannedNode};
use super::resolved::resolved_yaml;
use super::seed::sha256;
use super::text::sentence;
use super::time::phases;
use super::wiring::Wiring;

/// Resolves every name and time of a playbook.
///
/// # Errors
/// Everything in it that cannot be, each at its place.
pub fn plan(loaded: &Loaded) -> Result<Plan, PlaybookErrors> {
    if let Some(errors) = PlaybookErrors::collect(check(loaded), &loaded.sources) {
        return Err(errors);
    }
    build(loaded).ok_or_else(|| {
        // Only a gap in the checks leads here.
        let place = loaded.tree.key_place_of("stack");
        let problem = Problem::new(place, "the stack has no entry", "no way in");
        PlaybookErrors::of(problem, &loaded.sources)
    })
}

/// Reads a playbook and resolves it. Beyond [`load_playbook`] and [`plan`] one
/// after the other, what is left of a playbook that cannot be read in full is
/// looked at too, so that every mistake is told at once.
///
/// [`load_playbook`]: crate::playbook::load_playbook
///
/// # Errors
/// Everything that is wrong with it, each at its place.
pub fn plan_file(path: &Path) -> Result<(Loaded, Plan), PlaybookErrors> {
    plan_file_in(path, None)
}

/// As [`plan_file`], for a run in this world instead of the playbook's own.
///
/// # Errors
/// As [`plan_file`], and what the world cannot have.
pub fn plan_file_in(
    path: &Path,
    world: Option<WorldKind>,
) -> Result<(Loaded, Plan), PlaybookErrors> {
    match read(path) {
        Ok(text) => plan_source_in(path, &text, world),
        Err(why) => {
            let file = shown(path);
            Err(PlaybookErrors::unreadable(&file, why.message, why.help))
        }
    }
}

/// As [`plan_file`], from text that would stand in the file `path`.
///
/// # Errors
/// As [`plan_file`].
pub fn plan_source(path: &Path, text: &str) -> Result<(Loaded, Plan), PlaybookErrors> {
    plan_source_in(path, text, None)
}

fn plan_source_in(
    path: &Path,
    text: &str,
    world: Option<WorldKind>,
) -> Result<(Loaded, Plan), PlaybookErrors> {
    match load_parts(path, text) {
        Ok(mut loaded) => {
            loaded.playbook.world = world.or(loaded.playbook.world);
            let loaded = attached(loaded)?;
            let plan = plan(&loaded)?;
            Ok((loaded, plan))
        }
        Err(mut bad) => {
            // What a project holds is only asked of a playbook that can be read.
            let attached = |rest: &Loaded| rest.playbook.stack.compose.is_some();
            if !bad.rest.iter().any(attached) {
                bad.problems.extend(check_rest(&bad.rest));
            }
            Err(bad.errors())
        }
    }
}

fn build(loaded: &Loaded) -> Option<Plan> {
    let playbook = &held_against(&loaded.playbook);
    let yaml = resolved_yaml(loaded);
    let phases = phases(&playbook.phases);
    let mut nodes = machines(playbook);
    let entry = entry(&playbook.stack)?;
    let clients = Clients {
        loads: &playbook.load,
        entry: &entry,
        model: model(&playbook.stack),
        doors: doors(&playbook.stack, &entry),
        watched: watched(&playbook.assert),
        dialect: dialect(&playbook.stack),
        writers: writers(playbook),
    };
    nodes.extend(infrastructure::nodes(
        &playbook.site,
        &playbook.stack,
        playbook.seed,
        &clients,
    ));
    if let Some(network) = &playbook.stack.network {
        share(network, &mut nodes);
    }
    let assertions = playbook.assert.iter().enumerate();
    Some(Plan {
        hash: sha256(&yaml),
        yaml,
        seed: playbook.seed,
        total: phases.last().map(|p| p.end).unwrap_or_default(),
        hosts: nodes.iter().map(|n| (n.name.clone(), n.ip)).collect(),
        loads: loads(&playbook.stack),
        switches: Wiring::new(playbook).switches(),
        entry,
        faults: faults(playbook, &phases, &nodes)?,
        nodes,
        phases,
        assertions: assertions
            .map(|(index, assertion)| PlannedAssertion {
                index,
                assertion: assertion.clone(),
                text: sentence(assertion),
            })
            .collect(),
        notes: common_mode::notes(&playbook.site),
        playbook: playbook.clone(),
    })
}

/// Gives every node of our own an address on the network of a project: from its
/// end, where engines give none for long.
fn share(network: &NetworkDef, nodes: &mut [PlannedNode]) {
    let size = 1_u64 << (32 - u32::from(network.prefix.min(32)));
    let first = u64::from(u32::from(network.first));
    // The last of a subnet is its broadcast address.
    let mut free = (first + 1..(first + size).saturating_sub(1))
        .rev()
        .filter_map(|at| u32::try_from(at).ok().map(Ipv4Addr::from))
        .filter(|ip| !network.taken.contains(ip));
    for node in nodes.iter_mut().filter(|node| !node.spec().is_guest()) {
        if let Some(ip) = free.next() {
            node.ip = ip;
        }
    }
}

/// Protocols that a promise looks through, beside NUT at the supervisor.
fn watched(promises: &[Assertion]) -> Vec<Protocol> {
    let has = |teller| {
        let asks = |a: &Assertion| matches!(a, Assertion::TruthLag(a) if a.via == teller);
        promises.iter().any(asks)
    };
    let mut watched = Vec::new();
    watched.extend(has(Teller::Snmp).then_some(Protocol::Snmp));
    watched.extend(has(Teller::Modbus).then_some(Protocol::Modbus));
    watched
}
