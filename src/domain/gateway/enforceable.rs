//! Which roles reach a gateway, and whether their data filters can be enforced there.

use super::{Gateway, GatewayKind};
use crate::domain::data_filter::DataFilter;
use crate::domain::grant::{Action, Grant};
use crate::domain::name::Name;
use crate::domain::prometheus::{Enforcement, Unenforceable};
use crate::domain::resource::{GatewayName, Resource};
use crate::domain::role::Role;
use std::sync::Arc;

/// Why a gateway can't enforce a data filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unenforced {
    /// Its upstream is no store whose rows the hub can tell apart.
    #[error(
        "a gateway of kind http forwards requests as they are; let it receive the filter in its assertion \
         (--forward-filter) if its upstream enforces it, or grant it by a role without a filter"
    )]
    Http,
    /// Label matchers can't say it.
    #[error("{0}")]
    Labels(#[from] Unenforceable),
}

/// A role's data filter that a gateway can't enforce: what can't be enforced is refused, when it is saved already.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data filter of the role {role} can't be enforced on the gateway {}: {reason}", .gateway.as_str())]
pub struct NotEnforced {
    /// Whose filter.
    pub role: Name,
    /// Where.
    pub gateway: GatewayName,
    /// Why.
    pub reason: Unenforced,
}

impl Gateway {
    /// Whether the hub, or the upstream on its behalf, enforces what at least one of these filters selects.
    ///
    /// # Errors
    /// [`Unenforced`] names the attribute or operator.
    pub fn check_filters(&self, filters: &[Arc<DataFilter>]) -> Result<(), Unenforced> {
        match self.kind {
            GatewayKind::Http if self.forward_filter => Ok(()),
            GatewayKind::Http => Err(Unenforced::Http),
            GatewayKind::Prometheus => Ok(Enforcement::compile(filters, &self.labels).map(|_| ())?),
        }
    }

    /// Whether the role's filter can be enforced here; it can where the role doesn't reach.
    ///
    /// # Errors
    /// [`NotEnforced`].
    pub fn check_role(&self, role: &Role) -> Result<(), NotEnforced> {
        let Some(filter) = &role.filter else { return Ok(()) };
        let resource = self.resource();
        if !role.grants.iter().any(|grant| grant.resource.includes(&resource)) {
            return Ok(());
        }
        let refused = |reason| NotEnforced { role: role.name.clone(), gateway: self.name.clone(), reason };
        self.check_filters(&[Arc::clone(filter)]).map_err(refused)
    }
}

/// A role that reaches a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaching {
    /// Which role.
    pub role: Role,
    /// Its grants that name the gateway, by name or by pattern.
    pub grants: Vec<Grant>,
}

impl Reaching {
    /// Whether one of the grants allows the action.
    #[must_use]
    pub fn allows(&self, action: Action) -> bool {
        self.grants.iter().any(|grant| grant.action == action)
    }
}

/// The roles that reach the gateway of that name, in the order given.
#[must_use]
pub fn reaching(name: &GatewayName, roles: impl IntoIterator<Item = Role>) -> Vec<Reaching> {
    let resource = Resource::Gateway(name.clone());
    let reach = |role: Role| {
        let grants: Vec<Grant> =
            role.grants.iter().filter(|grant| grant.resource.includes(&resource)).cloned().collect();
        (!grants.is_empty()).then_some(Reaching { role, grants })
    };
    roles.into_iter().filter_map(reach).collect()
}
