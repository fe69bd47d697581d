//! The Hub API through the middleware, as applications with tokens see it.

use std::{net::SocketAddr, sync::Arc};

use axum::body::Body;
use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    actions::{
        self, Actor,
        application::{NewApplication, create},
    },
    ambient::{Clock, Randomness},
    app::App,
    config::Config,
    crypto::token::Claims,
    domain::role::RoleId,
    http::{
        context::{Connection, Cut},
        service::Service,
    },
    server,
};

struct Hub {
    _folder: TempDir,
    app: Arc<App>,
    service: Service,
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Value,
}

impl Hub {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::local(folder.path());
        let app = actions::hub::open(config, Clock::system(), Randomness::system()).await.unwrap();
        app.bootstrap().await.unwrap();
        let counters = Arc::default();
        let service = Service::new(Arc::clone(&app), server::route_tables(&counters, &Arc::default()), counters);
        Self { _folder: folder, app, service }
    }

    async fn role(&self, name: &str, grants: &[&str], filter: Option<&str>) -> RoleId {
        let new = actions::role::RoleInput {
            name: name.to_owned(),
            grants: grants.iter().map(|&grant| grant.to_owned()).collect(),
            filter: filter.unwrap_or_default().to_owned(),
        };
        actions::role::create(&self.app, &Actor::operator(), &new).await.unwrap().id
    }

    /// An application with this role and a token for this scope (`None`: all that the role gives).
    async fn token(&self, name: &str, role: RoleId, scope: Option<&str>) -> String {
        let new = NewApplication { name: name.to_owned(), roles: vec![role], ..NewApplication::default() };
        let key = create(&self.app, &Actor::operator(), &new).await.unwrap();
        let client_id = key.client_id.to_string();
        let (cred, role_set) = self
            .app
            .snapshot
            .with_application(&client_id, |live| (live.secrets()[0].unwrap().id.to_string(), live.role_set))
            .unwrap();
        let now = self.app.clock.now().seconds();
        let full = self.app.snapshot.role_set(role_set).full_scope_text.clone();
        let claims = Claims {
            iss: self.app.issuer().to_owned(),
            client_id,
            aud: vec![self.app.issuer().to_owned()],
            iat: now,
            exp: now + 600,
            jti: self.app.randomness.id("jti"),
            scope: scope.map_or(full, ToOwned::to_owned),
            roles: Vec::new(),
            cred,
            seq: self.app.snapshot.seq(),
        };
        let keys = self.app.snapshot.keys();
        let key = keys.signing_key(self.app.clock.now(), self.app.config.token.algorithm).unwrap();
        key.sign(&claims, &self.app.randomness).unwrap()
    }

    async fn call(&self, method: Method, path: &str, token: &str) -> Answer {
        let connection = Connection {
            peer: SocketAddr::from(([127, 0, 0, 1], 4711)),
            tls: false,
            operations: false,
            cut: Cut::default(),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "hub")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        let response = self.service.answer(&connection, request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body)));
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, token).await
    }
}

fn operator() -> RoleId {
    RoleId::new(RoleId::OPERATOR)
}

#[tokio::test]
async fn whoami_shows_what_scope_and_roles_allow_together() {
    let hub = Hub::start().await;
    let filter = "user.department = \"fx\"";
    let role = hub.role("FX", &["entities:view", "entities:edit", "gateway/prom*:view"], Some(filter)).await;
    let token = hub.token("desk", role, Some("entities:view gateway/prom-1:view")).await;
    let answer = hub.get("/api/v1/whoami", &token).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["name"], "desk");
    assert_eq!(answer.body["roles"], serde_json::json!(["FX"]));
    let view = answer.body["view"].as_array().unwrap();
    let resources: Vec<&str> = view.iter().map(|allowed| allowed["resource"].as_str().unwrap()).collect();
    assert_eq!(resources, ["entities", "gateway/prom-1"]);
    assert_eq!(view[0]["filters"].as_array().unwrap().len(), 1);
    assert_eq!(answer.body["edit"], serde_json::json!([]));
}

