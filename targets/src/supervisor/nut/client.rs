//! A NUT client. Every request is bounded in time; after any error but a
//! refusal the connection is of no more use.

use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::device::Range;
use super::line::{quote, split};
use super::server::read_line;
use crate::net::{Io, Net, SocketOptions};

/// Bytes of one line of an answer.
const MAX_LINE: usize = 64 * 1024;
/// Lines of one list.
const MAX_ROWS: usize = 10_000;

/// A connection to a NUT server.
pub struct NutClient {
    io: BufReader<Box<dyn Io>>,
    timeout: Duration,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server answered `ERR` with this code.
    #[error("refused: {0}")]
    Refused(String),
    /// Nothing came in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The server closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The network failed.
    #[error("network: {0}")]
    Io(#[from] std::io::Error),
    /// The answer is none that the protocol knows.
    #[error("unexpected answer {0:?}")]
    Unexpected(String),
}

impl ClientError {
    /// The server itself refused: the connection is still good.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// What `GET TYPE` tells of a variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariableType {
    /// It may be set.
    pub writable: bool,
    /// It has a list of allowed values.
    pub choices: bool,
    /// It has ranges of allowed values.
    pub ranges: bool,
    /// It is text of at most this many bytes; `None` is a number.
    pub text: Option<usize>,
}

impl NutClient {
    /// Connects; `wait` bounds the connection and each request after it.
    pub async fn connect(
        net: &dyn Net,
        host: &str,
        port: u16,
        wait: Duration,
    ) -> Result<Self, ClientError> {
        let options = SocketOptions {
            nodelay: true,
            ..SocketOptions::default()
        };
        let conn = timeout(wait, net.connect(host, port, options))
            .await
            .map_err(|_| ClientError::Timeout(wait))??;
        Ok(Self {
            io: BufReader::new(conn.io),
            timeout: wait,
        })
    }

    /// Gives credentials; they are checked only when something needs them.
    pub async fn credentials(&mut self, user: &str, password: &str) -> Result<(), ClientError> {
        self.ok(&format!("USERNAME {}", quote(user))).await?;
        self.ok(&format!("PASSWORD {}", quote(password))).await?;
        Ok(())
    }

    /// `LIST UPS`: names and descriptions.
    pub async fn list_ups(&mut self) -> Result<Vec<(String, String)>, ClientError> {
        self.pairs("LIST UPS", "UPS", 1).await
    }

    /// `LIST VAR`: names and values.
    pub async fn list_var(&mut self, ups: &str) -> Result<Vec<(String, String)>, ClientError> {
        self.pairs(&format!("LIST VAR {ups}"), "VAR", 2).await
    }

    /// `LIST RW`: names and values of what may be set.
    pub async fn list_rw(&mut self, ups: &str) -> Result<Vec<(String, String)>, ClientError> {
        self.pairs(&format!("LIST RW {ups}"), "RW", 2).await
    }

    /// `LIST CMD`: names of commands.
    pub async fn list_cmd(&mut self, ups: &str) -> Result<Vec<String>, ClientError> {
        let rows = self.list(&format!("LIST CMD {ups}")).await?;
        rows.into_iter().map(|row| word(row, 2)).collect()
    }

    /// `LIST ENUM`: the values that a variable may be set to.
    pub async fn list_enum(&mut self, ups: &str, name: &str) -> Result<Vec<String>, ClientError> {
        let rows = self.list(&format!("LIST ENUM {ups} {name}")).await?;
        rows.into_iter().map(|row| word(row, 3)).collect()
    }

    /// `LIST RANGE`: the ranges that a variable may be set within.
    pub async fn list_range(&mut self, ups: &str, name: &str) -> Result<Vec<Range>, ClientError> {
        let rows = self.list(&format!("LIST RANGE {ups} {name}")).await?;
        let range = |row: Vec<String>| match row.as_slice() {
            [_, _, _, min, max] => Some(Range {
                min: min.parse().ok()?,
                max: max.parse().ok()?,
            }),
            _ => None,
        };
        rows.into_iter()
            .map(|row| range(row.clone()).ok_or_else(|| ClientError::Unexpected(row.join(" "))))
            .collect()
    }

    /// `GET VAR`.
    pub async fn get_var(&mut self, ups: &str, name: &str) -> Result<String, ClientError> {
        let words = self.request(&format!("GET VAR {ups} {name}")).await?;
        match words.as_slice() {
            [head, _, _, value] if head == "VAR" => Ok(value.clone()),
            _ => Err(ClientError::Unexpected(words.join(" "))),
        }
    }

    /// `GET TYPE`.
    pub async fn get_type(&mut self, ups: &str, name: &str) -> Result<VariableType, ClientError> {
        let words = self.request(&format!("GET TYPE {ups} {name}")).await?;
        let mut found = VariableType::default();
        for flag in words.iter().skip(3) {
            match flag.as_str() {
                "RW" => found.writable = true,
                "ENUM" => found.choices = true,
                "RANGE" => found.ranges = true,
                other => {
                    found.text = other.strip_prefix("STRING:").and_then(|n| n.parse().ok());
                }
            }
        }
        Ok(found)
    }

