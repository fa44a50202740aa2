//! Posting events to those who subscribed.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use tokio::time::{sleep, timeout};

use super::super::core::Core;
use super::stream::{Batch, next};
use super::subscription::Receiver;
use crate::net::Net;
use crate::supervisor::web::fetch;

/// What became of a subscription.
enum Outcome {
    Delivered,
    Suspended,
    Ended,
}

/// Posts events as they come until the subscription ends.
pub(in super::super) async fn deliver(core: Arc<Core>, net: Arc<dyn Net>, id: String) {
    loop {
        let told = core.told.notified();
        tokio::pin!(told);
        told.as_mut().enable();
        let suspended = match core.lock().subscriptions.get(&id) {
            Some(subscription) => subscription.suspended,
            None => return,
        };
        if suspended {
            told.await;
            continue;
        }
        let outcome = match next(&core, &id) {
            Some(Batch::Nothing) => {
                told.await;
                continue;
            }
            Some(Batch::Events { text, .. }) => post_until(&core, &*net, &id, text).await,
            None => catch_up(&core, &id),
        };
        match outcome {
            Outcome::Delivered => {}
            Outcome::Suspended => {
                if let Some(subscription) = core.lock().subscriptions.get_mut(&id) {
                    subscription.suspended = true;
                }
            }
            Outcome::Ended => {
                core.lock().subscriptions.shift_remove(&id);
                return;
            }
        }
    }
}

/// A receiver that fell behind what is kept goes on with what comes now.
fn catch_up(core: &Core, id: &str) -> Outcome {
    let mut state = core.lock();
    let last = state.log.last();
    match state.subscriptions.get_mut(id) {
        Some(subscription) => {
            subscription.seen = last;
            Outcome::Delivered
        }
        None => Outcome::Ended,
    }
}

/// Posts one document as often as the policy allows.
async fn post_until(core: &Core, net: &dyn Net, id: &str, text: String) -> Outcome {
    let mut failed = 0;
    loop {
        let (receiver, policy) = match core.lock().subscriptions.get(id) {
            Some(s) => (s.receiver.clone(), s.policy.clone()),
            None => return Outcome::Ended,
        };
        let limit = core.config.limits.delivery.duration();
        match timeout(limit, post(net, &receiver, text.clone())).await {
            Ok(Ok(())) => return Outcome::Delivered,
            Ok(Err(error)) => tracing::debug!(id, %error, "event not delivered"),
            Err(_) => tracing::debug!(id, "event not taken in time"),
        }
        failed += 1;
        if policy != "RetryForever" && failed > core.config.retries {
            return match policy.as_str() {
                "SuspendRetries" => Outcome::Suspended,
                _ => Outcome::Ended,
            };
        }
        sleep(core.config.retry_after.duration()).await;
    }
}

async fn post(net: &dyn Net, receiver: &Receiver, text: String) -> io::Result<()> {
    let Receiver::Post {
        host,
        port,
        tls,
        path,
        ..
    } = receiver
    else {
        return Ok(());
    };
    let request = Request::post(path)
        .header(CONTENT_TYPE, "application/json")
        .header("OData-Version", "4.0")
        .body(Full::new(Bytes::from(text)))
        .map_err(io::Error::other)?;
    let (status, _) = fetch(net, (host, *port), *tls, request).await?;
    match status.is_success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("answered {status}"))),
    }
}
