//! The supervisor's ear at one device: asks it by NUT, again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::nut::{ClientError, NutClient, Variable};
use crate::net::Net;

/// Where a device's card is and how often to ask it.
#[derive(Clone, Debug)]
pub(super) struct Ear {
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) poll: Duration,
    pub(super) timeout: Duration,
}

/// One answer of a device, or its lack.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) index: usize,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// What the device can be told; once a connection, before the values.
    Shape {
        commands: Vec<String>,
        writable: Vec<(String, Variable)>,
    },
    /// Its variables.
    Values(Vec<(String, String)>),
    /// The card is there, but has no fresh data of its device.
    Stale,
    /// The card cannot be reached.
    Down(String),
}

impl Ear {
    /// Listens until nobody wants to hear any more.
    pub(super) async fn listen(self, net: Arc<dyn Net>, to: mpsc::Sender<Heard>) {
        let mut beat = interval(self.poll);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut client: Option<NutClient> = None;
        let mut shaped = false;
        loop {
            beat.tick().await;
            let mut connection = match client.take() {
                Some(connection) => Ok(connection),
                None => {
                    shaped = false;
                    NutClient::connect(net.as_ref(), &self.host, self.port, self.timeout).await
                }
            };
            let mut words = Vec::new();
            let asked = match &mut connection {
                Ok(connection) => self.ask(connection, &mut shaped, &mut words).await,
                Err(_) => Ok(()),
            };
            match (connection, asked) {
                (Ok(connection), Ok(())) => client = Some(connection),
                (Ok(connection), Err(ClientError::Refused(code))) => {
                    client = Some(connection);
                    words.push(match code.as_str() {
                        "DATA-STALE" | "DRIVER-NOT-CONNECTED" => What::Stale,
                        _ => What::Down(code),
                    });
                }
                (Ok(_), Err(error)) | (Err(error), _) => words.push(What::Down(error.to_string())),
            }
            for what in words {
                let index = self.index;
                if to.send(Heard { index, what }).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn ask(
        &self,
        client: &mut NutClient,
        shaped: &mut bool,
        words: &mut Vec<What>,
    ) -> Result<(), ClientError> {
        if !*shaped {
            words.push(self.shape(client).await?);
            *shaped = true;
        }
        words.push(What::Values(client.list_var(&self.name).await?));
        Ok(())
    }

    async fn shape(&self, client: &mut NutClient) -> Result<What, ClientError> {
        let commands = client.list_cmd(&self.name).await?;
        let mut writable = Vec::new();
        for (name, value) in client.list_rw(&self.name).await? {
            let kind = client.get_type(&self.name, &name).await?;
            let mut variable = Variable {
                value,
                writable: kind.writable,
                text: kind.text,
                ..Variable::default()
            };
            if kind.choices {
                variable.choices = client.list_enum(&self.name, &name).await?;
            }
            if kind.ranges {
                variable.ranges = client.list_range(&self.name, &name).await?;
            }
            writable.push((name, variable));
        }
        Ok(What::Shape { commands, writable })
    }
}
