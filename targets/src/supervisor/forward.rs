//! Orders of the supervisor's clients, carried to the card they are for.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::nut::{ClientError, NutClient, Order, OrderKind, Tracked};
use crate::net::Net;

/// How long an order may take at the card.
const ORDER_WAIT: Duration = Duration::from_secs(10);
/// How often its end is asked for.
const ORDER_POLL: Duration = Duration::from_millis(100);

/// The way to a card and the user to be there.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) timeout: Duration,
}

/// Carries out one order at the card and says what became of it.
pub(super) async fn forward(net: Arc<dyn Net>, to: Address, order: &Order) -> Tracked {
    match timeout(ORDER_WAIT, hand_over(net.as_ref(), &to, order)).await {
        Ok(Ok(())) => Tracked::Success,
        Ok(Err(ClientError::Refused(code))) => match code.as_str() {
            "CMD-NOT-SUPPORTED" | "VAR-NOT-SUPPORTED" | "UNKNOWN" => Tracked::Unknown,
            "INVALID-VALUE" | "INVALID-ARGUMENT" | "TOO-LONG" => Tracked::Invalid,
            _ => Tracked::Failed,
        },
        Ok(Err(_)) | Err(_) => Tracked::Failed,
    }
}

pub(super) async fn hand_over(
    net: &dyn Net,
    to: &Address,
    order: &Order,
) -> Result<(), ClientError> {
    let mut client = NutClient::connect(net, &to.host, to.port, to.timeout).await?;
    client.credentials(&to.user, &to.password).await?;
    client.track().await?;
    let ups = order.device.as_str();
    let id = match &order.kind {
        OrderKind::Set { variable, value } => client.set_var(ups, variable, value).await?,
        OrderKind::Command { command, parameter } => {
            client.instcmd(ups, command, parameter.as_deref()).await?
        }
    };
    if let Some(id) = id {
        while client.tracking(&id).await? == "PENDING" {
            sleep(ORDER_POLL).await;
        }
    }
    client.logout().await;
    Ok(())
}
