//! The one place that turns a fault into an OAuth error answer (RFC 6749 §5.2).

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::http::problem::Problem;

/// A refusal in the language of OAuth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OauthError {
    status: StatusCode,
    code: &'static str,
    description: Cow<'static, str>,
    /// Whether to challenge with `WWW-Authenticate: Basic`.
    basic: bool,
    retry_after_seconds: Option<i64>,
}

impl OauthError {
    const fn new(status: StatusCode, code: &'static str, description: &'static str) -> Self {
        Self { status, code, description: Cow::Borrowed(description), basic: false, retry_after_seconds: None }
    }

    /// The request is malformed.
    #[must_use]
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// The application did not prove who it is; one answer for every reason. `basic`: whether to challenge for Basic.
    #[must_use]
    pub fn invalid_client(basic: bool) -> Self {
        let text =
            "client authentication failed: the client_id or client_secret is not right, or this API key can't be used";
        Self { basic, ..Self::new(StatusCode::UNAUTHORIZED, "invalid_client", text) }
    }

    /// The offered secret's own checksum is wrong.
    #[must_use]
    pub fn mistyped_secret(basic: bool) -> Self {
        let text =
            "client authentication failed: the client_secret was mistyped or cut short, its checksum does not match";
        Self { basic, ..Self::new(StatusCode::UNAUTHORIZED, "invalid_client", text) }
    }

    /// There are no credentials in the request, or none that can be read.
    #[must_use]
    pub fn no_credentials(description: &'static str) -> Self {
        Self { basic: true, ..Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description) }
    }

    /// Too many failures; those that succeed are never refused.
    #[must_use]
    pub fn too_many_failures(retry_after_seconds: i64) -> Self {
        let text = "client authentication failed, and too often from this address: correct the credentials and wait as long as Retry-After says";
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "invalid_client", text)
        }
    }

    /// A grant other than the announced one.
    #[must_use]
    pub const fn unsupported_grant_type() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", "the only grant_type is client_credentials")
    }

    /// A scope value that the roles do not give, or none that they could.
    #[must_use]
    pub fn invalid_scope(description: String) -> Self {
        Self { description: Cow::Owned(description), ..Self::new(StatusCode::BAD_REQUEST, "invalid_scope", "") }
    }

    /// A resource that is not here (RFC 8707 §2).
    #[must_use]
    pub const fn invalid_target(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_target", description)
    }

    /// The body is longer than is read.
    #[must_use]
    pub const fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "the body is longer than 16 KiB")
    }

    /// There is nothing at this path.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "invalid_request", "there is nothing at this path")
    }

    /// A problem that arose outside of the handlers. `write_headers` of the problem adds what belongs to it.
    #[must_use]
    pub fn of_problem(problem: &Problem) -> Self {
        let status = problem.kind().status;
        let code = match status {
            StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        };
        Self { description: Cow::Owned(problem.detail().to_owned()), ..Self::new(status, code, "") }
    }

    /// The node can't decide now: its store is out of reach.
    #[must_use]
    pub fn unavailable() -> Self {
        let text = "the hub can't reach its store and refuses rather than guess; try again shortly";
        Self {
            retry_after_seconds: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text)
        }
    }

    /// A fault of the hub itself.
    #[must_use]
    pub const fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "something went wrong in the hub")
    }

    /// The status it answers with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The error code (RFC 6749 §5.2).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let mut json = String::with_capacity(64 + self.description.len());
        json.push_str("{\"error\":\"");
        json.push_str(self.code);
        json.push_str("\",\"error_description\":\"");
        json.extend(self.description.chars().map(describable));
        json.push_str("\"}");
        let mut response = json_response(self.status, json);
        let headers = response.headers_mut();
        if self.basic {
            let challenge = HeaderValue::from_static("Basic realm=\"Gateway Hub\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What may stand in `error_description` (RFC 6749 §5.2: printable ASCII without `"` and `\`); so it needs no escaping.
fn describable(c: char) -> char {
    if matches!(c, ' '..='~') && !matches!(c, '"' | '\\') { c } else { '\'' }
}

/// A JSON answer that nobody may keep.
pub(super) fn json_response(status: StatusCode, json: String) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_description_is_json_whatever_it_repeats() {
        let error = OauthError::invalid_scope("no \"x\\\n\u{1}ü<b>".to_owned());
        let body = axum::body::to_bytes(error.into_response().into_body(), 1000).await.expect("a body");
        let json: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(json["error"], "invalid_scope");
        assert_eq!(json["error_description"], "no 'x''''<b>");
    }

    #[test]
    fn the_challenge_is_basic_only_when_basic_was_used() {
        let challenged = |error: OauthError| error.into_response().headers().contains_key(header::WWW_AUTHENTICATE);
        assert!(challenged(OauthError::invalid_client(true)));
        assert!(!challenged(OauthError::invalid_client(false)));
        let throttled = OauthError::too_many_failures(7).into_response();
        assert_eq!(throttled.headers()[header::RETRY_AFTER], "7");
        assert_eq!(throttled.status(), StatusCode::TOO_MANY_REQUESTS);
    }
}
