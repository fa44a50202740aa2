use super::*;

#[test]
fn the_bound_follows_the_pace_and_has_a_floor() {
    let gaps = Gaps::default();
    let floor = Duration::from_secs(1);
    assert_eq!(gaps.idle_bound(floor), floor);
    for _ in 0..KEPT {
        gaps.observe(Duration::from_millis(20));
    }
    assert_eq!(gaps.idle_bound(floor), floor);
    for _ in 0..KEPT {
        gaps.observe(Duration::from_millis(200));
    }
    assert_eq!(gaps.idle_bound(floor), Duration::from_secs(4));
    for _ in 0..KEPT {
        gaps.observe(Duration::from_millis(20));
    }
    assert_eq!(gaps.idle_bound(floor), floor);
}
