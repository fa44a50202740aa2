//! The replica's endpoints and its life: load the model, serve, drain, end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use super::metrics::Metrics;
use super::scheduler::{Job, Scheduler};
use super::stream::Answer;
use crate::clock::Clock;
use crate::net::SocketOptions;
use crate::service::{Env, FromService, Milestone, Panel, ServiceError, ToService};
use crate::serving::api::{ApiKind, ChunkWriter, Generation};
use crate::serving::config::{KnownBad, ReplicaConfig};
use crate::serving::http::{ApiError, Body, Handler, json, read_body, serve, set_header, typed};

/// Longest time that running requests get to finish after a stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs a replica until its machine stops it.
///
/// # Errors
/// [`ServiceError::Io`] when it cannot listen.
pub async fn run_replica(env: Env, config: ReplicaConfig) -> Result<(), ServiceError> {
    let Env {
        node,
        boot,
        net,
        clock,
        mut panel,
        ..
    } = env;
    let options = SocketOptions {
        nodelay: true,
        reset_on_close: config.known_bad == Some(KnownBad::Rst),
        ..SocketOptions::default()
    };
    let listener = net
        .listen(config.port, options)
        .await
        .map_err(|source| ServiceError::Io {
            what: format!("listen on port {}", config.port),
            source,
        })?;
    let voice = panel.voice();
    let metrics = Arc::new(Metrics::default());
    let scheduler = Arc::new(Scheduler::new(config.clone(), Arc::clone(&metrics)));
    let replica = Arc::new(Replica {
        node,
        boot,
        clock,
        sound: Arc::new(ReplicaConfig {
            known_bad: None,
            ..config.clone()
        }),
        bad_from: Instant::now() + config.known_bad_from.duration(),
        config: Arc::new(config),
        scheduler: Arc::clone(&scheduler),
        metrics,
        loaded: AtomicBool::new(false),
        draining: AtomicBool::new(false),
        answers: AtomicU64::new(0),
    });
    let handler: Arc<dyn Handler> = Arc::clone(&replica) as Arc<dyn Handler>;
    tokio::select! {
        biased;
        () = live(&replica, &mut panel) => {}
        () = scheduler.run(clock, voice) => {}
        never = serve(listener, handler) => match never {},
    }
    Ok(())
}

