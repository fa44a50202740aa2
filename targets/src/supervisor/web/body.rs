//! A request's body, within its bounds.

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::serve::WebLimits;

/// Why a body could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::supervisor) enum BodyFault {
    /// It is larger than allowed.
    TooLarge,
    /// It did not come in time.
    Late,
    /// It was broken off, or is no HTTP.
    Broken,
}

/// Reads a whole body.
pub(in crate::supervisor) async fn read_body(
    body: Incoming,
    limits: &WebLimits,
) -> Result<Bytes, BodyFault> {
    let read = Limited::new(body, limits.body_bytes).collect();
    match timeout(limits.body_patience.duration(), read).await {
        Err(_) => Err(BodyFault::Late),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyFault::TooLarge),
        Ok(Err(_)) => Err(BodyFault::Broken),
    }
}
