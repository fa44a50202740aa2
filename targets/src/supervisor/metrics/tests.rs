use proptest::prelude::*;

use super::server::exposition;
use crate::clock::Clock;
use crate::telemetry::{
    Board, Distorted, Distortion, Identity, OutletReading, PduReading, Protocol, Reading,
    UpsReading,
};

fn board(name: &str, charge: f64) -> Board {
    let devices = vec![
        Identity::new(name, "ups", ""),
        Identity::new("pdu-a", "pdu", ""),
    ];
    let board = Board::new(Clock::start(), devices).0;
    let ups = UpsReading {
        charge,
        output_v: 230.0,
        ..UpsReading::default()
    };
    let outlet = OutletReading {
        node: name.into(),
        on: true,
        w: 400.0,
        a: 1.75,
        pending: None,
    };
    let pdu = PduReading {
        outlets: vec![outlet],
        closed: true,
        ..PduReading::default()
    };
    board.publish([
        (name.to_string(), Reading::Ups(ups)),
        ("pdu-a".to_string(), Reading::Pdu(pdu)),
    ]);
    board
}

/// A sample as a scraper reads it.
#[derive(Debug, PartialEq)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

/// Reads one label set; nothing where the text is not of the format.
fn labels(text: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut rest = text.strip_prefix('{')?;
    let mut found = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    c @ ('\\' | '"') => value.push(c),
                    _ => return None,
                },
                (_, '\n') => return None,
                (_, c) => value.push(c),
            }
        };
        found.push((name.to_string(), value));
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some((found, rest.strip_prefix('}')?)),
        }
    }
}

/// Reads an exposition as strictly as the format is written.
fn parse(text: &str) -> Option<Vec<Sample>> {
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let mut samples = Vec::new();
    let mut family = "";
    let mut seen = Vec::new();
    for line in text.strip_suffix('\n')?.split('\n') {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split_once(' ')?.0;
            if seen.contains(&family) {
                return None;
            }
            seen.push(family);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ')?;
            let counts = kind == "counter";
            if name != family || counts != name.ends_with("_total") {
                return None;
            }
        } else {
            let (labels, rest) = labels(line.strip_prefix(family)?)?;
            let value = rest.strip_prefix(' ')?.parse().ok()?;
            if !is_name(family) || !labels.iter().all(|(name, _)| is_name(name)) {
                return None;
            }
            samples.push(Sample {
                name: family.to_string(),
                labels,
                value,
            });
        }
    }
    Some(samples)
}

proptest! {
    #[test]
    fn a_scraper_reads_what_was_measured(name in "[ -~\n\u{e9}]{1,20}", charge in any::<f64>()) {
        prop_assume!(!charge.is_nan() && name != "pdu-a");
        let text = exposition(&board(&name, charge));
        let samples = parse(&text);
        prop_assert!(samples.is_some(), "{}", text);
        let wanted = Sample {
            name: "ridethrough_ups_charge_ratio".into(),
            labels: vec![("device".into(), name)],
            value: charge,
        };
        prop_assert!(samples.unwrap().contains(&wanted));
    }
}

#[test]
fn one_site_in_prometheus_text() {
    insta::assert_snapshot!(exposition(&board("ups-a", 0.75)));
}

#[test]
fn stale_data_are_not_shown_as_numbers() {
    let board = board("ups-a", 0.75);
    let stale = Distorted {
        how: Distortion::Stale,
        protocols: vec![Protocol::Metrics],
        devices: vec!["ups-a".into()],
    };
    board.distort(1, stale);
    let text = exposition(&board);
    assert!(text.contains("ridethrough_up{device=\"ups-a\",kind=\"ups\"} 0\n"));
    assert!(!text.contains("ups_charge_ratio"));
    assert!(text.contains("ridethrough_outlet_on"));
}
