//! Which label of the upstream carries which attribute.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The name of a label: `[a-zA-Z_][a-zA-Z0-9_]*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelName(String);

/// A text that is no label name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no label name: expected letters, digits and _, not beginning with a digit")]
pub struct NoLabelName(pub String);

impl LabelName {
    /// The label that holds a series' metric name.
    pub const METRIC_NAME: &'static str = "__name__";

    /// Reads a name.
    ///
    /// # Errors
    /// [`NoLabelName`].
    pub fn parse(text: &str) -> Result<Self, NoLabelName> {
        let good =
            |(at, byte): (usize, u8)| byte == b'_' || byte.is_ascii_alphabetic() || at > 0 && byte.is_ascii_digit();
        if text.is_empty() || !text.bytes().enumerate().all(good) {
            return Err(NoLabelName(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label that holds a series' metric name.
    #[must_use]
    pub fn metric_name() -> Self {
        Self(Self::METRIC_NAME.to_owned())
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LabelName {
    type Err = NoLabelName;

    fn from_str(text: &str) -> Result<Self, NoLabelName> {
        Self::parse(text)
    }
}

/// Attribute → label. An attribute that is not in it can't be filtered by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LabelMap(BTreeMap<String, LabelName>);

impl LabelMap {
    /// A map of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Maps an attribute; answers the label that it had before.
    pub fn insert(&mut self, attribute: String, label: LabelName) -> Option<LabelName> {
        self.0.insert(attribute, label)
    }

    /// The label that carries this attribute.
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&LabelName> {
        self.0.get(attribute)
    }

    /// All pairs by attribute.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &LabelName)> {
        self.0.iter().map(|(attribute, label)| (attribute.as_str(), label))
    }

    /// Whether it maps nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, LabelName)> for LabelMap {
    fn from_iter<I: IntoIterator<Item = (String, LabelName)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}
