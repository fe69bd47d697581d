//! Conditions that a request puts on an entity's state (RFC 9110 §13).

use super::EntityVersion;

/// The value of `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`: any state, as long as there is one.
    Any,
    /// One of these versions.
    OneOf(Vec<EntityVersion>),
}

impl EntityTags {
    /// Reads the value of a field; `None` if it isn't one. `weak` admits weak tags, which only `If-None-Match` compares
    /// (§13.1.2); in `If-Match` a weak tag never matches (§13.1.1).
    #[must_use]
    pub fn parse(text: &str, weak: bool) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        let mut versions = Vec::new();
        for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            let (is_weak, opaque) = tag.strip_prefix("W/").map_or((false, tag), |opaque| (true, opaque));
            // Our own tags have neither commas nor quotes inside, so that a foreign one cut apart here matches nothing.
            let opaque = opaque.strip_prefix('"')?.strip_suffix('"')?;
            if weak || !is_weak {
                versions.push(EntityVersion::new(opaque));
            }
        }
        Some(Self::OneOf(versions))
    }

    /// Whether the entity's state is among these.
    #[must_use]
    pub fn include(&self, version: Option<&EntityVersion>) -> bool {
        match (self, version) {
            (_, None) => false,
            (Self::Any, Some(_)) => true,
            (Self::OneOf(versions), Some(version)) => versions.contains(version),
        }
    }
}

/// What a write asks of the state that it replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    /// The state must be among these (§13.1.1).
    pub if_match: Option<EntityTags>,
    /// The state must not be among these (§13.1.2).
    pub if_none_match: Option<EntityTags>,
}

impl Precondition {
    /// Whether a state, `None` for no entity, is as asked.
    #[must_use]
    pub fn holds(&self, version: Option<&EntityVersion>) -> bool {
        self.if_match.as_ref().is_none_or(|tags| tags.include(version))
            && self.if_none_match.as_ref().is_none_or(|tags| !tags.include(version))
    }
}
