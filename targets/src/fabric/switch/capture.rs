//! The capture: every frame that enters the switch, as pcapng, written by a
//! thread of its own so that the switch never waits for a disk.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::PcapNgBlock;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::{DataLink, PcapError};

use crate::clock::{Clock, Micros};

/// Frames that may wait for the disk.
const QUEUE: usize = 8192;
/// Ten to the minus nine seconds, as `if_tsresol` states it.
const NANOSECONDS: u8 = 9;

enum Note {
    Port(String, [u8; 6]),
    Frame {
        port: usize,
        at_us: Micros,
        bytes: Vec<u8>,
        went: bool,
    },
}

/// The switch's end of the capture.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    notes: SyncSender<Note>,
    missed: Arc<AtomicU64>,
    clock: Clock,
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Note::Port(..) => "Port",
            Note::Frame { .. } => "Frame",
        })
    }
}

impl Tape {
    /// Starts a writer. Its thread ends when every clone of the tape is gone.
    ///
    /// # Errors
    /// When the head of the file cannot be written, or no thread started.
    pub(crate) fn start(file: File, clock: Clock) -> io::Result<(Self, JoinHandle<()>)> {
        let writer = PcapNgWriter::new(BufWriter::with_capacity(1 << 18, file)).map_err(plain)?;
        let (notes, inbox) = sync_channel(QUEUE);
        let missed = Arc::new(AtomicU64::new(0));
        let tape = Self {
            notes,
            missed: Arc::clone(&missed),
            clock,
        };
        let thread = std::thread::Builder::new()
            .name("capture".into())
            .spawn(move || {
                if let Err(error) = write_all(writer, &inbox) {
                    tracing::warn!(%error, "the capture ended early");
                }
                let missed = missed.load(Ordering::Relaxed);
                if missed > 0 {
                    tracing::warn!(missed, "frames are missing from the capture");
                }
            })?;
        Ok((tape, thread))
    }

    /// Announces the next port.
    pub(crate) fn port(&self, name: &str, mac: [u8; 6]) {
        if self.notes.send(Note::Port(name.to_string(), mac)).is_err() {
            self.miss();
        }
    }

    /// Records a frame that a port sent, without its virtio-net header.
    pub(crate) fn record(&self, port: usize, frame: &[u8], went: bool) {
        let note = Note::Frame {
            port,
            at_us: self.clock.now_us(),
            bytes: frame.to_vec(),
            went,
        };
        if self.notes.try_send(note).is_err() {
            self.miss();
        }
    }

    fn miss(&self) {
        self.missed.fetch_add(1, Ordering::Relaxed);
    }

    /// Frames that were not written because the disk was too slow or full.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

fn plain(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

fn write_all<W: Write>(mut writer: PcapNgWriter<W>, inbox: &Receiver<Note>) -> io::Result<()> {
    while let Ok(note) = inbox.recv() {
        let block = match note {
            Note::Port(name, mac) => interface(name, mac).into_block(),
            Note::Frame {
                port,
                at_us,
                bytes,
                went,
            } => packet(port, at_us, bytes, went).into_block(),
        };
        writer.write_block(&block).map_err(plain)?;
    }
    writer.into_inner().flush()
}

fn interface(name: String, mac: [u8; 6]) -> InterfaceDescriptionBlock<'static> {
    InterfaceDescriptionBlock {
        linktype: DataLink::ETHERNET,
        snaplen: 0,
        options: vec![
            InterfaceDescriptionOption::IfName(Cow::Owned(name)),
            InterfaceDescriptionOption::IfMacAddr(Cow::Owned(mac.to_vec())),
            InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
        ],
    }
}

fn packet(port: usize, at_us: Micros, bytes: Vec<u8>, went: bool) -> EnhancedPacketBlock<'static> {
    let mut options = Vec::new();
    if !went {
        let why = "dropped: a rule, a dark port, or nobody's address";
        options.push(EnhancedPacketOption::Comment(Cow::Borrowed(why)));
    }
    EnhancedPacketBlock {
        interface_id: port as u32,
        timestamp: Duration::from_micros(at_us),
        original_len: bytes.len() as u32,
        data: Cow::Owned(bytes),
        options,
    }
}

#[cfg(test)]
mod tests;
