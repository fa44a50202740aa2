//! Shares of packets, and how far one that is measured may be off.

/// Standard deviations that a measured share may be off: about one false alarm
/// in 15,000.
pub(crate) const SIGMAS: f64 = 4.0;

/// The binomial's spread, and never less than three packets.
pub(crate) fn slack(p: f64, n: u32) -> f64 {
    let n = f64::from(n.max(1));
    (SIGMAS * (p * (1.0 - p) / n).sqrt()).max(3.0 / n)
}

/// Says what is wrong with a share, where it is not what was asked.
pub(crate) fn compare(what: &str, measured: f64, asked: f64, slack: f64) -> Result<(), String> {
    if (measured - asked).abs() <= slack {
        return Ok(());
    }
    Err(format!(
        "{what}: {:.1} %, not {:.1} %",
        measured * 100.0,
        asked * 100.0
    ))
}

/// A part of a whole; nothing of nothing.
pub(crate) fn part(count: u32, of: u32) -> f64 {
    f64::from(count) / f64::from(of.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slack_follows_the_binomial() {
        assert!((slack(0.5, 400) - 0.1).abs() < 1e-9);
        assert!((slack(0.0, 300) - 0.01).abs() < 1e-9);
    }

    #[test]
    fn a_share_beyond_its_slack_is_told() {
        assert_eq!(compare("lost", 0.21, 0.2, 0.01), Ok(()));
        let told = compare("lost", 0.25, 0.2, 0.01);
        assert_eq!(told, Err("lost: 25.0 %, not 20.0 %".into()));
    }
}
