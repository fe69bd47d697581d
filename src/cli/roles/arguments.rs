//! What the commands under `roles` take.

use clap::{Args, Subcommand};

use crate::domain::{
    data_filter::{DataFilter, FilterError},
    grant::{Grant, GrantFault},
};

/// Make and manage roles
#[derive(Subcommand)]
#[command(after_help = "R is a role's name. Administrator and Operator are built in and can't be changed.")]
pub(in crate::cli) enum Roles {
    Create(Create),
    /// List the roles
    List,
    /// Show a role
    Show(RoleArgument),
    Update(Update),
    /// Delete a role; applications and console users that have it lose what it allows
    Delete(RoleArgument),
}

/// Names one role.
#[derive(Args)]
pub(in crate::cli) struct RoleArgument {
    /// The role's name
    #[arg(value_name = "R")]
    pub(super) role: String,
}

/// Make a role
#[derive(Args)]
#[command(after_help = "\
Examples:
  gateway-hub roles create 'FX hosts' --grant entities:view --filter 'user.department = fx'
  gateway-hub roles create 'London editors' --grant entities:view --grant entities:edit \\
      --filter 'user.region = london AND itrs.os-type IN (Linux, Windows)'
  gateway-hub roles create Auditor --grant audit:view --grant applications:view

A grant is RESOURCE:view or RESOURCE:edit; edit does not include view. Resources: entities, gateway/NAME, gateway/PREFIX*,
and, without a filter, applications, roles, users, gateways, settings, audit, metrics, introspection.
A filter is conditions such as key = value, key != value, key IN (a, b), key EXISTS, key LIKE \"web-*\", joined by AND,
OR, NOT and parentheses.")]
pub(in crate::cli) struct Create {
    /// The name, unique whatever its capitals
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// What the role allows; once per grant
    #[arg(long, value_name = "RESOURCE:view|edit", required = true, value_parser = grant)]
    pub(super) grant: Vec<String>,
    /// The rows that the role reaches; without it all
    #[arg(long, value_name = "EXPR", value_parser = filter)]
    pub(super) filter: Option<String>,
}

/// Change a role; what is not named stays
#[derive(Args)]
#[command(after_help = "\
Examples:
  gateway-hub roles update 'FX hosts' --name 'FX machines'
  gateway-hub roles update 'FX hosts' --grant entities:view --grant entities:edit     these grants and no others
  gateway-hub roles update 'FX hosts' --no-filter")]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
pub(in crate::cli) struct Update {
    /// The role's name
    #[arg(value_name = "R")]
    pub(super) role: String,
    /// A new name
    #[arg(long, value_name = "NAME", group = "change")]
    pub(super) name: Option<String>,
    /// The grants from now on; once per grant
    #[arg(long, value_name = "RESOURCE:view|edit", group = "change", value_parser = grant)]
    pub(super) grant: Vec<String>,
    /// The rows that the role reaches from now on
    #[arg(long, value_name = "EXPR", group = "change", value_parser = filter)]
    pub(super) filter: Option<String>,
    /// Let the role reach all rows
    #[arg(long, group = "change", conflicts_with = "filter")]
    pub(super) no_filter: bool,
}

/// Wrong text is wrong usage, found before anything is opened; the action parses it again.
fn grant(text: &str) -> Result<String, GrantFault> {
    text.parse::<Grant>().map(|_| text.to_owned())
}

fn filter(text: &str) -> Result<String, FilterError> {
    DataFilter::parse(text).map(|_| text.to_owned())
}
