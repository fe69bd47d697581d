//! Grants: the right to view or to edit a resource.

use super::resource::{Resource, ResourcePattern, UnknownResource};
use std::fmt;
use std::str::FromStr;

/// What a grant allows. Edit never includes view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Reading.
    View,
    /// Changing.
    Edit,
}

impl Action {
    /// `view` or `edit`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Edit => "edit",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A resource, or a pattern of gateways, with *view* or *edit*; written `RESOURCE:view` or `RESOURCE:edit`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// What it names.
    pub resource: ResourcePattern,
    /// What it allows there.
    pub action: Action,
}

impl Grant {
    /// Whether it allows `action` on `resource`.
    #[must_use]
    pub fn allows(&self, resource: &Resource, action: Action) -> bool {
        self.action == action && self.resource.includes(resource)
    }

    /// Whether it allows all that `other` allows.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.action == other.action && self.resource.covers(&other.resource)
    }

    /// Whether an application can ask for it as a scope: edit on a security resource never is one.
    #[must_use]
    pub fn is_scope(&self) -> bool {
        self.action == Action::View || self.resource.security().is_none()
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.action)
    }
}

/// Why a text is not a grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantFault {
    /// No `:view` or `:edit` at its end.
    #[error("{0:?} is not a grant: write RESOURCE:view or RESOURCE:edit, for example entities:view")]
    NoAction(String),
    /// The resource is none.
    #[error(transparent)]
    Resource(#[from] UnknownResource),
    /// Edit on something that can only be viewed.
    #[error("{0} can only be viewed: write {0}:view")]
    ViewOnly(String),
}

impl FromStr for Grant {
    type Err = GrantFault;

    fn from_str(text: &str) -> Result<Self, GrantFault> {
        let (resource, action) = text.rsplit_once(':').ok_or_else(|| GrantFault::NoAction(text.to_owned()))?;
        let action = match action {
            "view" => Action::View,
            "edit" => Action::Edit,
            _ => return Err(GrantFault::NoAction(text.to_owned())),
        };
        let resource: ResourcePattern = resource.parse()?;
        if action == Action::Edit && resource.security().is_some_and(super::resource::SecurityResource::is_view_only) {
            return Err(GrantFault::ViewOnly(resource.to_string()));
        }
        Ok(Self { resource, action })
    }
}
