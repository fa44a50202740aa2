//! The load client's reader of events. The first byte says where the stream is
//! broken in two; what is found must not depend on it.
#![no_main]

use ridethrough::load::{SseItem, SseReader};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((at, stream)) = bytes.split_first() else {
        return;
    };
    let (one, other) = stream.split_at(usize::from(*at).min(stream.len()));
    assert_eq!(read(&[stream]), read(&[one, other]));
});

fn read(pieces: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    let mut hear = |item: SseItem<'_>| found.push(format!("{item:?}"));
    let mut reader = SseReader::new();
    for piece in pieces {
        if reader.feed(piece, &mut hear).is_err() {
            return Vec::new();
        }
    }
    match reader.finish(&mut hear) {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}