    /// `GET NUMLOGINS`: how many clients are logged in to a UPS.
    pub async fn num_logins(&mut self, ups: &str) -> Result<u32, ClientError> {
        let words = self.request(&format!("GET NUMLOGINS {ups}")).await?;
        words
            .get(2)
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| ClientError::Unexpected(words.join(" ")))
    }

    /// `LOGIN`: this client takes its power from the UPS.
    pub async fn login(&mut self, ups: &str) -> Result<(), ClientError> {
        self.ok(&format!("LOGIN {ups}")).await.map(drop)
    }

    /// `PRIMARY`: this client will be the last to shut down.
    pub async fn primary(&mut self, ups: &str) -> Result<(), ClientError> {
        self.ok(&format!("PRIMARY {ups}")).await.map(drop)
    }

    /// `FSD`: orders every client of the UPS to shut down.
    pub async fn fsd(&mut self, ups: &str) -> Result<(), ClientError> {
        self.ok(&format!("FSD {ups}")).await.map(drop)
    }

    /// `SET TRACKING ON`: orders are given numbers from now on.
    pub async fn track(&mut self) -> Result<(), ClientError> {
        self.ok("SET TRACKING ON").await.map(drop)
    }

    /// `SET VAR`; the number of the order where tracking is on.
    pub async fn set_var(
        &mut self,
        ups: &str,
        name: &str,
        value: &str,
    ) -> Result<Option<String>, ClientError> {
        let line = format!("SET VAR {ups} {name} {}", quote(value));
        self.ok(&line).await.map(tracking_id)
    }

    /// `INSTCMD`; the number of the order where tracking is on.
    pub async fn instcmd(
        &mut self,
        ups: &str,
        command: &str,
        parameter: Option<&str>,
    ) -> Result<Option<String>, ClientError> {
        let mut line = format!("INSTCMD {ups} {command}");
        if let Some(parameter) = parameter {
            line.push(' ');
            line.push_str(&quote(parameter));
        }
        self.ok(&line).await.map(tracking_id)
    }

    /// `GET TRACKING <id>`: `PENDING` or `SUCCESS`; an end in failure is
    /// [`ClientError::Refused`].
    pub async fn tracking(&mut self, id: &str) -> Result<String, ClientError> {
        let words = self.request(&format!("GET TRACKING {id}")).await?;
        Ok(words.join(" "))
    }

    /// `LOGOUT`; errors do not matter any more.
    pub async fn logout(mut self) {
        let _ = self.request("LOGOUT").await;
    }

    async fn ok(&mut self, line: &str) -> Result<Vec<String>, ClientError> {
        let words = self.request(line).await?;
        match words.first().map(String::as_str) {
            Some("OK") => Ok(words),
            _ => Err(ClientError::Unexpected(words.join(" "))),
        }
    }

    async fn request(&mut self, line: &str) -> Result<Vec<String>, ClientError> {
        let wait = self.timeout;
        timeout(wait, async {
            self.send(line).await?;
            self.receive().await
        })
        .await
        .map_err(|_| ClientError::Timeout(wait))?
    }

    async fn pairs(
        &mut self,
        line: &str,
        head: &str,
        key: usize,
    ) -> Result<Vec<(String, String)>, ClientError> {
        let rows = self.list(line).await?;
        rows.into_iter()
            .map(|mut row| {
                if row.len() < key + 2 || row[0] != head {
                    return Err(ClientError::Unexpected(row.join(" ")));
                }
                let value = row.swap_remove(key + 1);
                Ok((row.swap_remove(key), value))
            })
            .collect()
    }

    async fn list(&mut self, line: &str) -> Result<Vec<Vec<String>>, ClientError> {
        let wait = self.timeout;
        timeout(wait, async {
            self.send(line).await?;
            let begin = self.receive().await?;
            if begin.first().map(String::as_str) != Some("BEGIN") {
                return Err(ClientError::Unexpected(begin.join(" ")));
            }
            let mut rows = Vec::new();
            loop {
                let row = self.receive().await?;
                if row.first().map(String::as_str) == Some("END") {
                    return Ok(rows);
                }
                if rows.len() >= MAX_ROWS {
                    return Err(ClientError::Unexpected("a list without end".into()));
                }
                rows.push(row);
            }
        })
        .await
        .map_err(|_| ClientError::Timeout(wait))?
    }

    async fn send(&mut self, line: &str) -> Result<(), ClientError> {
        let io = self.io.get_mut();
        io.write_all(format!("{line}\n").as_bytes()).await?;
        io.flush().await?;
        Ok(())
    }

    async fn receive(&mut self) -> Result<Vec<String>, ClientError> {
        let line = read_line(&mut self.io, MAX_LINE)
            .await?
            .ok_or(ClientError::Closed)?;
        let words = split(&line).ok_or_else(|| ClientError::Unexpected(line.clone()))?;
        match words.as_slice() {
            [head, code, ..] if head == "ERR" => Err(ClientError::Refused(code.clone())),
            [] => Err(ClientError::Unexpected(line)),
            _ => Ok(words),
        }
    }
}

fn word(row: Vec<String>, index: usize) -> Result<String, ClientError> {
    row.get(index)
        .cloned()
        .ok_or_else(|| ClientError::Unexpected(row.join(" ")))
}

fn tracking_id(words: Vec<String>) -> Option<String> {
    match words.as_slice() {
        [_, word, id] if word == "TRACKING" => Some(id.clone()),
        _ => None,
    }
}
