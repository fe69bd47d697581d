//! `POST /oauth2/token`: the client credentials grant (RFC 6749 §4.4). No SQL on this path, and no row written.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use super::client_auth::{self, Client};
use super::error::{OauthError, json_response};
use super::form::Form;
use super::request::read_form;
use crate::app::App;
use crate::app::usage::Refused;
use crate::app::verifier::{audience_gateway, gateway_audience};
use crate::crypto::secret::SECRET_PREFIX;
use crate::crypto::token::{Claims, LONGEST_TOKEN, token_id};
use crate::domain::denial::DenialReason;
use crate::domain::grant::Action;
use crate::domain::resource::{GatewayName, Resource};
use crate::domain::scope::Scope;
use crate::http::context::RequestContext;

/// Answers a token request.
///
/// # Errors
/// As RFC 6749 §5.2 and RFC 8707 §2 name them.
pub async fn issue(
    State(app): State<Arc<App>>,
    context: RequestContext,
    request: Request,
) -> Result<Response, OauthError> {
    let (parts, body) = request.into_parts();
    let body = read_form(&parts.headers, parts.uri.query(), body).await?;
    let form = Form::parse(&body)?;
    let answer = grant(&app, &parts.headers, &form, context.address);
    // Signing is most of the work. Under load the tokens of all waiting requests are made first and written together: a
    // write that wakes a sleeping client costs several times one to a client that is awake. An idle hub waits for nothing.
    tokio::task::yield_now().await;
    answer
}

/// Everything about a token request that needs no waiting.
fn grant(app: &App, headers: &HeaderMap, form: &Form<'_>, address: IpAddr) -> Result<Response, OauthError> {
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(OauthError::unsupported_grant_type()),
        None => return Err(OauthError::invalid_request("grant_type is missing: send grant_type=client_credentials")),
    }
    let client = client_auth::authenticate(app, headers, form, address)?;
    let now = app.clock.now();
    let (audience, scope) = wanted(app, &client, form).inspect_err(|_| {
        app.usage.refused(&Refused {
            client_id: &client.client_id,
            credential: Some(client.credential),
            reason: DenialReason::Scope,
            source: address,
            now,
        });
    })?;
    let scope = scope.as_deref().unwrap_or(&client.roles.full_scope_text);
    let iat = now.seconds();
    let end = now.plus(app.config.token.lifetime);
    // Whoever checks the token elsewhere, without asking the hub, should see the key's own end; at least a second stays.
    let exp = client.ends_at.map_or(end, |ends_at| ends_at.min(end)).seconds().max(iat + 1);
    let claims = Claims {
        iss: app.issuer().to_owned(),
        client_id: client.client_id,
        aud: vec![audience.into_owned()],
        iat,
        exp,
        jti: token_id(&app.randomness),
        scope: scope.to_owned(),
        roles: client.roles.names.clone(),
        cred: client.credential.to_string(),
        seq: client.seq,
    };
    let keys = app.snapshot.keys();
    let key = keys.signing_key(now, app.config.token.algorithm).ok_or_else(OauthError::internal)?;
    let token = key.sign(&claims, &app.randomness).map_err(|error| {
        tracing::error!(%error, "an access token could not be signed");
        OauthError::internal()
    })?;
    if token.len() > LONGEST_TOKEN {
        return Err(OauthError::invalid_scope(
            "the scope is too long for one token: ask for the scopes that are needed".to_owned(),
        ));
    }
    app.usage.token_issued(&claims.client_id, client.credential, now);
    Ok(answer(&token, exp - iat, scope))
}

/// Where the token will be good, and for what scope; `None` for all that the roles give.
fn wanted<'a>(app: &'a App, client: &Client, form: &Form<'_>) -> Result<(Cow<'a, str>, Option<String>), OauthError> {
    let audience = audience(app, client, form)?;
    let scope = requested_scope(client, form.get("scope"))?;
    if scope.as_deref().unwrap_or(&client.roles.full_scope_text).is_empty() {
        return Err(OauthError::invalid_scope(
            "the roles of this application give nothing that a token could carry".to_owned(),
        ));
    }
    Ok((audience, scope))
}

/// Where the token will be good: at the hub and so everywhere, unless one gateway is named (RFC 8707 §2).
fn audience<'a>(app: &'a App, client: &Client, form: &Form<'_>) -> Result<Cow<'a, str>, OauthError> {
    if form.several_resources() {
        return Err(OauthError::invalid_target(
            "ask for one resource; leave it out for a token that is good everywhere",
        ));
    }
    let Some(resource) = form.get("resource").filter(|resource| *resource != app.issuer()) else {
        return Ok(Cow::Borrowed(app.issuer()));
    };
    let name = audience_gateway(app.issuer(), resource).and_then(GatewayName::parse);
    // Who has no grant on a gateway does not learn whether there is one.
    let reached = name.filter(|name| {
        let resource = Resource::Gateway(name.clone());
        let granted = |action| client.roles.access.reach(&resource, action).is_some();
        app.snapshot.gateway(name.as_str()).is_some() && (granted(Action::View) || granted(Action::Edit))
    });
    match reached {
        Some(name) => Ok(Cow::Owned(gateway_audience(app.issuer(), name.as_str()))),
        None => Err(OauthError::invalid_target(
            "there is no such resource at this hub, or the roles of this application do not reach it",
        )),
    }
}

/// The scope that was asked for, in canonical form; `None` for all that the roles give.
fn requested_scope(client: &Client, requested: Option<&str>) -> Result<Option<String>, OauthError> {
    let Some(requested) = requested else { return Ok(None) };
    let beyond = |value: &str| {
        OauthError::invalid_scope(format!("the roles of this application do not give {}", repeatable(value)))
    };
    let scope = Scope::parse(requested).map_err(|unknown| beyond(&unknown.0))?;
    match scope.grants().iter().find(|grant| !client.roles.access.gives(grant)) {
        Some(grant) => Err(beyond(&grant.to_string())),
        None => Ok(Some(scope.to_string())),
    }
}

/// What the caller wrote, unless it is too long to be a grant or could be a secret that went into the wrong parameter:
/// answers end up in logs.
fn repeatable(value: &str) -> &str {
    if value.len() > LONGEST_REPEATED || value.contains(SECRET_PREFIX) { "one of these values" } else { value }
}

/// Longer than any grant (`gateway/` and 63 characters, `:view`).
const LONGEST_REPEATED: usize = 100;

/// RFC 6749 §5.1. Nothing in it needs escaping: a token is base64url, a scope is made of names without quotes.
fn answer(token: &str, expires_in: i64, scope: &str) -> Response {
    let mut json = String::with_capacity(token.len() + scope.len() + 96);
    json.push_str("{\"access_token\":\"");
    json.push_str(token);
    json.push_str("\",\"token_type\":\"Bearer\",\"expires_in\":");
    json.push_str(&expires_in.to_string());
    json.push_str(",\"scope\":\"");
    json.push_str(scope);
    json.push_str("\"}");
    json_response(StatusCode::OK, json)
}
