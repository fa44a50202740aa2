use super::*;

#[test]
fn statuses_add_up() {
    let known = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(ups, status)| (ups.to_string(), status.to_string()))
            .collect()
    };
    assert_eq!(verdict(&known(&[])).0, PowerState::Normal);
    assert_eq!(
        verdict(&known(&[("a", "OL CHRG"), ("b", "OB DISCHRG")])).0,
        PowerState::OnBattery
    );
    let (state, cause) = verdict(&known(&[("a", "OB DISCHRG LB"), ("b", "OL")]));
    assert_eq!(
        (state, cause.as_str()),
        (PowerState::LowBattery, "a: OB DISCHRG LB")
    );
    // Words are compared whole: NOBREAK is not OB.
    assert_eq!(verdict(&known(&[("a", "NOBREAK")])).0, PowerState::Normal);
}

#[test]
fn answers_are_read() {
    assert_eq!(
        status("VAR a ups.status \"OL\"\n", "a").as_deref(),
        Some("OL")
    );
    assert_eq!(status("ERR DATA-STALE\n", "a"), None);
    assert_eq!(status("VAR ab ups.status \"OL\"\n", "a"), None);
    assert_eq!(address("ups-host:1234"), ("ups-host", 1234));
    assert_eq!(address("ups-host"), ("ups-host", 3493));
}
