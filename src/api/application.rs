//! `GET /api/v1/applications` and `GET /api/v1/applications/{client_id}`: read-only.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::list::{Json, List, one_more};
use crate::{
    app::App,
    domain::{
        application::{Application, ApplicationStatus, ClientId},
        role::Role,
        time::Timestamp,
    },
    http::{
        gate::Permitted,
        parameters::{Query, Segment},
        problem::Problem,
    },
    store::{self, StoreError, Tx},
};

/// An application as the API shows it; never its secrets.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Application)]
pub struct ApplicationView {
    /// Its `client_id`, for life.
    pub client_id: String,
    /// Its name.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// `active`, `overlap`, `expired` or `disabled`.
    pub status: &'static str,
    /// The networks it may come from, in CIDR notation; empty for any.
    pub networks: Vec<String>,
    /// When it expires, RFC 3339; `null` for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// During an overlap: when the previous secret ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub previous_secret_ends_at: Option<Timestamp>,
    /// When it was last used, to the minute; `null` for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// The name of the console user who answers for it; `null` for nobody.
    pub owner: Option<String>,
}

/// The names that stand for ids.
struct Known {
    roles: Vec<Role>,
    users: HashMap<String, String>,
}

impl Known {
    async fn read(tx: &mut Tx) -> Result<Self, StoreError> {
        let users = store::console_user::all(tx).await?;
        let users = users.into_iter().map(|user| (user.id, user.name.to_string())).collect();
        Ok(Self { roles: store::role::all(tx).await?, users })
    }
}

impl ApplicationView {
    fn of(application: Application, last_used_at: Option<Timestamp>, known: &Known, now: Timestamp) -> Self {
        let (status, previous_secret_ends_at) = match application.status(now) {
            ApplicationStatus::Active => ("active", None),
            ApplicationStatus::OverlapUntil(end) => ("overlap", Some(end)),
            ApplicationStatus::Expired => ("expired", None),
            ApplicationStatus::Disabled => ("disabled", None),
        };
        let named = |role: &Role| application.roles.contains(&role.id).then(|| role.name.to_string());
        Self {
            roles: known.roles.iter().filter_map(named).collect(),
            owner: application.owner.and_then(|id| known.users.get(&id).cloned()),
            client_id: application.client_id.to_string(),
            name: application.name.to_string(),
            description: application.description,
            status,
            networks: application.networks.iter().map(ToString::to_string).collect(),
            expires_at: application.expires_at,
            previous_secret_ends_at,
            last_used_at,
            created_at: application.created_at,
            created_by: application.created_by,
        }
    }
}

/// The list, by name.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Permitted(_permit): Permitted,
    RawQuery(query): RawQuery,
) -> Result<Json<List<ApplicationView>>, Problem> {
    let page = Query::parse(query.as_deref(), &["limit", "cursor"])?.page()?;
    let now = app.clock.now();
    let mut tx = app.store.read().await?;
    let after = page.after.as_deref().unwrap_or("");
    let found = store::application::page(&mut tx, after, one_more(&page)).await?;
    let known = Known::read(&mut tx).await?;
    let list = List::of(found, &page, |application| application.name.key());
    let ids: Vec<ClientId> = list.items.iter().map(|application| application.client_id.clone()).collect();
    let mut last_uses = store::usage::last_used(&mut tx, &ids).await?.into_iter();
    let list = list.map(|application| ApplicationView::of(application, last_uses.next().flatten(), &known, now));
    Ok(Json(list))
}

/// One application.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Permitted(_permit): Permitted,
    Segment(client_id): Segment,
) -> Result<Json<ApplicationView>, Problem> {
    let unknown = || Problem::not_found("There is no application with this client_id.");
    let client_id = ClientId::parse(&client_id).ok_or_else(unknown)?;
    let mut tx = app.store.read().await?;
    let application = store::application::get(&mut tx, &client_id).await?.ok_or_else(unknown)?;
    let known = Known::read(&mut tx).await?;
    let last_used_at = store::usage::last_used(&mut tx, &[client_id]).await?.into_iter().next().flatten();
    Ok(Json(ApplicationView::of(application, last_used_at, &known, app.clock.now())))
}
