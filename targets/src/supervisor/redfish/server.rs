//! The service on a listener.

use std::sync::Arc;

use async_trait::async_trait;
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Response};

use super::ask::{Ask, Content, Reply};
use super::config::RedfishConfig;
use super::core::Core;
use super::events;
use super::service::answer;
use crate::net::{Listener, Net};
use crate::serving::http::{Body, Handler, json, typed};
use crate::supervisor::web::{EventStream, acceptor, read_body, serve};
use crate::telemetry::Board;

/// A Redfish service that is not served yet.
pub struct Redfish {
    board: Board,
    config: RedfishConfig,
    net: Option<Arc<dyn Net>>,
}

/// Serves until it is dropped. Events are streamed, but not posted: for that
/// it needs a network, see [`Redfish::post_through`].
pub async fn run_redfish_on(board: Board, config: RedfishConfig, listener: Box<dyn Listener>) {
    Redfish::new(board, config).serve(listener).await;
}

impl Redfish {
    /// A service over a board.
    pub fn new(board: Board, config: RedfishConfig) -> Self {
        Self {
            board,
            config,
            net: None,
        }
    }

    /// Posts events to subscribers through this network.
    pub fn post_through(mut self, net: Arc<dyn Net>) -> Self {
        self.net = Some(net);
        self
    }

    /// Serves until it is dropped; what it has under way ends with it.
    pub async fn serve(self, listener: Box<dyn Listener>) {
        let names = ["localhost".to_string(), "127.0.0.1".to_string()];
        let tls = match self.config.tls.then(|| acceptor(&names)).transpose() {
            Ok(tls) => tls,
            Err(error) => {
                tracing::error!(%error, "no certificate could be made");
                return;
            }
        };
        let web = self.config.web.clone();
        let core = Arc::new(Core::new(self.board, self.config, self.net));
        let _end = End(Arc::clone(&core));
        let service = Arc::new(Service(Arc::clone(&core)));
        tokio::select! {
            biased;
            () = events::watch(core) => {}
            never = serve(listener, web, tls, service) => match never {},
        }
    }
}

/// Ends what the service has under way, whose tasks hold the core themselves.
struct End(Arc<Core>);

impl Drop for End {
    fn drop(&mut self) {
        let tasks = self.0.tasks.lock();
        let mut tasks = tasks.unwrap_or_else(std::sync::PoisonError::into_inner);
        tasks.abort_all();
    }
}

struct Service(Arc<Core>);

#[async_trait]
impl Handler for Service {
    async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let ask = Ask {
            path: head.uri.path().to_string(),
            query: head.uri.query().unwrap_or_default().to_string(),
            body: match head.method {
                // Whatever comes with a read is of no interest.
                Method::GET | Method::HEAD => Ok(bytes::Bytes::new()),
                _ => read_body(body, &self.0.config.web).await,
            },
            method: head.method,
            headers: head.headers,
        };
        let reply = answer(&self.0, ask).await;
        self.response(reply)
    }
}

impl Service {
    fn response(&self, reply: Reply) -> Response<Body> {
        let mut response = match reply.content {
            Content::Nothing => {
                let mut response = Response::new(Body::whole(""));
                *response.status_mut() = reply.status;
                response
            }
            Content::Json(document) => json(reply.status, document.to_string()),
            Content::Xml(text) => typed(reply.status, "application/xml", text),
            Content::Stream(id) => self.stream(id),
        };
        let headers = response.headers_mut();
        headers.insert("odata-version", HeaderValue::from_static("4.0"));
        headers
            .entry("cache-control")
            .or_insert(HeaderValue::from_static("no-cache"));
        for (name, value) in reply.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }

    fn stream(&self, id: String) -> Response<Body> {
        let held = events::Held::new(Arc::clone(&self.0), id);
        let Some(seat) = self.0.seats.take() else {
            let refusal = super::error::Refusal::unavailable();
            return json(refusal.status, refusal.document().to_string());
        };
        let patience = self.0.config.web.stream_patience.duration();
        EventStream::response(seat, patience, |to| events::stream(held, to))
    }
}
