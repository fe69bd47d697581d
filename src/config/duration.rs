//! Lengths of time as people write them: `90d`, `24h`, `10m`, `1h30m`, `250ms`.

use std::{fmt, str::FromStr, time::Duration};

/// A length of time, above zero and below 100 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

/// Largest first; a text uses each at most once, in this order.
const UNITS: [(&str, u64); 6] =
    [("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

const LONGEST_MS: u64 = 100 * 365 * 86_400_000;

const EXPECTED: &str = "a length of time such as 90d, 24h, 10m, 1h30m or 30s";

impl Span {
    /// The length.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// A parser for settings with bounds, which its refusal names.
    pub(super) fn between(least: Duration, most: Duration) -> impl Fn(&str) -> Result<Duration, String> {
        move |text| {
            text.parse::<Self>()
                .ok()
                .map(Self::duration)
                .filter(|duration| (least..=most).contains(duration))
                .ok_or_else(|| format!("a length of time from {} to {}", Self(least), Self(most)))
        }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || EXPECTED.to_owned();
        let mut rest = text;
        let mut units = UNITS.iter();
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
            let (_, size) = units.find(|(name, _)| *name == &rest[..letters]).ok_or_else(wrong)?;
            rest = &rest[letters..];
            total = number.checked_mul(*size).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        }
        if total == 0 || total > LONGEST_MS { Err(wrong()) } else { Ok(Self(Duration::from_millis(total))) }
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, size) in &UNITS[1..] {
            if rest >= *size {
                write!(f, "{}{name}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}
