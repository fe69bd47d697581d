//! The Find by secret window: which application does a secret belong to that somebody found?

use super::back::Back;
use super::list::{self, List};
use super::row::{Mark, marks, role_names};
use crate::actions::api_key::{FoundSecret, find_by_secret};
use crate::app::App;
use crate::console::answer;
use crate::console::form::{Fields, FromFields, Guarded};
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::domain::grant::Action;
use crate::domain::resource::SecurityResource;
use crate::http::problem::Problem;
use crate::store;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The question, and the answer to the one before. What was pasted never stands on a page again.
#[derive(Template)]
#[template(path = "application/find.html")]
pub(crate) struct FindPage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) found: Option<Found>,
    pub(crate) error: Option<&'static str>,
}

/// The application that has the secret.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) client_id: String,
    /// Its roles, in words.
    pub(crate) roles: String,
    pub(crate) marks: Vec<Mark>,
    /// Whether the person may do something about it.
    pub(crate) editable: bool,
}

/// `GET /console/applications/find`: the question.
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
) -> Result<Response, Problem> {
    window(&app, &signed_in, StatusCode::OK, None, None).await
}

/// What was pasted. Its memory is overwritten when it is dropped.
pub(crate) struct FindForm(Zeroizing<String>);

impl FromFields for FindForm {
    fn from_fields(fields: &Fields) -> Self {
        Self(Zeroizing::new(fields.one("secret")))
    }
}

/// `POST /console/applications/find`: the answer. A POST, because an address is kept and logged; it changes nothing.
pub(crate) async fn find(
    State(app): State<Arc<App>>,
    Guarded { signed_in, form }: Guarded<FindForm>,
) -> Result<Response, Problem> {
    let error = match find_by_secret(&app, &signed_in.actor(), &form.0).await? {
        FoundSecret::Of(application) => {
            let roles = store::role::all(&mut app.store.read().await?).await?;
            let found = Found {
                name: application.name.to_string(),
                client_id: application.client_id.to_string(),
                roles: role_names(&application, &roles).join(", "),
                marks: marks(&application, app.clock.now()),
                editable: signed_in.may(SecurityResource::Applications, Action::Edit),
            };
            return window(&app, &signed_in, StatusCode::OK, Some(found), None).await;
        }
        FoundSecret::Nobodys => {
            "No application has this secret now. It was regenerated, its application was deleted, or it is another hub's."
        }
        FoundSecret::Mistyped => {
            "This secret was mistyped or cut short: its checksum does not fit. Paste all 53 characters of it."
        }
        FoundSecret::Foreign => "There is no client_secret in this text. Those of a Gateway Hub begin with ghs_.",
    };
    window(&app, &signed_in, StatusCode::OK, None, Some(error)).await
}

async fn window(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    found: Option<Found>,
    error: Option<&'static str>,
) -> Result<Response, Problem> {
    let list = list::behind_window(app, signed_in, Back::default()).await?;
    let page = FindPage { frame: signed_in.frame(Section::Applications), list, found, error };
    Ok(answer::page(status, &page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_asks_and_answers() {
        let page = |found, error| {
            let frame = Frame::sample(Section::Applications);
            FindPage { frame, list: List::sample(), found, error }.render().expect("renders")
        };
        let question = page(None, None);
        assert!(question.contains("id=\"window-title\">Find by secret</h2>"));
        let found = Found {
            name: "<script>alert(1)</script>".to_owned(),
            client_id: "gh_0123456789abcdefghijAB".to_owned(),
            roles: "<script>role".to_owned(),
            marks: Vec::new(),
            editable: true,
        };
        let answer = page(Some(found), None);
        assert!(!answer.contains("<script>alert") && !answer.contains("<script>role"));
        assert!(answer.contains("/console/applications/gh_0123456789abcdefghijAB/regenerate"));
        assert!(page(None, Some("Not found.")).contains("aria-invalid=\"true\""));
    }
}
