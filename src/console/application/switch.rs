//! The buttons of an application's page that need no window: disable, enable, end an overlap.

use super::back::BackField;
use super::entry::Fault;
use super::{page, wanted};
use crate::actions::api_key::end_overlap;
use crate::actions::{ActionError, application};
use crate::app::App;
use crate::console::form::{Button, Guarded};
use crate::console::session::SignedIn;
use crate::console::{answer, effect, paths, words};
use crate::domain::application::Application;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The value of `notice` after an overlap was ended, on the list and on the application's page.
pub(crate) const OVERLAP_ENDED: &str = "overlap-ended";
/// What it says.
pub(crate) const OVERLAP_IS_OVER: &str =
    "The overlap is over. The old client_secret and every token issued with it are refused.";

/// `POST /console/applications/{client_id}/disable`.
pub(crate) async fn disable(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form: Button }: Guarded<Button>,
) -> Result<Response, Problem> {
    match wanted(&app, &client_id).await? {
        Ok(found) => {
            let outcome = application::disable(&app, &signed_in.actor(), &found.client_id).await;
            done(&app, &signed_in, &found, &to_page(&found, "disabled"), outcome).await
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
            done(&app, &signed_in, &found, &to_page(&found, "enabled"), outcome).await
        }
        Err(gone) => Ok(gone),
    }
}

/// `POST /console/applications/{client_id}/end-overlap`: a button of the page, and of the application's row of the list.
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form: back }: Guarded<BackField>,
) -> Result<Response, Problem> {
    match wanted(&app, &client_id).await? {
        Ok(found) => {
            let outcome = end_overlap(&app, &signed_in.actor(), &found.client_id).await;
            let then = back.of(found.client_id.as_str()).path_saying(OVERLAP_ENDED);
            done(&app, &signed_in, &found, &then, outcome).await
        }
        Err(gone) => Ok(gone),
    }
}

fn to_page(found: &Application, notice: &str) -> String {
    format!("{}?notice={notice}", paths::application(found.client_id.as_str()))
}

async fn done(
    app: &App,
    signed_in: &SignedIn,
    found: &Application,
    then: &str,
    outcome: Result<(), ActionError>,
) -> Result<Response, Problem> {
    let (status, message) = match outcome {
        Ok(()) => return Ok(answer::see_other(&effect::after(app, then))),
        Err(ActionError::Forbidden(message)) => (StatusCode::FORBIDDEN, message),
        Err(ActionError::Conflict(message)) => (StatusCode::CONFLICT, message),
        Err(error) => return Err(error.into()),
    };
    let fault = Fault::new("", words::sentence(&message));
    page::with_fault(app, signed_in, status, found, None, fault).await
}
