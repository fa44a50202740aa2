//! A server that plays scripts, byte for byte, over TCP or in memory.

use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use indexmap::IndexMap;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::time::sleep;

use ridethrough_targets::net::{Conn, Listener, Net, SocketOptions};

use super::super::oracle::{ChatMessage, Oracle};
use super::{Script, Step};

/// What happens to one attempt of one request.
#[derive(Clone)]
pub(in super::super) enum Play {
    /// A stream with status 200.
    Stream(Script),
    /// A whole answer at once.
    Whole,
    /// These bytes, then the end of the connection.
    Raw(&'static str),
    /// A reset in place of a response.
    Reset,
    /// No word, for ever.
    Silent,
}

/// Plays by request index, then by attempt; the last one goes on for ever.
pub(in super::super) struct Plays {
    by_request: Vec<Vec<Play>>,
    attempts: Mutex<IndexMap<usize, usize>>,
    /// Request heads as they came.
    pub(in super::super) heads: Mutex<Vec<String>>,
}

/// How the server leaves a connection.
#[derive(PartialEq, Eq)]
enum Leave {
    Close,
    Reset,
}

impl Plays {
    pub(in super::super) fn new(by_request: Vec<Vec<Play>>) -> Arc<Self> {
        Arc::new(Self {
            by_request,
            attempts: Mutex::default(),
            heads: Mutex::default(),
        })
    }

    /// Each request once, in this order.
    pub(in super::super) fn each(plays: impl IntoIterator<Item = Play>) -> Arc<Self> {
        Self::new(plays.into_iter().map(|play| vec![play]).collect())
    }

    fn next(&self, request: usize) -> Play {
        let list = &self.by_request[request.min(self.by_request.len() - 1)];
        let mut attempts = self.attempts.lock().expect("no test thread panicked");
        let attempt = attempts.entry(request).or_default();
        let play = list[(*attempt).min(list.len() - 1)].clone();
        *attempt += 1;
        play
    }

    async fn serve(&self, io: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<Leave> {
        let mut io = BufReader::new(io);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if io.read_line(&mut head).await? == 0 {
                return Ok(Leave::Close);
            }
        }
        let header = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .map(str::to_owned)
        };
        let id = header("x-request-id").unwrap_or_default();
        let length = header("content-length").and_then(|l| l.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        io.read_exact(&mut body).await?;
        self.heads
            .lock()
            .expect("no test thread panicked")
            .push(head);
        let request = id.rsplit('-').next().and_then(|index| index.parse().ok());
        let (oracle, asked) = read(&body);
        match self.next(request.unwrap_or(0)) {
            Play::Stream(script) => stream(&mut io, script(&oracle, asked)).await,
            Play::Whole => {
                let text: String = (0..asked).map(|n| oracle.token(n)).collect();
                let body = format!(
                    "{{\"choices\":[{{\"message\":{{\"content\":\"{text}\"}},\"finish_reason\":\"length\"}}],\
                     \"usage\":{{\"completion_tokens\":{asked}}}}}"
                );
                let length = body.len();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
                io.write_all(answer.as_bytes()).await?;
                Ok(Leave::Close)
            }
            Play::Raw(bytes) => {
                io.write_all(bytes.as_bytes()).await?;
                Ok(Leave::Close)
            }
            Play::Reset => Ok(Leave::Reset),
            Play::Silent => pending().await,
        }
    }
}

fn read(body: &[u8]) -> (Oracle, u32) {
    let body: Value = serde_json::from_slice(body).expect("the client sends JSON");
    let message = &body["messages"][0];
    let messages = [ChatMessage {
        role: message["role"].as_str().expect("a role"),
        content: message["content"].as_str().expect("content"),
    }];
    let asked = body["max_tokens"].as_u64().expect("max_tokens") as u32;
    (Oracle::of(&messages, body["seed"].as_u64()), asked)
}

async fn stream(io: &mut (impl AsyncWrite + Unpin), steps: Vec<Step>) -> io::Result<Leave> {
    io.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    )
    .await?;
    for step in steps {
        match step {
            Step::Body(text) => {
                let chunk = format!("{:x}\r\n{text}\r\n", text.len());
                io.write_all(chunk.as_bytes()).await?;
                io.flush().await?;
            }
            Step::Pause(pause) => sleep(pause).await,
            Step::End => {
                io.write_all(b"0\r\n\r\n").await?;
                return Ok(Leave::Close);
            }
            Step::Fin => return Ok(Leave::Close),
            Step::Rst => {
                // A reset throws away what the peer has not read yet.
                sleep(std::time::Duration::from_millis(200)).await;
                return Ok(Leave::Reset);
            }
        }
    }
    pending().await
}

/// Listens on loopback and plays to everybody; returns the port.
pub(in super::super) async fn listen(plays: &Arc<Plays>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    let plays = Arc::clone(plays);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let plays = Arc::clone(&plays);
            tokio::spawn(async move {
                let leave = plays.serve(&mut socket).await;
                if matches!(leave, Ok(Leave::Reset)) {
                    let _ = socket.set_zero_linger();
                }
            });
        }
    });
    port
}

/// A network without a kernel: what a connection attempt meets is its port.
pub(in super::super) struct Memory(pub(in super::super) Arc<Plays>);

impl Memory {
    /// Nobody answers.
    pub(in super::super) const DARK: u16 = 1;
    /// An error of the kernel, by its number, is this plus the number.
    pub(in super::super) const ERRNO: u16 = 1000;
    /// A connection that works, until it reports ETIMEDOUT in place of an end.
    pub(in super::super) const DYING: u16 = 2;
}

#[async_trait]
impl Net for Memory {
    async fn listen(&self, _: u16, _: SocketOptions) -> io::Result<Box<dyn Listener>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn connect(&self, _: &str, port: u16, _: SocketOptions) -> io::Result<Conn> {
        match port {
            Self::DARK => return pending().await,
            errno if errno >= Self::ERRNO => {
                return Err(io::Error::from_raw_os_error(i32::from(errno - Self::ERRNO)));
            }
            _ => {}
        }
        let (ours, theirs) = tokio::io::duplex(65_536);
        let plays = Arc::clone(&self.0);
        tokio::spawn(async move {
            let _ = plays.serve(theirs).await;
        });
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Ok(Conn {
            io: if port == Self::DYING {
                Box::new(dying::Dying(ours))
            } else {
                Box::new(ours)
            },
            local: anywhere,
            peer: anywhere,
        })
    }

    fn resolve(&self, _: &str) -> Option<Ipv4Addr> {
        Some(Ipv4Addr::LOCALHOST)
    }
}

mod dying {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

    /// Reads ETIMEDOUT where the other end has closed.
    pub(super) struct Dying(pub(super) DuplexStream);

    impl AsyncRead for Dying {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.0).poll_read(cx, buf))?;
            Poll::Ready(if buf.filled().len() == before {
                Err(io::Error::from_raw_os_error(110))
            } else {
                Ok(())
            })
        }
    }

    impl AsyncWrite for Dying {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, buf)
        }
        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }
        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }
}
