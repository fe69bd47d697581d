//! Why a request to a Prometheus-compatible gateway is refused.

use super::QueryFault;

/// A refusal; its `Display` is for the caller and never tells the filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// A parameter that is unknown, repeated or can't be read (400).
    #[error("the parameter {name} {reason}")]
    Parameter {
        /// Its name, shortened and without control characters.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The query can't be parsed or limited (400).
    #[error(transparent)]
    Query(#[from] QueryFault),
    /// Something else in the request is wrong (400).
    #[error("{0}")]
    Malformed(String),
    /// A content type or encoding that is not read here (415).
    #[error("{0}")]
    Media(&'static str),
    /// Beyond a limit, and would be when sent again (413).
    #[error("{0}")]
    TooLarge(String),
    /// The endpoint can't be limited to what a filter selects (403).
    #[error(
        "{path} can't be limited to what the data filters of this application's roles select; it is for roles without a filter"
    )]
    Unfilterable {
        /// Which.
        path: String,
    },
    /// A series of a remote write lies outside the filter (403).
    #[error(
        "the series {series} lies outside the data filters under which this application may write; nothing was written"
    )]
    Outside {
        /// The first such series, shortened.
        series: String,
    },
    /// The hub contradicts itself (500).
    #[error("{0}")]
    Internal(&'static str),
}

impl RequestFault {
    /// A fault of a parameter whose name is the caller's.
    pub(super) fn parameter(name: &str, reason: &'static str) -> Self {
        let name: String = name.chars().filter(|character| !character.is_control()).take(40).collect();
        Self::Parameter { name: format!("“{name}”"), reason }
    }
}
