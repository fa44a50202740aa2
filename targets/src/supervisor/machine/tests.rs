use proptest::prelude::*;

use super::*;
use crate::units::Span;

fn policy(settle_s: u64, shut_down: bool) -> SupervisorConfig {
    SupervisorConfig {
        settle: Span::from_secs(settle_s),
        shutdown_on_low_battery: shut_down,
        ..SupervisorConfig::default()
    }
}

fn seen<'a>(name: &'a str, status: &'a str) -> DeviceView<'a> {
    DeviceView {
        name,
        heard: true,
        status,
        fsd: false,
    }
}

/// Looks once a second; gives every state entered.
fn walk(machine: &mut Machine, from_s: u64, statuses: &[&str]) -> Vec<String> {
    let mut entered = Vec::new();
    for (index, status) in statuses.iter().enumerate() {
        let look = machine.look((from_s + index as u64) * 1_000_000, &[seen("a", status)]);
        entered.extend(look.steps.iter().map(|s| s.to.to_string()));
    }
    entered
}

#[test]
fn an_outage_and_back() {
    let mut machine = Machine::new(&policy(2, true));
    let states = walk(
        &mut machine,
        0,
        &["OL", "WAIT", "OB DISCHRG", "OL CHRG", "OL CHRG", "OL", "OL"],
    );
    assert_eq!(
        states,
        [
            "utility",
            "transferring",
            "on_battery",
            "retransfer",
            "recovered",
            "utility"
        ]
    );
}

#[test]
fn low_battery_orders_a_shutdown_that_ends_with_mains() {
    let mut machine = Machine::new(&policy(1, true));
    walk(&mut machine, 0, &["OL", "OB"]);
    let look = machine.look(2_000_000, &[seen("a", "OB LB"), seen("b", "OL")]);
    let to: Vec<State> = look.steps.iter().map(|s| s.to).collect();
    assert_eq!(to, [State::LowBattery, State::ShuttingDown]);
    assert_eq!(look.shut_down, ["a"]);
    assert_eq!(look.steps[1].cause, "a: OB LB, policy");
    let look = machine.look(3_000_000, &[seen("a", "OL"), seen("b", "OL")]);
    assert_eq!(look.steps[0].to, State::Retransfer);
    let look = machine.look(4_000_000, &[seen("a", "OL"), seen("b", "OL")]);
    assert!(look.release);
}

#[test]
fn without_the_policy_low_battery_stays_low() {
    let mut machine = Machine::new(&policy(1, false));
    let states = walk(&mut machine, 0, &["OL", "OB", "OB LB", "OB LB", "OL"]);
    assert_eq!(
        states,
        ["utility", "on_battery", "low_battery", "retransfer"]
    );
}

#[test]
fn an_order_of_a_client_holds_while_mains_never_left() {
    let mut machine = Machine::new(&policy(1, true));
    walk(&mut machine, 0, &["OL"]);
    let ordered = DeviceView {
        fsd: true,
        ..seen("a", "OL")
    };
    assert_eq!(
        machine.look(1_000_000, &[ordered]).steps[0].to,
        State::ShuttingDown
    );
    for second in 2..60 {
        assert_eq!(
            machine.look(second * 1_000_000, &[ordered]),
            Look::default()
        );
    }
}

#[test]
fn blind_only_when_nobody_is_heard() {
    let mut machine = Machine::new(&policy(1, true));
    walk(&mut machine, 0, &["OL", "OB"]);
    let lost = DeviceView {
        heard: false,
        ..seen("a", "OB")
    };
    // Another device still answers: the lost one counts as last heard.
    assert_eq!(
        machine.look(2_000_000, &[lost, seen("b", "OL")]),
        Look::default()
    );
    assert_eq!(machine.look(3_000_000, &[lost]).steps[0].to, State::Blind);
    assert_eq!(walk(&mut machine, 4, &["OL"]), ["retransfer"]);
}

#[test]
fn a_calibration_is_not_a_low_battery() {
    let mut machine = Machine::new(&policy(1, true));
    assert_eq!(walk(&mut machine, 0, &["OB CAL LB"]), ["on_battery"]);
}

/// The drawn transitions.
fn drawn(from: State, to: State) -> bool {
    use State::*;
    match to {
        Utility => matches!(from, Recovered | Transferring | Blind),
        Transferring => matches!(from, Utility | Recovered | Retransfer | Blind),
        OnBattery => !matches!(from, OnBattery | ShuttingDown),
        LowBattery => !matches!(from, LowBattery | ShuttingDown),
        ShuttingDown => matches!(from, Utility | Transferring | OnBattery | LowBattery),
        Retransfer => matches!(from, Blind | OnBattery | LowBattery | ShuttingDown),
        Recovered => from == Retransfer,
        Blind => !matches!(from, Blind | ShuttingDown),
    }
}

proptest! {
    #[test]
    fn every_walk_is_drawn(
        shut_down in any::<bool>(),
        settle in 0u64..4,
        looks in prop::collection::vec(
            prop::collection::vec(
                (any::<bool>(), any::<bool>(), prop::sample::select(vec![
                    "", "OL", "OL CHRG", "OL BYPASS", "OB", "OB LB", "OFF", "OL OFF", "FSD OL", "x y",
                ])),
                0..3,
            ),
            1..40,
        ),
    ) {
        let mut machine = Machine::new(&policy(settle, shut_down));
        for (index, look) in looks.iter().enumerate() {
            let devices: Vec<DeviceView<'_>> = look
                .iter()
                .map(|(heard, fsd, status)| DeviceView { name: "u", heard: *heard, status, fsd: *fsd && *heard })
                .collect();
            let mut state = machine.state();
            for step in machine.look(index as u64 * 1_000_000, &devices).steps {
                prop_assert_eq!(step.from, state);
                prop_assert!(drawn(step.from, step.to), "{:?}", step);
                prop_assert!(!step.cause.is_empty());
                state = step.to;
            }
            prop_assert_eq!(machine.state(), state);
            // A second look at the same instant moves only out of `recovered`.
            let again = machine.look(index as u64 * 1_000_000, &devices);
            prop_assert!(again.steps.first().is_none_or(|s| s.from == State::Recovered), "{:?}", again);
        }
    }
}
