//! The Regenerate API key window: the `client_id` stays, the secret is replaced.

use super::list::{self, List};
use super::new::is_submission;
use super::{shown, wanted};
use crate::actions::ActionError;
use crate::actions::api_key::{Regeneration, regenerate};
use crate::app::App;
use crate::console::form::{Fields, FromFields, Guarded};
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::console::{answer, words};
use crate::domain::application::Application;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The title of the window in all its steps.
pub(crate) const TITLE: &str = "Regenerate API key";

/// What it means, and the button.
#[derive(Template)]
#[template(path = "application/regenerate.html")]
pub(crate) struct RegeneratePage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) name: String,
    pub(crate) client_id: String,
    /// Names this form, so that a repeated submit replaces no second secret.
    pub(crate) submission: String,
    pub(crate) error: Option<String>,
}

/// `GET /console/applications/{client_id}/regenerate`: the window.
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(client_id): Segment,
) -> Result<Response, Problem> {
    match wanted(&app, &client_id).await? {
        Ok(application) => window(&app, &signed_in, StatusCode::OK, &application, None).await,
        Err(gone) => Ok(gone),
    }
}

/// The window's form.
pub(crate) struct RegenerateForm {
    submission: String,
}

impl FromFields for RegenerateForm {
    fn from_fields(fields: &Fields) -> Self {
        Self { submission: fields.one("submission") }
    }
}

/// `POST /console/applications/{client_id}/regenerate`: replaces the secret and shows the new one once.
pub(crate) async fn make(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form }: Guarded<RegenerateForm>,
) -> Result<Response, Problem> {
    let application = match wanted(&app, &client_id).await? {
        Ok(application) => application,
        Err(gone) => return Ok(gone),
    };
    if !is_submission(&form.submission) {
        return Err(Problem::bad_request("The form is not complete. Open the window again."));
    }
    let actor = signed_in.actor();
    let made = regenerate(&app, &actor, &application.client_id, Regeneration::AtOnce, Some(&form.submission)).await;
    match made {
        Ok(key) => shown::show(&app, &signed_in, TITLE, "This is the new API key of", &key).await,
        Err(ActionError::AlreadySubmitted) => {
            shown::already(&app, &signed_in, TITLE, "the API key was regenerated then").await
        }
        Err(ActionError::Forbidden(message) | ActionError::Conflict(message)) => {
            let error = Some(words::sentence(&message));
            window(&app, &signed_in, StatusCode::FORBIDDEN, &application, error).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn window(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    application: &Application,
    error: Option<String>,
) -> Result<Response, Problem> {
    let page = RegeneratePage {
        frame: signed_in.frame(Section::Applications),
        list: list::behind_window(app, signed_in).await?,
        name: application.name.to_string(),
        client_id: application.client_id.to_string(),
        submission: app.randomness.id("submission"),
        error,
    };
    Ok(answer::page(status, &page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn it_says_that_the_client_id_stays() {
        let page = RegeneratePage {
            frame: Frame::sample(Section::Applications),
            list: List::sample(),
            name: "<script>alert(1)</script>".into(),
            client_id: "gh_0123456789abcdefghijAB".into(),
            submission: "submission-1".into(),
            error: None,
        };
        let html = page.render().expect("renders");
        assert!(!html.contains("<script>alert"));
        assert!(html.contains("The client_id stays the same."));
        assert!(html.contains("Regenerate API key</button>"));
        assert!(html.contains("action=\"/console/applications/gh_0123456789abcdefghijAB/regenerate\""));
    }
}
