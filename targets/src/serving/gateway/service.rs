//! The gateway's endpoints and its life.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use indexmap::IndexMap;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout, timeout_at};

use super::admission::{Admitted, DEFAULT_CLASS, Door};
use super::balance::{Peer, Pool};
use super::budget::RetryBudget;
use super::gaps::Gaps;
use super::health::watch_over;
use super::metrics::{Metrics, count};
use super::power::watch_power;
use super::{relay, resume};
use crate::clock::Clock;
use crate::net::{Keepalive, Net, SocketOptions};
use crate::service::{Env, FromService, Panel, ServiceError, ToService, spawn_in};
use crate::serving::api::ApiKind;
use crate::serving::config::{GatewayConfig, GatewayMode};
use crate::serving::http::{ApiError, Body, Handler, json, read_body, serve, set_header, typed};

/// Longest time that requests in flight get to finish after a stop.
const DRAIN: Duration = Duration::from_secs(10);
/// After this the gateway says that it is ready, whatever its replicas are.
const READY: Duration = Duration::from_secs(5);
/// Longest request id or class that is kept.
const MAX_NAME: usize = 128;
const PROGRESS: Duration = Duration::from_millis(500);

/// All that the gateway's parts share.
pub(super) struct Gateway {
    pub(super) config: GatewayConfig,
    pub(super) net: Arc<dyn Net>,
    pub(super) clock: Clock,
    pub(super) voice: mpsc::UnboundedSender<FromService>,
    /// Options of connections to replicas.
    pub(super) upstream: SocketOptions,
    pub(super) pool: Pool,
    pub(super) door: Arc<Door>,
    pub(super) budget: RetryBudget,
    pub(super) gaps: Gaps,
    pub(super) metrics: Metrics,
    node: String,
    numbers: AtomicU64,
    draining: AtomicBool,
}

/// A request that was let in.
pub(super) struct Call {
    pub(super) kind: ApiKind,
    /// The body as it came, and read.
    pub(super) raw: Bytes,
    pub(super) body: Map<String, Value>,
    pub(super) id: String,
    pub(super) class: String,
    pub(super) deadline: Instant,
    _admitted: Admitted,
}

impl Call {
    pub(super) fn is_stream(&self) -> bool {
        self.body
            .get("stream")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }
}

/// Runs a gateway until its machine stops it.
///
/// # Errors
/// [`ServiceError::Io`] when it cannot listen.
pub async fn run_gateway(env: Env, config: GatewayConfig) -> Result<(), ServiceError> {
    let Env {
        node,
        net,
        clock,
        mut panel,
        ..
    } = env;
    let options = socket_options(config.mode);
    let listener = net
        .listen(config.port, options)
        .await
        .map_err(|source| ServiceError::Io {
            what: format!("listen on port {}", config.port),
            source,
        })?;
    let gateway = Arc::new(Gateway {
        voice: panel.voice(),
        upstream: options,
        pool: Pool::new(&config.replicas),
        door: Arc::new(Door::new(config.admission.clone(), config.power.clone())),
        budget: RetryBudget::new(config.retry_budget.0),
        gaps: Gaps::default(),
        metrics: Metrics::default(),
        node,
        numbers: AtomicU64::new(0),
        draining: AtomicBool::new(false),
        config,
        net,
        clock,
    });
    let mut tasks = JoinSet::new();
    for peer in gateway.pool.peers() {
        spawn_in(
            &mut tasks,
            watch_over(Arc::clone(&gateway), Arc::clone(peer)),
        );
    }
    if !gateway.config.power.nut.is_empty() {
        spawn_in(&mut tasks, watch_power(Arc::clone(&gateway)));
    }
    spawn_in(&mut tasks, say_ready(Arc::clone(&gateway)));
    spawn_in(&mut tasks, say_progress(Arc::clone(&gateway)));
    let handler = Arc::new(Front(Arc::clone(&gateway)));
    tokio::select! {
        biased;
        () = live(&gateway, &mut panel) => {}
        never = serve(listener, handler) => match never {},
    }
    Ok(())
}

/// Keepalive and user timeout come with the modes that have them.
fn socket_options(mode: GatewayMode) -> SocketOptions {
    let mut options = SocketOptions {
        nodelay: true,
        ..SocketOptions::default()
    };
    if !matches!(mode, GatewayMode::None | GatewayMode::RetryOnly) {
        options.keepalive = Some(Keepalive {
            idle: Duration::from_secs(2),
            interval: Duration::from_secs(1),
            count: 3,
        });
        options.user_timeout = Some(Duration::from_secs(3));
    }
    options
}

/// Waits for the stop, then for what is in flight.
async fn live(gateway: &Gateway, panel: &mut Panel) {
    loop {
        match panel.inbox.recv().await {
            None => return,
            Some(ToService::Stop) => break,
            Some(_) => {}
        }
    }
    gateway.draining.store(true, Ordering::Relaxed);
    let drained = async {
        while gateway.door.in_flight.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What was written last is still on its way to the wire.
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let closed = async { while panel.inbox.recv().await.is_some() {} };
    tokio::select! {
        biased;
        () = drained => {}
        () = closed => {}
        () = tokio::time::sleep(DRAIN) => {}
    }
}

/// Ready once every replica was found healthy, or has had its time.
async fn say_ready(gateway: Arc<Gateway>) {
    let all = |_| gateway.pool.peers().iter().all(|peer| peer.is_healthy());
    let all = gateway.pool.changed.wait_for(all);
    let _ = timeout(READY, all).await;
    let t_us = gateway.clock.now_us();
    let _ = gateway.voice.send(FromService::Ready { t_us });
}

async fn say_progress(gateway: Arc<Gateway>) {
    let mut ticks = interval(PROGRESS);
    loop {
        ticks.tick().await;
        let in_flight = f64::from(gateway.door.in_flight.load(Ordering::Relaxed));
        let numbers = IndexMap::from([("in_flight".to_string(), in_flight)]);
        let _ = gateway.voice.send(FromService::Progress(numbers));
    }
}

/// The gateway as a server: requests need a share of it that outlives the call.
struct Front(Arc<Gateway>);

#[async_trait]
impl Handler for Front {
    async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        match (request.method(), ApiKind::from_path(path)) {
            (&Method::POST, Some(kind)) => self.generate(kind, request).await,
            (_, Some(_)) => refuse(StatusCode::METHOD_NOT_ALLOWED, "only POST"),
            (&Method::GET, None) => self.look(path).await,
            _ => refuse(StatusCode::NOT_FOUND, "no such endpoint"),
        }
    }
}

