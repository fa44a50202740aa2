//! A stack under test and a client that tells how an answer ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::task::AbortOnDropHandle;

use super::network::MemoryNet;
use crate::clock::Clock;
use crate::net::{Net, SocketOptions};
use crate::service::{Attempt, Env, FromService, PanelPeer, ToService, panel_pair};
use crate::serving::api::{ChunkReader, SseParser};
use crate::serving::{
    GatewayConfig, GatewayMode, KnownBad, Message, ReplicaConfig, ReplicaRef, answer, request_key,
    run_gateway, run_replica,
};

pub(super) const GATEWAY: u16 = 8000;

pub(super) struct Service {
    pub(super) inbox: UnboundedReceiver<FromService>,
    pub(super) outbox: UnboundedSender<ToService>,
    pub(super) task: AbortHandle,
}

impl Service {
    /// Waits for the first word that `pick` wants.
    pub(super) async fn hear<T>(&mut self, mut pick: impl FnMut(FromService) -> Option<T>) -> T {
        let heard = async {
            loop {
                let word = self.inbox.recv().await.expect("the service lives");
                if let Some(found) = pick(word) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(120), heard)
            .await
            .expect("a word in time")
    }

    pub(super) async fn ready(&mut self) {
        self.hear(|word| matches!(word, FromService::Ready { .. }).then_some(()))
            .await;
    }

    pub(super) async fn state(&mut self, of: &str, to: &str) -> String {
        self.hear(|word| match word {
            FromService::State {
                of: o,
                to: t,
                cause,
                ..
            } if o == of && t == to => Some(cause),
            _ => None,
        })
        .await
    }

    /// What was said so far about attempts.
    pub(super) fn attempts(&mut self) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        while let Ok(word) = self.inbox.try_recv() {
            if let FromService::Attempt(attempt) = word {
                attempts.push(attempt);
            }
        }
        attempts
    }
}

/// Services on one network.
pub(super) struct Stack {
    pub(super) net: Arc<dyn Net>,
    tasks: JoinSet<()>,
}

impl Stack {
    pub(super) fn memory() -> Self {
        Self::over(Arc::new(MemoryNet::default()))
    }

    pub(super) fn over(net: Arc<dyn Net>) -> Self {
        Self {
            net,
            tasks: JoinSet::new(),
        }
    }

    fn env(&self, service: &str, node: &str) -> (Env, PanelPeer) {
        let (panel, peer) = panel_pair();
        let env = Env {
            service: service.into(),
            node: node.into(),
            boot: 0,
            disk: None,
            net: Arc::clone(&self.net),
            clock: Clock::start(),
            seed: 1,
            panel,
        };
        (env, peer)
    }

    pub(super) fn replica(&mut self, node: &str, config: ReplicaConfig) -> Service {
        let (env, peer) = self.env("replica", node);
        let task = self.tasks.spawn(async move {
            run_replica(env, config).await.expect("replica");
        });
        Service {
            inbox: peer.inbox,
            outbox: peer.outbox,
            task,
        }
    }

    pub(super) fn gateway(&mut self, config: GatewayConfig) -> Service {
        let (env, peer) = self.env("gateway", "gateway");
        let task = self.tasks.spawn(async move {
            run_gateway(env, config).await.expect("gateway");
        });
        Service {
            inbox: peer.inbox,
            outbox: peer.outbox,
            task,
        }
    }

    pub(super) async fn post(
        &self,
        port: u16,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Reply {
        let conn = self
            .net
            .connect("localhost", port, SocketOptions::default())
            .await
            .expect("connect");
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(conn.io))
            .await
            .expect("handshake");
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            let _ = connection.await;
        }));
        let method = if body.is_null() { "GET" } else { "POST" };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_string())))
            .expect("request");
        let response = sender.send_request(request).await.expect("a response");
        let (head, body) = response.into_parts();
        Reply {
            status: head.status,
            headers: head.headers,
            body,
            parser: SseParser::default(),
            _task: task,
        }
    }

    /// Streams a chat answer to its end.
    pub(super) async fn chat(&self, port: u16, tokens: u32) -> Answer {
        self.post(
            port,
            "/v1/chat/completions",
            &[("x-request-id", "r1")],
            &chat_body(tokens),
        )
        .await
        .answer()
        .await
    }
}

/// A chat request for `tokens` tokens.
pub(super) fn chat_body(tokens: u32) -> Value {
    json!({
        "model": "reference",
        "messages": [{"role": "user", "content": "tell me about power"}],
        "max_tokens": tokens,
        "stream": true,
        "stream_options": {"include_usage": true},
    })
}

/// What [`chat_body`] must be answered with.
pub(super) fn expected(from: u32, tokens: u32) -> String {
    answer(
        &request_key(&[Message::user("tell me about power")], None),
        from,
        tokens,
    )
}

pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: hyper::HeaderMap,
    body: hyper::body::Incoming,
    parser: SseParser,
    _task: AbortOnDropHandle<()>,
}

/// A stream as a client saw it.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) served_by: String,
    pub(super) text: String,
    pub(super) tokens: usize,
    pub(super) finish: Option<String>,
    pub(super) usage: Option<Value>,
    pub(super) errors: usize,
    pub(super) broken: usize,
    pub(super) done: bool,
    /// The body ended as HTTP says it must.
    pub(super) clean: bool,
    pub(super) ids: Vec<String>,
    pub(super) fingerprints: Vec<String>,
    pub(super) roles: usize,
}

impl Answer {
    /// Whole in every respect.
    pub(super) fn assert_exact(&self, text: &str) {
        assert_eq!(self.text, text, "{self:?}");
        assert_eq!(self.finish.as_deref(), Some("length"), "{self:?}");
        assert!(
            self.done && self.clean && self.errors == 0 && self.broken == 0,
            "{self:?}"
        );
        assert_eq!(self.ids.len(), 1, "one id: {:?}", self.ids);
        let usage = self.usage.as_ref().expect("usage");
        assert_eq!(
            usage["completion_tokens"],
            text.split_whitespace().count(),
            "{usage}"
        );
        assert_eq!(usage["prompt_tokens"], 4, "{usage}");
    }
}

impl Reply {
    pub(super) async fn json(self) -> Value {
        let body = self.body.collect().await.expect("body").to_bytes();
        serde_json::from_slice(&body).expect("json")
    }

    pub(super) async fn text(self) -> String {
        let body = self.body.collect().await.expect("body").to_bytes();
        String::from_utf8_lossy(&body).into_owned()
    }

    /// Reads until `tokens` more tokens came or the stream ended.
    pub(super) async fn read(&mut self, answer: &mut Answer, tokens: usize) {
        let goal = answer.tokens.saturating_add(tokens);
        loop {
            while let Ok(Some(event)) = self.parser.next() {
                answer.take(&event);
            }
            if answer.tokens >= goal {
                return;
            }
            match self.body.frame().await {
                None => {
                    answer.clean = true;
                    return;
                }
                Some(Err(_)) => return,
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.parser.feed(&data);
                    }
                }
            }
        }
    }

    pub(super) async fn answer(mut self) -> Answer {
        let mut answer = Answer {
            status: self.status.as_u16(),
            served_by: self.header("x-served-by"),
            ..Answer::default()
        };
        self.read(&mut answer, usize::MAX).await;
        answer
    }

    pub(super) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_string()
    }
}

impl Answer {
    fn take(&mut self, event: &crate::serving::api::SseEvent) {
        let Some(said) = ChunkReader::default().read(event) else {
            self.broken += 1;
            return;
        };
        if let Some(content) = said.content {
            self.text.push_str(&content);
            self.tokens += 1;
        }
        self.finish = said.finish.or(self.finish.take());
        self.usage = said.usage.or(self.usage.take());
        self.errors += usize::from(said.error);
        self.done |= said.done;
        let Ok(value) = serde_json::from_slice::<Value>(&event.data) else {
            return;
        };
        self.roles += usize::from(value["choices"][0]["delta"]["role"].is_string());
        for (list, name) in [
            (&mut self.ids, "id"),
            (&mut self.fingerprints, "system_fingerprint"),
        ] {
            if let Some(text) = value[name].as_str()
                && !list.iter().any(|known| known == text)
            {
                list.push(text.into());
            }
        }
    }
}

pub(super) fn replica_config(port: u16, known_bad: Option<KnownBad>) -> ReplicaConfig {
    ReplicaConfig {
        port,
        known_bad,
        known_bad_after: 5,
        ..ReplicaConfig::default()
    }
}

pub(super) fn gateway_config(mode: GatewayMode, ports: &[u16]) -> GatewayConfig {
    let replica = |port: &u16| ReplicaRef {
        name: format!("gpu-{port}"),
        host: "localhost".into(),
        port: *port,
    };
    GatewayConfig {
        port: GATEWAY,
        mode,
        replicas: ports.iter().map(replica).collect(),
        ..GatewayConfig::default()
    }
}

/// A gateway of `mode` before replicas at ports 1, 2, ... with these faults,
/// all ready.
pub(super) async fn stack(
    mode: GatewayMode,
    faults: &[Option<KnownBad>],
) -> (Stack, Service, Vec<Service>) {
    let mut stack = Stack::memory();
    let mut replicas = Vec::new();
    let ports: Vec<u16> = (1..=faults.len() as u16).collect();
    for (port, fault) in ports.iter().zip(faults) {
        replicas.push(stack.replica(&format!("gpu-{port}"), replica_config(*port, *fault)));
    }
    let mut gateway = stack.gateway(gateway_config(mode, &ports));
    for replica in &mut replicas {
        replica.ready().await;
    }
    gateway.ready().await;
    (stack, gateway, replicas)
}
