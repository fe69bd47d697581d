//! The middleware and the gate together, over small tables.

use std::{net::SocketAddr, sync::Arc};

use axum::{body::Body, response::Response};
use http::{Method, Request, StatusCode, Version, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    context::{Connection, Cut},
    gate::{Caller, Permission},
    parameters::Segment,
    problem::Problem,
    route::{Route, RouteTable, console_only, get, post},
    service::Service,
    surface::Surface,
};
use crate::{
    ambient::{Clock, Randomness},
    app::App,
    config::Config,
    crypto::keyring::Keyring,
    store::{Store, StoreSettings},
};

async fn app() -> (TempDir, Arc<App>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreSettings::Folder(folder.path().to_owned())).await.unwrap();
    let randomness = Randomness::system();
    let (keyring, _) = Keyring::generate(&randomness);
    let app = App::new(Config::local(folder.path()), store, Clock::system(), randomness, keyring);
    (folder, Arc::new(app))
}

async fn service(routes: Vec<Route>) -> (TempDir, Service) {
    let (folder, app) = app().await;
    (folder, Service::new(app, vec![RouteTable::new(Surface::Api, routes)], Arc::default()))
}

fn connection(operations: bool) -> Connection {
    Connection { peer: SocketAddr::from(([127, 0, 0, 1], 4711)), tls: false, operations, cut: Cut::default() }
}

fn request(method: Method, uri: &str) -> Request<Body> {
    Request::builder().method(method).uri(uri).header(header::HOST, "hub").body(Body::empty()).unwrap()
}

