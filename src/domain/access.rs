//! The decision: what a set of roles allows, compiled once, and asked at every request.

use super::data_filter::DataFilter;
use super::grant::{Action, Grant};
use super::resource::{Resource, ResourcePattern};
use super::role::Role;
use super::scope::Scope;
use std::sync::Arc;

/// Which rows of a resource are within reach: those that any of the filters selects, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every row.
    All,
    /// The rows that at least one of these selects; never empty.
    Filtered(Vec<Arc<DataFilter>>),
}

impl Reach {
    fn of(filter: Option<&Arc<DataFilter>>) -> Self {
        filter.map_or(Self::All, |filter| Self::Filtered(vec![Arc::clone(filter)]))
    }

    /// The rows that either reaches.
    #[must_use]
    fn or(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Filtered(mut own), Self::Filtered(more)) => {
                for filter in more {
                    if !own.contains(filter) {
                        own.push(Arc::clone(filter));
                    }
                }
                Self::Filtered(own)
            }
            _ => Self::All,
        }
    }

    /// Whether every row of `other` is surely within this reach. Filters are compared as written: two filters that
    /// mean the same in other words are told apart, which errs on the safe side.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Filtered(_), Self::All) => false,
            (Self::Filtered(own), Self::Filtered(others)) => others.iter().all(|filter| own.contains(filter)),
        }
    }
}

/// What a set of roles allows: the union of their grants, each under its own role's filter.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AccessTable {
    entries: Vec<(Grant, Reach)>,
}

/// Leave to do one thing; made by [`decide`] only, so that the step that needs it can't forget to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    resource: Resource,
    action: Action,
    reach: Reach,
}

impl Permit {
    /// On what.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }

    /// To do what.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// On which rows.
    #[must_use]
    pub const fn reach(&self) -> &Reach {
        &self.reach
    }
}

/// Why something is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No role of the application grants it.
    #[error("no role of this application grants {action} on {resource}")]
    NotGranted {
        /// On what.
        resource: Resource,
        /// To do what.
        action: Action,
    },
    /// A role grants it, but the token was issued for less.
    #[error("the access token's scope does not include {resource}:{action}")]
    OutOfScope {
        /// On what.
        resource: Resource,
        /// To do what.
        action: Action,
    },
}

impl Refusal {
    /// The scope that would be needed (RFC 6750 §3).
    #[must_use]
    pub fn needed(&self) -> String {
        let (Self::NotGranted { resource, action } | Self::OutOfScope { resource, action }) = self;
        format!("{resource}:{action}")
    }
}

impl AccessTable {
    /// Compiles what these roles allow together.
    #[must_use]
    pub fn compile<'a>(roles: impl IntoIterator<Item = &'a Role>) -> Self {
        let mut entries: Vec<(Grant, Reach)> = Vec::new();
        for role in roles {
            let reach = Reach::of(role.filter.as_ref());
            for grant in &role.grants {
                match entries.iter_mut().find(|(known, _)| known == grant) {
                    Some((_, known)) => *known = known.clone().or(&reach),
                    None => entries.push((grant.clone(), reach.clone())),
                }
            }
        }
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self { entries }
    }

    /// Every grant with the rows that it reaches, in canonical order.
    #[must_use]
    pub fn entries(&self) -> &[(Grant, Reach)] {
        &self.entries
    }

    /// The rows of `resource` on which `action` is allowed; `None` where it isn't at all.
    #[must_use]
    pub fn reach(&self, resource: &Resource, action: Action) -> Option<Reach> {
        self.entries
            .iter()
            .filter(|(grant, _)| grant.allows(resource, action))
            .map(|(_, reach)| reach)
            .fold(None, |sum: Option<Reach>, reach| Some(sum.map_or_else(|| reach.clone(), |sum| sum.or(reach))))
    }

    /// Whether a scope value is given by these roles: some grant covers all of it.
    #[must_use]
    pub fn gives(&self, scope: &Grant) -> bool {
        scope.is_scope() && self.entries.iter().any(|(grant, _)| grant.covers(scope))
    }

    /// All that can be asked as a scope.
    #[must_use]
    pub fn full_scope(&self) -> Scope {
        Scope::of(self.entries.iter().map(|(grant, _)| grant.clone()))
    }

    /// What is left of a token's scope under these roles: where a grant and a scope value overlap, the narrower of them.
    #[must_use]
    pub fn effective(&self, scope: &Scope) -> Scope {
        let narrower = |wanted: &Grant, own: &Grant| {
            if own.covers(wanted) { Some(wanted.clone()) } else { wanted.covers(own).then(|| own.clone()) }
        };
        let pairs = scope.grants().iter().flat_map(|wanted| self.entries.iter().map(move |(own, _)| (wanted, own)));
        Scope::of(pairs.filter_map(|(wanted, own)| narrower(wanted, own)))
    }

    /// Whether somebody with this table may hand out `other` (rule 10: nobody hands out more than they have).
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.entries.iter().all(|(grant, reach)| self.covers_grant(grant, reach))
    }

    fn covers_grant(&self, wanted: &Grant, reach: &Reach) -> bool {
        self.entries
            .iter()
            .filter(|(grant, _)| grant.covers(wanted))
            .map(|(_, own)| own.clone())
            .reduce(|sum, own| sum.or(&own))
            .is_some_and(|own| own.covers(reach))
    }

    /// Whether any grant names this pattern's resource for `action`: used to tell what a person may do at all.
    #[must_use]
    pub fn allows(&self, resource: &ResourcePattern, action: Action) -> bool {
        let wanted = Grant { resource: resource.clone(), action };
        self.entries.iter().any(|(grant, _)| grant.covers(&wanted))
    }
}

/// Decides: a [`Permit`] if the roles grant it and the scope includes it. Deny by default.
///
/// # Errors
/// [`Refusal`] tells whether the roles or only the scope fall short.
pub fn decide(table: &AccessTable, scope: &Scope, resource: &Resource, action: Action) -> Result<Permit, Refusal> {
    let Some(reach) = table.reach(resource, action) else {
        return Err(Refusal::NotGranted { resource: resource.clone(), action });
    };
    if !scope.allows(resource, action) {
        return Err(Refusal::OutOfScope { resource: resource.clone(), action });
    }
    Ok(Permit { resource: resource.clone(), action, reach })
}

/// Decides for a person, who has no scope: only the roles count.
///
/// # Errors
/// [`Refusal::NotGranted`].
pub fn decide_for_person(table: &AccessTable, resource: &Resource, action: Action) -> Result<Permit, Refusal> {
    let reach =
        table.reach(resource, action).ok_or_else(|| Refusal::NotGranted { resource: resource.clone(), action })?;
    Ok(Permit { resource: resource.clone(), action, reach })
}
