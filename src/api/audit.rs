//! `GET /api/v1/audit`: the audit log, newest first.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::list::{Json, List, one_more};
use crate::{
    app::App,
    domain::{audit_event::AuditEvent, time::Timestamp},
    http::{gate::Permitted, parameters::Query, problem::Problem},
    store,
};

/// One change of security state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub struct AuditEventView {
    /// Its place in the order of appending.
    pub sequence: i64,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who did it.
    pub actor: Party,
    /// The address the request came from, or `command-line`.
    pub source: String,
    /// What was done, for example `api_key.regenerate`.
    pub action: String,
    /// What it was done to.
    pub target: Party,
    /// The state before; `null` if there was none.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Box<RawValue>>,
    /// The state after; `null` if there is none.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Box<RawValue>>,
}

/// An actor or a target.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditParty)]
pub struct Party {
    /// What it is: `operator`, `console-user`, `application`, `role`, …
    pub kind: String,
    /// Its id; empty for the operator and the system.
    pub id: String,
    /// Its name at that time.
    pub name: String,
}

impl From<AuditEvent> for AuditEventView {
    fn from(event: AuditEvent) -> Self {
        // The state is stored as JSON; an empty text is no state.
        let state = |text: String| RawValue::from_string(text).ok();
        Self {
            sequence: event.sequence,
            at: event.at,
            actor: Party { kind: event.actor_kind, id: event.actor_id, name: event.actor_name },
            source: event.source,
            action: event.action,
            target: Party { kind: event.target_kind, id: event.target_id, name: event.target_name },
            before: state(event.before),
            after: state(event.after),
        }
    }
}

/// The list, newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Permitted(_permit): Permitted,
    RawQuery(query): RawQuery,
) -> Result<Json<List<AuditEventView>>, Problem> {
    let page = Query::parse(query.as_deref(), &["limit", "cursor"])?.page()?;
    let before = match &page.after {
        None => None,
        Some(key) => {
            Some(key.parse().map_err(|_| Problem::invalid_parameter("cursor", "cursor is not from this list."))?)
        }
    };
    let mut tx = app.store.read().await?;
    let found = store::audit_event::page(&mut tx, before, one_more(&page)).await?;
    let list = List::of(found, &page, |event| event.sequence.to_string());
    Ok(Json(list.map(AuditEventView::from)))
}
