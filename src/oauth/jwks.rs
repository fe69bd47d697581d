//! `GET /oauth2/jwks`: the public keys of the access tokens (RFC 7517).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};

use super::error::OauthError;
use crate::app::App;

/// How long others may keep what is published, in words of HTTP: less than the time between publishing a key and
/// signing with it.
pub const PUBLISHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// Answers with the set of keys, even if this node has lost its store and decides nothing: others can verify what was
/// signed. Nobody is to keep that answer, since a key may have been retired meanwhile.
///
/// # Errors
/// `temporarily_unavailable` while this node knows no keys.
pub async fn show(State(app): State<Arc<App>>) -> Result<Response, OauthError> {
    let keys = app.snapshot.keys().jwks.clone();
    if keys.is_empty() {
        return Err(OauthError::unavailable());
    }
    let mut answer = published(keys);
    if app.fresh().is_err() {
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(answer)
}

/// Answers with the key of the assertions that upstreams get: none until a gateway needs one, and nobody is to keep that
/// answer. It signs no access token, and the hub takes none signed by it.
pub async fn show_assertion(State(app): State<Arc<App>>) -> Response {
    let key = app.snapshot.keys().assertion.clone();
    let keys: Vec<_> = key.iter().map(|key| key.public_jwk()).collect();
    let mut answer = published(serde_json::json!({ "keys": keys }).to_string());
    if keys.is_empty() {
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}

/// A JSON answer that others may keep for a while.
pub(super) fn published(json: String) -> Response {
    let mut response = Response::new(Body::from(json));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, PUBLISHED);
    response
}
