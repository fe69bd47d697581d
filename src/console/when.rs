//! Instants, as pages show them.

use crate::domain::time::Timestamp;

/// An instant in four forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct When {
    /// RFC 3339, for machines.
    pub(crate) datetime: String,
    /// The day, for a table.
    pub(crate) day: String,
    /// The time of day in UTC, for what is near.
    pub(crate) time: String,
    /// Day and time in UTC, for a closer look.
    pub(crate) full: String,
}

impl When {
    /// The forms of an instant.
    pub(crate) fn new(instant: Timestamp) -> Self {
        let datetime = instant.to_string();
        let day = datetime.split('T').next().unwrap_or(&datetime).to_owned();
        let full = datetime.replace('T', " ").replace('Z', " UTC");
        Self { datetime, day, time: instant.time_of_day(), full }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_closer_look() {
        let when = When::new(Timestamp::from_seconds(1_700_000_000));
        assert_eq!(when.datetime, "2023-11-14T22:13:20Z");
        assert_eq!(when.day, "2023-11-14");
        assert_eq!(when.time, "22:13:20 UTC");
        assert_eq!(when.full, "2023-11-14 22:13:20 UTC");
    }
}
