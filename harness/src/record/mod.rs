//! The record of a run: one event log, written as it happens, from which
//! everything else follows.

mod event;
mod reader;
mod writer;

pub use event::{
    Body, Event, FaultReceipt, HoldPoint, Human, HumanAct, OracleReport, PhaseWindow, RunHeader,
    SCHEMA, SocketReport, WitnessReport,
};
pub use reader::{PACKED, PLAIN, RecordError, RecordReader, read_record, record_of};
pub use writer::RecordWriter;

#[cfg(test)]
mod tests;
