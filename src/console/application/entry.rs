//! What people type about an application, as values: days and networks.

use crate::config::parse_network;
use crate::domain::time::Timestamp;
use ipnet::IpNet;

/// Something in a form that can't be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The field, or empty for the form as a whole.
    pub(crate) field: &'static str,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// The end of a day in UTC.
pub(crate) fn end_of(day: &str) -> Result<Timestamp, Fault> {
    let next = day.trim().parse::<jiff::civil::Date>().ok().and_then(|day| day.tomorrow().ok());
    let midnight = next.and_then(|next| jiff::tz::Offset::UTC.to_timestamp(next.at(0, 0, 0, 0)).ok());
    let message = || format!("“{day}” is not a day. Write it as 2027-12-31.");
    midnight
        .map(|midnight| Timestamp::from_seconds(midnight.as_second()))
        .ok_or_else(|| Fault::new("expires", message()))
}

/// Networks, separated by white space or punctuation.
pub(crate) fn networks(text: &str) -> Result<Vec<IpNet>, Fault> {
    let mut networks = Vec::new();
    for piece in text.split([' ', '\t', '\r', '\n', ',', ';']).filter(|piece| !piece.is_empty()) {
        let network =
            parse_network(piece).map_err(|right| Fault::new("networks", format!("“{piece}” is not {right}.")))?;
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    Ok(networks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_worked_through_to_its_end() {
        assert_eq!(end_of("2027-12-31").expect("a day").to_string(), "2028-01-01T00:00:00Z");
        for wrong in ["tomorrow", "2027-02-30", "31.12.2027", "9999-12-31"] {
            assert_eq!(end_of(wrong).expect_err(wrong).field, "expires");
        }
    }

    #[test]
    fn networks_are_read_one_by_one() {
        let read = networks("10.1.2.3/8, 192.0.2.7\r\n\r\n 10.0.0.0/8").expect("networks");
        assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "192.0.2.7/32"]);
        assert!(networks("").expect("none").is_empty());
        assert!(networks("10.0.0.0/8 office").expect_err("no network").message.contains("“office”"));
    }
}
