//! A progress bar on standard error, where that is a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use crate::{ambient::Clock, domain::time::Timestamp};

/// How often the line is drawn again at most.
const EVERY: Duration = Duration::from_millis(100);
const WIDTH: usize = 24;

/// How far a command is. Draws nothing where nobody watches, and leaves no trace when it is done.
pub(super) struct Progress<'a> {
    clock: &'a Clock,
    began: Timestamp,
    drawn: Option<Timestamp>,
    whole: usize,
    shown: bool,
    noun: &'static str,
}

impl<'a> Progress<'a> {
    /// Progress through so many things.
    pub(super) fn new(clock: &'a Clock, whole: usize, noun: &'static str) -> Self {
        let shown = std::io::stderr().is_terminal();
        Self { clock, began: clock.now(), drawn: None, whole, shown, noun }
    }

    /// So many are done.
    pub(super) fn at(&mut self, done: usize) {
        let now = self.clock.now();
        if !self.shown || self.drawn.is_some_and(|drawn| now.since(drawn) < EVERY) {
            return;
        }
        self.drawn = Some(now);
        let line = line(done, self.whole, now.since(self.began), self.noun);
        // Where standard error is gone, nobody watches.
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{line}");
    }

    /// How long it took so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.clock.now().since(self.began)
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn line(done: usize, whole: usize, elapsed: Duration, noun: &str) -> String {
    let per_cent = (done * 100).checked_div(whole).unwrap_or(100).min(100);
    let full = WIDTH * per_cent / 100;
    let bar: String = (0..WIDTH).map(|at| if at < full { '█' } else { '░' }).collect();
    let millis = usize::try_from(elapsed.as_millis()).unwrap_or(usize::MAX).max(1);
    let rate = done.saturating_mul(1_000) / millis;
    let left = whole.saturating_sub(done).checked_div(rate).unwrap_or_default();
    format!("{bar} {per_cent:3} %  {done} of {whole} {noun}, {rate}/s, {}:{:02} left", left / 60, left % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_and_how_long() {
        let half = line(500, 1_000, Duration::from_secs(1), "keys");
        assert!(half.contains(" 50 %  500 of 1000 keys, 500/s, 0:01 left"), "{half}");
        assert_eq!(half.chars().filter(|c| *c == '█').count(), WIDTH / 2);
        assert!(line(0, 0, Duration::ZERO, "keys").contains("100 %"));
        assert!(line(0, 10, Duration::ZERO, "keys").contains("0 of 10"));
    }
}
