//! SunSpec Modbus.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::site::Site;
use super::table::delays;
use super::{PATIENCE, Result};

/// Reads one register of unit 1: `SoC` of model 802, in tenths of a percent.
const READ: [u8; 12] = [0, 1, 0, 0, 0, 6, 1, 3, 0x9d, 0xc8, 0, 1];
const ANSWER: usize = 11;

/// A reader that asks for the charge again and again.
pub(super) async fn readers(site: &Site) -> Result<()> {
    let mut stream = TcpStream::connect(site.modbus).await?;
    stream.set_nodelay(true)?;
    let change = |on: bool| site.bess(!on);
    delays("Modbus: to a reader's answer", change, async |on| {
        let wanted = if on { 700 } else { 800 };
        loop {
            stream.write_all(&READ).await?;
            let mut answer = [0; ANSWER];
            timeout(PATIENCE, stream.read_exact(&mut answer)).await??;
            if u16::from_be_bytes([answer[9], answer[10]]) == wanted {
                return Ok(());
            }
        }
    })
    .await
}
