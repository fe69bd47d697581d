//! The OAuth documentation page: this hub's real addresses, and commands to paste.

use super::frame::{Frame, Section};
use super::session::SignedIn;
use super::{answer, words};
use crate::app::App;
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

/// The page.
#[derive(Template)]
#[template(path = "documentation.html")]
pub(crate) struct DocumentationPage {
    frame: Frame,
    token_lifetime: String,
    token_snippet: String,
    call_snippet: String,
    revoke_snippet: String,
    endpoints: Vec<Endpoint>,
}

/// `GET /console/documentation`.
pub(crate) async fn show(State(app): State<Arc<App>>, Extension(signed_in): Extension<Arc<SignedIn>>) -> Response {
    let frame = signed_in.frame(Section::Documentation);
    let lifetime = words::duration(app.config.token.lifetime);
    answer::page(StatusCode::OK, &DocumentationPage::new(frame, app.config.public_url.as_str(), lifetime))
}

impl DocumentationPage {
    /// The page of the hub at `public_url`, which has no slash at its end.
    pub(crate) fn new(frame: Frame, public_url: &str, token_lifetime: String) -> Self {
        let endpoint = |what, path: &str, standard| Endpoint { what, address: format!("{public_url}{path}"), standard };
        Self {
            frame,
            token_lifetime,
            token_snippet: format!(
                "curl -u \"$CLIENT_ID:$CLIENT_SECRET\" \\\n     -d grant_type=client_credentials \\\n     {public_url}/oauth2/token"
            ),
            call_snippet: format!("curl -H \"Authorization: Bearer $TOKEN\" \\\n     {public_url}/api/v1/entities"),
            revoke_snippet: format!(
                "curl -u \"$CLIENT_ID:$CLIENT_SECRET\" \\\n     -d \"token=$TOKEN\" \\\n     {public_url}/oauth2/revoke"
            ),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn it_shows_this_hubs_addresses() {
        let frame = Frame::sample(Section::Documentation);
        let page = DocumentationPage::new(frame, "https://hub.example", "10 minutes".into());
        let html = page.render().expect("renders");
        assert!(html.contains("https://hub.example/oauth2/token"));
        assert!(html.contains("https://hub.example/.well-known/oauth-authorization-server"));
        assert!(!html.contains("<script>alert"));
    }
}
