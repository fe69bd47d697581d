//! `GET /api/openapi.json`: OpenAPI 3.1, made from the route tables, so that it can't drift from them.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths, RefOr, SecurityRequirement, Server,
    path::OperationBuilder,
    schema::Schema,
    security::{ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme},
};

use crate::{
    app::App,
    http::{
        document::{self, PROBLEM},
        gate::{Caller, Permission},
        problem::Problem,
        route::Route,
    },
};

/// The name of the security scheme of access tokens.
const ACCESS_TOKEN: &str = "access_token";
/// The name of the security scheme of API keys at the token endpoint.
const API_KEY: &str = "api_key";

/// The document, written once, when it is first asked for.
#[derive(Default)]
pub(super) struct Document {
    paths: OnceLock<(Paths, BTreeMap<String, RefOr<Schema>>)>,
    text: OnceLock<Option<Bytes>>,
}

impl Document {
    /// Takes the routes in; called once, when all tables are known.
    pub(super) fn describe<'a>(&self, routes: impl IntoIterator<Item = &'a Route>) {
        let mut paths = Paths::new();
        let mut schemas: BTreeMap<String, RefOr<Schema>> = BTreeMap::new();
        for route in routes {
            let Some(documentation) = &route.documentation else { continue };
            schemas.extend(documentation.schemas().iter().cloned());
            for name in &route.methods {
                let Some(method) = document::method(name) else { continue };
                let mut operation = OperationBuilder::from(documentation.operation())
                    .operation_id(Some(operation_id(name, route.path)))
                    .tag(tag(route.path));
                if let Some((scheme, scopes)) = security(route) {
                    operation = operation.security(SecurityRequirement::new(scheme, scopes));
                }
                paths.add_path_operation(template(route.path), vec![method], operation.build());
            }
        }
        // Described once; a second call would change nothing.
        let _ = self.paths.set((paths, schemas));
    }

    fn build(&self, public_url: &str) -> OpenApi {
        let (paths, schemas) = self.paths.get().cloned().unwrap_or_default();
        let token_url = format!("{public_url}/oauth2/token");
        let flow = Flow::ClientCredentials(ClientCredentials::new(token_url, Scopes::new()));
        let mut components = ComponentsBuilder::new()
            .schema(PROBLEM, document::problem_schema())
            .security_scheme(
                ACCESS_TOKEN,
                SecurityScheme::OAuth2(OAuth2::with_description(
                    [flow],
                    "An access token, as Authorization: Bearer TOKEN.",
                )),
            )
            .security_scheme(
                API_KEY,
                SecurityScheme::Http(
                    HttpBuilder::new()
                        .scheme(HttpAuthScheme::Basic)
                        .description(Some("client_id and client_secret; both may stand in the form body instead."))
                        .build(),
                ),
            );
        for (name, schema) in schemas {
            components = components.schema(name, schema);
        }
        let info = InfoBuilder::new()
            .title("Gateway Hub")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some("External applications reach an organisation's data with OAuth 2.0: get an access token for an API key, then view and edit what its roles allow."));
        OpenApiBuilder::new()
            .info(info)
            .servers(Some([Server::new(public_url)]))
            .paths(paths)
            .components(Some(components.build()))
            .build()
    }

    /// The answer.
    pub(super) fn answer(&self, app: &App) -> Response {
        let text = self.text.get_or_init(|| self.build(app.config.public_url.as_str()).to_json().ok().map(Bytes::from));
        match text {
            Some(text) => (
                [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")],
                text.clone(),
            )
                .into_response(),
            None => Problem::internal().into_response(),
        }
    }
}

/// A name for generated clients: `get_api_v1_entities_id`.
fn operation_id(method: &http::Method, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let id = words.fold(method.as_str().to_ascii_lowercase(), |id, word| id + "_" + word);
    // With and without a last slash are two paths.
    if path.ends_with('/') && path.len() > 1 { id + "_" } else { id }
}

/// What a route is about: the word that readers look for.
fn tag(path: &str) -> &str {
    let mut words = path.trim_start_matches('/').split('/').filter(|word| !matches!(*word, "api" | "v1"));
    match words.next().unwrap_or_default() {
        "oauth2" | ".well-known" => "authorization server",
        "healthz" | "readyz" | "metrics" => "operations",
        "openapi.json" | "problems" => "about",
        noun => noun,
    }
}

/// OpenAPI knows no wildcard segments: `{*rest}` is shown as `{rest}`.
pub(super) fn template(path: &str) -> String {
    path.replace("{*", "{")
}

fn security(route: &Route) -> Option<(&'static str, Vec<String>)> {
    match route.caller {
        Caller::Application => {
            let scopes = match &route.permission {
                Permission::View(resource) => vec![format!("{resource}:view")],
                Permission::Edit(resource) => vec![format!("{resource}:edit")],
                Permission::None | Permission::ByHandler | Permission::ConsoleOnly => Vec::new(),
            };
            Some((ACCESS_TOKEN, scopes))
        }
        Caller::Client => Some((API_KEY, Vec::new())),
        Caller::Anyone | Caller::ConsoleUser | Caller::Operations => None,
    }
}

/// The handler of the route, over the document of its table.
pub(super) fn show(document: Arc<Document>) -> impl Fn(&App) -> Response + Clone + Send + Sync + 'static {
    move |app| document.answer(app)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::{api::routes, server};

    /// Method and path of every route that the document must cover.
    fn expected() -> BTreeSet<(String, String)> {
        use crate::http::surface::Surface;
        let covered = |surface| matches!(surface, Surface::OAuth | Surface::Api | Surface::Gateways | Surface::Other);
        let tables = server::route_tables(&Arc::default(), &Arc::default());
        let routes = tables.iter().filter(|table| covered(table.surface)).flat_map(|table| &table.routes);
        routes
            .flat_map(|route| route.methods.iter().map(|method| (method.as_str().to_lowercase(), template(route.path))))
            .collect()
    }

    #[test]
    fn every_route_is_in_the_document_and_the_reverse() {
        let tables = server::route_tables(&Arc::default(), &Arc::default());
        let document = Document::default();
        document.describe(tables.iter().flat_map(|table| &table.routes));
        let text = document.build("https://hub.example").to_json().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["openapi"], "3.1.0");
        let described: BTreeSet<(String, String)> = value["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| item.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())))
            .collect();
        assert_eq!(described, expected());
        let mut ids = BTreeSet::new();
        for (path, item) in value["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(
                    ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                    "{method} {path} has no id of its own"
                );
                assert!(operation["summary"].is_string(), "{method} {path} has no summary");
                assert!(
                    operation["responses"].as_object().is_some_and(|answers| !answers.is_empty()),
                    "{method} {path} has no answer"
                );
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = Document::default();
        let table = routes::table(&[], &Arc::default());
        document.describe(&table.routes);
        let text = document.build("https://hub.example").to_json().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        for reference in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(value["components"]["schemas"][reference].is_object(), "{reference} is missing");
        }
    }
}
