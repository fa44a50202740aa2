//! `ridethrough export`

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use tokio::runtime::Runtime;

use super::exit::Exit;
use super::main::complain;
use crate::export::{Endpoint, Exported, SendError, export as spans, send};
use crate::record::RecordError;

/// Why nothing, or not everything, was exported.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("{0}")]
    Io(String),
}

/// Gives the record of a run to a collector, to a file, or to both.
pub(super) fn export(run: &Path, otlp: Option<&str>, out: Option<&Path>) -> Exit {
    match exported(run, otlp, out) {
        Ok(exported) => {
            let Exported { messages, spans } = exported;
            println!("{spans} spans in {messages} messages");
            Exit::Passed
        }
        Err(error) => {
            complain(&error.to_string());
            Exit::Usage
        }
    }
}

fn exported(run: &Path, otlp: Option<&str>, out: Option<&Path>) -> Result<Exported, Failure> {
    let endpoint = otlp.map(Endpoint::new).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime: Runtime = runtime.map_err(|error| Failure::Io(error.to_string()))?;
    let shown = out.map(Path::display);
    let failed = |error: std::io::Error| {
        let path = shown.as_ref().map(ToString::to_string);
        Failure::Io(format!("{}: {error}", path.unwrap_or_default()))
    };
    let file = out.map(File::create).transpose().map_err(failed)?;
    let mut file = file.map(BufWriter::new);
    let exported = spans(
        &run.join("record.jsonl"),
        |message| -> Result<(), Failure> {
            if let Some(file) = &mut file {
                writeln!(file, "{message}").map_err(failed)?;
            }
            match &endpoint {
                Some(endpoint) => Ok(runtime.block_on(send(endpoint, message))?),
                None => Ok(()),
            }
        },
    )?;
    if let Some(file) = &mut file {
        file.flush().map_err(failed)?;
    }
    Ok(exported)
}
