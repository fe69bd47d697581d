//! How an application is shown: to people as text, to programs as JSON. A secret is never part of it.

use serde::Serialize;

use crate::{
    cli::table::{Table, facts},
    domain::{
        application::{Application, ApplicationStatus},
        role::{Role, RoleId},
        time::Timestamp,
    },
};

/// An application with its roles by name.
#[derive(Serialize)]
pub(super) struct ApplicationView {
    client_id: String,
    name: String,
    description: String,
    /// The name of the console user who answers for it; only where one application is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
    roles: Vec<String>,
    /// `active`, `overlap`, `expired` or `disabled`.
    status: &'static str,
    networks: Vec<String>,
    allow_basic: bool,
    created_at: Timestamp,
    created_by: String,
    expires_at: Option<Timestamp>,
    /// To the minute; only where one application is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_used_at: Option<Timestamp>,
    secrets: Vec<SecretView>,
}

/// What may be known of a secret.
#[derive(Serialize)]
struct SecretView {
    id: String,
    created_at: Timestamp,
    ends_at: Option<Timestamp>,
}

impl ApplicationView {
    pub(super) fn of(application: &Application, roles: &[Role], now: Timestamp) -> Self {
        let name = |id: &RoleId| roles.iter().find(|role| role.id == *id).map(|role| role.name.to_string());
        let mut names: Vec<String> = application.roles.iter().filter_map(name).collect();
        names.sort();
        Self {
            client_id: application.client_id.to_string(),
            name: application.name.to_string(),
            description: application.description.clone(),
            owner: None,
            roles: names,
            status: match application.status(now) {
                ApplicationStatus::Active => "active",
                ApplicationStatus::OverlapUntil(_) => "overlap",
                ApplicationStatus::Expired => "expired",
                ApplicationStatus::Disabled => "disabled",
            },
            networks: application.networks.iter().map(ToString::to_string).collect(),
            allow_basic: application.allow_basic,
            created_at: application.created_at,
            created_by: application.created_by.clone(),
            expires_at: application.expires_at,
            last_used_at: None,
            secrets: application
                .secrets
                .iter()
                .filter(|secret| secret.is_live(now))
                .map(|secret| SecretView {
                    id: secret.id.to_string(),
                    created_at: secret.created_at,
                    ends_at: secret.ends_at,
                })
                .collect(),
        }
    }

    /// All about one application.
    pub(super) fn describe(&self) -> String {
        let secret = |secret: &SecretView| match secret.ends_at {
            Some(end) => format!("made {}, ends {end}", secret.created_at),
            None => format!("made {}", secret.created_at),
        };
        facts(&[
            ("name", self.name.clone()),
            ("client_id", self.client_id.clone()),
            ("status", self.status.to_owned()),
            ("roles", self.roles.join(", ")),
            ("description", self.description.clone()),
            ("owner", self.owner.clone().unwrap_or_else(|| "nobody".to_owned())),
            ("secrets", self.secrets.iter().map(secret).collect::<Vec<_>>().join("; ")),
            ("networks", if self.networks.is_empty() { "any".to_owned() } else { self.networks.join(", ") }),
            ("basic", if self.allow_basic { "allowed on gateways" } else { "not allowed" }.to_owned()),
            ("made", format!("{} by {}", self.created_at, self.created_by)),
            ("expires", self.expires_at.map_or_else(|| "never".to_owned(), |end| end.to_string())),
            ("last used", self.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string())),
        ])
    }
}

/// The list of applications.
pub(super) fn list(views: &[ApplicationView]) -> String {
    let mut table = Table::new(&["name", "client_id", "roles", "status", "expires", "made"]);
    for view in views {
        table.row([
            view.name.clone(),
            view.client_id.clone(),
            view.roles.join(", "),
            view.status.to_owned(),
            view.expires_at.map_or_else(|| "never".to_owned(), |end| end.to_string()),
            view.created_at.to_string(),
        ]);
    }
    table.render("No application yet. Make the first one: gateway-hub keys create NAME --role ROLE")
}

/// The answer of a command that makes a key: the only place where a secret is printed, once.
#[derive(Serialize)]
pub(super) struct NewKeyView<'a> {
    pub(super) client_id: &'a str,
    pub(super) client_secret: &'a str,
    pub(super) name: &'a str,
    pub(super) roles: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) old_secret_ends_at: Option<Timestamp>,
}

impl NewKeyView<'_> {
    /// The key with the caution.
    pub(super) fn describe(&self, what: &str) -> String {
        let key =
            facts(&[("  client_id", self.client_id.to_owned()), ("  client_secret", self.client_secret.to_owned())]);
        format!("{what}\n\n{key}\nCopy the secret now: only its hash is kept, and it can't be shown again.\n")
    }
}
