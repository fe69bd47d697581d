//! The Regenerate API key window: the `client_id` stays, the secret is replaced.

use super::back::{Back, BackField};
use super::list::{self, List};
use super::new::is_submission;
use super::{shown, wanted};
use crate::actions::ActionError;
use crate::actions::api_key::{Regeneration, regenerate};
use crate::app::App;
use crate::console::form::{Fields, FromFields, Guarded, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::console::when::When;
use crate::console::{answer, words};
use crate::domain::application::{Application, ApplicationStatus};
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;

/// The title of the window in all its steps.
pub(crate) const TITLE: &str = "Regenerate API key";

/// What can become of the old secret: the value in the form, the label, what it means.
const WAYS: [(&str, &str, &str, Regeneration); 5] = [
    (
        "now",
        "At once",
        "The present client_secret and every token issued with it stop working at once. The application is cut off \
         until it has the new one.",
        Regeneration::AtOnce,
    ),
    ("1h", "Overlap of 1 hour", OVERLAP, Regeneration::Overlap(Duration::from_hours(1))),
    ("24h", "Overlap of 24 hours", OVERLAP, Regeneration::Overlap(Duration::from_hours(24))),
    ("7d", "Overlap of 7 days", OVERLAP, Regeneration::Overlap(Duration::from_hours(7 * 24))),
    (
        "leaked",
        "It leaked",
        "Every client_secret and every access token of the application end now, whatever they were issued with, and so \
         does an overlap.",
        Regeneration::Leaked,
    ),
];

const OVERLAP: &str = "Both work until then, so that the application can be changed over without a gap.";

/// One way, to choose.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) value: &'static str,
    pub(crate) label: &'static str,
    pub(crate) about: &'static str,
    pub(crate) chosen: bool,
}

impl Way {
    /// All of them; the first is chosen unless another one is.
    fn all(chosen: &str) -> Vec<Self> {
        let known = WAYS.iter().any(|(value, ..)| *value == chosen);
        let chosen = if known { chosen } else { WAYS[0].0 };
        WAYS.iter().map(|&(value, label, about, _)| Self { value, label, about, chosen: value == chosen }).collect()
    }
}

/// What it means, and the button.
#[derive(Template)]
#[template(path = "application/regenerate.html")]
pub(crate) struct RegeneratePage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) ways: Vec<Way>,
    /// When a running overlap would end by itself.
    pub(crate) overlap: Option<When>,
    /// Names this form, so that a repeated submit replaces no second secret.
    pub(crate) submission: String,
    pub(crate) error: Option<String>,
}

/// `GET /console/applications/{client_id}/regenerate`: the window. The query may hold what was chosen.
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(client_id): Segment,
    InQuery(query): InQuery<RegenerateForm>,
) -> Result<Response, Problem> {
    match wanted(&app, &client_id).await? {
        Ok(application) => {
            let back = query.back.of(application.client_id.as_str());
            window(&app, &signed_in, StatusCode::OK, &application, back, &query.how, None).await
        }
        Err(gone) => Ok(gone),
    }
}

/// The window's form.
pub(crate) struct RegenerateForm {
    /// One of [`WAYS`].
    how: String,
    submission: String,
    back: BackField,
}

impl FromFields for RegenerateForm {
    fn from_fields(fields: &Fields) -> Self {
        Self { how: fields.one("how"), submission: fields.one("submission"), back: BackField::from_fields(fields) }
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
    let back = form.back.of(application.client_id.as_str());
    let Some((.., how)) = WAYS.iter().find(|(value, ..)| *value == form.how) else {
        let error = Some("Choose what becomes of the present client_secret.".to_owned());
        return window(&app, &signed_in, StatusCode::UNPROCESSABLE_ENTITY, &application, back, &form.how, error).await;
    };
    let actor = signed_in.actor();
    match regenerate(&app, &actor, &application.client_id, *how, Some(&form.submission)).await {
        Ok(key) => shown::show(&app, &signed_in, TITLE, "This is the new API key of", &key, back).await,
        Err(ActionError::AlreadySubmitted) => {
            shown::already(&app, &signed_in, TITLE, "the API key was regenerated then", back).await
        }
        Err(ActionError::Forbidden(message) | ActionError::Conflict(message)) => {
            let error = Some(words::sentence(&message));
            window(&app, &signed_in, StatusCode::FORBIDDEN, &application, back, &form.how, error).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn window(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    application: &Application,
    back: Back,
    chosen: &str,
    error: Option<String>,
) -> Result<Response, Problem> {
    let page = RegeneratePage {
        frame: signed_in.frame(Section::Applications),
        list: list::behind_window(app, signed_in, back).await?,
        name: application.name.to_string(),
        client_id: application.client_id.to_string(),
        ways: Way::all(chosen),
        overlap: match application.status(app.clock.now()) {
            ApplicationStatus::OverlapUntil(end) => Some(When::new(end)),
            _ => None,
        },
        submission: app.randomness.id("submission"),
        error,
    };
    Ok(answer::page(status, &page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;
    use crate::domain::time::Timestamp;

    #[test]
    fn it_says_that_the_client_id_stays() {
        let page = RegeneratePage {
            frame: Frame::sample(Section::Applications),
            list: List::sample(),
            name: "<script>alert(1)</script>".into(),
            client_id: "gh_0123456789abcdefghijAB".into(),
            ways: Way::all("anything"),
            overlap: Some(When::new(Timestamp::from_seconds(1_798_761_600))),
            submission: "submission-1".into(),
            error: None,
        };
        let html = page.render().expect("renders");
        assert!(!html.contains("<script>alert"));
        assert!(html.contains("The client_id stays the same."));
        assert!(html.contains("Regenerate API key</button>"));
        assert_eq!(html.matches("type=\"radio\"").count(), 5);
        assert!(html.contains("value=\"now\" checked"), "at once, unless something else is chosen");
        assert!(html.contains("2027-01-01"));
        assert!(html.contains("action=\"/console/applications/gh_0123456789abcdefghijAB/regenerate\""));
    }
}
