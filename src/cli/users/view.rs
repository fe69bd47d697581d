//! How a console user is shown.

use serde::Serialize;

use crate::{
    cli::table::Table,
    domain::{
        console_user::ConsoleUser,
        role::{Role, RoleId},
        time::Timestamp,
    },
};

/// A console user with their roles by name.
#[derive(Serialize)]
pub(super) struct UserView {
    name: String,
    roles: Vec<String>,
    created_at: Timestamp,
}

impl UserView {
    pub(super) fn of(user: &ConsoleUser, roles: &[Role]) -> Self {
        let name = |id: &RoleId| roles.iter().find(|role| role.id == *id).map(|role| role.name.to_string());
        let mut names: Vec<String> = user.roles.iter().filter_map(name).collect();
        names.sort();
        Self { name: user.name.to_string(), roles: names, created_at: user.created_at }
    }
}

/// The list of console users.
pub(super) fn list(views: &[UserView]) -> String {
    let mut table = Table::new(&["name", "roles", "made"]);
    for view in views {
        table.row([view.name.clone(), view.roles.join(", "), view.created_at.to_string()]);
    }
    table.render("No console user yet. Make one: gateway-hub users create NAME --role Administrator --password-stdin")
}
