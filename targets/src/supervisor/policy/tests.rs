//! The policy, without input or output.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::config::{BessPolicy, GeneratorPolicy, RetransferMode, ShedLevel, ShedWhen};
use super::decide::{Governed, Policy, Side, Sight};
use crate::supervisor::config::{SupervisorConfig, SupervisorState as S};
use crate::telemetry::{BessMode, BessReading, DeviceCommand};
use crate::units::{PerUnit, Span};

fn machine(name: &str, rack: &str) -> Governed {
    Governed {
        name: name.into(),
        rack: rack.into(),
        host: format!("{rack}-manager"),
        port: 80,
        idle_w: 300.0,
        peak_w: 700.0,
    }
}

fn level(when: ShedWhen, racks: &[&str]) -> ShedLevel {
    ShedLevel {
        when,
        racks: racks.iter().map(ToString::to_string).collect(),
        cap: None,
        off: false,
        pause: Span::default(),
    }
}

fn policy(config: SupervisorConfig) -> Policy {
    let machines = vec![machine("a", "r1"), machine("b", "r2"), machine("c", "r1")];
    Policy::new(&config, machines, vec!["gen".into()], &["ats".into()])
}

fn told(policy: &Policy, device: &str, side: Side) -> Option<Vec<DeviceCommand>> {
    policy.wishes().get(&(device.to_string(), side)).cloned()
}

const SECOND: u64 = 1_000_000;

#[test]
fn levels_are_entered_in_their_time_and_taken_back_once_mains_has_settled() {
    let after = ShedWhen {
        on_battery_for: Some(Span::from_secs(5)),
        ..ShedWhen::default()
    };
    let low = ShedWhen {
        charge_below: Some(PerUnit(0.4)),
        ..ShedWhen::default()
    };
    let mut policy = policy(SupervisorConfig {
        shed: vec![
            ShedLevel {
                cap: Some(PerUnit(0.6)),
                ..level(after, &["r1"])
            },
            ShedLevel {
                off: true,
                pause: Span::from_secs(1),
                ..level(low, &["r2", "r1"])
            },
        ],
        ..SupervisorConfig::default()
    });
    let sight = |charge| Sight {
        charge: Some(charge),
        ..Sight::default()
    };
    let cap = |watts| Some(vec![DeviceCommand::Limit { watts }]);
    let power = |on| Some(vec![DeviceCommand::Machine { on }]);
    assert!(policy.look(0, S::Utility, &sight(0.3)).is_empty());
    assert!(policy.look(SECOND, S::OnBattery, &sight(0.9)).is_empty());
    let shed = policy.look(6 * SECOND, S::OnBattery, &sight(0.9));
    assert_eq!((shed[0].from, shed[0].to), (0, 1));
    assert_eq!(shed[0].cause, "on battery for 5s");
    assert_eq!(told(&policy, "a", Side::Limit), cap(Some(420.0)));
    assert_eq!(told(&policy, "b", Side::Limit), None);
    let shed = policy.look(10 * SECOND, S::OnBattery, &sight(0.39));
    assert_eq!(shed[0].cause, "charge below 40%");
    assert_eq!(told(&policy, "b", Side::Power), power(false));
    assert_eq!(told(&policy, "a", Side::Power), None);
    policy.look(11 * SECOND, S::OnBattery, &sight(0.39));
    assert_eq!(told(&policy, "a", Side::Power), power(false));
    assert_eq!(told(&policy, "c", Side::Power), None);
    // Blind or between sources, all stays as it is.
    policy.look(20 * SECOND, S::Blind, &Sight::default());
    policy.look(21 * SECOND, S::Retransfer, &sight(0.3));
    assert_eq!(told(&policy, "a", Side::Power), power(false));
    let shed = policy.look(30 * SECOND, S::Recovered, &sight(0.3));
    assert_eq!((shed[0].from, shed[0].to), (2, 0));
    assert_eq!(told(&policy, "a", Side::Power), power(true));
    assert_eq!(told(&policy, "c", Side::Limit), cap(None));
}

#[test]
fn no_cap_goes_below_an_idle_machine() {
    let now = ShedWhen {
        on_battery_for: Some(Span::default()),
        ..ShedWhen::default()
    };
    let mut policy = policy(SupervisorConfig {
        shed: vec![ShedLevel {
            cap: Some(PerUnit(0.1)),
            ..level(now, &[])
        }],
        ..SupervisorConfig::default()
    });
    policy.look(0, S::Transferring, &Sight::default());
    assert!(policy.wishes().is_empty(), "not before it is on battery");
    policy.look(0, S::OnBattery, &Sight::default());
    for name in ["a", "b", "c"] {
        let watts = Some(300.0);
        let limit = vec![DeviceCommand::Limit { watts }];
        assert_eq!(told(&policy, name, Side::Limit), Some(limit));
    }
}

