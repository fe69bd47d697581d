//! `GET /api/v1/roles` and `GET /api/v1/roles/{id}`: read-only.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::list::{Json, List};
use crate::{
    app::App,
    domain::role::{Role, RoleId},
    http::{
        gate::Permitted,
        parameters::{Query, Segment},
        problem::Problem,
    },
    store,
};

/// A role as the API shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleView {
    /// Its id, for life.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its grants, as `RESOURCE:view` or `RESOURCE:edit`.
    pub grants: Vec<String>,
    /// Its data filter; `null` when it reaches every row.
    pub filter: Option<String>,
    /// Built-in roles can be neither edited nor removed.
    pub built_in: bool,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        Self {
            id: role.id.as_str().to_owned(),
            name: role.name.to_string(),
            grants: role.grants.iter().map(ToString::to_string).collect(),
            filter: role.filter.map(|filter| filter.to_string()),
            built_in: role.built_in,
        }
    }
}

/// The list, by id.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Permitted(_permit): Permitted,
    RawQuery(query): RawQuery,
) -> Result<Json<List<RoleView>>, Problem> {
    let page = Query::parse(query.as_deref(), &["limit", "cursor"])?.page()?;
    let mut tx = app.store.read().await?;
    let found = store::role::all(&mut tx).await?;
    let list = List::cut(found, &page, |role| role.id.as_str());
    Ok(Json(list.map(RoleView::from)))
}

/// One role.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Permitted(_permit): Permitted,
    Segment(id): Segment,
) -> Result<Json<RoleView>, Problem> {
    let mut tx = app.store.read().await?;
    let role = store::role::get(&mut tx, &RoleId::new(id)).await?;
    role.map(|role| Json(RoleView::from(role))).ok_or_else(|| Problem::not_found("There is no role with this id."))
}
