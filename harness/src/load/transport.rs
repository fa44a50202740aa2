//! Tells apart the ways in which a connection ends badly.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::row::Termination;

/// How a failed connection attempt ended.
pub(super) fn of_connect(error: &io::Error) -> Termination {
    of_io(error).unwrap_or(Termination::Unreachable)
}

/// How an exchange ended that hyper gave up. `headers` says whether the response
/// had begun.
pub(super) fn of_hyper(error: &hyper::Error, headers: bool) -> Termination {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            if let Some(termination) = of_io(io) {
                return termination;
            }
            // The chunk decoder reports broken framing as invalid input.
            if matches!(io.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData) {
                return Termination::Garbage;
            }
        }
        source = cause.source();
    }
    if error.is_parse() {
        Termination::Garbage
    } else if headers {
        Termination::EofInBody
    } else {
        Termination::EofBeforeHeaders
    }
}

fn of_io(error: &io::Error) -> Option<Termination> {
    match error.kind() {
        ErrorKind::ConnectionRefused => Some(Termination::Refused),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            Some(Termination::Reset)
        }
        ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::NotFound => Some(Termination::Unreachable),
        ErrorKind::TimedOut => Some(Termination::TcpTimeout),
        _ => None,
    }
}
