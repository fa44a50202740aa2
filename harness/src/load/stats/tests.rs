use super::*;

#[test]
fn progress_counts_from_the_line_before() {
    let stats = Stats::default();
    for ttft in [80_000, 100_000, 90_000] {
        stats.sent();
        stats.tokens(10);
        stats.first_token(ttft);
    }
    stats.ended(true);
    let first = stats.progress(500_000);
    assert_eq!(first["requests_per_s"], 6.0);
    assert_eq!(first["tokens_per_s"], 60.0);
    assert_eq!((first["in_flight"], first["failed"]), (2.0, 1.0));
    assert!((first["ttft_ms"] - 90.0).abs() < 0.1);

    let second = stats.progress(1_000_000);
    assert_eq!(second["requests_per_s"], 0.0);
    assert_eq!((second["in_flight"], second["failed"]), (2.0, 1.0));
    assert!(
        second.contains_key("ttft_ms"),
        "still within the last second"
    );
    assert!(!stats.progress(1_500_000).contains_key("ttft_ms"));
}
