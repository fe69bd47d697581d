//! The attributes of an entity.

use std::collections::BTreeMap;

use serde::Serialize;

/// Attributes within the limits, none of them empty: an empty value means absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, String>);

/// Why attributes can't be kept; its `Display` names the attribute and says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributeFault {
    /// More than [`Attributes::MAX_COUNT`].
    #[error("an entity has at most {max} attributes, this one has {found}", max = Attributes::MAX_COUNT)]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// A key that is empty or longer than [`Attributes::MAX_KEY_BYTES`].
    #[error("an attribute's name has 1 to {max} bytes, {key:?} has {found}", max = Attributes::MAX_KEY_BYTES)]
    KeyLength {
        /// Its beginning.
        key: String,
        /// How many bytes there are.
        found: usize,
    },
    /// A control character in a key.
    #[error("the attribute name {key:?} contains the control character U+{character:04X}")]
    KeyControl {
        /// The key.
        key: String,
        /// The character.
        character: u32,
    },
    /// A value longer than [`Attributes::MAX_VALUE_BYTES`].
    #[error("the value of {key:?} has {found} bytes, at most {max} are kept", max = Attributes::MAX_VALUE_BYTES)]
    ValueLength {
        /// The key.
        key: String,
        /// How many bytes there are.
        found: usize,
    },
    /// A control character in a value, other than a line break or a tab.
    #[error("the value of {key:?} contains the control character U+{character:04X}")]
    ValueControl {
        /// The key.
        key: String,
        /// The character.
        character: u32,
    },
    /// More than [`Attributes::MAX_BYTES`].
    #[error("the attributes have {found} bytes together, at most {max} are kept", max = Attributes::MAX_BYTES)]
    TooLarge {
        /// How many there are.
        found: usize,
    },
}

impl Attributes {
    /// How many attributes an entity may have.
    pub const MAX_COUNT: usize = 200;
    /// The longest name.
    pub const MAX_KEY_BYTES: usize = 128;
    /// The longest value.
    pub const MAX_VALUE_BYTES: usize = 4096;
    /// The most that names and values may take together, so that a page of entities stays small.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Checks attributes and drops those without a value.
    ///
    /// # Errors
    /// [`AttributeFault`] for the first that can't be kept.
    pub fn new(mut attributes: BTreeMap<String, String>) -> Result<Self, AttributeFault> {
        for (key, value) in &attributes {
            check_key(key)?;
            check_value(key, value)?;
        }
        attributes.retain(|_, value| !value.is_empty());
        if attributes.len() > Self::MAX_COUNT {
            return Err(AttributeFault::TooMany { found: attributes.len() });
        }
        let attributes = Self(attributes);
        match attributes.bytes() {
            found if found > Self::MAX_BYTES => Err(AttributeFault::TooLarge { found }),
            _ => Ok(attributes),
        }
    }

    /// The bytes of names and values together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    /// The attributes by name, to keep.
    #[must_use]
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }

    /// The attributes by name.
    #[must_use]
    pub const fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

fn check_key(key: &str) -> Result<(), AttributeFault> {
    if key.is_empty() || key.len() > Attributes::MAX_KEY_BYTES {
        let beginning = key.chars().take(40).collect();
        return Err(AttributeFault::KeyLength { key: beginning, found: key.len() });
    }
    match key.chars().find(|c| c.is_control()) {
        Some(control) => Err(AttributeFault::KeyControl { key: key.to_owned(), character: u32::from(control) }),
        None => Ok(()),
    }
}

fn check_value(key: &str, value: &str) -> Result<(), AttributeFault> {
    if value.len() > Attributes::MAX_VALUE_BYTES {
        return Err(AttributeFault::ValueLength { key: key.to_owned(), found: value.len() });
    }
    // Descriptions that are synchronised from elsewhere have line breaks.
    match value.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        Some(control) => Err(AttributeFault::ValueControl { key: key.to_owned(), character: u32::from(control) }),
        None => Ok(()),
    }
}
