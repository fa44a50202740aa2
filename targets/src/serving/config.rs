//! What a gateway and a replica are told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{PerUnit, Span};

/// Which defences a gateway has; each playbook can show which one a fault needs.
///
/// Health checks, admission, shedding, the connect timeout and the request's
/// deadline are there in every mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GatewayMode {
    /// None: one attempt, the stream ends as the replica's does.
    None,
    /// Another replica before the first token.
    RetryOnly,
    /// `retry_only`, and TCP keepalive and user timeout under it.
    KeepaliveOnly,
    /// `keepalive_only`, and a bound on silence within a stream: the stream is
    /// torn loudly, not resumed.
    IdleTimeout,
    /// All of it: torn streams go on elsewhere at the next token.
    #[default]
    Full,
}

/// A gateway's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// The port it listens on.
    pub port: u16,
    /// The defences it has.
    pub mode: GatewayMode,
    /// The replicas, filled in from the stack.
    #[schemars(skip)]
    pub replicas: Vec<ReplicaRef>,
    /// Longest wait for a connection to a replica.
    pub connect_timeout: Span,
    /// Longest wait for a first token from one replica before another is tried.
    pub first_token_timeout: Span,
    /// Shortest bound on silence within a stream; the bound in force is the
    /// larger of this and 20 times the recent p99 of the gaps.
    pub idle_timeout: Span,
    /// Longest life of a request.
    pub deadline: Span,
    /// Retries and resumes allowed, as a share of recent requests (with a floor
    /// of 10 a second).
    pub retry_budget: PerUnit,
    /// Active health checks, through the request path.
    pub health: HealthCheck,
    /// Admission by class.
    pub admission: Admission,
    /// Shedding on battery; needs a supervisor to ask.
    pub power: PowerAware,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            port: 8000,
            mode: GatewayMode::Full,
            replicas: Vec::new(),
            connect_timeout: Span::from_millis(500),
            first_token_timeout: Span::from_secs(2),
            idle_timeout: Span::from_secs(1),
            deadline: Span::from_secs(120),
            retry_budget: PerUnit(0.2),
            health: HealthCheck::default(),
            admission: Admission::default(),
            power: PowerAware::default(),
        }
    }
}

/// A replica as its gateway knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplicaRef {
    /// Its name (the node's).
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Active health checks: a generation of one token, not a ping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HealthCheck {
    /// Time between checks.
    pub interval: Span,
    /// Longest wait for an answer.
    pub timeout: Span,
    /// Failures in a row that take a replica out.
    pub unhealthy_after: u32,
    /// Successes in a row that bring it back.
    pub healthy_after: u32,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            interval: Span::from_millis(500),
            timeout: Span::from_millis(300),
            unhealthy_after: 2,
            healthy_after: 2,
        }
    }
}

/// Bounds on what is let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admission {
    /// Requests in flight at once; above it, new ones get 429.
    pub max_in_flight: u32,
    /// In-flight bound for class `batch`, so that it cannot crowd out others.
    pub max_batch: u32,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            max_in_flight: 512,
            max_batch: 128,
        }
    }
}

/// What the gateway does when NUT says that the site is on battery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PowerAware {
    /// The NUT server to ask, `host:port`; empty: filled in from the site.
    pub nut: String,
    /// Its UPSs; empty: filled in from the site.
    pub ups: Vec<String>,
    /// How often to ask.
    pub poll: Span,
    /// Classes that get 503 while any UPS is on battery.
    pub shed_on_battery: Vec<String>,
    /// Classes that get 503 while any battery is low.
    pub shed_on_low_battery: Vec<String>,
}

impl Default for PowerAware {
    fn default() -> Self {
        Self {
            nut: String::new(),
            ups: Vec::new(),
            poll: Span::from_millis(250),
            shed_on_battery: vec!["batch".into()],
            shed_on_low_battery: vec!["batch".into(), "interactive".into()],
        }
    }
}

/// A replica's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplicaConfig {
    /// The port it listens on.
    pub port: u16,
    /// The model's name.
    pub model: String,
    /// Time from process start until the model is loaded; `/health` says 503
    /// until then.
    pub model_load: Span,
    /// Requests decoded together.
    pub slots: u32,
    /// Requests that may wait for a slot; above it, new ones get 429.
    pub queue: u32,
    /// Time to the first token beside the prompt's share.
    pub prefill_base: Span,
    /// Prefill time per prompt token.
    pub prefill_per_token: Span,
    /// Time per token with one request running.
    pub decode: Span,
    /// How much longer a token takes per further running request, as a share of
    /// `decode`.
    pub decode_slope: PerUnit,
    /// What it does wrong, for controls.
    pub known_bad: Option<KnownBad>,
    /// From when on it does, after its process started.
    pub known_bad_from: Span,
    /// The token after which a known-bad stream breaks.
    pub known_bad_after: u32,
}

impl Default for ReplicaConfig {
    fn default() -> Self {
        Self {
            port: 8001,
            model: "reference".into(),
            model_load: Span::from_millis(500),
            slots: 32,
            queue: 256,
            prefill_base: Span::from_millis(30),
            prefill_per_token: Span::from_micros(100),
            decode: Span::from_millis(20),
            decode_slope: PerUnit(0.01),
            known_bad: None,
            known_bad_from: Span::default(),
            known_bad_after: 18,
        }
    }
}

/// The broken streams that real stacks produce. Each is a mutant that an
/// assertion must catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownBad {
    /// HTTP ends properly in mid-answer, nothing else.
    EofClean,
    /// TCP FIN inside the chunked body.
    EofRaw,
    /// TCP RST.
    Rst,
    /// An error frame, then `[DONE]`, clean close.
    ErrorThenDone,
    /// `event: error`.
    EventError,
    /// `[DONE]` early, without a finish reason.
    DoneEarly,
    /// Finish reason `length` although fewer tokens came than asked for.
    ShortLength,
    /// One token twice.
    DuplicateToken,
    /// One token missing.
    MissingToken,
    /// Starts again from token 0.
    Restart,
    /// Silent for 4 s, then goes on.
    Stall,
    /// Complete, but no finish reason.
    NoFinish,
    /// A JSON document cut in two.
    SplitJson,
    /// `[DONE]` and no token.
    DoneOnly,
    /// HTTP 200 with only an error frame.
    ErrorOnly,
    /// Health says 200 while requests hang.
    FrozenHealthy,
    /// Tokens of another request.
    CrossTalk,
}
