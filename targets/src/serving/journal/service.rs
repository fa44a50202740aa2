//! The journal's endpoints: `POST /records`, `GET /records/N`, `GET /health`.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::Mutex;

use super::config::JournalConfig;
use super::frame::PAYLOAD_MAX;
use super::log::Log;
use crate::net::SocketOptions;
use crate::service::{Env, FromService, ServiceError, ToService};
use crate::serving::http::{ApiError, Body, Handler, json, read_body, serve, typed};

/// Runs a journal until its machine stops it.
///
/// # Errors
/// [`ServiceError::Config`] without a volume; [`ServiceError::Io`] when it
/// cannot recover its log or listen.
pub async fn run_journal(mut env: Env, config: JournalConfig) -> Result<(), ServiceError> {
    let failed = |what: &str| {
        let what = what.to_string();
        move |source: io::Error| ServiceError::Io { what, source }
    };
    let no_volume = || ServiceError::Config("a journal needs a volume".into());
    let disk = env.disk.take().ok_or_else(no_volume)?;
    let (log, recovered) = Log::recover(disk.as_ref(), config.fsync)
        .await
        .map_err(failed("recover the log"))?;
    tracing::info!(
        records = recovered.records,
        torn_bytes = recovered.torn,
        "the log is recovered"
    );
    let options = SocketOptions {
        nodelay: true,
        ..SocketOptions::default()
    };
    let listener = env.net.listen(config.port, options).await;
    let listener = listener.map_err(failed(&format!("listen on port {}", config.port)))?;
    env.panel.say(FromService::Ready {
        t_us: env.clock.now_us(),
    });
    let handler: Arc<dyn Handler> = Arc::new(Journal(Mutex::new(log)));
    tokio::select! {
        biased;
        () = stopped(&mut env) => {}
        never = serve(listener, handler) => match never {},
    }
    Ok(())
}

async fn stopped(env: &mut Env) {
    while let Some(word) = env.panel.inbox.recv().await {
        if word == ToService::Stop {
            return;
        }
    }
}

/// One record at a time: the log is a queue.
struct Journal(Mutex<Log>);

#[async_trait]
impl Handler for Journal {
    async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_string();
        let answer = match (request.method().clone(), path.strip_prefix("/records")) {
            (Method::POST, Some("")) => self.append(request).await,
            (Method::GET, Some(number)) => self.read(number).await,
            (Method::GET, None) if path == "/health" => {
                let records = self.0.lock().await.len();
                Ok(json(
                    StatusCode::OK,
                    json!({ "records": records }).to_string(),
                ))
            }
            _ => Err(missing("no such endpoint")),
        };
        answer.unwrap_or_else(|error| error.response())
    }
}

impl Journal {
    async fn append(&self, request: Request<Incoming>) -> Result<Response<Body>, ApiError> {
        let body = read_body(request.into_body()).await?;
        if body.len() > PAYLOAD_MAX {
            let message = format!("a record has at most {PAYLOAD_MAX} bytes");
            return Err(ApiError::bad_request(message));
        }
        let mut log = self.0.lock().await;
        let sequence = log.append(&body).await.map_err(refused)?;
        let answer = json!({ "sequence": sequence });
        Ok(json(StatusCode::OK, answer.to_string()))
    }

    async fn read(&self, number: &str) -> Result<Response<Body>, ApiError> {
        let number = number.strip_prefix('/').and_then(|n| n.parse().ok());
        let Some(sequence) = number else {
            return Err(missing("no such record"));
        };
        let log = self.0.lock().await;
        match log.read(sequence).await.map_err(refused)? {
            Some(payload) => Ok(typed(StatusCode::OK, "application/octet-stream", payload)),
            None => Err(missing("no such record")),
        }
    }
}

fn missing(message: &str) -> ApiError {
    ApiError {
        status: StatusCode::NOT_FOUND,
        message: message.into(),
        retry_after_s: None,
    }
}

/// What the volume refused, as HTTP has it (RFC 4918 has 507).
fn refused(error: io::Error) -> ApiError {
    let status = match error.kind() {
        io::ErrorKind::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    ApiError {
        status,
        message: error.to_string(),
        retry_after_s: None,
    }
}
