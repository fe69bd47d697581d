//! What every request to `/oauth2/*` with an API key begins with: its form, read and bounded.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use super::error::OauthError;
use super::form::{self, LONGEST_BODY};
use crate::http::body;

/// Reads the body of a POST with an `application/x-www-form-urlencoded` form.
///
/// # Errors
/// `invalid_request` for parameters in the query, another content type, or a body that is too long or broke off.
pub async fn read_form(headers: &HeaderMap, query: Option<&str>, body: Body) -> Result<Bytes, OauthError> {
    form::check_query(query)?;
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], header::HeaderValue::as_bytes);
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if !essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
        return Err(OauthError::invalid_request("the Content-Type must be application/x-www-form-urlencoded"));
    }
    body::read(body, LONGEST_BODY).await.map_err(|problem| match problem.kind().status {
        StatusCode::PAYLOAD_TOO_LARGE => OauthError::too_large(),
        _ => OauthError::of_problem(&problem),
    })
}
