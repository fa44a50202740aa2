//! What a crew sees that is to find out by itself.

use crate::record::{Body, Event, HumanAct};

/// An event as the crew of a blind game day sees it: what production would show,
/// and nothing of the plant's truth, the faults or their schedule.
pub(super) fn for_crew(event: &Event) -> Option<Event> {
    let mut event = event.clone();
    match &mut event.body {
        Body::Run(header) => {
            // A playbook's name tells what is to come, its hash which one it is.
            header.playbook = "game day".into();
            header.seed = 0;
            header.facts.clear();
        }
        Body::Request(_)
        | Body::Attempt(_)
        | Body::Progress { .. }
        | Body::State { .. }
        | Body::Observed { .. }
        | Body::ServiceReady { .. }
        | Body::LoadDone { .. }
        | Body::End { .. } => {}
        Body::Human(human) => match &mut human.act {
            HumanAct::Note { .. } | HumanAct::Stopped => {}
            HumanAct::Noticed { fault }
            | HumanAct::Decided { fault }
            | HumanAct::Acted { fault } => *fault = None,
            HumanAct::Released { .. }
            | HumanAct::Skipped { .. }
            | HumanAct::Armed { .. }
            | HumanAct::Confirmed { .. } => return None,
        },
        _ => return None,
    }
    Some(event)
}
