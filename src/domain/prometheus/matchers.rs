//! Label matchers.

use super::LabelName;

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// A test of one label, whose value is the empty string if a series does not have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matcher {
    /// Which label.
    pub label: LabelName,
    /// How to compare.
    pub op: MatchOp,
    /// With what: a text, or a regular expression of the whole value.
    pub value: String,
}

/// Matchers that all must hold. None at all is what a filter that selects everything gives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Conjunction(pub(super) Vec<Matcher>);

impl Conjunction {
    /// The matchers, in a fixed order.
    #[must_use]
    pub fn matchers(&self) -> &[Matcher] {
        &self.0
    }
}
