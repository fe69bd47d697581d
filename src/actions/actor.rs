//! Who does it.

use super::ActionError;
use crate::app::App;
use crate::domain::access::{AccessTable, Reach, decide_for_person};
use crate::domain::audit_event::AuditEvent;
use crate::domain::console_user::ConsoleUser;
use crate::domain::grant::Action;
use crate::domain::resource::{Resource, SecurityResource};
use crate::domain::role::Role;
use serde_json::Value;

/// Who asks for a change, from where, and what they may hand out.
#[derive(Clone, Debug)]
pub struct Actor {
    kind: &'static str,
    id: String,
    name: String,
    source: String,
    rights: Rights,
}

#[derive(Clone, Debug)]
enum Rights {
    /// The operator of the host and the hub itself.
    Everything,
    /// A person with roles.
    Person { access: AccessTable, administrator: bool },
    /// An application: may end what is its own, and nothing else (rule 4).
    Own,
}

impl Actor {
    /// The operator of the host, at the command line.
    #[must_use]
    pub fn operator() -> Self {
        Self::unlimited("operator", "operator", "command-line")
    }

    /// The hub itself: expiry, first start.
    #[must_use]
    pub fn system() -> Self {
        Self::unlimited("system", "gateway-hub", "gateway-hub")
    }

    fn unlimited(kind: &'static str, name: &str, source: &str) -> Self {
        Self { kind, id: String::new(), name: name.to_owned(), source: source.to_owned(), rights: Rights::Everything }
    }

    /// A signed-in person, with the roles that they have now; `source` is the address that they come from.
    #[must_use]
    pub fn console_user<'a>(user: &ConsoleUser, roles: impl IntoIterator<Item = &'a Role>, source: &str) -> Self {
        Self {
            kind: "console-user",
            id: user.id.clone(),
            name: user.name.to_string(),
            source: source.to_owned(),
            rights: Rights::Person { access: AccessTable::compile(roles), administrator: user.is_administrator() },
        }
    }

    /// An application that has proved who it is; `source` is the address that it comes from.
    #[must_use]
    pub fn application(client_id: &str, name: &str, source: &str) -> Self {
        Self {
            kind: "application",
            id: client_id.to_owned(),
            name: name.to_owned(),
            source: source.to_owned(),
            rights: Rights::Own,
        }
    }

    /// The name shown to people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the request comes from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the actor may do `action` on this security resource.
    #[must_use]
    pub fn may(&self, resource: SecurityResource, action: Action) -> bool {
        match &self.rights {
            Rights::Everything => true,
            Rights::Person { access, .. } => decide_for_person(access, &Resource::Security(resource), action).is_ok(),
            Rights::Own => false,
        }
    }

    pub(super) fn require_edit(&self, resource: SecurityResource) -> Result<(), ActionError> {
        if self.may(resource, Action::Edit) {
            Ok(())
        } else {
            Err(ActionError::Forbidden(format!("your roles do not include {resource}:edit; ask an administrator")))
        }
    }

    /// Editing roles, users and settings is for administrators alone (rule 10).
    pub(super) fn require_administrator(&self) -> Result<(), ActionError> {
        match &self.rights {
            Rights::Everything | Rights::Person { administrator: true, .. } => Ok(()),
            _ => Err(ActionError::Forbidden("only an Administrator may do this".to_owned())),
        }
    }

    /// Nobody hands out more than they have (rule 10).
    pub(super) fn require_covers(&self, roles: &[Role]) -> Result<(), ActionError> {
        let own = match &self.rights {
            Rights::Everything | Rights::Person { administrator: true, .. } => return Ok(()),
            Rights::Person { access, .. } => access,
            Rights::Own => return Err(ActionError::Forbidden("an application hands out nothing".to_owned())),
        };
        match roles.iter().find(|role| !own.covers(&AccessTable::compile([*role]))) {
            None => Ok(()),
            Some(role) => Err(ActionError::Forbidden(format!(
                "the role {} allows more than your own roles do; ask an administrator",
                role.name
            ))),
        }
    }

    /// Whether the actor may view and edit all of this data, whatever the rows.
    #[must_use]
    pub fn has_all_of(&self, resource: &Resource) -> bool {
        match &self.rights {
            Rights::Everything => true,
            Rights::Person { access, .. } => {
                [Action::View, Action::Edit].iter().all(|action| access.reach(resource, *action) == Some(Reach::All))
            }
            Rights::Own => false,
        }
    }

    /// Who says where a gateway leads, what it takes and which rows a filter selects there, hands out all of it: they need
    /// it themselves (rule 10).
    pub(super) fn require_all_of(&self, resource: &Resource) -> Result<(), ActionError> {
        if self.has_all_of(resource) {
            return Ok(());
        }
        Err(ActionError::Forbidden(format!(
            "your own roles must grant {resource}:view and {resource}:edit without a data filter; ask an administrator"
        )))
    }

    /// The audit event of what this actor does.
    pub(super) fn event(&self, app: &App, action: &str, target: Target<'_>, before: Value, after: Value) -> AuditEvent {
        let text = |value: Value| if value.is_null() { String::new() } else { value.to_string() };
        AuditEvent {
            sequence: 0,
            nonce: u128::from_be_bytes(app.randomness.bytes()),
            at: app.clock.now(),
            actor_kind: self.kind.to_owned(),
            actor_id: self.id.clone(),
            actor_name: self.name.clone(),
            source: self.source.clone(),
            action: action.to_owned(),
            target_kind: target.kind.to_owned(),
            target_id: target.id.to_owned(),
            target_name: target.name.to_owned(),
            before: text(before),
            after: text(after),
        }
    }
}

/// What an audit event is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) kind: &'static str,
    pub(super) id: &'a str,
    pub(super) name: &'a str,
}
