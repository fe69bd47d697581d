//! Entities: what is monitored, an id with attributes.

mod access;
mod attributes;
mod bulk;
mod document;
mod precondition;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

pub use access::{EntityAccess, EntityRefusal};
pub use attributes::{AttributeFault, Attributes};
pub use bulk::{BulkDocument, BulkLine, LineFault, LineReason};
pub use document::{AttributesPatch, DocumentFault, EntityDocument, EntityPatch};
pub use precondition::{EntityTags, Precondition};

/// An entity as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// Which one.
    pub id: EntityId,
    /// What is known of it.
    pub attributes: Attributes,
    /// Which writing of it this is; the entity tag (RFC 9110 §8.8.3).
    #[serde(skip)]
    pub version: EntityVersion,
}

/// Names an entity: 1 to 256 bytes, case-sensitive, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EntityId(String);

/// Why a text can't name an entity; its `Display` says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntityIdFault {
    /// Nothing.
    #[error("an entity's id can't be empty")]
    Empty,
    /// More than [`EntityId::MAX_BYTES`].
    #[error("an entity's id has at most {max} bytes, this one has {found}", max = EntityId::MAX_BYTES)]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// A control character.
    #[error("an entity's id can't contain the control character U+{0:04X}")]
    Control(u32),
    /// A path that clients resolve away or that means something else.
    #[error("{0:?} can't be an entity's id: its address means something else")]
    Reserved(String),
}

impl EntityId {
    /// The longest id.
    pub const MAX_BYTES: usize = 256;

    /// Checks an id.
    ///
    /// # Errors
    /// [`EntityIdFault`] for what can't be one.
    pub fn parse(text: impl Into<String>) -> Result<Self, EntityIdFault> {
        let text = text.into();
        if text.is_empty() {
            return Err(EntityIdFault::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(EntityIdFault::TooLong { found: text.len() });
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(EntityIdFault::Control(u32::from(control)));
        }
        // `.` and `..` never reach a server, and the other two are collections' own addresses beside the entities.
        if matches!(text.as_str(), "." | ".." | "bulk" | "summary") {
            return Err(EntityIdFault::Reserved(text));
        }
        Ok(Self(text))
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one writing of an entity. Random, so that an entity made again under a deleted one's id has another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntityVersion(String);

impl EntityVersion {
    /// A version as the store holds it: letters, digits, `-` and `_`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The version's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As the value of an `ETag` field.
    #[must_use]
    pub fn to_tag(&self) -> String {
        format!("\"{}\"", self.0)
    }
}
