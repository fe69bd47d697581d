//! Sets of roles, compiled once and shared by all applications that have the same ones.

use crate::domain::access::AccessTable;
use crate::domain::role::{Role, RoleId};
use crate::domain::scope::Scope;
use std::collections::HashMap;
use std::sync::Arc;

/// The number of an interned role set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    pub(super) fn new(roles: Vec<Role>) -> Self {
        let roles = roles.into_iter().map(|role| (role.id.clone(), Arc::new(role))).collect();
        Self { roles, ..Self::default() }
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