fn refuse(status: StatusCode, message: &str) -> Response<Body> {
    let error = ApiError {
        status,
        message: message.into(),
        retry_after_s: None,
    };
    error.response()
}

impl Front {
    async fn look(&self, path: &str) -> Response<Body> {
        let gateway = &self.0;
        let healthy = gateway.pool.peers().iter().any(|peer| peer.is_healthy());
        let draining = gateway.draining.load(Ordering::Relaxed);
        match path {
            "/health" => json(StatusCode::OK, "{}"),
            "/ready" if healthy && !draining => json(StatusCode::OK, "{}"),
            "/ready" => {
                ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "no replica is healthy").response()
            }
            "/v1/models" => relay::models(gateway).await,
            "/metrics" => {
                let peers = gateway.pool.peers().iter().map(|peer| {
                    let in_flight = peer.in_flight.load(Ordering::Relaxed);
                    (peer.at.name.clone(), peer.is_healthy(), in_flight)
                });
                let in_flight = gateway.door.in_flight.load(Ordering::Relaxed);
                let text = gateway
                    .metrics
                    .render(in_flight, &peers.collect::<Vec<_>>());
                typed(StatusCode::OK, "text/plain; version=0.0.4", text)
            }
            _ => refuse(StatusCode::NOT_FOUND, "no such endpoint"),
        }
    }

    async fn generate(&self, kind: ApiKind, request: Request<Incoming>) -> Response<Body> {
        let gateway = &self.0;
        let header = |name: &str| {
            let value = request.headers().get(name)?.to_str().ok()?;
            Some(value.chars().take(MAX_NAME).collect::<String>())
        };
        let id = header("x-request-id").unwrap_or_else(|| {
            let number = gateway.numbers.fetch_add(1, Ordering::Relaxed);
            format!("{}-{number}", gateway.node)
        });
        let class = header("x-ridethrough-class").unwrap_or_else(|| DEFAULT_CLASS.into());
        let call = self.admit(kind, request, id.clone(), class).await;
        let mut response = match call {
            Err(error) => error.response(),
            Ok(call) if gateway.config.mode == GatewayMode::Full => {
                resume::serve(Arc::clone(gateway), call).await
            }
            Ok(call) => relay::serve(Arc::clone(gateway), call).await,
        };
        set_header(&mut response, "x-request-id", &id);
        response
    }

    async fn admit(
        &self,
        kind: ApiKind,
        request: Request<Incoming>,
        id: String,
        class: String,
    ) -> Result<Call, ApiError> {
        let gateway = &self.0;
        count(&gateway.metrics.requests);
        if gateway.draining.load(Ordering::Relaxed) {
            return Err(ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, "stopping"));
        }
        let raw = read_body(request.into_body()).await?;
        let body: Map<String, Value> = serde_json::from_slice(&raw)
            .map_err(|error| ApiError::bad_request(format!("bad request body: {error}")))?;
        let needed = match kind {
            ApiKind::Chat => "messages",
            ApiKind::Text => "prompt",
        };
        if !body.contains_key(needed) {
            return Err(ApiError::bad_request(format!("{needed} is missing")));
        }
        let admitted = gateway.door.admit(&class, &gateway.metrics)?;
        let now = Instant::now();
        gateway.budget.request(now);
        Ok(Call {
            kind,
            raw,
            body,
            id,
            class,
            deadline: now + gateway.config.deadline.duration(),
            _admitted: admitted,
        })
    }
}

impl Gateway {
    /// A healthy replica; from `retry_only` on, one that turns healthy soon
    /// counts too.
    pub(super) async fn choose(&self, avoid: Option<&str>, deadline: Instant) -> Option<Arc<Peer>> {
        let until = match self.config.mode {
            GatewayMode::None => return self.pool.pick(avoid),
            _ => deadline.min(Instant::now() + self.config.first_token_timeout.duration()),
        };
        loop {
            let seen = self.pool.changed.get();
            if let Some(peer) = self.pool.pick(avoid) {
                return Some(peer);
            }
            let changed = self.pool.changed.wait_for(|now| now != seen);
            timeout_at(until, changed).await.ok()?;
        }
    }

    /// Failures in a row, with no token between, that one request may see.
    pub(super) fn most_failures(&self) -> u32 {
        let replicas = u32::try_from(self.pool.peers().len()).unwrap_or(u32::MAX);
        replicas.saturating_mul(2).clamp(2, 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keepalive_comes_with_its_mode() {
        for (mode, has) in [
            (GatewayMode::None, false),
            (GatewayMode::RetryOnly, false),
            (GatewayMode::KeepaliveOnly, true),
            (GatewayMode::IdleTimeout, true),
            (GatewayMode::Full, true),
        ] {
            let options = socket_options(mode);
            assert_eq!(options.keepalive.is_some(), has, "{mode:?}");
            assert_eq!(options.user_timeout, has.then_some(Duration::from_secs(3)));
        }
    }
}
