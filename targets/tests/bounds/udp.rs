//! Datagrams, as fast as they can be sent.

use std::time::Duration;

use libtest_mimic::Failed;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout};

use crate::site::Site;
use crate::{PROMPT, check};

/// Datagrams of each kind.
const FLOOD: usize = 20_000;

/// GET of `upsOutputSource` in v2c.
const GET: &[u8] = b"\x30\x2b\x02\x01\x01\x04\x06public\xa0\x1e\x02\x04\x01\x02\x03\x04\
    \x02\x01\x00\x02\x01\x00\x30\x10\x30\x0e\x06\x0a\x2b\x06\x01\x02\x01\x21\x01\x04\x01\x00\
    \x05\x00";
/// SET of `upsShutdownAfterDelay` to 60 in v2c, an order that is carried out
/// beside the agent's other work.
const SET: &[u8] = b"\x30\x2d\x02\x01\x01\x04\x07private\xa3\x1f\x02\x04\x01\x02\x03\x04\
    \x02\x01\x00\x02\x01\x00\x30\x11\x30\x0f\x06\x0a\x2b\x06\x01\x02\x01\x21\x01\x08\x02\x00\
    \x02\x01\x3c";

pub(crate) async fn flood(site: Site) -> Result<(), Failed> {
    let rude = UdpSocket::bind("127.0.0.1:0").await?;
    let large = vec![0x30; 60_000];
    // A bulk that asks for as much as can be asked for.
    let mut bulk = GET.to_vec();
    bulk[13] = 0xa5;
    (bulk[23], bulk[26]) = (0, 127);
    for kind in [&large[..1_400], &bulk, SET] {
        for _ in 0..FLOOD {
            let _ = rude.try_send_to(kind, site.snmp);
        }
        answers(&site).await?;
    }
    for _ in 0..1_000 {
        let _ = rude.try_send_to(&large, site.snmp);
    }
    answers(&site).await
}

/// A good client is answered soon; what got lost it asks again, as clients do.
async fn answers(site: &Site) -> Result<(), Failed> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let begin = Instant::now();
    while begin.elapsed() < PROMPT {
        socket.send_to(GET, site.snmp).await?;
        let mut buffer = [0; 512];
        let heard = timeout(Duration::from_millis(200), socket.recv(&mut buffer)).await;
        if let Ok(length) = heard {
            return check(length? > GET.len() - 2, "a short answer");
        }
    }
    Err("the agent does not answer".into())
}
