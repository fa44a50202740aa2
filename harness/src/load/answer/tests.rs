use proptest::prelude::*;

use super::super::content::Defect;
use super::super::oracle::Oracle;
use super::super::testing::{DONE, ERROR, Step, broken, delta, dialects};
use super::*;

fn oracle() -> Oracle {
    Oracle::from_key(b"a request")
}

fn read(pieces: &[&[u8]]) -> Finished {
    let mut answer = Answer::new(oracle(), 40, true);
    answer.head(200, false);
    for piece in pieces {
        answer.feed(piece, 5);
    }
    answer.finish(5)
}

/// The body of a script.
fn body(steps: &[Step]) -> Vec<u8> {
    let parts = steps.iter().map(|step| match step {
        Step::Body(text) => text.as_str(),
        _ => "",
    });
    parts.collect::<String>().into_bytes()
}

#[test]
fn a_token_is_stamped_by_the_bytes_that_complete_it() {
    let token = oracle().token(0);
    let (front, back) = token.split_at(3);
    let mut answer = Answer::new(oracle(), 2, true);
    answer.head(200, false);
    answer.feed(delta(front).as_bytes(), 100);
    assert_eq!(answer.tokens(), 0);
    // The event arrives in two reads: only the second completes it.
    let event = delta(&format!("{back}{}", oracle().token(1)));
    let (first, second) = event.as_bytes().split_at(event.len() - 1);
    answer.feed(first, 200);
    assert_eq!(answer.last_token_us(), None);
    answer.feed(second, 300);
    assert_eq!((answer.tokens(), answer.last_token_us()), (2, Some(300)));
    let finished = answer.finish(400);
    assert_eq!(finished.token_us, [300, 0]);
    assert_eq!(finished.served_by, [("gpu-1".to_owned(), 0)]);
}

#[test]
fn a_chunk_that_names_a_role_is_read_every_time() {
    let mut answer = Answer::new(Expected::Structure, 2, true);
    answer.head(200, false);
    // Twice the same bytes: the second is a new head, and so a new beginning.
    let words = delta("a model of others says what it says ");
    let begins = words.replace("\"delta\":{", "\"delta\":{\"role\":\"assistant\",");
    assert_ne!(words, begins);
    answer.feed(begins.as_bytes(), 10);
    answer.feed(begins.as_bytes(), 20);
    let defect = answer.finish(30).seen.defect;
    assert!(matches!(defect, Some(Defect::Restarted(_))), "{defect:?}");
}

#[test]
fn errors_in_every_spelling() {
    for (text, says) in [
        (ERROR.to_owned(), "engine died"),
        ("data: {\"error\":\"plain\"}\n\n".into(), "plain"),
        (
            "data: {\"error\":{\"code\":\"500\"}}\n\n".into(),
            "{\"code\":\"500\"}",
        ),
        (
            "data: {\"object\":\"error\",\"message\":\"old style\"}\n\n".into(),
            "old style",
        ),
        ("event: error\ndata: no JSON\n\n".into(), "no JSON"),
        (
            "event: error\ndata: {\"detail\":1}\n\n".into(),
            "{\"detail\":1}",
        ),
    ] {
        let finished = read(&[text.as_bytes()]);
        assert_eq!(finished.seen.error.as_deref(), Some(says));
        assert_eq!(finished.first_error_us, Some(5));
    }
    let fine = read(&[b"data: {\"error\":null,\"choices\":[]}\n\n"]);
    assert_eq!(fine.seen.error, None);
}

#[test]
fn text_with_escapes_is_read_too() {
    let token = oracle().token(0).replace(' ', "\\u0020");
    let finished = read(&[delta(&token).as_bytes()]);
    assert_eq!((finished.seen.tokens, finished.seen.defect), (1, None));
}

#[test]
fn an_endless_line_is_broken_and_forgotten() {
    let piece = [b'x'; 65_536];
    let mut pieces: Vec<&[u8]> = vec![b"data: "];
    pieces.extend([&piece[..]; 17]);
    let finished = read(&pieces);
    assert!(
        finished
            .seen
            .broken
            .is_some_and(|why| why.contains("a line of more"))
    );
}

#[test]
fn done_without_its_blank_line_is_done() {
    assert!(read(&[DONE.trim_end().as_bytes()]).seen.done);
}

proptest! {
    /// However the network cuts a stream, the same is seen.
    #[test]
    fn cuts_change_nothing(which in any::<prop::sample::Index>(), size in 1usize..400) {
        let scripts: Vec<_> = broken()
            .into_iter()
            .map(|case| case.script)
            .chain(dialects().into_iter().map(|(_, _, script)| script))
            .collect();
        let bytes = body(&scripts[which.index(scripts.len())](&oracle(), 40));
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        let (cut, whole) = (read(&pieces), read(&[&bytes]));
        prop_assert_eq!(cut.seen, whole.seen);
        prop_assert_eq!(cut.token_us, whole.token_us);
        prop_assert_eq!(cut.served_by, whole.served_by);
    }

    /// Bytes flipped anywhere in a stream are survived, and never make it whole
    /// by more tokens than came.
    #[test]
    fn damage_is_survived(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..9)) {
        let mut bytes = body(&super::super::testing::good(&oracle(), 40));
        for (at, to) in flips {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        let finished = read(&[&bytes]);
        prop_assert_eq!(finished.token_us.len(), finished.seen.tokens as usize);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..500), status in prop::sample::select(vec![200u16, 503])) {
        let mut answer = Answer::new(oracle(), 40, true);
        answer.head(status, true);
        answer.feed(&bytes, 1);
        answer.finish(1);
    }
}
