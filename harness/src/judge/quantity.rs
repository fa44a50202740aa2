//! Numbers as people read them.

use ridethrough_targets::clock::Micros;

/// A length of time: `850 µs`, `9.6 ms`, `20 s`.
pub fn time(us: Micros) -> String {
    match us {
        0 => "0 ms".into(),
        1..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", trim(us as f64 / 1e3, 1)),
        _ => format!("{} s", trim(us as f64 / 1e6, 2)),
    }
}

/// A share of something, in per cent.
pub fn share(value: f64) -> String {
    format!("{}%", trim(value * 100.0, 2))
}

/// A number of things: `1 request`, `12 requests`.
pub(crate) fn count(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// A large number with its thousands apart: `1,214`.
pub(crate) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups = groups.map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join(",")
}

/// A number with at most so many decimals and no zeros that say nothing.
pub(crate) fn trim(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        text
    }
}

/// The difference of two run times in milliseconds, with its sign.
pub(crate) fn room_ms(limit_us: Micros, observed_us: Micros) -> f64 {
    (limit_us as f64 - observed_us as f64) / 1e3
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_stand_apart() {
        let shown = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
