use proptest::prelude::*;

use super::*;

fn read(pieces: &[&[u8]]) -> Vec<String> {
    let mut reader = SseReader::new();
    let mut items = Vec::new();
    let mut note = |item: SseItem<'_>| {
        items.push(match item {
            SseItem::Event { name, data, cut } => format!(
                "{}|{}{}",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(data),
                if cut { "|cut" } else { "" }
            ),
            SseItem::Comment(text) => format!(":{}", String::from_utf8_lossy(text)),
        });
    };
    for piece in pieces {
        reader.feed(piece, &mut note).expect("short lines");
    }
    reader.finish(&mut note).expect("short lines");
    items
}

#[test]
fn fields_and_comments() {
    let text =
        b"event: error\ndata: a\ndata:b\nid: 7\nunknown\n\n: hello\n\ndata\n\ndata:  two\n\n";
    assert_eq!(read(&[text]), ["error|a\nb", ": hello", "|", "| two"]);
}

#[test]
fn every_line_ending_and_a_mark_at_the_front() {
    assert_eq!(
        read(&[b"\xEF\xBB\xBFdata: a\r\n\r\ndata: b\r\rdata: c\n\n"]),
        ["|a", "|b", "|c"]
    );
    // Only the first line can carry the mark.
    assert_eq!(read(&[b"data: a\n\n\xEF\xBB\xBFdata: b\n\n"]), ["|a"]);
}

#[test]
fn a_bare_cr_ends_an_event_without_waiting_for_more() {
    let mut reader = SseReader::new();
    let mut events = 0;
    reader
        .feed(b"data: a\r\r", |_| events += 1)
        .expect("short lines");
    assert_eq!(events, 1);
    reader
        .feed(b"\ndata: b\r\n\r", |_| events += 1)
        .expect("short lines");
    assert_eq!(events, 2);
}

#[test]
fn the_end_hands_out_what_it_cut() {
    assert_eq!(read(&[b"data: a\n"]), ["|a|cut"]);
    assert_eq!(read(&[b"data: {\"x"]), ["|{\"x|cut"]);
    assert_eq!(read(&[b"event: x\n"]), Vec::<String>::new());
}

#[test]
fn lines_are_bounded() {
    let mut reader = SseReader::new();
    let piece = [b'x'; 4096];
    let fed = (0..=MAX_LINE / piece.len()).try_for_each(|_| reader.feed(&piece, |_| {}));
    assert_eq!(fed, Err(SseError::TooLong));

    let mut reader = SseReader::new();
    let mut line = b"data:".to_vec();
    line.extend([b'x'; 4096]);
    line.push(b'\n');
    let fed = (0..=MAX_LINE / 4096).try_for_each(|_| reader.feed(&line, |_| {}));
    assert_eq!(fed, Err(SseError::TooLong));
}

/// Text made of the parts that matter.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("data: "),
        Just("data:"),
        Just("event: error"),
        Just(": note"),
        Just("\n"),
        Just("\r"),
        Just("\r\n"),
        Just("\n\n"),
        Just("\u{feff}"),
        Just("grüße 🜂"),
        Just("{\"a\":1}"),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #[test]
    fn cuts_change_nothing(text in stream(), cuts in prop::collection::vec(0usize..400, 0..20)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(text.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for at in cuts {
            pieces.push(&text[from..at]);
            from = at;
        }
        pieces.push(&text[from..]);
        prop_assert_eq!(read(&pieces), read(&[&text]));
        let single: Vec<&[u8]> = text.chunks(1).collect();
        prop_assert_eq!(read(&single), read(&[&text]));
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        read(&[&bytes]);
    }
}
