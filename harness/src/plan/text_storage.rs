//! Storage faults and promises as readable words.

use crate::playbook::DurabilityAssert;

use super::text::during;

pub(super) fn durability(a: &DurabilityAssert) -> String {
    let during = during(a.during.as_deref());
    let service = &a.service;
    match a.lost {
        0 => format!("every write that {service} acknowledged{during} is there at the end"),
        n => format!("at most {n} of the writes that {service} acknowledged{during} are gone"),
    }
}
