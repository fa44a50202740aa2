//! What was written.

mod assertion;
mod control;
mod errors;
mod gaps;
mod include;
mod include_files;
mod load;
mod model;
mod object;
mod parse;
mod placeholder;
mod power_assertion;
mod quantity;
mod recording;
mod repair;
mod schema;
mod site;
mod source;
mod storage_assertion;
mod syntax;
mod tree;
mod validate;
mod variant;
mod vocabulary;
mod words;

pub use assertion::{
    Assertion, AvailabilityAssert, BatteryAssert, Cohort, ContinuityAssert, DetectionAssert,
    EvictionAssert, FailoverAssert, GoodputAssert, LatencyAssert, Metric, NodesAssert,
    RecoveryAssert, Scope, Source, SupervisorAssert, SupplyKind,
};
pub use errors::{PlaybookError, PlaybookErrors};
pub use load::{Loaded, load_playbook, load_text};
pub use model::{
    Arrivals, BatteryBelow, BlastRadius, BuildSpec, ClientSpec, Condition, Control, FaultSpec,
    FileSpec, GuestDef, HealthSpec, KeepaliveSpec, LoadSpec, NeedsSpec, NetworkDef, NodeDef,
    OracleSpec, Playbook, Prefill, Range, RecordedSpec, ServiceDef, StackSpec, Timeout, WorldKind,
    WriterSpec,
};
pub use power_assertion::{
    EnergyAssert, GeneratorAssert, NoCommonModeAssert, NoFalseShutdownAssert, RechargeAssert,
    RetransferAssert, RideThroughAssert, ShutdownOrderAssert, Teller, TemperatureAssert,
    TruthLagAssert,
};
pub use schema::editor_schema;
pub use storage_assertion::DurabilityAssert;
pub use vocabulary::{Described, assertions, faults, playbook_head};

pub(crate) use errors::Problem;
pub(crate) use gaps::Gaps;
pub(crate) use include::read;
pub(crate) use load::load_parts;
pub(crate) use recording::MOST_POINTS;
pub(crate) use site::load_site;
pub(crate) use source::shown;
pub(crate) use words::{closest, names};

#[cfg(test)]
pub(crate) mod tests;
