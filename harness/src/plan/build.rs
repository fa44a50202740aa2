//! From a playbook to a plan.

use crate::playbook::{Loaded, Playbook, PlaybookErrors, Problem};

use super::check::check;
use super::infrastructure;
use super::machines::{entry, loads, machines};
use super::model::{Plan, PlannedAssertion, PlannedFault};
use super::resolved::resolved_yaml;
use super::seed::sha256;
use super::text::{fault_kind_name, fault_target, sentence};
use super::time::{interval, phases};
use super::wiring::Wiring;

/// Resolves every name and time of a playbook.
///
/// # Errors
/// Everything in it that cannot be, each at its place.
pub fn plan(loaded: &Loaded) -> Result<Plan, PlaybookErrors> {
    if let Some(errors) = PlaybookErrors::collect(check(loaded), &loaded.sources) {
        return Err(errors);
    }
    build(&loaded.playbook).ok_or_else(|| {
        // Only a gap in the checks leads here.
        let place = loaded.tree.key_place_of("stack");
        let problem = Problem::new(place, "the stack has no entry", "no way in");
        PlaybookErrors::of(problem, &loaded.sources)
    })
}

fn build(playbook: &Playbook) -> Option<Plan> {
    let yaml = resolved_yaml(playbook);
    let phases = phases(&playbook.phases);
    let mut nodes = machines(playbook);
    nodes.extend(infrastructure::nodes(&playbook.site, playbook.seed));
    let assertions = playbook.assert.iter().enumerate();
    Some(Plan {
        hash: sha256(&yaml),
        yaml,
        seed: playbook.seed,
        total: phases.last().map(|p| p.end).unwrap_or_default(),
        hosts: nodes.iter().map(|n| (n.name.clone(), n.ip)).collect(),
        nodes,
        loads: loads(&playbook.stack),
        entry: entry(&playbook.stack)?,
        faults: faults(playbook, &phases)?,
        phases,
        assertions: assertions
            .map(|(index, assertion)| PlannedAssertion {
                index,
                assertion: assertion.clone(),
                text: sentence(assertion),
            })
            .collect(),
        playbook: playbook.clone(),
    })
}

fn faults(playbook: &Playbook, phases: &[super::PlannedPhase]) -> Option<Vec<PlannedFault>> {
    let wiring = Wiring::new(playbook);
    let mut planned: Vec<PlannedFault> = Vec::new();
    for (index, fault) in playbook.faults.iter().enumerate() {
        let kind_name = fault_kind_name(&fault.inject);
        let (at, until) = interval(fault, phases).ok()?;
        let wanted = fault.name.clone().unwrap_or_else(|| kind_name.into());
        let taken = |name: &String| {
            let later = playbook.faults.iter().skip(index + 1);
            planned.iter().any(|p| &p.name == name)
                || (fault.name.is_none() && later.clone().any(|f| f.name.as_ref() == Some(name)))
        };
        let numbered = (2_u64..).map(|n| format!("{wanted}-{n}"));
        let name = std::iter::once(wanted.clone())
            .chain(numbered)
            .find(|name| !taken(name))?;
        planned.push(PlannedFault {
            index,
            name,
            kind: fault.inject.clone(),
            kind_name,
            target: fault_target(&fault.inject),
            at,
            until,
            reach: wiring.reach(&fault.inject),
        });
    }
    Some(planned)
}
