//! From the events of a record to spans.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use ridethrough_targets::clock::Micros;
use ridethrough_targets::service::Attempt;

use super::ids;
use super::otlp::{
    Attribute, Request, Resource, ResourceSpans, Scope, ScopeSpans, Span, SpanEvent, Status,
    attribute,
};
use crate::load::{Group, LedgerRow};
use crate::record::{Body, FaultReceipt, RecordError, RecordReader, RunHeader};

/// Spans in one message: some megabytes at most, with their gaps.
const MESSAGE: usize = 2_000;
/// A pause between two tokens that is worth a span event.
const GAP_US: Micros = 250_000;
/// Gaps that one request tells.
const MOST_GAPS: usize = 32;

/// What an export held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Messages.
    pub messages: usize,
    /// Spans in them.
    pub spans: usize,
}

/// A run, as its spans see it.
struct Run {
    id: String,
    /// Wall clock at run time 0.
    epoch_ns: u64,
    resource: Vec<Attribute>,
}

/// What a witness saw: when, what in words, and whether it is as it should be.
type Sight = (Micros, String, bool);

/// What is open until its end is told.
#[derive(Default)]
struct Open {
    attempts: BTreeMap<String, Vec<(String, Attempt)>>,
    faults: BTreeMap<usize, (FaultReceipt, Vec<Sight>)>,
    state: Option<(Micros, String, String, u64)>,
    last_us: Micros,
}

/// Reads a record and gives its spans, message by message, as OTLP's JSON.
///
/// # Errors
/// The record cannot be read, or `take` would not have a message.
pub fn export<E: From<RecordError>>(
    record: &Path,
    mut take: impl FnMut(String) -> Result<(), E>,
) -> Result<Exported, E> {
    let mut reader = RecordReader::open(record).map_err(E::from)?;
    let Some(first) = reader.next() else {
        return Ok(Exported::default());
    };
    let first = first.map_err(E::from)?;
    let run = match &first.body {
        Body::Run(header) => Run::of(header),
        _ => Run::of(&nameless()),
    };
    let mut exported = Exported::default();
    let mut open = Open::default();
    let mut spans = Vec::new();
    let mut flush = |spans: &mut Vec<Span>, least: usize| -> Result<(), E> {
        if spans.len() < least {
            return Ok(());
        }
        exported.messages += 1;
        exported.spans += spans.len();
        take(run.message(std::mem::take(spans)))
    };
    for event in reader {
        let event = event.map_err(E::from)?;
        open.take(&run, event.t_us, event.source, event.body, &mut spans);
        flush(&mut spans, MESSAGE)?;
    }
    open.end(&run, &mut spans);
    flush(&mut spans, 1)?;
    Ok(exported)
}

fn nameless() -> RunHeader {
    RunHeader {
        schema: 0,
        run: "unknown".into(),
        playbook: String::new(),
        seed: 0,
        world: String::new(),
        started: String::new(),
        version: String::new(),
        facts: indexmap::IndexMap::new(),
    }
}

impl Run {
    fn of(header: &RunHeader) -> Self {
        let started = header.started.parse::<jiff::Timestamp>();
        let epoch_ns = started.map_or(0, |started| started.as_nanosecond());
        Self {
            id: header.run.clone(),
            epoch_ns: u64::try_from(epoch_ns).unwrap_or(0),
            resource: vec![
                attribute("service.name", "ridethrough"),
                attribute("service.version", &*header.version),
                attribute("service.instance.id", &*header.run),
                attribute("ridethrough.playbook", &*header.playbook),
                attribute("ridethrough.world", &*header.world),
                attribute("ridethrough.seed", header.seed),
            ],
        }
    }

    fn ns(&self, t_us: Micros) -> u64 {
        self.epoch_ns.saturating_add(t_us.saturating_mul(1_000))
    }

    fn message(&self, spans: Vec<Span>) -> String {
        let request = Request {
            resource_spans: [ResourceSpans {
                resource: Resource {
                    attributes: self.resource.clone(),
                },
                scope_spans: [ScopeSpans {
                    scope: Scope {
                        name: "ridethrough",
                        version: env!("CARGO_PKG_VERSION"),
                    },
                    spans,
                }],
            }],
        };
        serde_json::to_string(&request).unwrap_or_default()
    }

    /// A span of the trace and with the id that `what` and `which` make.
    fn span(&self, what: &str, which: u64, name: String, (from, to): (Micros, Micros)) -> Span {
        Span {
            trace_id: ids::trace(&self.id, what),
            span_id: ids::span(&self.id, what, which),
            parent_span_id: String::new(),
            name,
            kind: 1,
            start_time_unix_nano: self.ns(from),
            end_time_unix_nano: self.ns(to.max(from)),
            attributes: Vec::new(),
            events: Vec::new(),
            status: Status::default(),
        }
    }
}

