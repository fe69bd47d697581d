//! The data filter language (placeholder until its parser lands).
/// A parsed data filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DataFilter;