/// Loads the model, heeds the machine, and after a stop waits for what runs.
async fn live(replica: &Replica, panel: &mut Panel) {
    let load = tokio::time::sleep(replica.config.model_load.duration());
    tokio::pin!(load);
    loop {
        tokio::select! {
            biased;
            word = panel.inbox.recv() => match word {
                Some(ToService::Clocks { ratio, reasons }) => {
                    replica.metrics.clock_reasons.store(reasons.0, Ordering::Relaxed);
                    replica.scheduler.set_clocks(ratio);
                }
                Some(ToService::Await {
                    ticket,
                    milestone: Milestone::Prefill { at_least },
                }) => replica.scheduler.tell_prefill(ticket, at_least),
                Some(ToService::Stop) => break,
                Some(_) => {}
                None => return,
            },
            () = &mut load, if !replica.loaded.load(Ordering::Relaxed) => {
                replica.loaded.store(true, Ordering::Relaxed);
                panel.say(FromService::Ready { t_us: replica.clock.now_us() });
            }
        }
    }
    replica.draining.store(true, Ordering::Relaxed);
    let drained = async {
        while replica.scheduler.depth() != (0, 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What was made last is still on its way to the wire.
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

struct Replica {
    node: String,
    boot: u32,
    clock: Clock,
    config: Arc<ReplicaConfig>,
    /// The same without its fault, in force before `bad_from`.
    sound: Arc<ReplicaConfig>,
    bad_from: Instant,
    scheduler: Arc<Scheduler>,
    metrics: Arc<Metrics>,
    loaded: AtomicBool,
    draining: AtomicBool,
    answers: AtomicU64,
}

#[async_trait]
impl Handler for Replica {
    async fn handle(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        let mut response = match (request.method(), ApiKind::from_path(path)) {
            (&Method::POST, Some(kind)) => match self.generate(kind, request).await {
                Ok(response) => response,
                Err(error) => error.response(),
            },
            (_, Some(_)) => ApiError {
                status: StatusCode::METHOD_NOT_ALLOWED,
                message: "only POST".into(),
                retry_after_s: None,
            }
            .response(),
            (&Method::GET, None) => self.look(path),
            _ => not_found(),
        };
        set_header(&mut response, "x-served-by", &self.node);
        response
    }
}

fn not_found() -> Response<Body> {
    ApiError {
        status: StatusCode::NOT_FOUND,
        message: "no such endpoint".into(),
        retry_after_s: None,
    }
    .response()
}

impl Replica {
    /// The configuration in force.
    fn behaviour(&self) -> &Arc<ReplicaConfig> {
        if Instant::now() < self.bad_from {
            &self.sound
        } else {
            &self.config
        }
    }

    fn unavailable(&self) -> Option<ApiError> {
        let message = if self.draining.load(Ordering::Relaxed) {
            "stopping"
        } else if self.loaded.load(Ordering::Relaxed) {
            return None;
        } else {
            "the model is loading"
        };
        Some(ApiError::retry(StatusCode::SERVICE_UNAVAILABLE, message))
    }

    fn look(&self, path: &str) -> Response<Body> {
        let model = &self.config.model;
        match path {
            "/health" | "/ready" => match self.unavailable() {
                None => json(StatusCode::OK, "{}"),
                Some(error) => error.response(),
            },
            "/v1/models" => json(
                StatusCode::OK,
                json!({"object": "list", "data": [{
                    "id": model, "object": "model", "created": 0, "owned_by": "ridethrough",
                }]})
                .to_string(),
            ),
            "/get_model_info" | "/get_server_info" | "/server_info" => json(
                StatusCode::OK,
                json!({"model_path": model, "is_generation": true}).to_string(),
            ),
            "/metrics" => {
                let (running, waiting) = self.scheduler.depth();
                let text = self
                    .metrics
                    .render(model, running, waiting, self.config.slots);
                typed(StatusCode::OK, "text/plain; version=0.0.4", text)
            }
            _ => not_found(),
        }
    }

    async fn generate(
        &self,
        kind: ApiKind,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, ApiError> {
        let arrived = Instant::now();
        let probe = request
            .headers()
            .get("x-ridethrough-class")
            .is_some_and(|class| class == "health");
        let body = read_body(request.into_body()).await?;
        let generation = Generation::parse(kind, &body)?;
        if let Some(error) = self.unavailable() {
            return Err(error);
        }
        if self.behaviour().known_bad == Some(KnownBad::FrozenHealthy) {
            return std::future::pending().await;
        }
        let job = Job {
            prompt_tokens: generation.prompt_tokens,
            count: generation.count,
            probe,
        };
        let ticket = self
            .scheduler
            .submit(job)
            .map_err(|_| ApiError::retry(StatusCode::TOO_MANY_REQUESTS, "the queue is full"))?;
        if !probe {
            let tokens = u64::from(generation.prompt_tokens);
            self.metrics
                .prompt_tokens
                .fetch_add(tokens, Ordering::Relaxed);
        }
        let answer = self.answer(generation, ticket, arrived, probe);
        if !answer.generation.stream {
            return Ok(json(StatusCode::OK, answer.whole().await));
        }
        let mut response = Response::new(Body::streamed(|writer| answer.stream(writer)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response)
    }

    fn answer(
        &self,
        generation: Generation,
        ticket: super::scheduler::Ticket,
        arrived: Instant,
        probe: bool,
    ) -> Answer {
        let prefix = match generation.kind {
            ApiKind::Chat => "chatcmpl",
            ApiKind::Text => "cmpl",
        };
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        let id = format!(
            "{prefix}-{}-{}-{number}-{:08x}",
            self.node,
            self.boot,
            generation.key.short() >> 32
        );
        let model = generation.model.as_deref().unwrap_or(&self.config.model);
        let created_s = self.clock.now_us() / 1_000_000;
        let chunks = ChunkWriter::new(generation.kind, &id, created_s, model, &self.node);
        Answer {
            config: Arc::clone(self.behaviour()),
            metrics: Arc::clone(&self.metrics),
            generation,
            chunks,
            ticket,
            arrived,
            finished: false,
            probe,
        }
    }
}