#[tokio::test]
async fn lists_are_paged_and_hold_no_secret() {
    let hub = Hub::start().await;
    let token = hub.token("b", operator(), None).await;
    for name in ["a", "c", "D"] {
        hub.token(name, operator(), None).await;
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/applications?limit=3".to_owned();
    loop {
        let page = hub.get(&path, &token).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for item in page.body["items"].as_array().unwrap() {
            assert_eq!(item["roles"], serde_json::json!(["Operator"]));
            assert_eq!(item["status"], "active");
            names.push(item["name"].as_str().unwrap().to_owned());
        }
        assert!(!page.body.to_string().contains("hash"));
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        path = format!("/api/v1/applications?limit=3&cursor={cursor}");
    }
    assert_eq!(names, ["a", "b", "c", "D"]);
    let client_id = hub.get("/api/v1/whoami", &token).await.body["client_id"].as_str().unwrap().to_owned();
    let one = hub.get(&format!("/api/v1/applications/{client_id}"), &token).await;
    assert_eq!((one.status, &one.body["name"]), (200, &Value::from("b")));
    assert_eq!(hub.get("/api/v1/applications/gh_0000000000000000000000", &token).await.status, 404);
    assert_eq!(hub.get("/api/v1/applications/x", &token).await.status, 404);
}

#[tokio::test]
async fn roles_and_the_audit_log_are_read_only() {
    let hub = Hub::start().await;
    let token = hub.token("reader", operator(), None).await;
    let roles = hub.get("/api/v1/roles?limit=1", &token).await;
    assert_eq!(roles.body["items"][0]["id"], RoleId::ADMINISTRATOR);
    let next = roles.body["next_cursor"].as_str().unwrap();
    let rest = hub.get(&format!("/api/v1/roles?cursor={next}"), &token).await;
    assert_eq!(rest.body["items"][0]["name"], "Operator");
    assert_eq!(rest.body["next_cursor"], Value::Null);
    assert_eq!(hub.get("/api/v1/roles/role_operator", &token).await.body["built_in"], true);
    assert_eq!(hub.get("/api/v1/roles/none", &token).await.status, 404);
    let audit = hub.get("/api/v1/audit?limit=1", &token).await;
    assert_eq!(audit.body["items"][0]["action"], "application.create");
    assert_eq!(audit.body["items"][0]["target"]["name"], "reader");
    assert!(audit.body["items"][0]["after"].is_object());
    let older = hub.get(&format!("/api/v1/audit?cursor={}", audit.body["next_cursor"].as_str().unwrap()), &token).await;
    assert_eq!(older.body["items"][0]["action"], "hub.initialise");
}

#[tokio::test]
async fn security_state_is_changed_in_the_console_only() {
    let hub = Hub::start().await;
    let token = hub.token("admin", RoleId::new(RoleId::ADMINISTRATOR), None).await;
    let paths = [
        "applications",
        "applications/x",
        "applications/x/y/z",
        "roles/x",
        "users",
        "users/x",
        "gateways/x/y",
        "settings",
        "audit/1",
    ];
    for path in paths {
        let query = Method::from_bytes(b"QUERY").unwrap();
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, query] {
            let answer = hub.call(method.clone(), &format!("/api/v1/{path}"), &token).await;
            assert_eq!(answer.status, 403, "{method} {path}");
            assert!(answer.body["type"].as_str().unwrap().ends_with("/problems/console-only"), "{method} {path}");
            assert!(answer.body["detail"].as_str().unwrap().contains("Web Console"));
        }
    }
}

#[tokio::test]
async fn a_missing_grant_is_named_with_the_scope_that_would_do() {
    let hub = Hub::start().await;
    let role = hub.role("Nothing much", &["entities:view"], None).await;
    let token = hub.token("small", role, None).await;
    for (path, scope) in [("applications", "applications:view"), ("roles", "roles:view"), ("audit", "audit:view")] {
        let answer = hub.get(&format!("/api/v1/{path}"), &token).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.body["scope"], scope);
        let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
        assert!(
            challenge.contains("error=\"insufficient_scope\"") && challenge.contains(&format!("scope=\"{scope}\""))
        );
    }
    let answer = hub.get("/metrics", &token).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let hub = Hub::start().await;
    let token = hub.token("reader", operator(), None).await;
    for (query, parameter) in
        [("limit=0", "limit"), ("limt=1", "limt"), ("cursor=~", "cursor"), ("limit=1&limit=2", "limit")]
    {
        for path in ["applications", "roles", "audit"] {
            let answer = hub.get(&format!("/api/v1/{path}?{query}"), &token).await;
            assert_eq!((answer.status, answer.body["parameter"].as_str()), (400, Some(parameter)), "{path}?{query}");
        }
    }
    assert_eq!(hub.get("/api/v1/audit?cursor=YWJj", &token).await.status, 400);
}

#[tokio::test]
async fn health_metrics_and_the_document_answer() {
    let hub = Hub::start().await;
    let token = hub.token("scraper", operator(), None).await;
    assert_eq!(hub.get("/healthz", "").await.status, 200);
    assert_eq!(hub.get("/readyz", "").await.status, 200);
    let metrics = hub.get("/metrics", &token).await;
    let text = metrics.body.as_str().unwrap();
    assert!(text.contains("gateway_hub_applications 1\n") && text.ends_with("# EOF\n"), "{text}");
    let document = hub.get("/api/openapi.json", "").await;
    assert_eq!(document.body["openapi"], "3.1.0");
    assert_eq!(document.body["servers"][0]["url"], hub.app.issuer());
    let page = hub.get("/problems/console-only", "").await;
    assert_eq!(page.headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
}

#[tokio::test]
async fn a_deleted_application_is_refused_at_once() {
    let hub = Hub::start().await;
    let token = hub.token("gone", operator(), None).await;
    let whoami = hub.get("/api/v1/whoami", &token).await;
    let client_id = whoami.body["client_id"].as_str().unwrap();
    let client_id = crate::domain::application::ClientId::parse(client_id).unwrap();
    actions::application::delete(&hub.app, &Actor::operator(), &client_id).await.unwrap();
    let answer = hub.get("/api/v1/whoami", &token).await;
    assert_eq!(answer.status, 401);
    assert!(answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap().contains("error=\"invalid_token\""));
}
