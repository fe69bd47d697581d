//! How long something takes, in several turns.

use super::outcome::Fault;
use std::time::Instant;

/// Prints the median and the slowest of six turns, and the first one apart, with what the last one found.
pub(crate) async fn print(what: &str, mut turn: impl AsyncFnMut() -> Result<usize, Fault>) -> Result<(), Fault> {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..7 {
        let began = Instant::now();
        found = turn().await?;
        times.push(began.elapsed());
    }
    let first = times.remove(0);
    times.sort_unstable();
    let (median, slowest) = (times[times.len() / 2], times.last().copied().unwrap_or_default());
    println!("{what:52} {found:7} found, median {median:>9.1?}, at most {slowest:>9.1?} (the first time {first:.1?})");
    Ok(())
}
