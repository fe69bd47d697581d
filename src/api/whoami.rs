//! `GET /api/v1/whoami`: what the application is and what it may view and edit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::list::Json;
use crate::{
    app::{App, verifier::Verified},
    domain::{access::Reach, grant::Action},
    http::gate::Authorised,
};

/// The application that calls and what its token and its roles allow together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WhoAmI {
    /// Its `client_id`.
    pub client_id: String,
    /// Its name.
    pub name: String,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// What it may view.
    pub view: Vec<Allowed>,
    /// What it may edit.
    pub edit: Vec<Allowed>,
}

/// A resource within reach.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Allowed {
    /// The resource, or a pattern `gateway/PREFIX*`.
    pub resource: String,
    /// Which rows: those that at least one of these data filters selects; `null` for all rows.
    pub filters: Option<Vec<String>>,
}

/// The answer.
pub(super) async fn show(State(app): State<Arc<App>>, Authorised { verified, .. }: Authorised) -> Response {
    Json(WhoAmI {
        client_id: verified.client_id().to_owned(),
        name: verified.name(&app),
        roles: verified.roles.names.clone(),
        view: allowed(&verified, Action::View),
        edit: allowed(&verified, Action::Edit),
    })
    .into_response()
}

/// What scope and roles allow together: of a scope value and a grant that overlap, the narrower one.
fn allowed(verified: &Verified, action: Action) -> Vec<Allowed> {
    // By resource, the filters that reach it; `None` once something reaches every row.
    let mut resources: BTreeMap<String, Option<BTreeSet<String>>> = BTreeMap::new();
    for (grant, reach) in verified.roles.access.entries().iter().filter(|(grant, _)| grant.action == action) {
        for scope in verified.token.scope.grants() {
            let narrower = match (scope.covers(grant), grant.covers(scope)) {
                (true, _) => grant,
                (false, true) => scope,
                (false, false) => continue,
            };
            let known = resources.entry(narrower.resource.to_string()).or_insert_with(|| Some(BTreeSet::new()));
            match (reach, &mut *known) {
                (Reach::All, _) => *known = None,
                (Reach::Filtered(filters), Some(sum)) => sum.extend(filters.iter().map(ToString::to_string)),
                (Reach::Filtered(_), None) => {}
            }
        }
    }
    resources
        .into_iter()
        .map(|(resource, filters)| Allowed { resource, filters: filters.map(|filters| filters.into_iter().collect()) })
        .collect()
}
