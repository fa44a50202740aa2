use proptest::prelude::*;

use super::*;

fn all(parser: &mut SseParser) -> Vec<SseEvent> {
    std::iter::from_fn(|| parser.next().expect("short events")).collect()
}

#[test]
fn reads_fields_comments_and_both_line_ends() {
    let mut parser = SseParser::default();
    parser.feed(b": hello\n\ndata: 1\n\nevent: error\r\ndata:2\r\ndata: 3\r\n\r\ndata: cut");
    let events = all(&mut parser);
    assert_eq!(events.len(), 2);
    assert_eq!(&events[0].data[..], b"1");
    assert!(!events[0].is_error);
    assert_eq!(&events[1].data[..], b"2\n3");
    assert!(events[1].is_error);
}

#[test]
fn an_endless_event_is_an_error() {
    let mut parser = SseParser::default();
    parser.feed(&vec![b'x'; MAX_EVENT_BYTES + 1]);
    assert!(parser.next().is_err());
}

proptest! {
    #[test]
    fn cuts_do_not_matter(
        events in prop::collection::vec("[a-z{}\": ]{1,12}", 0..8),
        crlf: bool,
        cuts in prop::collection::vec(1usize..7, 0..40),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let wire: String = events.iter().map(|e| format!("data: {e}{end}{end}")).collect();
        let mut parser = SseParser::default();
        let mut seen = Vec::new();
        let mut rest = wire.as_bytes();
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            parser.feed(now);
            seen.extend(all(&mut parser));
            rest = later;
        }
        let raw: Vec<u8> = seen.iter().flat_map(|e| e.raw.to_vec()).collect();
        prop_assert_eq!(raw, wire.as_bytes());
        let data: Vec<String> = seen.iter().map(|e| String::from_utf8_lossy(&e.data).into_owned()).collect();
        prop_assert_eq!(data, events);
    }
}
