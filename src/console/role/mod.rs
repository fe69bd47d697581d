//! The Roles page, its editor and its window, a file each.

pub(crate) mod delete;
pub(crate) mod editor;
pub(crate) mod filter;
pub(crate) mod form;
pub(crate) mod list;
pub(crate) mod show;

use super::refusal::{self, Link};
use super::{paths, words};
use crate::app::App;
use crate::domain::role::{Role, RoleId};
use crate::store::{self, StoreError, Tx};
use axum::http::StatusCode;
use axum::response::Response;

/// How many names a page lists of those that have a role.
const LISTED: u32 = 50;
/// Counting more than these would tell nobody more.
const COUNTED: u32 = 10_000;

/// An application that has a role.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Whether it has no other role.
    pub(crate) only: bool,
}

/// Who has a role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    /// Some of the applications.
    pub(crate) applications: Vec<Member>,
    /// How many there are, in words.
    pub(crate) count: String,
    /// Whether some are not listed.
    pub(crate) more: bool,
    /// The console users.
    pub(crate) users: Vec<String>,
}

impl Members {
    async fn of(tx: &mut Tx, role: &RoleId) -> Result<Self, StoreError> {
        let applications = store::role::applications(tx, role, LISTED).await?;
        let count = store::role::count_applications(tx, role, COUNTED).await?;
        Ok(Self {
            more: count > applications.len() as u64,
            count: words::applications(count, u64::from(COUNTED)),
            applications: applications.into_iter().map(|(name, roles)| Member { name, only: roles == 1 }).collect(),
            users: store::role::console_users(tx, role).await?,
        })
    }
}

/// The role that a page is about, or the page that says that it is gone.
async fn wanted(app: &App, id: &str) -> Result<Result<Role, Response>, StoreError> {
    let found = store::role::get(&mut app.store.read().await?, &RoleId::new(id)).await?;
    Ok(found.ok_or_else(gone))
}

fn gone() -> Response {
    let back = Link { path: paths::ROLES.into(), label: "Back to Roles" };
    let detail = "It was deleted, or the address was mistyped.";
    refusal::page(StatusCode::NOT_FOUND, "There is no such role", detail, Some(back))
}
