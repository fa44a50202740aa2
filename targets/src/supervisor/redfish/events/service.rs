//! The event service's resources, and what may be made in it.

use hyper::{StatusCode, Uri};
use serde_json::{Map, Value as Json, json};

use super::super::body::{refuse, required, text, texts};
use super::super::config::RedfishConfig;
use super::super::doc::{collection, link, resource, uri, with};
use super::super::error::Refusal;
use super::super::kinds::{KINDS, prefixes};
use super::super::messages::{Message, REGISTRIES};
use super::super::resource::{Action, Resource, ServiceChange, Step, Wrong, text as written};
use super::super::state::State;
use super::filter::Filter;
use super::log::Event;
use super::subscription::{POLICIES, Receiver, Subscription};
use crate::clock::Micros;

/// The kinds of event that are sent.
const EVENT_TYPES: [&str; 3] = ["Alert", "ResourceUpdated", "StatusChange"];
const SEVERITIES: [&str; 3] = ["OK", "Warning", "Critical"];

/// The event service.
pub(in super::super) fn event_service(config: &RedfishConfig) -> Resource {
    let here = uri(&["EventService"]);
    let map = resource("EventService", &here, "EventService", "Event Service");
    let types = KINDS.iter().filter(|(_, version)| !version.is_empty());
    let types: Vec<&str> = types.map(|(kind, _)| *kind).collect();
    let document = json!({
        "ServiceEnabled": true,
        "Status": {"State": "Enabled", "Health": "OK"},
        "DeliveryRetryAttempts": config.retries,
        "DeliveryRetryIntervalSeconds": config.retry_after.secs_f64().ceil().max(1.0) as u64,
        "EventFormatTypes": ["Event"],
        "RegistryPrefixes": prefixes(),
        "ExcludeRegistryPrefix": true,
        "ExcludeMessageId": true,
        "ResourceTypes": types,
        "Severities": SEVERITIES,
        "SubordinateResourcesSupported": true,
        "IncludeOriginOfConditionSupported": false,
        "ServerSentEventUri": format!("{here}/SSE"),
        "SSEFilterPropertiesSupported": {
            "EventFormatType": false,
            "MessageId": true,
            "MetricReportDefinition": false,
            "OriginResource": true,
            "RegistryPrefix": true,
            "ResourceType": true,
            "SubordinateResources": false,
        },
        "Subscriptions": link(format!("{here}/Subscriptions")),
    });
    Resource::fixed(with(map, document))
        .needs("ConfigureManager")
        .action(Action::of(
            "EventService.SubmitTestEvent",
            "MessageId",
            Vec::new(),
        ))
}

/// The subscriptions, or one of them.
pub(in super::super) fn subscription_at(state: &State, path: &[&str]) -> Option<Resource> {
    let here = uri(&["EventService", "Subscriptions"]);
    match path {
        [] => {
            let members = state.subscriptions.keys().map(|id| format!("{here}/{id}"));
            let name = "Event Subscriptions";
            let document = collection("EventDestination", &here, name, members.collect());
            Some(Resource {
                creates: true,
                ..Resource::fixed(document).needs("ConfigureManager")
            })
        }
        [id] => {
            let document = state.subscriptions.get(*id)?.document(id);
            let change = |change| Ok(Step::Service(change));
            let resource = Resource {
                deletes: true,
                ..Resource::fixed(document).needs("ConfigureManager")
            };
            let resource = resource
                .write("Context", move |value| {
                    change(ServiceChange::Context(written(value)?.into()))
                })
                .write("DeliveryRetryPolicy", move |value| {
                    let policy = written(value)?;
                    let known = POLICIES.contains(&policy);
                    let policy = known.then(|| policy.to_string()).ok_or(Wrong::List)?;
                    change(ServiceChange::RetryPolicy(policy))
                });
            Some(resource)
        }
        _ => None,
    }
}

/// A subscription from the body of a POST.
pub(in super::super) fn create(body: &Map<String, Json>) -> Result<Subscription, Refusal> {
    let destination = required(body, "Destination")?;
    let receiver = receiver(destination)?;
    required(body, "Protocol")?;
    let mut subscription = Subscription {
        receiver,
        context: String::new(),
        policy: POLICIES[0].into(),
        filter: Filter::default(),
        suspended: false,
        seen: 0,
    };
    for (name, value) in body.iter().filter(|(name, _)| !name.contains('@')) {
        set(&mut subscription, name, value)?;
    }
    Ok(subscription)
}

/// The value must be one of these.
fn one_of(value: &Json, name: &str, list: &[&str]) -> Result<String, Refusal> {
    let value_text = text(value, name)?;
    match list.contains(&value_text) {
        true => Ok(value_text.into()),
        false => Err(refuse(Wrong::List, value, name)),
    }
}

/// The values must all be of these.
fn all_of(value: &Json, name: &str, list: &[&str]) -> Result<Vec<String>, Refusal> {
    let values = texts(value, name)?;
    match values.iter().all(|v| list.contains(&v.as_str())) {
        true => Ok(values),
        false => Err(refuse(Wrong::List, value, name)),
    }
}

