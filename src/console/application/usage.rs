//! What an application did, day by day: bars drawn by the server, and the same as a table.

use crate::console::when::When;
use crate::domain::time::Timestamp;
use crate::store::usage::{DayUsage, day_of};
use std::time::Duration;

/// How many days are shown, today included.
const DAYS: u16 = 30;
/// The same as a length of time.
pub(crate) const SPAN: Duration = Duration::from_hours(24 * DAYS as u64);
/// The drawing's height, and the width that each day takes, in its own units.
const HEIGHT: u64 = 48;
const STEP: u16 = 10;

/// The first of the days, counted from 1970-01-01.
pub(crate) fn first_day(now: Timestamp) -> i32 {
    day_of(now) - i32::from(DAYS) + 1
}

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) x: u16,
    pub(crate) y: u64,
    pub(crate) height: u64,
}

/// One of the three rows of bars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) label: &'static str,
    /// The style of its bars.
    pub(crate) style: &'static str,
    pub(crate) total: String,
    pub(crate) bars: Vec<Bar>,
    /// The drawing in words.
    pub(crate) words: String,
}

/// A day of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) date: String,
    pub(crate) tokens: String,
    pub(crate) requests: String,
    pub(crate) refusals: String,
}

/// What is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) series: Vec<Series>,
    /// The days with anything on them, latest first.
    pub(crate) days: Vec<Day>,
    /// The drawings' width in their own units.
    pub(crate) width: u16,
    /// And their height.
    pub(crate) height: u64,
}

impl Usage {
    /// The days that end today.
    pub(crate) fn new(days: &[DayUsage], now: Timestamp) -> Self {
        let first = first_day(now);
        let series = |label, style, count: fn(&DayUsage) -> u64| {
            let mut counts = [0_u64; DAYS as usize];
            for day in days {
                let place = usize::try_from(day.day - first).ok().and_then(|place| counts.get_mut(place));
                if let Some(place) = place {
                    *place += count(day);
                }
            }
            Series::new(label, style, &counts, first)
        };
        let used = days.iter().filter(|day| day.tokens + day.requests + day.refusals > 0);
        Self {
            width: DAYS * STEP,
            height: HEIGHT,
            series: vec![
                series("Access tokens", "tokens", |day| day.tokens),
                series("Requests", "requests", |day| day.requests),
                series("Refusals", "refusals", |day| day.refusals),
            ],
            days: used
                .rev()
                .map(|day| Day {
                    date: day_text(day.day),
                    tokens: grouped(day.tokens),
                    requests: grouped(day.requests),
                    refusals: grouped(day.refusals),
                })
                .collect(),
        }
    }
}

impl Series {
    fn new(label: &'static str, style: &'static str, counts: &[u64], first: i32) -> Self {
        let most = counts.iter().copied().max().unwrap_or_default();
        let bars = (0_u16..)
            .zip(counts)
            .filter(|(_, count)| **count > 0)
            // A day with little is still seen.
            .map(|(place, count)| (place, (count.saturating_mul(HEIGHT) / most).max(2)))
            .map(|(place, height)| Bar { x: place * STEP + 1, y: HEIGHT - height, height })
            .collect();
        let total = grouped(counts.iter().sum());
        let peak = (first..).zip(counts).filter(|(_, count)| most > 0 && **count == most).map(|(day, _)| day).last();
        let words = match peak {
            Some(day) => {
                format!("{label} per day: {total} in {DAYS} days, most on {}: {}", day_text(day), grouped(most))
            }
            None => format!("{label} per day: none in {DAYS} days"),
        };
        Self { label, style, total, bars, words }
    }
}

fn day_text(day: i32) -> String {
    When::new(Timestamp::from_seconds(i64::from(day) * 86_400)).day
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i32, requests: u64) -> DayUsage {
        let client_id = "gh_0123456789abcdefghijAB".to_owned();
        DayUsage { client_id, day, tokens: 0, requests, refusals: 0, grants: std::collections::BTreeSet::new() }
    }

    #[test]
    fn bars_are_as_high_as_their_days() {
        let now = Timestamp::from_seconds(20_000 * 86_400 + 5);
        let usage = Usage::new(&[day(19_970, 9), day(19_971, 1), day(20_000, 1_200)], now);
        let requests = &usage.series[1];
        assert_eq!(requests.bars, [Bar { x: 1, y: 46, height: 2 }, Bar { x: 291, y: 0, height: 48 }]);
        assert_eq!(requests.words, "Requests per day: 1,201 in 30 days, most on 2024-10-04: 1,200");
        assert_eq!(usage.series[0].words, "Access tokens per day: none in 30 days");
        assert!(usage.series[0].bars.is_empty());
        assert_eq!(usage.days.first().map(|day| day.requests.as_str()), Some("1,200"), "latest first");
        assert_eq!([grouped(0), grouped(999), grouped(1_000_000)], ["0", "999", "1,000,000"]);
    }
}
