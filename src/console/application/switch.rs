//! The buttons of an application's page that need no window: disable, enable, end an overlap.

use super::back::BackField;
use super::entry::Fault;
use super::{page, wanted};
use crate::actions::api_key::end_overlap;
use crate::actions::application;
use crate::actions::{ActionError, Actor};
use crate::app::App;
use crate::console::form::{Button, Guarded};
use crate::console::session::SignedIn;
use crate::console::{answer, effect, words};
use crate::domain::application::ClientId;
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

/// One of the buttons.
#[derive(Clone, Copy)]
enum Switch {
    Disable,
    Enable,
    EndOverlap,
}

impl Switch {
    /// What has happened then, as the next page's address says it.
    const fn notice(self) -> &'static str {
        match self {
            Self::Disable => "disabled",
            Self::Enable => "enabled",
            Self::EndOverlap => OVERLAP_ENDED,
        }
    }

    async fn act(self, app: &App, actor: &Actor, id: &ClientId) -> Result<(), ActionError> {
        match self {
            Self::Disable => application::disable(app, actor, id).await,
            Self::Enable => application::enable(app, actor, id).await,
            Self::EndOverlap => end_overlap(app, actor, id).await,
        }
    }
}

/// `POST /console/applications/{client_id}/disable`.
pub(crate) async fn disable(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form: Button }: Guarded<Button>,
) -> Result<Response, Problem> {
    press(&app, &signed_in, &client_id, Switch::Disable, &BackField::page()).await
}

/// `POST /console/applications/{client_id}/enable`.
pub(crate) async fn enable(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form: Button }: Guarded<Button>,
) -> Result<Response, Problem> {
    press(&app, &signed_in, &client_id, Switch::Enable, &BackField::page()).await
}

/// `POST /console/applications/{client_id}/end-overlap`: a button of the page, and of the application's row of the list.
pub(crate) async fn end(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form: back }: Guarded<BackField>,
) -> Result<Response, Problem> {
    press(&app, &signed_in, &client_id, Switch::EndOverlap, &back).await
}

async fn press(
    app: &App,
    signed_in: &SignedIn,
    client_id: &str,
    switch: Switch,
    back: &BackField,
) -> Result<Response, Problem> {
    let found = match wanted(app, client_id).await? {
        Ok(found) => found,
        Err(gone) => return Ok(gone),
    };
    let (status, message) = match switch.act(app, &signed_in.actor(), &found.client_id).await {
        Ok(()) => {
            let then = back.of(found.client_id.as_str()).path_saying(switch.notice());
            return Ok(answer::see_other(&effect::after(app, &then)));
        }
        Err(ActionError::Forbidden(message)) => (StatusCode::FORBIDDEN, message),
        Err(ActionError::Conflict(message)) => (StatusCode::CONFLICT, message),
        Err(error) => return Err(error.into()),
    };
    let fault = Fault::new("", words::sentence(&message));
    page::with_fault(app, signed_in, status, &found, None, fault).await
}
