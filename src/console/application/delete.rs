//! The Delete API key window: it asks once more, and says what stops.

use super::back::{Back, BackField};
use super::list::{self, DELETED, List};
use super::row::role_names;
use super::usage::grouped;
use super::wanted;
use crate::actions::ActionError;
use crate::actions::application::delete;
use crate::app::App;
use crate::console::form::{Guarded, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::console::when::When;
use crate::console::{answer, effect, words};
use crate::domain::application::Application;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use crate::store;
use crate::store::usage::{DayUsage, day_of};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The question.
#[derive(Template)]
#[template(path = "application/delete.html")]
pub(crate) struct DeletePage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) name: String,
    pub(crate) client_id: String,
    /// The application's roles, in words.
    pub(crate) roles: String,
    /// When it was last used; `None` for never.
    pub(crate) last_used: Option<When>,
    /// What stops, told by what was done with it lately.
    pub(crate) lately: String,
    pub(crate) error: Option<String>,
}

/// `GET /console/applications/{client_id}/delete`: the question.
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(client_id): Segment,
    InQuery(back): InQuery<BackField>,
) -> Result<Response, Problem> {
    match wanted(&app, &client_id).await? {
        Ok(application) => {
            let back = back.of(application.client_id.as_str());
            window(&app, &signed_in, StatusCode::OK, &application, back, None).await
        }
        Err(gone) => Ok(gone),
    }
}

/// `POST /console/applications/{client_id}/delete`: and then it is so.
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form: back }: Guarded<BackField>,
) -> Result<Response, Problem> {
    let application = match wanted(&app, &client_id).await? {
        Ok(application) => application,
        Err(gone) => return Ok(gone),
    };
    let back = back.of(application.client_id.as_str());
    match delete(&app, &signed_in.actor(), &application.client_id).await {
        // Somebody else was faster: it is deleted all the same.
        Ok(()) | Err(ActionError::NotFound { .. }) => {
            Ok(answer::see_other(&effect::after(&app, &back.without_the_page().path_saying(DELETED))))
        }
        Err(ActionError::Forbidden(message) | ActionError::Conflict(message)) => {
            let error = Some(words::sentence(&message));
            window(&app, &signed_in, StatusCode::FORBIDDEN, &application, back, error).await
        }
        Err(error) => Err(error.into()),
    }
}

/// What was done in the last 7 days, in words.
fn lately(days: &[DayUsage]) -> String {
    let requests: u64 = days.iter().map(|day| day.requests).sum();
    let tokens: u64 = days.iter().map(|day| day.tokens).sum();
    let counted = |count, what: &str| format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" });
    match (requests, tokens) {
        (0, 0) => "none, and no access token".to_owned(),
        _ => format!("{}, with {}", counted(requests, "request"), counted(tokens, "access token")),
    }
}

async fn window(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    application: &Application,
    back: Back,
    error: Option<String>,
) -> Result<Response, Problem> {
    let list = list::behind_window(app, signed_in, back).await?;
    let mut tx = app.store.read().await?;
    let id = &application.client_id;
    let roles = store::role::all(&mut tx).await?;
    let last_used = store::usage::last_used(&mut tx, std::slice::from_ref(id)).await?.pop().flatten();
    let week = store::usage::of_application(&mut tx, id, day_of(app.clock.now()) - 6).await?;
    drop(tx);
    let page = DeletePage {
        frame: signed_in.frame(Section::Applications),
        list,
        name: application.name.to_string(),
        client_id: application.client_id.to_string(),
        roles: role_names(application, &roles).join(", "),
        last_used: last_used.map(When::new),
        lately: lately(&week),
        error,
    };
    Ok(answer::page(status, &page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn it_says_that_it_is_permanent() {
        let page = DeletePage {
            frame: Frame::sample(Section::Applications),
            list: List::sample(),
            name: "<script>alert(1)</script>".into(),
            client_id: "gh_0123456789abcdefghijAB".into(),
            roles: "<script>role</script>".into(),
            last_used: None,
            lately: lately(&[]),
            error: Some("<script>error</script>".into()),
        };
        let html = page.render().expect("renders");
        for markup in ["<script>alert", "<script>role", "<script>error"] {
            assert!(!html.contains(markup), "{markup}");
        }
        assert!(html.contains("permanent"));
        assert!(html.contains("never"), "when it was last used");
        assert!(html.contains("Delete API key</button>"));
    }
}
