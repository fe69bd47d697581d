//! What the hub says about itself: `/.well-known/oauth-authorization-server` (RFC 8414) and
//! `/.well-known/oauth-protected-resource` (RFC 9728).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::OauthError;
use super::jwks::published;
use crate::app::App;
use crate::app::verifier::gateway_audience;
use crate::http::parameters::Segment;

/// Authorization server metadata (RFC 8414 §2).
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorizationServer<'a> {
    /// The public URL.
    pub issuer: &'a str,
    /// Where tokens are issued.
    pub token_endpoint: String,
    /// Where the public keys are.
    pub jwks_uri: String,
    /// Where tokens are asked about.
    pub introspection_endpoint: String,
    /// Where tokens are ended.
    pub revocation_endpoint: String,
    /// Only `client_credentials`; without this member clients would assume others.
    pub grant_types_supported: [&'a str; 1],
    /// None: there is no authorization endpoint.
    pub response_types_supported: [&'a str; 0],
    /// How a client may prove who it is at the token endpoint.
    pub token_endpoint_auth_methods_supported: [&'a str; 2],
    /// How a client may prove who it is at the introspection endpoint.
    pub introspection_endpoint_auth_methods_supported: [&'a str; 2],
    /// How a client may prove who it is at the revocation endpoint.
    pub revocation_endpoint_auth_methods_supported: [&'a str; 2],
    /// Scopes that every hub knows; those of gateways come on top.
    pub scopes_supported: &'a [&'a str],
}

/// Protected resource metadata (RFC 9728 §2).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProtectedResource<'a> {
    /// The public URL, as in `aud` and in the parameter `resource`.
    pub resource: &'a str,
    /// Who issues tokens for it.
    pub authorization_servers: [&'a str; 1],
    /// Tokens are accepted in the Authorization header only.
    pub bearer_methods_supported: [&'a str; 1],
    /// Scopes that every hub knows; those of gateways come on top.
    pub scopes_supported: &'a [&'a str],
    /// What people call it.
    pub resource_name: &'a str,
}

const AUTH_METHODS: [&str; 2] = ["client_secret_basic", "client_secret_post"];

/// Edit on a security resource is never a scope.
const SCOPES: [&str; 10] = [
    "entities:view",
    "entities:edit",
    "applications:view",
    "roles:view",
    "users:view",
    "gateways:view",
    "settings:view",
    "audit:view",
    "metrics:view",
    "introspection:view",
];

/// Answers with the metadata of the authorization server.
///
/// # Errors
/// None in practice: the document always serialises.
pub async fn authorization_server(State(app): State<Arc<App>>) -> Result<Response, OauthError> {
    let url = &app.config.public_url;
    answer(&AuthorizationServer {
        issuer: url.as_str(),
        token_endpoint: url.join(super::routes::TOKEN),
        jwks_uri: url.join(super::routes::JWKS),
        introspection_endpoint: url.join(super::routes::INTROSPECT),
        revocation_endpoint: url.join(super::routes::REVOKE),
        grant_types_supported: ["client_credentials"],
        response_types_supported: [],
        token_endpoint_auth_methods_supported: AUTH_METHODS,
        introspection_endpoint_auth_methods_supported: AUTH_METHODS,
        revocation_endpoint_auth_methods_supported: AUTH_METHODS,
        scopes_supported: &SCOPES,
    })
}

/// Answers with the metadata of the hub as a resource.
///
/// # Errors
/// None in practice: the document always serialises.
pub async fn protected_resource(State(app): State<Arc<App>>) -> Result<Response, OauthError> {
    let issuer = app.issuer();
    answer(&ProtectedResource {
        resource: issuer,
        authorization_servers: [issuer],
        bearer_methods_supported: ["header"],
        scopes_supported: &SCOPES,
        resource_name: "Gateway Hub",
    })
}

/// Answers with the metadata of one gateway as a resource of its own (RFC 9728 §3.1, RFC 8707).
///
/// # Errors
/// 404 if there is none.
pub async fn gateway(State(app): State<Arc<App>>, Segment(name): Segment) -> Result<Response, OauthError> {
    let live = app.snapshot.gateway(&name).ok_or_else(OauthError::not_found)?;
    let resource = live.gateway.resource();
    let scopes = [format!("{resource}:view"), format!("{resource}:edit")];
    answer(&ProtectedResource {
        resource: &gateway_audience(app.issuer(), &name),
        authorization_servers: [app.issuer()],
        bearer_methods_supported: ["header"],
        scopes_supported: &scopes.each_ref().map(String::as_str),
        resource_name: &format!("Gateway {name}"),
    })
}

fn answer(document: &impl Serialize) -> Result<Response, OauthError> {
    serde_json::to_string(document).map(published).map_err(|_| OauthError::internal())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::Scope;

    #[test]
    fn the_announced_scopes_are_scopes() {
        let scope = Scope::parse(&SCOPES.join(" ")).expect("all of them");
        assert_eq!(scope.grants().len(), SCOPES.len());
    }
}
