//! OTLP over HTTP to one endpoint.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The longest that one message may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of an answer that are read.
const ANSWER: usize = 64 << 10;

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// As it stands in a `Host` header.
    authority: String,
    host: String,
    port: u16,
    path: String,
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// This is no endpoint.
    #[error("{0}")]
    Endpoint(String),
    /// It could not be reached, or broke off.
    #[error("{endpoint}: {why}")]
    Unreachable {
        /// Which.
        endpoint: String,
        /// Why.
        why: String,
    },
    /// It would not have it.
    #[error("{endpoint} answered {status}: {said}")]
    Refused {
        /// Which.
        endpoint: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        said: String,
    },
}

impl Endpoint {
    /// Of a URL such as `http://127.0.0.1:4318`; `/v1/traces` is added where there is
    /// no path.
    ///
    /// # Errors
    /// It is no URL, or not one of plain HTTP.
    pub fn new(url: &str) -> Result<Self, SendError> {
        let wrong = |why: &str| SendError::Endpoint(format!("{url}: {why}"));
        let uri: Uri = url.parse().map_err(|_| wrong("this is no URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("only http:// is spoken; put a collector beside this"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a name and a password cannot stand in it"));
        }
        let path = match uri.path().trim_end_matches('/') {
            "" => "/v1/traces",
            path => path,
        };
        Ok(Self {
            authority: authority.to_string(),
            host: authority.host().trim_matches(['[', ']']).to_string(),
            port: authority.port_u16().unwrap_or(4318),
            path: path.to_string(),
        })
    }

    fn shown(&self) -> String {
        format!("http://{}{}", self.authority, self.path)
    }
}

/// Sends one message and waits until it is taken.
///
/// # Errors
/// It could not be delivered, or was refused.
pub async fn send(to: &Endpoint, message: String) -> Result<(), SendError> {
    let unreachable = |why: String| SendError::Unreachable {
        endpoint: to.shown(),
        why,
    };
    let sent = timeout(PATIENCE, deliver(to, message)).await;
    let sent = sent.map_err(|_| unreachable(format!("no answer within {PATIENCE:?}")))?;
    let (status, said) = sent.map_err(unreachable)?;
    match status {
        200..=299 => Ok(()),
        status => Err(SendError::Refused {
            endpoint: to.shown(),
            status,
            said,
        }),
    }
}

async fn deliver(to: &Endpoint, message: String) -> Result<(u16, String), String> {
    let stream = TcpStream::connect((&*to.host, to.port)).await;
    let stream = stream.map_err(|error| error.to_string())?;
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| error.to_string())?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(&to.path)
        .header(HOST, &to.authority)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(message)))
        .map_err(|error| error.to_string())?;
    let answer = async {
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        let said = String::from_utf8_lossy(&body).chars().take(300).collect();
        Ok((status, said))
    };
    tokio::pin!(answer, connection);
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            _ = &mut connection, if open => open = false,
        }
    }
}
