//! How a node follows the store.

use std::time::Duration;

use super::{duration::Span, error::Fault, setting::Setting, source::Reader};

/// How closely a node follows the changes of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From one poll of the store to the next.
    pub poll_interval: Duration,
    /// A node whose last good poll began longer ago refuses everything.
    pub staleness_limit: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(250), staleness_limit: Duration::from_secs(30) }
    }
}

impl Timing {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        let timing = Self {
            // A deleted key must be refused everywhere within 1 s, so a poll can't be rarer than half of that.
            poll_interval: reader
                .value(Setting::PollInterval, Span::between(Duration::from_millis(10), Duration::from_millis(500)))
                .unwrap_or(default.poll_interval),
            staleness_limit: reader
                .value(Setting::StalenessLimit, Span::between(Duration::from_secs(1), Duration::from_mins(10)))
                .unwrap_or(default.staleness_limit),
        };
        if timing.staleness_limit < timing.poll_interval * 2 {
            reader.fault(Fault::rule("staleness_limit must be at least twice poll_interval".to_owned()));
        }
        timing
    }
}
