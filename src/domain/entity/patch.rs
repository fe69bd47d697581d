//! A partial change of an entity.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::{AttributeFault, Attributes};

/// A JSON merge patch (RFC 7396) of an entity: `{"attributes": {"key": "new value", "gone": null}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityPatch {
    /// The id, which can't change: if given, it is the entity's.
    #[serde(default)]
    pub id: Option<String>,
    /// What changes: nothing if not given, all gone for `null`.
    #[serde(default, deserialize_with = "given")]
    pub attributes: Option<Option<BTreeMap<String, Option<String>>>>,
}

/// Tells a member that is `null` from one that is not there.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl EntityPatch {
    /// The attributes after the change.
    ///
    /// # Errors
    /// [`AttributeFault`] if they would be beyond the limits.
    pub fn apply(&self, before: &Attributes) -> Result<Attributes, AttributeFault> {
        match &self.attributes {
            None => Ok(before.clone()),
            Some(None) => Ok(Attributes::default()),
            Some(Some(changes)) => {
                let mut after = before.as_map().clone();
                for (key, value) in changes {
                    match value {
                        Some(value) => after.insert(key.clone(), value.clone()),
                        None => after.remove(key),
                    };
                }
                Attributes::new(after)
            }
        }
    }
}
