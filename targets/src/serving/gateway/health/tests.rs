use proptest::prelude::*;

use super::*;

fn up(check: &HealthCheck) -> Counts {
    let mut counts = Counts::default();
    assert_eq!(counts.take(Sign::CheckOk, check), Some(true));
    counts
}

#[test]
fn two_failures_take_it_out_and_two_answers_bring_it_back() {
    let check = HealthCheck::default();
    let mut counts = up(&check);
    assert_eq!(counts.take(Sign::CheckFailed, &check), None);
    assert_eq!(counts.take(Sign::CheckFailed, &check), Some(false));
    assert_eq!(counts.take(Sign::CheckOk, &check), None);
    assert_eq!(counts.take(Sign::CheckOk, &check), Some(true));
}

#[test]
fn broken_requests_take_it_out_and_whole_ones_do_not_bring_it_back() {
    let check = HealthCheck::default();
    let mut counts = up(&check);
    assert_eq!(counts.take(Sign::RequestBroke, &check), None);
    assert_eq!(counts.take(Sign::RequestOk, &check), None);
    assert_eq!(counts.take(Sign::RequestBroke, &check), None);
    assert_eq!(counts.take(Sign::RequestBroke, &check), None);
    assert_eq!(counts.take(Sign::RequestBroke, &check), Some(false));
    assert_eq!(counts.take(Sign::RequestOk, &check), None);
}

#[test]
fn http_errors_say_nothing_of_the_replica() {
    for end in [
        AttemptEnd::HttpError,
        AttemptEnd::ClientGone,
        AttemptEnd::Deadline,
        AttemptEnd::Evicted,
    ] {
        assert_eq!(sign_of(end), None);
    }
}

proptest! {
    #[test]
    fn changes_alternate_and_rest_on_enough_signs(
        signs in prop::collection::vec(0..4u8, 0..200),
        unhealthy_after in 1u32..4,
        healthy_after in 1u32..4,
    ) {
        let check = HealthCheck { unhealthy_after, healthy_after, ..HealthCheck::default() };
        let mut counts = Counts::default();
        let mut healthy = false;
        let mut since = Vec::new();
        for sign in signs {
            let sign = [Sign::CheckOk, Sign::CheckFailed, Sign::RequestOk, Sign::RequestBroke][usize::from(sign)];
            since.push(sign);
            if let Some(now) = counts.take(sign, &check) {
                prop_assert_ne!(now, healthy);
                let count = |of| since.iter().filter(|s| **s == of).count() as u32;
                if now {
                    prop_assert!(count(Sign::CheckOk) >= 1);
                } else {
                    prop_assert!(count(Sign::CheckFailed) >= unhealthy_after || count(Sign::RequestBroke) >= unhealthy_after.max(LEAST_BROKEN));
                }
                healthy = now;
                since.clear();
            }
        }
    }
}
