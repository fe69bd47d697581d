//! How a role is shown.

use serde::Serialize;

use crate::{
    cli::table::{Table, facts},
    domain::role::Role,
};

/// A role in texts.
#[derive(Serialize)]
pub(super) struct RoleView {
    id: String,
    name: String,
    grants: Vec<String>,
    filter: Option<String>,
    built_in: bool,
}

impl From<&Role> for RoleView {
    fn from(role: &Role) -> Self {
        Self {
            id: role.id.as_str().to_owned(),
            name: role.name.to_string(),
            grants: role.grants.iter().map(ToString::to_string).collect(),
            filter: role.filter.as_ref().map(ToString::to_string),
            built_in: role.built_in,
        }
    }
}

impl RoleView {
    /// All about one role.
    pub(super) fn describe(&self) -> String {
        facts(&[
            ("name", self.name.clone()),
            ("grants", self.grants.join(", ")),
            ("filter", self.filter.clone().unwrap_or_else(|| "none: all rows".to_owned())),
            ("built in", if self.built_in { "yes" } else { "no" }.to_owned()),
        ])
    }
}

/// The list of roles.
pub(super) fn list(views: &[RoleView]) -> String {
    let mut table = Table::new(&["name", "grants", "filter"]);
    for view in views {
        let grants =
            if view.built_in { format!("{} grants (built in)", view.grants.len()) } else { view.grants.join(", ") };
        table.row([view.name.clone(), grants, view.filter.clone().unwrap_or_else(|| "-".to_owned())]);
    }
    table.render("No role.")
}
