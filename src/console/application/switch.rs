//! The buttons of an application's page that need no window: disable, enable, end an overlap.

use super::entry::Fault;
use super::{page, wanted};
use crate::actions::api_key::end_overlap;
use crate::actions::{ActionError, application};
use crate::app::App;
use crate::console::form::{Button, Guarded};
use crate::console::session::SignedIn;
use crate::console::{answer, paths, words};
use crate::domain::application::Application;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// `POST /console/applications/{client_id}/disable`.
pub(crate) async fn disable(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form: Button }: Guarded<Button>,
) -> Result<Response, Problem> {
    match wanted(&app, &client_id).await? {
        Ok(found) => {
            let outcome = application::disable(&app, &signed_in.actor(), &found.client_id).await;
            done(&app, &signed_in, &found, "disabled", outcome).await
        }
        Err(gone) => Ok(gone),
    }
}

/// `POST /console/applications/{client_id}/enable`.
pub(crate) async fn enable(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form: Button }: Guarded<Button>,
) -> Result<Response, Problem> {
    match wanted(&app, &client_id).await? {
        Ok(found) => {
            let outcome = application::enable(&app, &signed_in.actor(), &found.client_id).await;
            done(&app, &signed_in, &found, "enabled", outcome).await
        }
        Err(gone) => Ok(gone),
    }
}

/// `POST /console/applications/{client_id}/end-overlap`.
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form: Button }: Guarded<Button>,
) -> Result<Response, Problem> {
    match wanted(&app, &client_id).await? {
        Ok(found) => {
            let outcome = end_overlap(&app, &signed_in.actor(), &found.client_id).await;
            done(&app, &signed_in, &found, "overlap-ended", outcome).await
        }
        Err(gone) => Ok(gone),
    }
}

async fn done(
    app: &App,
    signed_in: &SignedIn,
    found: &Application,
    notice: &str,
    outcome: Result<(), ActionError>,
) -> Result<Response, Problem> {
    let (status, message) = match outcome {
        Ok(()) => {
            let page = paths::application(found.client_id.as_str());
            return Ok(answer::see_other(&format!("{page}?notice={notice}")));
        }
        Err(ActionError::Forbidden(message)) => (StatusCode::FORBIDDEN, message),
        Err(ActionError::Conflict(message)) => (StatusCode::CONFLICT, message),
        Err(error) => return Err(error.into()),
    };
    let fault = Fault::new("", words::sentence(&message));
    page::with_fault(app, signed_in, status, found, None, fault).await
}
