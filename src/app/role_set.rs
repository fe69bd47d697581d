//! Sets of roles, compiled once and shared by all applications that have the same ones.

use crate::domain::access::AccessTable;
use crate::domain::role::{Role, RoleId};
use crate::domain::scope::Scope;
use std::collections::HashMap;
use std::sync::Arc;

/// The number of an interned role set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct RoleSetId(u32);

/// What the roles of a set allow together, and the texts that tokens carry of it.
#[derive(Clone, Debug, Default)]
pub struct RoleSet {
    ids: Vec<RoleId>,
    /// What they allow.
    pub access: AccessTable,
    /// All that can be asked as a scope.
    pub full_scope: Scope,
    /// The same as text.
    pub full_scope_text: String,
    /// The roles' names, as many as fit in 2 KiB.
    pub names: Vec<String>,
}

/// The longest `roles` claim, in bytes.
const ROLES_CLAIM_LIMIT: usize = 2 * 1024;

/// All roles, and the sets of them that applications have.
#[derive(Clone, Debug, Default)]
pub(super) struct RoleSets {
    roles: HashMap<RoleId, Arc<Role>>,
    sets: Vec<Arc<RoleSet>>,
    by_ids: HashMap<Vec<RoleId>, RoleSetId>,
}

impl RoleSets {
    /// The same sets under the same numbers, compiled from these roles. Numbers are never given anew: a request that read
    /// an application's number just before must not find another set under it.
    pub(super) fn with_roles(&self, roles: Vec<Role>) -> Self {
        let roles = roles.into_iter().map(|role| (role.id.clone(), Arc::new(role))).collect();
        let mut anew = Self { roles, sets: Vec::with_capacity(self.sets.len()), by_ids: self.by_ids.clone() };
        for set in &self.sets {
            anew.sets.push(Arc::new(anew.compile(&set.ids)));
        }
        anew
    }

    pub(super) fn get(&self, id: RoleSetId) -> Option<&Arc<RoleSet>> {
        self.sets.get(id.0 as usize)
    }

    pub(super) fn role(&self, id: &RoleId) -> Option<&Arc<Role>> {
        self.roles.get(id)
    }

    pub(super) fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        self.roles.values()
    }

    pub(super) fn find(&self, ids: &[RoleId]) -> Option<RoleSetId> {
        self.by_ids.get(ids).copied()
    }

    /// The number of this set, compiling it if it is new.
    pub(super) fn intern(&mut self, ids: &[RoleId]) -> RoleSetId {
        if let Some(known) = self.find(ids) {
            return known;
        }
        let id = RoleSetId(u32::try_from(self.sets.len()).expect("fewer than four billion sets of roles"));
        self.sets.push(Arc::new(self.compile(ids)));
        self.by_ids.insert(ids.to_vec(), id);
        id
    }

    /// Replaces a role, or removes it, and compiles anew the sets that have it.
    pub(super) fn replace(&mut self, id: &RoleId, role: Option<Role>) {
        match role {
            Some(role) => self.roles.insert(id.clone(), Arc::new(role)),
            None => self.roles.remove(id),
        };
        for position in 0..self.sets.len() {
            if self.sets[position].ids.contains(id) {
                let ids = self.sets[position].ids.clone();
                self.sets[position] = Arc::new(self.compile(&ids));
            }
        }
    }

    fn compile(&self, ids: &[RoleId]) -> RoleSet {
        let roles: Vec<&Role> = ids.iter().filter_map(|id| self.roles.get(id)).map(AsRef::as_ref).collect();
        let access = AccessTable::compile(roles.iter().copied());
        let full_scope = access.full_scope();
        let mut names: Vec<String> = Vec::new();
        let mut size = 2;
        for role in roles {
            size += role.name.as_str().len() + 3;
            if size > ROLES_CLAIM_LIMIT {
                break;
            }
            names.push(role.name.as_str().to_owned());
        }
        RoleSet { ids: ids.to_vec(), full_scope_text: full_scope.to_string(), full_scope, access, names }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(id: &str, grant: &str) -> Role {
        Role {
            id: RoleId::new(id),
            name: crate::domain::name::Name::parse(id).expect("a name"),
            grants: vec![grant.parse().expect("a grant")],
            filter: None,
            built_in: false,
        }
    }

    #[test]
    fn a_number_means_the_same_roles_for_ever() {
        let mut sets = RoleSets::default().with_roles(vec![role("a", "entities:view"), role("b", "entities:edit")]);
        let (a, b) = (sets.intern(&[RoleId::new("a")]), sets.intern(&[RoleId::new("b")]));
        let text = |sets: &RoleSets, id| sets.get(id).map(|set| set.full_scope_text.clone()).unwrap_or_default();
        // Everything is read again, in another order and without one of the roles.
        let mut again = sets.with_roles(vec![role("b", "entities:edit"), role("c", "audit:view")]);
        let c = again.intern(&[RoleId::new("c")]);
        assert_eq!(text(&again, a), "", "a set whose role is gone allows nothing");
        assert_eq!(text(&again, b), "entities:edit");
        assert_eq!(text(&again, c), "audit:view");
        assert_eq!(again.find(&[RoleId::new("b")]), Some(b));
    }
}
