//! Writing a record, one line per event.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use ridethrough_targets::clock::Micros;

use ridethrough_targets::plant::Change;

use super::event::{Body, Event};

/// Appends events to a record (JSON Lines) and numbers them.
///
/// Lines are buffered. They reach the kernel at the borders that a reader
/// would ask about after a crash (phases, faults, witnesses), and the disk at
/// the end of the run.
#[derive(Debug)]
pub struct RecordWriter {
    file: BufWriter<File>,
    next: u64,
}

impl RecordWriter {
    /// Makes a new record; a file that is there already is an error, because a
    /// record is never written over.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let file = File::options().write(true).create_new(true).open(path)?;
        Ok(Self {
            file: BufWriter::with_capacity(256 * 1024, file),
            next: 0,
        })
    }

    /// Writes one event and returns it with its number.
    pub fn write(&mut self, t_us: Micros, source: &str, body: Body) -> io::Result<Event> {
        let event = Event {
            seq: self.next,
            t_us,
            source: source.to_string(),
            body: finite(body),
        };
        serde_json::to_writer(&mut self.file, &event)?;
        self.file.write_all(b"\n")?;
        self.next += 1;
        match event.body {
            Body::End { .. } => self.sync()?,
            Body::Run(_)
            | Body::Phase(_)
            | Body::FaultInjected(_)
            | Body::FaultHealed { .. }
            | Body::Witness(_)
            | Body::Held(_)
            | Body::Human(_)
            | Body::Invalid { .. } => self.file.flush()?,
            _ => {}
        }
        Ok(event)
    }

    /// Brings everything written so far to the disk.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

/// JSON has no infinity, and a UPS without load has endless runtime: such a
/// number becomes the largest there is, so that the record can be read back.
fn finite(mut body: Body) -> Body {
    let tame = |value: &mut f64| {
        if !value.is_finite() {
            *value = f64::MAX;
        }
    };
    match &mut body {
        Body::Plant {
            change: Change::LowBattery { runtime_s, .. },
            ..
        } => tame(runtime_s),
        Body::UpsReading { reading, .. } => tame(&mut reading.runtime_s),
        Body::Meters {
            voltage_pu,
            charge,
            watts,
        } => {
            let all = voltage_pu.values_mut().chain(charge.values_mut());
            all.chain(watts.values_mut()).for_each(tame);
        }
        Body::Progress { values } => values.values_mut().for_each(tame),
        _ => {}
    }
    body
}