#[test]
fn generators_are_started_and_let_go() {
    let mut policy = policy(SupervisorConfig {
        generators: Some(GeneratorPolicy {
            start_after: Span::from_secs(2),
            stop_after: Span::from_secs(10),
        }),
        retransfer: RetransferMode::Manual,
        ..SupervisorConfig::default()
    });
    let stay = DeviceCommand::Retransfer { on: false };
    assert_eq!(told(&policy, "ats", Side::Retransfer), Some(vec![stay]));
    let run = |policy: &Policy| told(policy, "gen", Side::Run);
    policy.look(0, S::Utility, &Sight::default());
    policy.look(60 * SECOND, S::Utility, &Sight::default());
    assert_eq!(run(&policy), None, "what was never started is not stopped");
    policy.look(61 * SECOND, S::OnBattery, &Sight::default());
    assert_eq!(run(&policy), None);
    policy.look(63 * SECOND, S::OnBattery, &Sight::default());
    assert_eq!(run(&policy), Some(vec![DeviceCommand::Start]));
    policy.look(80 * SECOND, S::Utility, &Sight::default());
    assert_eq!(run(&policy), Some(vec![DeviceCommand::Start]));
    policy.look(90 * SECOND, S::Utility, &Sight::default());
    assert_eq!(run(&policy), Some(vec![DeviceCommand::Stop]));
}

fn bess(v: f64, islanded: bool, mode: BessMode) -> Sight {
    let reading = BessReading {
        v,
        nominal_v: 230.0,
        islanded,
        mode,
        ..BessReading::default()
    };
    Sight {
        bess: BTreeMap::from([("bess".to_string(), reading)]),
        ..Sight::default()
    }
}

#[test]
fn a_storage_system_becomes_an_island_and_joins_the_grid_again() {
    let config = |retransfer| SupervisorConfig {
        bess: BessPolicy {
            island_after: Span::from_millis(200),
            ..BessPolicy::default()
        },
        retransfer,
        ..SupervisorConfig::default()
    };
    let island = vec![
        DeviceCommand::Island { on: true },
        DeviceCommand::Form { on: true },
    ];
    let join = vec![DeviceCommand::Island { on: false }];
    for (retransfer, last) in [
        (RetransferMode::Automatic, &join),
        (RetransferMode::Manual, &island),
    ] {
        let mut policy = policy(config(retransfer));
        let wish = |policy: &Policy| told(policy, "bess", Side::Breaker);
        policy.look(0, S::Utility, &bess(230.0, false, BessMode::Following));
        policy.look(SECOND, S::Utility, &bess(0.0, false, BessMode::Following));
        assert_eq!(wish(&policy), None);
        let later = SECOND + 200_000;
        policy.look(
            later,
            S::Transferring,
            &bess(0.0, false, BessMode::Following),
        );
        assert_eq!(wish(&policy).as_ref(), Some(&island));
        // Alone and dead for a moment: nothing new.
        policy.look(later, S::OnBattery, &bess(0.0, true, BessMode::Forming));
        assert_eq!(wish(&policy).as_ref(), Some(&island));
        policy.look(
            2 * SECOND,
            S::OnBattery,
            &bess(230.0, true, BessMode::Forming),
        );
        assert_eq!(wish(&policy).as_ref(), Some(last));
    }
}

proptest! {
    /// Whatever is seen, nothing is wished for that was never given up, and
    /// once mains has settled nothing stays given up.
    #[test]
    fn what_is_given_up_is_taken_back(
        looks in proptest::collection::vec((0u64..3_000, 0usize..8, 0.0..1.0), 1..60),
    ) {
        let when = ShedWhen {
            charge_below: Some(PerUnit(0.5)),
            on_battery_for: Some(Span::from_secs(9)),
            ..ShedWhen::default()
        };
        let mut policy = policy(SupervisorConfig {
            shed: vec![ShedLevel {
                cap: Some(PerUnit(0.5)),
                off: true,
                ..level(when, &["r1"])
            }],
            ..SupervisorConfig::default()
        });
        const STATES: [S; 8] = [
            S::Utility, S::Transferring, S::OnBattery, S::LowBattery,
            S::ShuttingDown, S::Retransfer, S::Recovered, S::Blind,
        ];
        let mut now = 0;
        for (passed, state, charge) in looks {
            now += passed * 1_000;
            let sight = Sight { charge: Some(charge), ..Sight::default() };
            policy.look(now, STATES[state], &sight);
            prop_assert!(policy.wishes().keys().all(|(name, _)| name != "b"));
        }
        policy.look(now, S::Utility, &Sight::default());
        for wish in policy.wishes().values() {
            let back = [
                DeviceCommand::Limit { watts: None },
                DeviceCommand::Machine { on: true },
            ];
            prop_assert!(back.contains(&wish[0]), "{wish:?}");
        }
    }
}
