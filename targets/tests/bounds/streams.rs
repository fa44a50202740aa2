//! Streams of events whose clients do not read.

use std::time::Duration;

use libtest_mimic::Failed;
use ridethrough_targets::telemetry::Reading;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::fixture;
use crate::rude::{servers, serves};
use crate::site::Site;

/// As many as are served at one time.
const STREAMS: usize = 64;
/// Changes that each should hear of.
const CHANGES: usize = 20_000;

const EVENTS: &[u8] = b"GET /redfish/v1/EventService/SSE HTTP/1.1\r\nhost: x\r\n\
    authorization: Basic c3VwZXJ2aXNvcjpzdXBlcnZpc29y\r\n\r\n";
const STATE: &[u8] = b"GET /state/stream HTTP/1.1\r\nhost: x\r\n\r\n";

pub(crate) async fn unread(site: Site) -> Result<(), Failed> {
    let mut held = Vec::new();
    for (to, request) in [(site.redfish, EVENTS), (site.metrics, STATE)] {
        for _ in 0..STREAMS {
            let mut stream = TcpStream::connect(to).await?;
            stream.write_all(request).await?;
            held.push(stream);
        }
    }
    for change in 0..CHANGES {
        let mut pdu = fixture::pdu();
        pdu.outlets
            .iter_mut()
            .for_each(|outlet| outlet.on = change % 2 == 0);
        site.board.publish([("pdu-a".into(), Reading::Pdu(pdu))]);
        if change % 100 == 0 {
            sleep(Duration::from_millis(2)).await;
        }
    }
    for server in servers(&site) {
        serves(&server).await?;
    }
    Ok(())
}