async fn problem(response: Response) -> (StatusCode, String) {
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let document: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(document["status"], status.as_u16());
    (status, document["type"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
}

fn greeting(path: &'static str) -> Route {
    get(path, Caller::Anyone, Permission::None, async |Segment(name): Segment| format!("hello {name}"))
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_the_hub() {
    let (_folder, service) = service(vec![greeting("/api/hello/{name}")]).await;
    let answer = service.answer(&connection(false), request(Method::GET, "/api/hello/a%2Fb")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    for name in
        ["x-request-id", "x-content-type-options", "referrer-policy", "content-security-policy", "cache-control"]
    {
        assert!(answer.headers().contains_key(name), "{name}");
    }
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello a/b");
}

#[tokio::test]
async fn ids_of_requests_differ_and_are_not_taken_from_the_caller() {
    let (_folder, service) = service(vec![greeting("/api/hello/{name}")]).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut sent = request(Method::GET, "/api/hello/x");
        sent.headers_mut().insert("x-request-id", "mine".parse().unwrap());
        let answer = service.answer(&connection(false), sent).await;
        ids.push(answer.headers()["x-request-id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
    assert!(!ids.contains(&"mine".parse().unwrap()));
}

#[tokio::test]
async fn an_unknown_path_is_404_and_an_unknown_method_405_with_allow() {
    let routes =
        vec![greeting("/api/hello/{name}"), post("/api/hello/{name}", Caller::Anyone, Permission::None, async || "")];
    let (_folder, service) = service(routes).await;
    let answer = service.answer(&connection(false), request(Method::GET, "/api/nothing")).await;
    assert_eq!(problem(answer).await, (StatusCode::NOT_FOUND, "unknown-path".into()));
    for method in [Method::DELETE, Method::TRACE, Method::from_bytes(b"BREW").unwrap()] {
        let answer = service.answer(&connection(false), request(method, "/api/hello/x")).await;
        assert_eq!(answer.headers()[header::ALLOW], "GET,HEAD,POST");
        assert_eq!(problem(answer).await, (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed".into()));
    }
}

#[tokio::test]
async fn head_has_no_body_even_when_refused() {
    let (_folder, service) = service(vec![greeting("/api/hello/{name}")]).await;
    for uri in ["/api/hello/x", "/api/nothing"] {
        let answer = service.answer(&connection(false), request(Method::HEAD, uri)).await;
        assert!(answer.into_body().collect().await.unwrap().to_bytes().is_empty(), "{uri}");
    }
}

#[tokio::test]
async fn a_panic_is_answered_with_500() {
    async fn fails() -> Result<(), Problem> {
        assert!(std::hint::black_box(false), "expected by this test");
        Ok(())
    }
    let (_folder, service) = service(vec![get("/api/fails", Caller::Anyone, Permission::None, fails)]).await;
    let answer = service.answer(&connection(false), request(Method::GET, "/api/fails")).await;
    assert_eq!(problem(answer).await, (StatusCode::INTERNAL_SERVER_ERROR, "internal-error".into()));
}

#[tokio::test]
async fn an_ambiguous_request_is_refused_and_its_connection_closed() {
    let (_folder, service) = service(vec![greeting("/api/hello/{name}")]).await;
    let mut sent = request(Method::GET, "/api/hello/x");
    sent.headers_mut().append(header::HOST, "other".parse().unwrap());
    let answer = service.answer(&connection(false), sent).await;
    assert_eq!(answer.headers()[header::CONNECTION], "close");
    assert_eq!(problem(answer).await, (StatusCode::BAD_REQUEST, "bad-request".into()));
    let mut sent = request(Method::GET, "http://hub/api/hello/x");
    *sent.version_mut() = Version::HTTP_11;
    let answer = service.answer(&connection(false), sent).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn without_a_token_nobody_gets_to_an_applications_route() {
    let routes = vec![
        get("/api/mine", Caller::Application, Permission::None, async || "reached"),
        console_only("/api/v1/roles"),
        get("/api/console", Caller::ConsoleUser, Permission::None, async || "reached"),
    ];
    let (_folder, service) = service(routes).await;
    for (method, uri) in [(Method::GET, "/api/mine"), (Method::PUT, "/api/v1/roles")] {
        let answer = service.answer(&connection(false), request(method, uri)).await;
        let challenge = answer.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("Bearer realm=") && !challenge.contains("error"), "{challenge}");
        assert_eq!(problem(answer).await, (StatusCode::UNAUTHORIZED, "token-missing".into()));
    }
    let answer = service.answer(&connection(false), request(Method::GET, "/api/console")).await;
    assert_eq!(problem(answer).await, (StatusCode::FORBIDDEN, "forbidden".into()));
}

#[tokio::test]
async fn a_token_in_the_query_is_refused_even_beside_a_header() {
    let (_folder, service) =
        service(vec![get("/api/mine", Caller::Application, Permission::None, async || "reached")]).await;
    let mut sent = request(Method::GET, "/api/mine?access_token=abc");
    sent.headers_mut().insert(header::AUTHORIZATION, "Bearer abc".parse().unwrap());
    let answer = service.answer(&connection(false), sent).await;
    assert!(answer.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().contains("invalid_request"));
    assert_eq!(problem(answer).await, (StatusCode::BAD_REQUEST, "bad-request".into()));
}

#[tokio::test]
async fn a_node_that_has_read_nothing_refuses_with_503() {
    let (_folder, service) =
        service(vec![get("/api/mine", Caller::Application, Permission::None, async || "reached")]).await;
    let mut sent = request(Method::GET, "/api/mine");
    sent.headers_mut().insert(header::AUTHORIZATION, "Bearer abc".parse().unwrap());
    let answer = service.answer(&connection(false), sent).await;
    assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
    assert_eq!(problem(answer).await, (StatusCode::SERVICE_UNAVAILABLE, "unavailable".into()));
}

#[tokio::test]
async fn operations_are_reached_on_their_own_listener_only() {
    let (_folder, service) =
        service(vec![get("/api/ops", Caller::Operations, Permission::None, async || "reached")]).await;
    let answer = service.answer(&connection(false), request(Method::GET, "/api/ops")).await;
    assert_eq!(problem(answer).await, (StatusCode::NOT_FOUND, "unknown-path".into()));
    let answer = service.answer(&connection(true), request(Method::GET, "/api/ops")).await;
    assert_eq!(answer.status(), StatusCode::OK);
}
