//! `POST /oauth2/introspect` (RFC 7662): an application asks about its own tokens, and with `introspection:view` about
//! others'.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::client_auth::{self, Client};
use super::error::{OauthError, json_response};
use super::form::Form;
use super::request::read_form;
use crate::app::verifier::{TokenRefusal, Verified};
use crate::app::{App, verifier};
use crate::domain::access::decide;
use crate::domain::grant::Action;
use crate::domain::resource::{Resource, SecurityResource};
use crate::http::context::RequestContext;

/// What introspection tells about a good token (RFC 7662 §2.2). Of any other only `{"active":false}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Introspection<'a> {
    /// Whether the token is good now.
    pub active: bool,
    /// What it allows now: its scope as far as the application's roles still give it.
    pub scope: String,
    /// The application that it was issued to.
    pub client_id: &'a str,
    /// Always `Bearer`.
    pub token_type: &'a str,
    /// When it expires, in seconds since 1970.
    pub exp: i64,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// The application again: there is no other subject.
    pub sub: &'a str,
    /// Where it is good; an array only if there are several places.
    #[serde(serialize_with = "one_or_several")]
    #[schema(value_type = String)]
    pub aud: &'a [String],
    /// The hub that issued it.
    pub iss: &'a str,
    /// Its own id.
    pub jti: &'a str,
}

/// As the token itself has it (RFC 7519 §4.1.3).
fn one_or_several<S: Serializer>(aud: &&[String], serializer: S) -> Result<S::Ok, S::Error> {
    match aud {
        [one] => serializer.serialize_str(one),
        several => several.serialize(serializer),
    }
}

/// Answers an introspection request.
///
/// # Errors
/// As for the token endpoint.
pub async fn show(
    State(app): State<Arc<App>>,
    context: RequestContext,
    request: Request,
) -> Result<Response, OauthError> {
    let (parts, body) = request.into_parts();
    let body = read_form(&parts.headers, parts.uri.query(), body).await?;
    let form = Form::parse(&body)?;
    let client = client_auth::authenticate(&app, &parts.headers, &form, context.address)?;
    let token = form.get("token").ok_or_else(|| OauthError::invalid_request("token is missing"))?;
    let verified = verifier::inspect(&app, token).await;
    let seen = verified.as_ref().is_ok_and(|verified| may_see(&client, verified));
    let others = seen && verified.as_ref().is_ok_and(|verified| verified.client_id() != client.client_id);
    let used = others.then_some((&OTHERS_TOKENS, Action::View));
    app.usage.request(&client.client_id, client.credential, used, app.clock.now());
    match verified {
        Ok(verified) if seen => active(&verified),
        Err(TokenRefusal::Stale(_)) => Err(OauthError::unavailable()),
        Ok(_) | Err(_) => Ok(inactive()),
    }
}

/// What an application needs to see another's token.
const OTHERS_TOKENS: Resource = Resource::Security(SecurityResource::Introspection);

fn may_see(client: &Client, verified: &Verified) -> bool {
    verified.client_id() == client.client_id
        || decide(&client.roles.access, &client.roles.full_scope, &OTHERS_TOKENS, Action::View).is_ok()
}

fn active(verified: &Verified) -> Result<Response, OauthError> {
    let claims = &verified.token.claims;
    let introspection = Introspection {
        active: true,
        scope: verified.roles.access.effective(&verified.token.scope).to_string(),
        client_id: &claims.client_id,
        token_type: "Bearer",
        exp: claims.exp,
        iat: claims.iat,
        sub: &claims.client_id,
        aud: &claims.aud,
        iss: &claims.iss,
        jti: &claims.jti,
    };
    let json = serde_json::to_string(&introspection).map_err(|_| OauthError::internal())?;
    Ok(json_response(StatusCode::OK, json))
}

fn inactive() -> Response {
    json_response(StatusCode::OK, r#"{"active":false}"#.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::domain::access::AccessTable;
    use crate::domain::name::Name;
    use crate::domain::role::{Role, RoleId};
    use crate::domain::scope::Scope;

    #[test]
    fn the_effective_scope_is_what_scope_and_roles_have_in_common() {
        let effective = |grants: &str, scope: &str| {
            let role = Role {
                id: RoleId::new("role_1"),
                name: Name::parse("Role").expect("a name"),
                grants: grants.split(' ').map(|grant| grant.parse().expect("a grant")).collect(),
                filter: None,
                built_in: false,
            };
            AccessTable::compile([&role]).effective(&Scope::parse(scope).expect("a scope")).to_string()
        };
        assert_eq!(effective("entities:view audit:view", "entities:view"), "entities:view");
        assert_eq!(effective("entities:view", "entities:edit entities:view"), "entities:view");
        assert_eq!(effective("gateway/a*:view", "gateway/ab:view gateway/b:view"), "gateway/ab:view");
        assert_eq!(effective("gateway/ab:view entities:edit", "gateway/a*:view"), "gateway/ab:view");
        assert_eq!(effective("gateway/*:edit", "gateway/a*:edit"), "gateway/a*:edit");
        assert_eq!(effective("entities:edit", "entities:view"), "");
    }
}
