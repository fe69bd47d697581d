//! The routes of the authorization server.

use axum::response::{IntoResponse as _, Response};
use utoipa::ToSchema;

use super::error::OauthError;
use super::{introspect, jwks, metadata, revoke, token};
use crate::app::App;
use crate::http::document::{Documentation, operation};
use crate::http::gate::{Caller, Permission};
use crate::http::problem::Problem;
use crate::http::route::{RouteTable, get, post};
use crate::http::surface::Surface;

/// Where tokens are issued.
pub const TOKEN: &str = "/oauth2/token";
/// Where tokens are asked about.
pub const INTROSPECT: &str = "/oauth2/introspect";
/// Where tokens are ended.
pub const REVOKE: &str = "/oauth2/revoke";
/// Where the public keys are.
pub const JWKS: &str = "/oauth2/jwks";
/// Where the public key of the assertions for upstreams is.
pub const ASSERTION_JWKS: &str = "/.well-known/gateway-assertion-jwks";
/// RFC 8414.
pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
/// RFC 9728.
pub const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";
const GATEWAY_RESOURCE: &str = "/.well-known/oauth-protected-resource/gateways/{name}";

/// Every route of the surface.
#[must_use]
pub fn table() -> RouteTable {
    let (anyone, client, none) = (Caller::Anyone, Caller::Client, Permission::None);
    let routes = vec![
        // with an API key
        post(TOKEN, client, none.clone(), token::issue).documented(token_documentation()),
        post(INTROSPECT, client, none.clone(), introspect::show).documented(introspect_documentation()),
        post(REVOKE, client, none.clone(), revoke::revoke).documented(revoke_documentation()),
        // for everybody
        get(JWKS, anyone, none.clone(), jwks::show).documented(jwks_documentation()),
        get(ASSERTION_JWKS, anyone, none.clone(), jwks::show_assertion).documented(assertion_jwks_documentation()),
        get(AUTHORIZATION_SERVER, anyone, none.clone(), metadata::authorization_server)
            .documented(authorization_server_documentation()),
        get(PROTECTED_RESOURCE, anyone, none.clone(), metadata::protected_resource)
            .documented(protected_resource_documentation()),
        get(GATEWAY_RESOURCE, anyone, none, metadata::gateway).documented(gateway_documentation()),
    ];
    RouteTable::new(Surface::OAuth, routes).rescued_by(rescue)
}

/// Problems that arise outside of the handlers, in the language of OAuth.
fn rescue(_: &App, problem: &Problem) -> Response {
    OauthError::of_problem(problem).into_response()
}

/// The form of a token request (RFC 6749 §4.4.2, RFC 8707 §2).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form in the OpenAPI document; the form itself is read by hand")]
pub struct TokenRequest {
    /// `client_credentials`.
    grant_type: String,
    /// Scopes separated by spaces; left out for all that the roles give.
    scope: Option<String>,
    /// Where the token should be good; left out for everywhere.
    resource: Option<String>,
    /// With HTTP Basic left out.
    client_id: Option<String>,
    /// With HTTP Basic left out.
    client_secret: Option<String>,
}

/// A token (RFC 6749 §5.1).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document; it is written by hand, being the hot path")]
pub struct TokenAnswer {
    /// The token: a JWT as RFC 9068 says.
    access_token: String,
    /// `Bearer`.
    token_type: String,
    /// Its lifetime in seconds.
    expires_in: u64,
    /// What it allows.
    scope: String,
}

/// The form of introspection and revocation (RFC 7662 §2.1, RFC 7009 §2.1).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form in the OpenAPI document; the form itself is read by hand")]
pub struct TokenForm {
    /// The token.
    token: String,
    /// With HTTP Basic left out.
    client_id: Option<String>,
    /// With HTTP Basic left out.
    client_secret: Option<String>,
}

/// An OAuth error (RFC 6749 §5.2).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ErrorAnswer {
    /// The error code.
    error: String,
    /// What is wrong, for people.
    error_description: String,
}

const FORM: &str = "application/x-www-form-urlencoded";

fn with_api_key(summary: &str) -> Documentation {
    operation(summary)
        .answers::<ErrorAnswer>(400, "The request is malformed, or asks for more than the roles give.")
        .answers::<ErrorAnswer>(401, "The client_id and client_secret are not right, or this API key can't be used.")
        .answers::<ErrorAnswer>(413, "The form is longer than 16 KiB.")
        .answers::<ErrorAnswer>(429, "Too many failures from this address; correct credentials are never refused.")
        .answers::<ErrorAnswer>(503, "This node has lost touch with its database.")
}

fn token_documentation() -> Documentation {
    with_api_key("Get an access token")
        .describe("The client credentials grant of RFC 6749 §4.4, with the client_id and client_secret as HTTP Basic or in the form.")
        .takes::<TokenRequest>(FORM)
        .answers::<TokenAnswer>(200, "The token.")
}

fn introspect_documentation() -> Documentation {
    with_api_key("Ask about a token")
        .describe("RFC 7662: own tokens, and with introspection:view those of others. Of any other token only that it is not active.")
        .takes::<TokenForm>(FORM)
        .answers::<introspect::Introspection<'_>>(200, "What the token is; only active, and false, for one that is not good.")
}

fn revoke_documentation() -> Documentation {
    with_api_key("End a token")
        .describe("RFC 7009: ends one of the application's own tokens at once, everywhere. Any other token is answered the same and left alone.")
        .takes::<TokenForm>(FORM)
        .answers_nothing(200, "The token is not good any more.")
}

fn jwks_documentation() -> Documentation {
    operation("The public keys of the access tokens").answers_text(200, "application/json", "A JWK set (RFC 7517).")
}

fn assertion_jwks_documentation() -> Documentation {
    operation("The public key of the assertions that services behind gateways get").answers_text(
        200,
        "application/json",
        "A JWK set (RFC 7517).",
    )
}

fn authorization_server_documentation() -> Documentation {
    operation("Metadata of the authorization server")
        .answers::<metadata::AuthorizationServer<'_>>(200, "The metadata (RFC 8414).")
}

fn protected_resource_documentation() -> Documentation {
    operation("Metadata of the hub as a protected resource")
        .answers::<metadata::ProtectedResource<'_>>(200, "The metadata (RFC 9728).")
}

fn gateway_documentation() -> Documentation {
    operation("Metadata of a gateway as a protected resource")
        .path("name", "The gateway's name.")
        .answers::<metadata::ProtectedResource<'_>>(200, "The metadata (RFC 9728).")
        .answers::<ErrorAnswer>(404, "There is no such gateway.")
}
