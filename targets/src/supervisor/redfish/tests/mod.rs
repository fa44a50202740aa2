mod events;
mod faults;
mod fixture;
mod memory;
mod orders;
mod requests;
mod robust;
mod snapshots;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use serde_json::Value as Json;
use tokio::task::JoinSet;

use super::ask::{Ask, Content, Reply};
use super::config::RedfishConfig;
use super::core::Core;
use super::events::watch;
use super::service::answer;
use crate as targets;
use crate::units::Span;

/// The small site behind a service without a listener.
struct Site {
    core: Arc<Core>,
    _tasks: JoinSet<()>,
}

impl Site {
    fn start() -> Self {
        Self::with(RedfishConfig {
            cycle: Span::from_secs(5),
            ..RedfishConfig::default()
        })
    }

    fn with(config: RedfishConfig) -> Self {
        let (board, orders) = fixture::board();
        let core = Arc::new(Core::new(board.clone(), config, None));
        let mut tasks = JoinSet::new();
        tasks.spawn(fixture::drive(board, orders));
        tasks.spawn(watch(Arc::clone(&core)));
        Self {
            core,
            _tasks: tasks,
        }
    }

    /// Lets everything that can run now do so.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: hyper::header::HeaderName = name.parse().unwrap();
            map.insert(name, value.parse().unwrap());
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let ask = Ask {
            method,
            path: path.into(),
            query: query.into(),
            headers: map,
            body: Ok(Bytes::from(body.to_string())),
        };
        answer(&self.core, ask).await
    }

    /// As the administrator, below the root.
    async fn admin(&self, method: Method, path: &str, body: &str) -> Reply {
        let path = format!("/redfish/v1{path}");
        self.ask(method, &path, &[("authorization", ADMIN)], body)
            .await
    }

    /// A document, as the administrator sees it.
    async fn get(&self, path: &str) -> Json {
        let reply = self.admin(Method::GET, path, "").await;
        assert_eq!(reply.status, 200, "{path}: {:?}", reply.content);
        document(&reply).clone()
    }
}

/// `supervisor:supervisor`, `operator:operator`, `reader:reader`.
const ADMIN: &str = "Basic c3VwZXJ2aXNvcjpzdXBlcnZpc29y";
const OPERATOR: &str = "Basic b3BlcmF0b3I6b3BlcmF0b3I=";
const READER: &str = "Basic cmVhZGVyOnJlYWRlcg==";

fn document(reply: &Reply) -> &Json {
    match &reply.content {
        Content::Json(document) => document,
        other => panic!("no document but {other:?}"),
    }
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let found = reply.headers.iter().find(|(n, _)| *n == name);
    found.map_or("", |(_, value)| value)
}

/// The keys of the messages of a refusal.
fn keys(reply: &Reply) -> Vec<String> {
    let info = &document(reply)["error"]["@Message.ExtendedInfo"];
    let ids = info.as_array().into_iter().flatten();
    ids.filter_map(|m| {
        m["MessageId"]
            .as_str()?
            .rsplit('.')
            .next()
            .map(str::to_string)
    })
    .collect()
}
