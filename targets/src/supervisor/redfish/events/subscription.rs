//! One subscription.

use serde_json::{Value as Json, json};

use super::super::doc::{resource, uri, with};
use super::filter::Filter;

/// What is done about a receiver that does not answer.
pub(super) const POLICIES: [&str; 3] = ["TerminateAfterRetries", "SuspendRetries", "RetryForever"];

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Receiver {
    /// They are posted to this address.
    Post {
        /// As the client wrote it.
        destination: String,
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// Over TLS; whoever answers is believed.
        tls: bool,
        /// The path and the query.
        path: String,
    },
    /// They are written to an open stream.
    Stream,
}

/// A subscription.
#[derive(Clone, Debug)]
pub(in super::super) struct Subscription {
    pub(in super::super) receiver: Receiver,
    pub(in super::super) context: String,
    pub(in super::super) policy: String,
    pub(in super::super) filter: Filter,
    /// The receiver did not answer, and the policy is to stop.
    pub(in super::super) suspended: bool,
    /// The number of the last event that it need not hear.
    pub(in super::super) seen: u64,
}

/// A list, left out where it is empty.
fn put(document: &mut Json, name: &str, list: &[String]) {
    if !list.is_empty() {
        document[name] = list.into();
    }
}

impl Subscription {
    pub(super) fn document(&self, id: &str) -> Json {
        let here = uri(&["EventService", "Subscriptions", id]);
        let map = resource("EventDestination", &here, id, "Event Subscription");
        let (kind, protocol) = match &self.receiver {
            Receiver::Post { .. } => ("RedfishEvent", "Redfish"),
            Receiver::Stream => ("SSE", "Redfish"),
        };
        let state = if self.suspended {
            "Disabled"
        } else {
            "Enabled"
        };
        let mut document = json!({
            "Context": self.context,
            "Protocol": protocol,
            "SubscriptionType": kind,
            "EventFormatType": "Event",
            "DeliveryRetryPolicy": self.policy,
            "Status": {"State": state, "Health": if self.suspended { "Warning" } else { "OK" }},
        });
        if let Receiver::Post { tls: true, .. } = self.receiver {
            document["VerifyCertificate"] = false.into();
        }
        document["Destination"] = match &self.receiver {
            Receiver::Post { destination, .. } => destination.as_str().into(),
            Receiver::Stream => Json::Null,
        };
        let filter = &self.filter;
        put(&mut document, "RegistryPrefixes", &filter.prefixes);
        put(
            &mut document,
            "ExcludeRegistryPrefixes",
            &filter.not_prefixes,
        );
        put(&mut document, "MessageIds", &filter.messages);
        put(&mut document, "ExcludeMessageIds", &filter.not_messages);
        put(&mut document, "ResourceTypes", &filter.types);
        put(&mut document, "Severities", &filter.severities);
        if !filter.origins.is_empty() {
            let origins = filter.origins.iter().cloned();
            document["OriginResources"] = super::super::doc::links(origins);
            document["SubordinateResources"] = filter.subordinate.into();
        }
        with(map, document)
    }
}
