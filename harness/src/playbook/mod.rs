//! What was written.

mod assertion;
mod model;

pub use assertion::{
    Assertion, AvailabilityAssert, BatteryAssert, Cohort, ContinuityAssert, DetectionAssert,
    EvictionAssert, FailoverAssert, GoodputAssert, LatencyAssert, Metric, NodesAssert,
    RecoveryAssert, Scope, Source, SupervisorAssert, SupplyKind,
};
pub use model::{
    Arrivals, ClientSpec, Control, FaultSpec, LoadSpec, NodeDef, Playbook, Range, ServiceDef,
    StackSpec, WorldKind,
};
