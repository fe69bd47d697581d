//! Signing in and out.

use super::form::{Button, Fields, FromFields, Guarded, InQuery, Open};
use super::throttle::Throttle;
use super::{answer, paths, session, words};
use crate::actions::ActionError;
use crate::actions::session as action;
use crate::app::App;
use crate::app::usage::Refused;
use crate::domain::denial::DenialReason;
use crate::http::context::RequestContext;
use crate::http::problem::Problem;
use crate::store::console_user;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use std::net::IpAddr;
use std::sync::Arc;

/// The sign-in page.
#[derive(Template, Default)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage {
    /// The page to show afterwards.
    pub(crate) next: String,
    pub(crate) username: String,
    /// Why the last attempt failed: the same for an unknown user and a wrong password.
    pub(crate) error: Option<String>,
    /// Why the person is here.
    pub(crate) notice: Option<&'static str>,
}

/// Where the person comes from.
pub(crate) struct SignInQuery {
    next: String,
    /// Set when a session exists, but its password was given too long ago.
    again: Option<String>,
}

impl FromFields for SignInQuery {
    fn from_fields(fields: &Fields) -> Self {
        Self { next: fields.one("next"), again: fields.some("again") }
    }
}

/// `GET /console/sign-in`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    InQuery(query): InQuery<SignInQuery>,
) -> Result<Response, Problem> {
    let mut tx = app.store.read().await?;
    let notice = if query.again.is_some() {
        Some("Making, regenerating and deleting keys needs a sign-in from the last hour.")
    } else if console_user::administrators(&mut tx).await? == 0 {
        Some("There is no administrator yet. Open the one-time link that the hub printed when it started.")
    } else {
        None
    };
    let next = paths::local(&query.next).to_owned();
    Ok(answer::page(StatusCode::OK, &SignInPage { next, notice, ..SignInPage::default() }))
}

/// The form.
pub(crate) struct SignInForm {
    username: String,
    password: String,
    next: String,
}

impl FromFields for SignInForm {
    fn from_fields(fields: &Fields) -> Self {
        Self { username: fields.one("username"), password: fields.one("password"), next: fields.one("next") }
    }
}

/// `POST /console/sign-in`: a new session, and the one that the browser had ends.
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    context: RequestContext,
    Extension(throttle): Extension<Arc<Throttle>>,
    headers: HeaderMap,
    Open(form): Open<SignInForm>,
) -> Result<Response, Problem> {
    let busy = "Too many attempts at once. Wait a moment and try again.";
    let Some(attempt) = throttle.begin(&form.username, context.address) else {
        count_failure(&app, context.address);
        return Ok(failed(StatusCode::TOO_MANY_REQUESTS, form, busy));
    };
    let Some(room) = throttle.room_to_hash().await else {
        return Ok(failed(StatusCode::SERVICE_UNAVAILABLE, form, busy));
    };
    let outcome = action::sign_in(&app, &form.username, &form.password, &context.address.to_string()).await;
    drop(room);
    match outcome {
        Ok(signed_in) => {
            attempt.succeeded();
            begin_session(&app, &headers, &signed_in.token, paths::local(&form.next)).await
        }
        Err(ActionError::Forbidden(reason)) => {
            count_failure(&app, context.address);
            // After the comparison: the right password is never held back by the wrong ones before it.
            tokio::time::sleep(attempt.failed(app.clock.now())).await;
            Ok(failed(StatusCode::UNAUTHORIZED, form, &words::sentence(&reason)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Counted like every other refusal (SECURITY 31): by minute and source, for nobody's account in particular.
fn count_failure(app: &App, source: IpAddr) {
    let reason = DenialReason::SignIn;
    app.usage.refused(&Refused { client_id: "", credential: None, reason, source, now: app.clock.now() });
}

fn failed(status: StatusCode, form: SignInForm, error: &str) -> Response {
    let next = paths::local(&form.next).to_owned();
    let page = SignInPage { next, username: form.username, error: Some(error.to_owned()), notice: None };
    answer::page(status, &page)
}

/// Gives the browser its new session and ends the one that it had.
pub(crate) async fn begin_session(
    app: &App,
    headers: &HeaderMap,
    token: &str,
    next: &str,
) -> Result<Response, Problem> {
    let https = app.config.public_url.is_https();
    if let Some(old) = session::token_of(https, headers) {
        action::sign_out(app, old).await?;
    }
    let mut answer = answer::see_other(next);
    answer.headers_mut().append(header::SET_COOKIE, session::set_cookie(https, token));
    Ok(answer)
}

/// `POST /console/sign-out`.
pub(crate) async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Guarded { form: Button, .. }: Guarded<Button>,
) -> Result<Response, Problem> {
    let https = app.config.public_url.is_https();
    if let Some(token) = session::token_of(https, &headers) {
        action::sign_out(&app, token).await?;
    }
    let mut answer = answer::see_other(paths::SIGN_IN);
    answer.headers_mut().append(header::SET_COOKIE, session::clear_cookie(https));
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_text() {
        let page = SignInPage {
            next: "\"><script>next</script>".into(),
            username: "\"><script>user</script>".into(),
            error: Some("<script>error</script>".into()),
            notice: None,
        };
        let html = page.render().expect("renders");
        for markup in ["<script>next", "<script>user", "<script>error"] {
            assert!(!html.contains(markup), "{markup}");
        }
        assert!(html.contains("<label for=\"username\">Username</label>"));
        assert!(html.contains("<label for=\"password\">Password</label>"));
    }
}