impl Open {
    fn take(&mut self, run: &Run, t_us: Micros, source: String, body: Body, to: &mut Vec<Span>) {
        self.last_us = self.last_us.max(t_us);
        match body {
            Body::Attempt(attempt) => {
                let all = self.attempts.entry(attempt.request.clone()).or_default();
                all.push((source, attempt));
            }
            Body::Request(row) => {
                let attempts = self.attempts.remove(&row.id).unwrap_or_default();
                request(run, &row, &attempts, to);
            }
            Body::FaultInjected(receipt) => {
                self.faults.insert(receipt.fault, (receipt, Vec::new()));
            }
            Body::Witness(report) => {
                if let Some((_, seen)) = self.faults.get_mut(&report.fault) {
                    let at_us = report.observed_us.unwrap_or(t_us);
                    let text = format!("{} ({})", report.stage, report.witness);
                    seen.push((at_us, text, report.effective));
                }
            }
            Body::FaultHealed { fault } => {
                if let Some((receipt, seen)) = self.faults.remove(&fault) {
                    to.push(fault_span(run, &receipt, &seen, t_us));
                }
            }
            Body::State {
                of, to: now, cause, ..
            } if of == "supervisor" => {
                let which = self.state.as_ref().map_or(0, |(.., which)| which + 1);
                if let Some(state) = self.state.replace((t_us, now, cause, which)) {
                    to.push(state_span(run, &state, t_us));
                }
            }
            _ => {}
        }
    }

    /// What never ended, ends with the record.
    fn end(&mut self, run: &Run, to: &mut Vec<Span>) {
        for (receipt, seen) in std::mem::take(&mut self.faults).into_values() {
            to.push(fault_span(run, &receipt, &seen, self.last_us));
        }
        if let Some(state) = self.state.take() {
            to.push(state_span(run, &state, self.last_us));
        }
    }
}

fn request(run: &Run, row: &LedgerRow, attempts: &[(String, Attempt)], to: &mut Vec<Span>) {
    let span = (row.scheduled_us, row.end_us);
    let mut parent = run.span(&row.id, 0, format!("request {}", row.load), span);
    parent.kind = 3;
    let fate = word(&row.fate);
    parent.attributes = vec![
        attribute("ridethrough.request", &*row.id),
        attribute("ridethrough.class", &*row.class),
        attribute("ridethrough.fate", &*fate),
        attribute("gen_ai.usage.input_tokens", u64::from(row.prompt_tokens)),
        attribute("gen_ai.usage.output_tokens", u64::from(row.tokens)),
    ];
    if let Some(status) = row.status {
        let status = attribute("http.response.status_code", u64::from(status));
        parent.attributes.push(status);
    }
    parent.status = match row.group() {
        Group::Whole => Status {
            code: 1,
            message: String::new(),
        },
        _ => Status {
            code: 2,
            message: row.detail.clone(),
        },
    };
    parent.events = moments(run, row);
    for (n, (gateway, attempt)) in attempts.iter().enumerate() {
        let span = (attempt.start_us, attempt.end_us);
        let name = format!("attempt {}", attempt.replica);
        let mut child = run.span(&row.id, n as u64 + 1, name, span);
        child.parent_span_id.clone_from(&parent.span_id);
        child.kind = 3;
        let how = word(&attempt.end);
        child.attributes = vec![
            attribute("ridethrough.gateway", &**gateway),
            attribute("server.address", &*attempt.replica),
            attribute("ridethrough.attempt", u64::from(attempt.index)),
            attribute("ridethrough.from_token", u64::from(attempt.from_token)),
            attribute("ridethrough.tokens", u64::from(attempt.tokens)),
            attribute("ridethrough.end", &*how),
        ];
        child.status.code = if how == "completed" { 1 } else { 2 };
        to.push(child);
    }
    to.push(parent);
}

/// The first token, and the pauses that a reader would notice.
fn moments(run: &Run, row: &LedgerRow) -> Vec<SpanEvent> {
    let mut events = Vec::new();
    let mut last = None;
    for (n, t_us) in row.token_us.iter().enumerate() {
        let after_us = t_us.saturating_sub(last.unwrap_or(row.scheduled_us));
        let gap = last.is_some() && after_us >= GAP_US && events.len() <= MOST_GAPS;
        if last.is_none() || gap {
            events.push(SpanEvent {
                time_unix_nano: run.ns(t_us),
                name: if gap { "gap" } else { "first token" }.into(),
                attributes: vec![
                    attribute("ridethrough.token", n as u64),
                    attribute("ridethrough.after_us", after_us),
                ],
            });
        }
        last = Some(t_us);
    }
    events
}

fn fault_span(run: &Run, receipt: &FaultReceipt, seen: &[Sight], end_us: Micros) -> Span {
    let what = format!("fault {}", receipt.fault);
    let name = format!("fault {}", receipt.fault_kind);
    let mut span = run.span(&what, 0, name, (receipt.injected_us, end_us));
    let effective = seen.iter().any(|(_, _, effective)| *effective);
    span.attributes = vec![
        attribute("ridethrough.fault", receipt.fault as u64),
        attribute("ridethrough.target", &*receipt.target),
        attribute("ridethrough.requested_us", receipt.requested_us),
        attribute("ridethrough.effective", effective),
    ];
    span.events = seen
        .iter()
        .map(|(at_us, text, effective)| SpanEvent {
            time_unix_nano: run.ns(*at_us),
            name: format!("witness {text}"),
            attributes: vec![attribute("ridethrough.effective", *effective)],
        })
        .collect();
    span
}

fn state_span(
    run: &Run,
    (from, state, cause, which): &(Micros, String, String, u64),
    to: Micros,
) -> Span {
    let mut span = run.span(
        "supervisor",
        *which,
        format!("supervisor {state}"),
        (*from, to),
    );
    span.attributes = vec![
        attribute("ridethrough.state", &**state),
        attribute("ridethrough.cause", &**cause),
    ];
    span
}

fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