fn set(to: &mut Subscription, name: &str, value: &Json) -> Result<(), Refusal> {
    let filter = &mut to.filter;
    let types: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
    match name {
        "Destination" => {}
        "Protocol" => drop(one_of(value, name, &["Redfish"])?),
        "SubscriptionType" => drop(one_of(value, name, &["RedfishEvent"])?),
        "EventFormatType" => drop(one_of(value, name, &["Event"])?),
        "Context" => to.context = text(value, name)?.into(),
        "DeliveryRetryPolicy" => to.policy = one_of(value, name, &POLICIES)?,
        "RegistryPrefixes" => filter.prefixes = all_of(value, name, &prefixes())?,
        "ExcludeRegistryPrefixes" => filter.not_prefixes = all_of(value, name, &prefixes())?,
        "MessageIds" => filter.messages = texts(value, name)?,
        "ExcludeMessageIds" => filter.not_messages = texts(value, name)?,
        "ResourceTypes" => filter.types = all_of(value, name, &types)?,
        "Severities" => filter.severities = all_of(value, name, &SEVERITIES)?,
        "EventTypes" => {
            let known = [&EVENT_TYPES[..], &["ResourceAdded", "ResourceRemoved"]].concat();
            filter.kinds = all_of(value, name, &known)?;
        }
        "SubordinateResources" => {
            let flag = value.as_bool();
            filter.subordinate = flag.ok_or_else(|| refuse(Wrong::Type, value, name))?;
        }
        "OriginResources" => {
            let list = value.as_array().map(|list| {
                let uris = list.iter().map(|v| v["@odata.id"].as_str());
                let uris = uris.map(|uri| uri.map(str::to_string));
                uris.collect::<Option<Vec<_>>>()
            });
            filter.origins = list
                .flatten()
                .ok_or_else(|| refuse(Wrong::Type, value, name))?;
        }
        _ => {
            let message = Message::new("Base", "PropertyUnknown", &[name]).about(name);
            return Err(Refusal::all(StatusCode::BAD_REQUEST, vec![message]));
        }
    }
    Ok(())
}

/// An address of the form `http://host:port/path`.
fn receiver(destination: &str) -> Result<Receiver, Refusal> {
    let refuse = || {
        let arguments = &[destination, "Destination"];
        let message = Message::new("Base", "PropertyValueFormatError", arguments);
        Refusal::all(StatusCode::BAD_REQUEST, vec![message.about("Destination")])
    };
    let uri: Uri = destination.parse().map_err(|_| refuse())?;
    let host = uri.host().filter(|host| !host.is_empty());
    match (uri.scheme_str(), host) {
        (Some(scheme @ ("http" | "https")), Some(host)) => Ok(Receiver::Post {
            destination: destination.into(),
            host: host.into(),
            tls: scheme == "https",
            port: uri
                .port_u16()
                .unwrap_or(if scheme == "https" { 443 } else { 80 }),
            path: uri.path_and_query().map_or("/", |p| p.as_str()).into(),
        }),
        _ => Err(refuse()),
    }
}

/// The event that a client asks for to see that it arrives.
pub(in super::super) fn test_event(
    body: &Map<String, Json>,
    now: Micros,
) -> Result<Event, Refusal> {
    let action = "EventService.SubmitTestEvent";
    let Some(id) = body.get("MessageId") else {
        return Err(Refusal::bad(
            "ActionParameterMissing",
            &[action, "MessageId"],
        ));
    };
    let id = text(id, "MessageId")?;
    let mut event = Event {
        t_us: now,
        message: Message::new("ResourceEvent", "TestMessage", &[]),
        kind: "Alert".into(),
        origin: None,
    };
    let known = known(id);
    let mut arguments = Vec::new();
    let (mut said, mut severity) = (None, None);
    for (name, value) in body.iter().filter(|(name, _)| !name.contains('@')) {
        match name.as_str() {
            "MessageId" | "EventId" | "EventTimestamp" => drop(text(value, name)?),
            "MessageArgs" => arguments = texts(value, name)?,
            "EventType" => event.kind = text(value, name)?.into(),
            "Message" => said = Some(text(value, name)?.to_string()),
            "Severity" | "MessageSeverity" => {
                severity = Some(one_of(value, name, &SEVERITIES)?);
            }
            "OriginOfCondition" => event.origin = Some((text(value, name)?.into(), "")),
            "EventGroupId" if value.is_i64() => {}
            _ => return Err(Refusal::bad("ActionParameterUnknown", &[action, name])),
        }
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Some((prefix, key)) = known {
        event.message = Message::new(prefix, key, &words);
    }
    event.message.id = id.into();
    event.message.arguments = arguments;
    event.message.severity = severity.unwrap_or(event.message.severity);
    event.message.text = said.unwrap_or(event.message.text);
    Ok(event)
}

/// The prefix and the key of a message that is in our tables.
fn known(id: &str) -> Option<(&'static str, &'static str)> {
    let key = id.rsplit('.').next()?;
    let registry = REGISTRIES.iter().find(|r| id.starts_with(r.prefix))?;
    let template = registry.messages.iter().find(|t| t.key == key)?;
    Some((registry.prefix, template.key))
}
