//! Promises of a phase, and clients without a bound.

use super::*;

#[test]
fn promises_of_a_phase_as_sentences() {
    let text = with_promises(
        "  - failover: {to: battery, within: 10ms, during: outage}
  - supervisor: {reports: on_battery, within: 1s, during: outage}
  - goodput: {at_least: 10/s, class: batch, during: outage}
  - recovery: {within: 5s, during: outage}
  - eviction: {within: 2s, during: outage}
  - readmission: {within: 2s, during: outage}
  - battery: {charge_at_least: 80%, during: recovery}
  - detection: {within: 3s, during: outage}
  - nodes: {lost_at_most: 0, during: baseline}",
    );
    let plan = planned(&text);
    let sentences: Vec<_> = plan.assertions.iter().map(|a| a.text.as_str()).collect();
    assert_snapshot!(sentences.join("\n"));
}

#[test]
fn every_promise_knows_the_phases() {
    let text = shown(&with_promises(
        "  - failover: {to: battery, within: 10ms, during: outrage}
  - supervisor: {reports: on_battery, within: 1s, during: outrage}
  - goodput: {at_least: 10/s, class: batsh, during: outrage}
  - recovery: {within: 5s, during: outrage}
  - eviction: {within: 2s, during: outrage}
  - readmission: {within: 2s, during: outrage}
  - battery: {charge_at_least: 80%, during: outrage}
  - detection: {within: 3s, during: outrage}
  - nodes: {lost_at_most: 0, during: outrage}",
    ));
    assert_eq!(text.matches("no phase `outrage`").count(), 9, "{text}");
    assert!(text.contains("no class `batsh`"), "{text}");
}

#[test]
fn a_phase_without_faults_has_nothing_to_promise_of_them() {
    let text = shown(&with_promises(
        "  - failover: {to: battery, within: 10ms, during: baseline}
  - recovery: {within: 5s, during: recovery}
  - nodes: {lost_at_most: 0, during: baseline}
  - detection: {within: 1s, during: baseline}",
    ));
    assert_snapshot!(text);
}

#[test]
fn clients_that_kernels_do_not_know() {
    assert_snapshot!(errors(&[(
        "{connect_timeout: 2s, idle_timeout: 10s}",
        "{idle_timeout: never, keepalive: {idle: 500ms, interval: 12h, count: 0}}"
    )]));
    assert_snapshot!(errors(&[(
        "{connect_timeout: 2s, idle_timeout: 10s}",
        "{idle_timeout: none, total_timeout: 0s, keepalive: {idle: 10s}}"
    )]));
}
