use std::io::Seek;

use pcap_file::pcapng::{Block, PcapNgReader};

use super::*;

#[test]
fn a_capture_reads_back() {
    let mut file = tempfile::tempfile().expect("a temporary file");
    let copy = file.try_clone().expect("a second descriptor");
    let clock = Clock::started(Duration::from_secs(5));
    let (tape, writer) = Tape::start(copy, clock).expect("the head is written");
    tape.port("gateway", [2, 0, 0, 0, 0, 1]);
    tape.record(0, &[1; 60], true);
    tape.record(0, &[2; 70], false);
    assert_eq!(tape.missed(), 0);
    drop(tape);
    writer.join().expect("the writer ended");

    file.rewind().expect("a file can be rewound");
    let mut reader = PcapNgReader::new(file).expect("a pcapng file");
    let (mut names, mut frames) = (Vec::new(), Vec::new());
    while let Some(block) = reader.next_block() {
        match block.expect("a valid block") {
            Block::InterfaceDescription(port) => {
                let name = port.options.iter().find_map(|option| match option {
                    InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
                    _ => None,
                });
                names.extend(name);
            }
            Block::EnhancedPacket(packet) => {
                assert!(packet.timestamp >= Duration::from_secs(5));
                frames.push((packet.data.to_vec(), packet.options.len()));
            }
            _ => {}
        }
    }
    assert_eq!(names, ["gateway"]);
    assert_eq!(frames, [(vec![1; 60], 0), (vec![2; 70], 1)]);
}

#[test]
fn what_cannot_be_written_is_counted() {
    let (notes, inbox) = sync_channel(1);
    let tape = Tape {
        notes,
        missed: Arc::default(),
        clock: Clock::start(),
    };
    tape.record(0, &[0; 60], true);
    tape.record(0, &[0; 60], true);
    assert_eq!(tape.missed(), 1);
    drop(inbox);
    tape.record(0, &[0; 60], true);
    assert_eq!(tape.missed(), 2);
}
