//! `POST /api/v1/entities/bulk`: many entities in one request, all of them or none.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    entity::{access, refused},
    list::Json,
};
use crate::{
    actions::entity_bulk::{self, BulkError, Loaded},
    app::App,
    domain::entity::{BulkDocument, LineFault, LineReason},
    http::{gate::Authorised, kind, problem::Problem, spool::spool},
};

/// The longest a document may take to arrive.
const ARRIVAL: Duration = Duration::from_mins(5);

/// What became of the lines.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BulkOutcome)]
pub struct LoadedView {
    /// Entities that were not there before.
    pub created: u64,
    /// Entities that have other attributes now.
    pub updated: u64,
    /// Entities that were so already.
    pub unchanged: u64,
}

impl From<Loaded> for LoadedView {
    fn from(Loaded { created, updated, unchanged }: Loaded) -> Self {
        Self { created, updated, unchanged }
    }
}

/// Creates or replaces the entity of each line.
pub(super) async fn load(
    State(app): State<Arc<App>>,
    caller: Authorised,
    request: Request,
) -> Result<Response, Problem> {
    expect_lines(request.headers())?;
    let access = access(caller);
    let spooled = spool(request.into_body(), BulkDocument::MAX_BYTES, ARRIVAL, &app.room.bodies).await?;
    let loaded = entity_bulk::load(&app, &access, BulkDocument::new(&spooled.text)).await?;
    if access.view().is_none() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Json(LoadedView::from(loaded)).into_response())
}

fn expect_lines(headers: &HeaderMap) -> Result<(), Problem> {
    let of = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = of(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    let unsupported = |detail| Err(Problem::new(&kind::UNSUPPORTED_MEDIA_TYPE, detail));
    if !essence.eq_ignore_ascii_case("application/x-ndjson") {
        return unsupported("Send one JSON object in each line, with Content-Type: application/x-ndjson.");
    }
    // A packed body could be a thousand times as large as it looks.
    if headers.contains_key(header::CONTENT_ENCODING) && !of(header::CONTENT_ENCODING).eq_ignore_ascii_case("identity")
    {
        return unsupported("Send the body as it is, without Content-Encoding.");
    }
    Ok(())
}

impl From<BulkError> for Problem {
    fn from(error: BulkError) -> Self {
        match error {
            BulkError::Store(error) => error.into(),
            BulkError::Line(fault) => of_line(fault),
        }
    }
}

/// Names the line. Nothing was changed.
fn of_line(LineFault { line, reason }: LineFault) -> Problem {
    let (kind, reason) = match reason {
        LineReason::Refused(refusal) => {
            let problem = refused(refusal);
            (problem.kind(), problem.detail().to_owned())
        }
        LineReason::TooMany | LineReason::TooLong => (&kind::BODY_TOO_LARGE, format!("{reason}.")),
        reason => (&kind::INVALID_BODY, format!("{reason}.")),
    };
    Problem::new(kind, format!("Line {line}, and so nothing was changed: {reason}")).with("line", line)
}
