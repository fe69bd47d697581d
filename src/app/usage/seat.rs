//! A caller's place in the round of counting.

use super::LiveTally;
use arc_swap::ArcSwapOption;
use std::sync::Arc;

/// Remembers where a caller is counted, beside what else is remembered of it: of one secret of one application.
#[derive(Debug, Default)]
pub struct Seat(ArcSwapOption<LiveTally>);

impl Seat {
    /// Counts in the tally that is remembered, if it is of this round and day, or else in the one that `look_up` gives.
    pub(super) fn with(
        &self,
        of: (u64, i32),
        look_up: impl FnOnce() -> Arc<LiveTally>,
        count: impl FnOnce(&LiveTally),
    ) {
        let remembered = self.0.load();
        if let Some(tally) = remembered.as_ref().filter(|tally| tally.of == of) {
            return count(tally);
        }
        let tally = look_up();
        count(&tally);
        self.0.store(Some(tally));
    }
}
