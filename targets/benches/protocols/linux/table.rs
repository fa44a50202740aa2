//! Medians, and the tables they are printed in.

use std::cell::Cell;
use std::future::Future;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::{CHANGES, ROUNDS, Result, SPAN};

/// What a change's slowest hundredth may take.
const BAR_MS: f64 = 5.0;

/// Answers a second of an agent and of its peer, and their ratio by rounds.
#[derive(Default)]
pub(super) struct Rates {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Rates {
    /// Measures both in turn; `theirs` where there is a peer.
    pub(super) async fn measure(
        mut ours: impl AsyncFnMut() -> Result<f64>,
        mut theirs: impl AsyncFnMut() -> Result<Option<f64>>,
    ) -> Result<Self> {
        let mut rates = Self::default();
        for _ in 0..ROUNDS {
            rates.ours.push(ours().await?);
            rates.theirs.extend(theirs().await?);
        }
        Ok(rates)
    }

    pub(super) fn head(title: &str, peer: &str) {
        println!(
            "{title:<44} {:>10} {peer:>10} {:>7} {:>9}",
            "ours", "ratio", "bar"
        );
    }

    pub(super) fn print(&self, what: &str, bar: f64) {
        let ours = median(&self.ours);
        if self.theirs.is_empty() {
            println!("  {what:<42} {ours:>10.0} {:>10}", "not here");
            return;
        }
        let rounds = self.ours.iter().zip(&self.theirs);
        let ratios: Vec<f64> = rounds.map(|(ours, theirs)| ours / theirs).collect();
        let (theirs, ratio) = (median(&self.theirs), median(&ratios));
        let held = if ratio >= bar { "ok" } else { "under" };
        println!(
            "  {what:<42} {ours:>10.0} {theirs:>10.0} {ratio:>7.1} {:>9} {held}",
            format!("{bar} times")
        );
    }
}

fn median(values: &[f64]) -> f64 {
    at(values, 0.5)
}

/// The value that so great a share of all values is below.
fn at(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * share) as usize;
    let index = index.min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// Answers a second that so many clients get, each asking again at once.
pub(super) async fn rate<C, F>(clients: Vec<C>, ask: impl Fn(C) -> F) -> Result<f64>
where
    F: Future<Output = Option<C>>,
{
    let over = Cell::new(false);
    let counts = clients.into_iter().map(async |mut client| {
        let mut answers = 0u64;
        while !over.get() {
            client = ask(client).await?;
            answers += 1;
        }
        Some(answers)
    });
    let begin = Instant::now();
    let end = async {
        sleep(SPAN).await;
        over.set(true);
    };
    let (counts, ()) = tokio::join!(join_all(counts), end);
    let mut answers = 0;
    for count in counts {
        answers += count.ok_or("a client lost its server")?;
    }
    Ok(answers as f64 / begin.elapsed().as_secs_f64())
}

pub(super) fn delay_head() {
    println!(
        "{:<44} {:>10} {:>10} {:>7} {:>9}",
        format!("milliseconds from a change, of {CHANGES}"),
        "median",
        "p99",
        "worst",
        "p99 bar"
    );
}

/// Measures how long it takes from a change until it is seen: `change` makes it
/// and `seen` returns once it is.
pub(super) async fn delays(
    what: &str,
    mut change: impl FnMut(bool),
    mut seen: impl AsyncFnMut(bool) -> Result<()>,
) -> Result<()> {
    let mut ms = Vec::with_capacity(CHANGES);
    for number in 0..CHANGES {
        let on = number % 2 == 0;
        let begin = Instant::now();
        change(on);
        seen(on).await?;
        ms.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    let p99 = at(&ms, 0.99);
    let held = if p99 <= BAR_MS { "ok" } else { "over" };
    println!(
        "  {what:<42} {:>10.3} {p99:>10.3} {:>7.3} {:>9} {held}",
        median(&ms),
        at(&ms, 1.0),
        format!("{BAR_MS} ms")
    );
    Ok(())
}
