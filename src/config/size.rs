//! Numbers of bytes as people write them: `512KiB`, `10MiB`, `1GiB`, `1048576`.

use std::{fmt, str::FromStr};

/// A number of bytes, above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(u64);

/// Largest first.
const UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Size {
    /// So many bytes; `None` for none.
    #[must_use]
    pub const fn of(bytes: u64) -> Option<Self> {
        if bytes == 0 { None } else { Some(Self(bytes)) }
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim_start();
        let unit =
            if unit.is_empty() { Some(1) } else { UNITS.iter().find(|(name, _)| *name == unit).map(|unit| unit.1) };
        let bytes = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
        // What a database keeps as a signed number.
        let bytes = bytes.filter(|bytes| i64::try_from(*bytes).is_ok());
        bytes.and_then(Self::of).ok_or_else(|| "a number of bytes such as 512KiB, 10MiB or 1GiB".to_owned())
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, size)| self.0.is_multiple_of(*size));
        let (name, size) = whole.unwrap_or(&UNITS[4]);
        write!(f, "{}{name}", self.0 / size)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_read_and_shown() {
        for (text, bytes, shown) in
            [("10MiB", 10 << 20, "10MiB"), ("1024", 1024, "1KiB"), ("1 GiB", 1 << 30, "1GiB"), ("1500B", 1500, "1500B")]
        {
            let size: Size = text.parse().expect(text);
            assert_eq!((size.bytes(), size.to_string()), (bytes, shown.to_owned()));
        }
        for text in ["", "0", "10MB", "MiB", "-1", "1.5GiB", "99999999999TiB", "9223372036854775808"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
