//! The OAuth documentation page: this hub's real addresses, and commands to paste.

use super::frame::{Frame, Section};
use super::session::SignedIn;
use super::snippet::{self, Snippet};
use super::{answer, words};
use crate::app::{App, LiveGateway};
use crate::domain::access::decide_for_person;
use crate::domain::grant::Action;
use crate::domain::resource::SecurityResource;
use crate::http::gate::GATEWAYS;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// An endpoint of this hub.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) what: &'static str,
    pub(crate) address: String,
    pub(crate) standard: &'static str,
}

/// A gateway that the reader may use, with what a caller needs.
#[derive(Clone, Debug)]
pub(crate) struct GatewayLine {
    pub(crate) name: String,
    /// Of its address, of the `resource` of tokens for it alone (RFC 8707), and the end of that of its metadata (RFC 9728).
    pub(crate) path: String,
}

/// An error that an application can get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorLine {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) cause: &'static str,
    pub(crate) remedy: &'static str,
}

/// The page.
#[derive(Template)]
#[template(path = "documentation.html")]
pub(crate) struct DocumentationPage {
    frame: Frame,
    token_lifetime: String,
    snippets: Vec<Snippet>,
    revoke: Snippet,
    endpoints: Vec<Endpoint>,
    public_url: String,
    gateways: Vec<GatewayLine>,
    /// Each with what it allows.
    scopes: [(&'static str, &'static str); 9],
    errors: [ErrorLine; 10],
}

/// `GET /console/documentation`.
pub(crate) async fn show(State(app): State<Arc<App>>, Extension(signed_in): Extension<Arc<SignedIn>>) -> Response {
    let frame = signed_in.frame(Section::Documentation);
    let lifetime = words::duration(app.config.token.lifetime);
    let gateways = gateways(&app, &signed_in);
    let page = DocumentationPage::new(frame, app.config.public_url.as_str(), lifetime, gateways);
    answer::page(StatusCode::OK, &page)
}

/// Those that this person may view, by name: their data, or their settings.
fn gateways(app: &App, signed_in: &SignedIn) -> Vec<GatewayLine> {
    let sees_all = signed_in.may(SecurityResource::Gateways, Action::View);
    let sees = |live: &Arc<LiveGateway>| {
        sees_all || decide_for_person(&signed_in.access, &live.gateway.resource(), Action::View).is_ok()
    };
    let mut names: Vec<String> = app.snapshot.all_gateways().iter().filter(|live| sees(live)).map(named).collect();
    names.sort_unstable();
    names.into_iter().map(GatewayLine::new).collect()
}

fn named(live: &Arc<LiveGateway>) -> String {
    live.gateway.name.as_str().to_owned()
}

impl GatewayLine {
    fn new(name: String) -> Self {
        Self { path: format!("{GATEWAYS}{name}"), name }
    }
}

impl DocumentationPage {
    /// The page of the hub at `public_url`, which has no slash at its end.
    pub(crate) fn new(frame: Frame, public_url: &str, token_lifetime: String, gateways: Vec<GatewayLine>) -> Self {
        let endpoint = |what, path: &str, standard| Endpoint { what, address: format!("{public_url}{path}"), standard };
        Self {
            frame,
            token_lifetime,
            snippets: snippet::all(public_url),
            revoke: snippet::revoke(public_url),
            endpoints: vec![
                endpoint("Metadata", "/.well-known/oauth-authorization-server", "RFC 8414"),
                endpoint("Token", "/oauth2/token", "RFC 6749 §4.4"),
                endpoint("Introspection", "/oauth2/introspect", "RFC 7662"),
                endpoint("Revocation", "/oauth2/revoke", "RFC 7009"),
                endpoint("Signing keys", "/oauth2/jwks", "RFC 7517"),
                endpoint("Protected resource", "/.well-known/oauth-protected-resource", "RFC 9728"),
                endpoint("Hub API: who am I", "/api/v1/whoami", ""),
                endpoint("Hub API: entities", "/api/v1/entities", ""),
                endpoint("Hub API: description", "/api/openapi.json", "OpenAPI 3.1"),
            ],
            public_url: public_url.to_owned(),
            gateways,
            scopes: SCOPES,
            errors: ERRORS,
        }
    }
}

const SCOPES: [(&str, &str); 9] = [
    ("entities:view", "Reading entities, their attributes and summaries, in the rows that the roles reach."),
    ("entities:edit", "Creating, changing and deleting entities, in the rows that the roles reach."),
    ("gateway/NAME:view", "Reading from the connected service NAME; a role may name many at once, as gateway/PREFIX*."),
    ("gateway/NAME:edit", "Changing things in the connected service NAME."),
    ("applications:view", "Seeing which applications have a key, without any secret."),
    ("roles:view", "Seeing the roles and what they allow."),
    ("audit:view", "Reading the audit log."),
    ("metrics:view", "Reading the hub's metrics."),
    ("introspection:view", "Asking about other applications' tokens (RFC 7662)."),
];

const ERRORS: [ErrorLine; 10] = [
    error(
        400,
        "invalid_request",
        "Malformed: a parameter twice, credentials in the address, Basic and body together.",
        "Mend the request; error_description says how.",
    ),
    error(
        400,
        "unsupported_grant_type",
        "Another grant than client_credentials.",
        "Send grant_type=client_credentials.",
    ),
    error(
        400,
        "invalid_scope",
        "A scope that the roles do not give.",
        "Ask for less, or ask an administrator for a role.",
    ),
    error(
        401,
        "invalid_client",
        "The key is wrong, expired, disabled or deleted, or not allowed from that network: the \
        answer is the same for all.",
        "Look for a copying mistake, then ask an administrator.",
    ),
    error(
        401,
        "invalid_token",
        "The token has expired or was revoked, or its key or secret has ended.",
        "Get a new token once. If that fails, the key is dead.",
    ),
    error(
        403,
        "insufficient_scope",
        "The token's scope or the roles do not allow it.",
        "Ask for the scope that the answer names, or for a role.",
    ),
    error(403, "console-only", "A security setting, which no token can change.", "Use the Web Console."),
    error(
        404,
        "not-found",
        "It is not there, or the roles do not show it.",
        "Check the id; ask for a role that sees it.",
    ),
    error(
        429,
        "invalid_client",
        "Too many failed attempts from your address.",
        "Wait as Retry-After says. Correct credentials are never refused for it.",
    ),
    error(503, "temporarily_unavailable", "This node can't decide at the moment.", "Try again as Retry-After says."),
];

const fn error(status: u16, code: &'static str, cause: &'static str, remedy: &'static str) -> ErrorLine {
    ErrorLine { status, code, cause, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn it_shows_this_hubs_addresses() {
        let frame = Frame::sample(Section::Documentation);
        let gateways = vec![GatewayLine::new("shop".into())];
        let page = DocumentationPage::new(frame, "https://hub.example", "10 minutes".into(), gateways);
        let html = page.render().expect("renders");
        assert!(html.contains("https://hub.example/oauth2/token"));
        assert!(html.contains("https://hub.example/.well-known/oauth-authorization-server"));
        assert!(html.contains("oauth-protected-resource<wbr>/gateways/shop<"));
        assert!(!html.contains("<script>alert"));
    }
}
