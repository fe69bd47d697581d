//! OAuth scopes (RFC 6749 §3.3): the grants that a token carries.

use super::grant::{Action, Grant};
use super::resource::Resource;
use std::fmt;

/// The scope of a token: grants in canonical order, none twice.
#[derive(Clone, Debug, PartialEq, Eq, Default, Hash)]
pub struct Scope(Vec<Grant>);

/// A scope value that is not a grant, or never can be a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownScope(pub String);

impl Scope {
    /// The scope made of these grants; those that can't be one are left out.
    #[must_use]
    pub fn of(grants: impl IntoIterator<Item = Grant>) -> Self {
        let mut grants: Vec<Grant> = grants.into_iter().filter(Grant::is_scope).collect();
        grants.sort_unstable();
        grants.dedup();
        Self(grants)
    }

    /// Parses a space-separated list (RFC 6749 §3.3); the empty text is the empty scope.
    ///
    /// # Errors
    /// The first value that can't be a scope.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        let parse = |value: &str| match value.parse::<Grant>() {
            Ok(grant) if grant.is_scope() => Ok(grant),
            _ => Err(UnknownScope(value.to_owned())),
        };
        text.split(' ').filter(|value| !value.is_empty()).map(parse).collect::<Result<Vec<_>, _>>().map(Self::of)
    }

    /// Whether the scope includes `action` on `resource`.
    #[must_use]
    pub fn allows(&self, resource: &Resource, action: Action) -> bool {
        self.0.iter().any(|grant| grant.allows(resource, action))
    }

    /// Its grants.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.0
    }

    /// True when it allows nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, grant) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            grant.fmt(f)?;
        }
        Ok(())
    }
}
