//! Roles: named sets of grants with an optional data filter.

use super::data_filter::DataFilter;
use super::grant::{Action, Grant};
use super::name::Name;
use super::resource::{Resource, ResourcePattern, SecurityResource};
use std::sync::Arc;

/// A role's id: given once, never used again, so that re-creating a name revives nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId(String);

impl RoleId {
    /// The id of the built-in role that has view and edit on everything.
    pub const ADMINISTRATOR: &'static str = "role_administrator";
    /// The id of the built-in role that has view and edit on all data and view on security resources.
    pub const OPERATOR: &'static str = "role_operator";

    /// An id as the store holds it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the built-in Administrator.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.0 == Self::ADMINISTRATOR
    }
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its name, unique case-folded.
    pub name: Name,
    /// What it allows.
    pub grants: Vec<Grant>,
    /// Which rows it reaches; `None` for all.
    pub filter: Option<Arc<DataFilter>>,
    /// Built-in roles can be neither edited nor removed.
    pub built_in: bool,
}

/// Why grants and filter can't make a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleFault {
    /// A role without grants allows nothing.
    #[error("a role needs at least one grant, for example entities:view")]
    NoGrant,
    /// A filter limits rows, and security resources have none.
    #[error("a role with a filter can't grant the security resource {0}: put that grant into a role of its own")]
    FilteredSecurity(SecurityResource),
}

impl std::fmt::Display for SecurityResource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Role {
    /// Checks that grants and filter go together.
    ///
    /// # Errors
    /// [`RoleFault`] names what doesn't.
    pub fn check(grants: &[Grant], filter: Option<&DataFilter>) -> Result<(), RoleFault> {
        if grants.is_empty() {
            return Err(RoleFault::NoGrant);
        }
        let security = grants.iter().find_map(|grant| grant.resource.security());
        match (filter, security) {
            (Some(_), Some(security)) => Err(RoleFault::FilteredSecurity(security)),
            _ => Ok(()),
        }
    }

    /// The two roles that every hub has.
    ///
    /// # Panics
    /// Never: both names are names.
    #[must_use]
    pub fn built_in() -> [Self; 2] {
        let data = [ResourcePattern::One(Resource::Entities), ResourcePattern::GatewayPrefix(String::new())];
        let both = |resource: ResourcePattern| {
            let view = Grant { resource: resource.clone(), action: Action::View };
            [view, Grant { resource, action: Action::Edit }]
        };
        let data_grants: Vec<Grant> = data.into_iter().flat_map(both).collect();
        let mut administrator = data_grants.clone();
        let mut operator = data_grants;
        for security in SecurityResource::ALL {
            let resource = ResourcePattern::One(Resource::Security(security));
            operator.push(Grant { resource: resource.clone(), action: Action::View });
            administrator.push(Grant { resource: resource.clone(), action: Action::View });
            if !security.is_view_only() {
                administrator.push(Grant { resource, action: Action::Edit });
            }
        }
        let role = |id: &str, name: &str, grants| Self {
            id: RoleId::new(id),
            name: Name::parse(name).expect("a built-in name is a name"),
            grants,
            filter: None,
            built_in: true,
        };
        [role(RoleId::ADMINISTRATOR, "Administrator", administrator), role(RoleId::OPERATOR, "Operator", operator)]
    }
}
