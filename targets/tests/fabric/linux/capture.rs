//! The capture, as others read it.

use std::process::Command;

use ridethrough_targets::clock::Clock;
use ridethrough_targets::fabric::{Switch, SwitchConfig};

use super::traffic::{Outcome, acquaint, check_stream, pair, send_stream, tcp};

pub(crate) fn capture_opens_in_tshark() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("capture.pcapng");
    let switch = Switch::start(SwitchConfig {
        seed: 7,
        clock: Clock::start(),
        pcap: Some(std::fs::File::create(&path)?),
        offload: true,
    })?;
    let (a, b) = pair(&switch, true)?;
    acquaint(&a, &b)?;
    let (near, far) = tcp(&a, &b)?;
    let sender = send_stream(near, 200_000);
    check_stream(far)?;
    sender.join().expect("the sender did not panic")?;
    switch.darken(&["n2".into()]);
    // What a port sends while it goes dark is counted as dropped, and is on no
    // tape: it never entered.
    let entered: u64 = ["n1", "n2"]
        .iter()
        .filter_map(|n| switch.counters(n))
        .map(|c| c.frames_in - c.dropped)
        .sum();
    assert_eq!(switch.capture_missed(), 0);
    drop(switch);

    let fields = [
        "frame.interface_name",
        "frame.len",
        "tcp.checksum.status",
        "_ws.malformed",
    ];
    let mut tshark = Command::new("tshark");
    tshark
        .args(["-r"])
        .arg(&path)
        .args(["-o", "tcp.check_checksum:TRUE", "-T", "fields"]);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    // No settings of whoever runs the test.
    let output = tshark.env("HOME", folder.path()).output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert!(
        rows.len() as u64 >= entered,
        "{} of {entered} frames",
        rows.len()
    );
    assert!(rows.iter().any(|row| row[0] == "n1") && rows.iter().any(|row| row[0] == "n2"));
    for row in &rows {
        assert!(row[1].parse::<u64>()? <= 1514, "{row:?}");
        assert!(matches!(row[2], "" | "1" | "Good"), "{row:?}");
        assert_eq!(row[3], "", "{row:?}");
    }
    Ok(())
}
