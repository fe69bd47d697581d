//! The first run: the one-time link makes the first administrator (SECURITY 36).

use super::form::{Fields, FromFields, Open};
use super::throttle::Throttle;
use super::{answer, paths, sign_in, words};
use crate::actions::ActionError;
use crate::actions::{console_user, session};
use crate::app::App;
use crate::domain::console_user::MIN_PASSWORD_CHARACTERS;
use crate::http::context::RequestContext;
use crate::http::problem::Problem;
use crate::store;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;

/// The page. The link's token is in the fragment, which only the browser sees; a script moves it into the form.
#[derive(Template)]
#[template(path = "first_run.html")]
pub(crate) struct FirstRunPage {
    pub(crate) token: String,
    pub(crate) username: String,
    pub(crate) error: Option<String>,
    pub(crate) minimum: usize,
}

impl FirstRunPage {
    /// The page with what was typed.
    pub(crate) fn new(token: String, username: String, error: Option<String>) -> Self {
        Self { token, username, error, minimum: MIN_PASSWORD_CHARACTERS }
    }
}

/// `GET /console/first-run`. Opening it consumes nothing.
pub(crate) async fn show(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    if store::console_user::administrators(&mut app.store.read().await?).await? > 0 {
        return Ok(answer::see_other(paths::SIGN_IN));
    }
    Ok(answer::page(StatusCode::OK, &FirstRunPage::new(String::new(), String::new(), None)))
}

/// The form.
pub(crate) struct FirstRunForm {
    token: String,
    username: String,
    password: String,
}

impl FromFields for FirstRunForm {
    fn from_fields(fields: &Fields) -> Self {
        let token = fields.one("token");
        // Somebody may paste the whole link.
        let token = token.trim().rsplit('#').next().unwrap_or_default().to_owned();
        Self { token, username: fields.one("username"), password: fields.one("password") }
    }
}

/// `POST /console/first-run`: makes the administrator, which consumes the link, and signs them in.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    context: RequestContext,
    Extension(throttle): Extension<Arc<Throttle>>,
    headers: HeaderMap,
    Open(form): Open<FirstRunForm>,
) -> Result<Response, Problem> {
    let source = context.address.to_string();
    let Some(room) = throttle.room_to_hash().await else {
        return Err(Problem::unavailable("Too many attempts at once. Wait a moment and try again."));
    };
    let made = console_user::first_administrator(&app, &form.token, &form.username, &form.password, &source).await;
    let (status, reason) = match made {
        Ok(_) => {
            let signed_in = session::sign_in(&app, &form.username, &form.password, &source).await?;
            drop(room);
            return sign_in::begin_session(&app, &headers, &signed_in.token, paths::OVERVIEW).await;
        }
        Err(ActionError::Forbidden(reason)) => (StatusCode::FORBIDDEN, reason),
        Err(ActionError::Invalid { message, .. }) => (StatusCode::UNPROCESSABLE_ENTITY, message),
        Err(error) => return Err(error.into()),
    };
    let page = FirstRunPage::new(form.token, form.username, Some(words::sentence(&reason)));
    Ok(answer::page(status, &page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_text() {
        let markup = "\"><script>alert(1)</script>";
        let html = FirstRunPage::new(markup.into(), markup.into(), Some(markup.into())).render().expect("renders");
        assert!(!html.contains("<script>alert"));
        assert!(html.contains("<label for=\"password\">Password</label>"));
    }
}
