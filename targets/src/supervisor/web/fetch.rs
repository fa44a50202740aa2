//! One request to an HTTP server, on a connection of its own.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper::http::HeaderValue;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;

use super::tls::connect_tls;
use crate::net::{Net, SocketOptions};

/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 1024 * 1024;

/// Sends a request and reads the whole answer. Who asks bounds the time.
pub(in crate::supervisor) async fn fetch(
    net: &dyn Net,
    (host, port): (&str, u16),
    tls: bool,
    mut request: Request<Full<Bytes>>,
) -> io::Result<(StatusCode, Bytes)> {
    let options = SocketOptions {
        nodelay: true,
        ..SocketOptions::default()
    };
    let mut io = net.connect(host, port, options).await?.io;
    if tls {
        io = connect_tls(host, io).await?;
    }
    let name = HeaderValue::from_str(&format!("{host}:{port}")).map_err(io::Error::other)?;
    request.headers_mut().insert(HOST, name);
    let shaken = handshake(TokioIo::new(io)).await;
    let (mut sender, connection) = shaken.map_err(io::Error::other)?;
    let answer = async {
        let response = sender.send_request(request).await;
        let response = response.map_err(io::Error::other)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect();
        let body = body.await.map_err(io::Error::other)?;
        Ok((status, body.to_bytes()))
    };
    tokio::pin!(answer, connection);
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            _ = &mut connection, if open => open = false,
        }
    }
}
