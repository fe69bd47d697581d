//! `POST /oauth2/revoke` (RFC 7009): an application ends one of its own tokens.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::client_auth;
use super::error::OauthError;
use super::form::Form;
use super::request::read_form;
use crate::actions::{self, Actor};
use crate::app::verifier::TokenRefusal;
use crate::app::{App, verifier};
use crate::http::context::RequestContext;

/// Answers a revocation request. A token that is not good, or another's, is answered just as one that was revoked:
/// nobody learns about another's token (RFC 7009 §2.2).
///
/// # Errors
/// As for the token endpoint, and `temporarily_unavailable` when the revocation can't be stored.
pub async fn revoke(
    State(app): State<Arc<App>>,
    context: RequestContext,
    request: Request,
) -> Result<Response, OauthError> {
    let (parts, body) = request.into_parts();
    let body = read_form(&parts.headers, parts.uri.query(), body).await?;
    let form = Form::parse(&body)?;
    let client = client_auth::authenticate(&app, &parts.headers, &form, context.address)?;
    app.usage.request(&client.client_id, client.credential, None, app.clock.now());
    let token = form.get("token").ok_or_else(|| OauthError::invalid_request("token is missing"))?;
    match verifier::inspect(&app, token).await {
        Ok(verified) if verified.client_id() == client.client_id => {
            let name = verified.name(&app);
            let actor = Actor::application(&client.client_id, &name, &context.address.to_string());
            let claims = &verified.token.claims;
            actions::token::revoke(&app, &actor, claims, &name).await.map_err(|error| {
                tracing::error!(%error, "a token could not be revoked");
                OauthError::unavailable()
            })?;
        }
        Err(TokenRefusal::Stale(_)) => return Err(OauthError::unavailable()),
        Ok(_) | Err(_) => {}
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
