//! Events that happened, the last of them kept.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::super::config::RedfishConfig;
use super::super::kinds::typed;
use super::super::messages::Message;
use super::super::site::date;
use crate::clock::Micros;

/// Something that happened.
#[derive(Clone, Debug)]
pub(in super::super) struct Event {
    pub(in super::super) t_us: Micros,
    pub(in super::super) message: Message,
    /// Redfish `EventType`.
    pub(in super::super) kind: String,
    /// The URI of the resource that it happened to, and its schema.
    pub(in super::super) origin: Option<(String, &'static str)>,
}

/// The last events, each with its number.
#[derive(Debug)]
pub(in super::super) struct Log {
    /// The number of the first that is kept.
    first: u64,
    room: usize,
    events: VecDeque<Arc<Event>>,
}

/// What there is after a number.
pub(super) enum After {
    /// These events, by number.
    Events(Vec<(u64, Arc<Event>)>),
    /// Some that were never taken are gone.
    Lost,
}

impl Log {
    pub(in super::super) fn new(room: usize) -> Self {
        Self {
            first: 1,
            room: room.max(1),
            events: VecDeque::new(),
        }
    }

    /// Adds an event.
    pub(in super::super) fn push(&mut self, event: Event) {
        if self.events.len() == self.room {
            self.events.pop_front();
            self.first += 1;
        }
        self.events.push_back(Arc::new(event));
    }

    /// The number of the last event.
    pub(in super::super) fn last(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    /// What is kept, by number.
    #[cfg(test)]
    pub(in super::super) fn kept(&self) -> impl Iterator<Item = (u64, &Event)> {
        (self.first..).zip(self.events.iter().map(|event| &**event))
    }

    /// The events after number `seen`, at most `most`.
    pub(super) fn after(&self, seen: u64, most: usize) -> After {
        let next = seen + 1;
        if next < self.first {
            return After::Lost;
        }
        let skip = (next - self.first) as usize;
        let events = self.events.iter().enumerate().skip(skip).take(most);
        After::Events(
            events
                .map(|(index, event)| (self.first + index as u64, Arc::clone(event)))
                .collect(),
        )
    }
}

/// The document that carries events.
pub(in super::super) fn document(
    config: &RedfishConfig,
    context: &str,
    events: &[(u64, Arc<Event>)],
) -> Json {
    let last = events.last().map_or(0, |(number, _)| *number);
    let records = events.iter().enumerate().map(|(index, (number, event))| {
        let mut record = json!({
            "MemberId": index.to_string(),
            "EventType": event.kind,
            "EventId": number.to_string(),
            "EventTimestamp": date(config, event.t_us),
            "MessageId": event.message.id,
            "Message": event.message.text,
            "MessageArgs": event.message.arguments,
            "MessageSeverity": event.message.severity,
            "Severity": event.message.severity,
        });
        if let Some((origin, _)) = &event.origin {
            record["OriginOfCondition"] = json!({"@odata.id": origin});
        }
        record
    });
    let mut document = json!({
        "@odata.type": typed("Event"),
        "Id": last.to_string(),
        "Name": "Event Array",
        "Events": records.collect::<Vec<_>>(),
    });
    if !context.is_empty() {
        document["Context"] = context.into();
    }
    document
}
