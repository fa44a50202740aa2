//! The words on the wires between a machine and the service that runs on it.
//!
//! These wires are hardware: a power-brake line, a meter's analogue input, the
//! watts a machine draws. They do not cross the fabric, and no fault of the
//! network touches them.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::plant::ClockReasons;
use crate::telemetry::{CommandError, DeviceCommand, Distorted, Protocol, Reading, Seen};
use crate::units::Span;

/// From the machine to the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToService {
    /// The accelerator's clocks as a share of nominal (power brake, cap).
    Clocks {
        /// 1.0 is full speed.
        ratio: f64,
        /// Why they are below it.
        #[serde(default)]
        reasons: ClockReasons,
    },
    /// What the meters of a power device read (for its management card).
    Reading {
        /// The device.
        device: String,
        /// What they read.
        reading: Reading,
    },
    /// A card's telemetry is made to fail in this way (for its management card).
    Distort {
        /// The distortion's own number.
        number: u64,
        /// How, and for whom.
        distorted: Distorted,
    },
    /// A distortion ends.
    Restore {
        /// Its number.
        number: u64,
    },
    /// What a device made of an order (for its management card).
    Obeyed {
        /// The order's number, from [`FromService::Command`].
        ticket: u64,
        /// What became of it.
        outcome: Result<(), CommandError>,
    },
    /// Ask a device's card now (for a probe).
    Ask {
        /// The question's number.
        ticket: u64,
        /// The device.
        device: String,
        /// By which protocol.
        via: Protocol,
        /// How long to wait for the answer.
        wait: Span,
    },
    /// Tell once when this is so (for the load and for replicas).
    Await {
        /// The question's number.
        ticket: u64,
        /// What is awaited.
        milestone: Milestone,
    },
    /// When the timeline is over (for clients whose schedule goes on for longer):
    /// what is due then or later is neither sent nor counted. Said before that time.
    Close {
        /// In run time.
        at_us: Micros,
    },
    /// End in good order: finish what runs, take nothing new.
    Stop,
}

/// Something that a service can tell the moment of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// Some answer that is under way has this many tokens (for the load).
    Token {
        /// How many.
        count: u32,
    },
    /// So many requests are in prefill at once (for a replica).
    Prefill {
        /// How many.
        at_least: u32,
    },
}

/// From the service to the machine, and so to the run's record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromService {
    /// The service listens and can be used (a replica: its model is loaded).
    Ready {
        /// When.
        t_us: Micros,
    },
    /// What the machine draws for this service now.
    Draw(Draw),
    /// A state machine of the service moved (supervisor, gateway's view of a
    /// replica).
    State {
        /// When.
        t_us: Micros,
        /// Whose state: `supervisor`, `replica:gpu-1`, `shedding`.
        of: String,
        /// The state left.
        from: String,
        /// The state entered.
        to: String,
        /// What moved it.
        cause: String,
    },
    /// A gateway's attempt at a request on one replica has ended.
    Attempt(Attempt),
    /// What a client of a power protocol saw change.
    Observed {
        /// When.
        t_us: Micros,
        /// The protocol, `nut`.
        via: String,
        /// The device asked, `ups-a`.
        device: String,
        /// The variable, `ups.status`.
        variable: String,
        /// Its new value.
        value: String,
    },
    /// A management card was told to act on its device.
    Command {
        /// When.
        t_us: Micros,
        /// The order's number, counted by the card.
        ticket: u64,
        /// The device, `ups-a`.
        device: String,
        /// What to do.
        command: DeviceCommand,
    },
    /// What a probe saw of a device that it was told to ask.
    Asked {
        /// When the answer was there, or given up.
        t_us: Micros,
        /// The question's number, from [`ToService::Ask`].
        ticket: u64,
        /// How long it took.
        took: Span,
        /// What it saw.
        seen: Seen,
    },
    /// A milestone that was awaited is reached.
    Reached {
        /// When.
        t_us: Micros,
        /// The question's number, from [`ToService::Await`].
        ticket: u64,
    },
    /// A finished request or other row of the load's ledger.
    Ledger(serde_json::Value),
    /// Numbers for the progress line, about twice a second.
    Progress(IndexMap<String, f64>),
    /// The service gives up.
    Failed {
        /// Why.
        error: String,
    },
}

/// What a service makes its machine draw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// When.
    pub t_us: Micros,
    /// How busy the accelerator is, 0 to 1: idle power plus this share of the
    /// dynamic range is what the machine draws.
    pub utilisation: f64,
    /// Tokens per second that it makes.
    pub tokens_per_s: f64,
    /// How long its last decode step took, in milliseconds, as it measured it;
    /// 0 when it makes none.
    #[serde(default)]
    pub step_ms: f64,
}

/// One attempt of a gateway at one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The request, as the client named it in `x-request-id`.
    pub request: String,
    /// 0 for the first attempt.
    pub index: u32,
    /// The replica's name.
    pub replica: String,
    /// When it was sent there.
    pub start_us: Micros,
    /// When it ended.
    pub end_us: Micros,
    /// The first token it was asked for (more than 0 after a resume).
    pub from_token: u32,
    /// Tokens it brought.
    pub tokens: u32,
    /// How it ended.
    pub end: AttemptEnd,
}

/// How a gateway's attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// Whole.
    Completed,
    /// The client went away.
    ClientGone,
    /// The replica closed before the end.
    Eof,
    /// The replica reset the connection.
    Reset,
    /// The replica sent an error in the stream.
    ErrorFrame,
    /// Nothing came for too long.
    IdleTimeout,
    /// No connection within the time allowed.
    ConnectTimeout,
    /// The connection was refused.
    Refused,
    /// No route to the replica.
    Unreachable,
    /// The replica answered with an HTTP error.
    HttpError,
    /// Health checks took the replica out while this ran.
    Evicted,
    /// The request's own deadline passed.
    Deadline,
    /// Keepalive or user timeout closed the connection.
    TcpTimeout,
}
