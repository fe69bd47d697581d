//! What a request's body says of an entity: all of it, or a partial change.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{AttributeFault, Attributes};

/// A whole entity as a caller writes it: `{"attributes": {"key": "value"}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityDocument {
    /// The id, which the address already tells: if given, it must be the same.
    pub id: Option<String>,
    /// All attributes.
    pub attributes: BTreeMap<String, String>,
}

/// A JSON merge patch (RFC 7396) of an entity: `{"attributes": {"key": "new value", "gone": null}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityPatch {
    /// The id, which can't change: if given, it must be the same.
    pub id: Option<String>,
    /// What changes.
    pub attributes: AttributesPatch,
}

/// What a patch does to the attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AttributesPatch {
    /// Nothing.
    #[default]
    Keep,
    /// `null`: all go.
    Clear,
    /// Each of these is set, or goes if it is `null`.
    Merge(BTreeMap<String, Option<String>>),
}

/// A JSON document that is not of an entity's form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct DocumentFault {
    /// The member, such as `attributes.user.department`; `body` for the whole.
    pub field: String,
    /// What is wrong with it.
    pub message: &'static str,
}

impl DocumentFault {
    fn new(field: impl Into<String>, message: &'static str) -> Self {
        // A name of the caller's may be as long as the body.
        Self { field: field.into().chars().take(160).collect(), message }
    }
}

impl TryFrom<Value> for EntityDocument {
    type Error = DocumentFault;

    fn try_from(body: Value) -> Result<Self, DocumentFault> {
        let (id, attributes) = members(body)?;
        let attributes = match attributes {
            Some(Value::Object(attributes)) => attributes,
            Some(_) => return Err(DocumentFault::new("attributes", "must be an object of names and values")),
            None => return Err(DocumentFault::new("attributes", "is missing: give an object of names and values")),
        };
        Ok(Self { id, attributes: attributes.into_iter().map(text).collect::<Result<_, _>>()? })
    }
}

impl TryFrom<Value> for EntityPatch {
    type Error = DocumentFault;

    fn try_from(body: Value) -> Result<Self, DocumentFault> {
        let (id, attributes) = members(body)?;
        let attributes = match attributes {
            None => AttributesPatch::Keep,
            Some(Value::Null) => AttributesPatch::Clear,
            Some(Value::Object(changes)) => AttributesPatch::Merge(
                changes
                    .into_iter()
                    .map(|(key, value)| match value {
                        Value::Null => Ok((key, None)),
                        value => text((key, value)).map(|(key, value)| (key, Some(value))),
                    })
                    .collect::<Result<_, _>>()?,
            ),
            Some(_) => return Err(DocumentFault::new("attributes", "must be an object of names and values, or null")),
        };
        Ok(Self { id, attributes })
    }
}

impl EntityPatch {
    /// The attributes after the change.
    ///
    /// # Errors
    /// [`AttributeFault`] if they would be beyond the limits.
    pub fn apply(&self, before: &Attributes) -> Result<Attributes, AttributeFault> {
        let changes = match &self.attributes {
            AttributesPatch::Keep => return Ok(before.clone()),
            AttributesPatch::Clear => return Ok(Attributes::default()),
            AttributesPatch::Merge(changes) => changes,
        };
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

/// The members `id` and `attributes`, of which there are no others.
fn members(body: Value) -> Result<(Option<String>, Option<Value>), DocumentFault> {
    let Value::Object(mut body) = body else {
        return Err(DocumentFault::new("body", r#"must be a JSON object such as {"attributes": {"name": "value"}}"#));
    };
    let id = match body.remove("id") {
        None => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err(DocumentFault::new("id", "must be a string")),
    };
    let attributes = body.remove("attributes");
    refuse_others(&body)?;
    Ok((id, attributes))
}

fn refuse_others(rest: &Map<String, Value>) -> Result<(), DocumentFault> {
    match rest.keys().next() {
        Some(unknown) => Err(DocumentFault::new(unknown, "is no member of an entity: there are id and attributes")),
        None => Ok(()),
    }
}

fn text((key, value): (String, Value)) -> Result<(String, String), DocumentFault> {
    match value {
        Value::String(value) => Ok((key, value)),
        _ => Err(DocumentFault::new(format!("attributes.{key}"), "must be a string")),
    }
}
