mod samples;

use std::io::Write;

use proptest::prelude::*;

use ridethrough_targets::plant::Change;

use super::*;

use samples::{bodies, header};

#[test]
fn every_event_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record.jsonl");
    let mut writer = RecordWriter::create(&path).expect("a record");
    let mut written = Vec::new();
    for (n, body) in bodies().into_iter().enumerate() {
        let event = writer
            .write(n as u64 * 10, "engine", body)
            .expect("written");
        assert_eq!(event.seq, n as u64);
        written.push(event);
    }
    assert_eq!(read_record(&path).expect("a record"), written);
    // The end was synced; nothing waits in the writer.
    let text = std::fs::read_to_string(&path).expect("text");
    assert_eq!(text.lines().count(), written.len());
    for line in text.lines() {
        assert_eq!(line.matches("\"seq\":").count(), 1, "{line}");
        assert!(line.starts_with("{\"seq\":"), "{line}");
    }
    assert!(
        RecordWriter::create(&path).is_err(),
        "a record is never written over"
    );
}

#[test]
fn endless_runtime_can_be_read_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record.jsonl");
    let mut writer = RecordWriter::create(&path).expect("a record");
    let first = writer
        .write(0, "engine", Body::Run(header()))
        .expect("written");
    let change = Change::LowBattery {
        low: false,
        charge: 1.0,
        runtime_s: f64::INFINITY,
    };
    let body = Body::Plant {
        component: "ups-a".into(),
        cause: "no load".into(),
        change,
    };
    let second = writer.write(1, "plant", body).expect("written");
    writer.sync().expect("synced");
    assert_eq!(read_record(&path).expect("a record"), [first, second]);
}

fn lines(lines: &[&str]) -> Result<Vec<Event>, RecordError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("record.jsonl");
    std::fs::write(&path, lines.concat()).expect("written");
    read_record(&path)
}

fn first() -> String {
    let event = Event {
        seq: 0,
        t_us: 0,
        source: "engine".into(),
        body: Body::Run(header()),
    };
    serde_json::to_string(&event).expect("json") + "\n"
}

const NOTE: &str = r#"{"seq":1,"t_us":5,"source":"engine","kind":"note","text":"x"}"#;

#[test]
fn a_torn_last_line_is_left_out_and_noted() {
    let events = lines(&[&first(), NOTE, "\n", &NOTE[..20]]).expect("a record");
    assert_eq!(events.len(), 3);
    assert_eq!((events[2].seq, events[2].t_us), (2, 5));
    let Body::Invalid { reason } = &events[2].body else {
        panic!("it is not said: {:?}", events[2]);
    };
    assert_eq!(
        reason,
        "the record is torn: line 3, the last one, was left out"
    );
    let whole = lines(&[&first(), NOTE]).expect("a last line without its newline");
    assert_eq!(whole.len(), 2);
}

#[test]
fn errors_name_the_line() {
    let text = |result: Result<Vec<Event>, RecordError>| match result {
        Ok(events) => panic!("read {} events", events.len()),
        Err(error) => error.to_string(),
    };
    let broken = text(lines(&[&first(), "{\"seq\":1}\n", NOTE, "\n"]));
    assert!(
        broken.starts_with("line 2 of the record is no event"),
        "{broken}"
    );
    let gap = text(lines(&[&first(), NOTE, "\n", NOTE, "\n"]));
    assert_eq!(gap, "line 3 of the record has seq 1; expected 2");
    assert!(text(lines(&[])).contains("holds no event"));
    assert!(text(lines(&[NOTE, "\n"])).contains("no run header, but `note`"));
    let newer = first().replace("\"schema\":1", "\"schema\":2");
    let newer = text(lines(&[&newer]));
    assert_eq!(
        newer,
        "the record has schema 2 (ridethrough 0.1.0); this ridethrough reads schemas up to 1"
    );
    assert!(text(read_record("/nonexistent/record.jsonl")).contains("/nonexistent/record.jsonl"));
}

proptest! {
    /// Every finite number comes back bit for bit.
    #[test]
    fn numbers_come_back_exactly(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
        let event = Event {
            seq: 1,
            t_us: u64::MAX,
            source: "plant".into(),
            body: Body::Plant {
                component: "ups-a".into(),
                cause: "x".into(),
                change: Change::Brake { clocks: value },
            },
        };
        let text = serde_json::to_string(&event).expect("json");
        prop_assert_eq!(serde_json::from_str::<Event>(&text).expect("event"), event);
    }

    #[test]
    fn reading_never_panics(text in ".{0,200}") {
        let _ = lines(&[&first(), &text]);
        let _ = lines(&[&text]);
    }
}

/// A record of a thousand notes, plain and compressed.
fn packed() -> (String, Vec<u8>) {
    let note = |n: u64| NOTE.replace("\"seq\":1", &format!("\"seq\":{n}")) + "\n";
    let text = first() + &(1..1000).map(note).collect::<String>();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).expect("packed");
    (text, packer.finish().expect("packed"))
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<Event>, RecordError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(PACKED);
    std::fs::write(&path, bytes).expect("written");
    assert_eq!(record_of(folder.path()), path);
    read_record(&path)
}

#[test]
fn a_compressed_record_is_the_record() {
    let (text, packed) = packed();
    let plain = lines(&[&text]).expect("a record");
    assert_eq!(read_bytes(&packed).expect("a record"), plain);
}

/// Wherever a compressed record breaks off, what is before is there, and it is
/// said that there was more.
#[test]
fn a_torn_compressed_record_is_read_as_far_as_it_goes() {
    let (text, packed) = packed();
    let whole = lines(&[&text]).expect("a record");
    let mut most = 0;
    for cut in (20..packed.len()).step_by(7) {
        match read_bytes(&packed[..cut]) {
            Ok(events) => {
                let (last, before) = events.split_last().expect("events");
                assert_eq!(before, &whole[..before.len()], "cut at {cut}");
                let Body::Invalid { reason } = &last.body else {
                    panic!("cut at {cut} is not said: {last:?}");
                };
                assert!(reason.contains("torn"), "{reason}");
                most = most.max(before.len());
            }
            Err(error) => assert!(cut < 600, "cut at {cut}: {error}"),
        }
    }
    assert!(most > 900, "only {most} events");
    let mut bad = packed.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 0xff;
    assert!(read_bytes(&bad).is_err(), "what is damaged is no record");
}
