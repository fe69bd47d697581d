//! What reaches the hub as raw bytes: smuggling, doubled headers, other forms of the target.

use crate::support::{Connection, Hub, Request};

async fn status(hub: &Hub, raw: &str) -> u16 {
    hub.site.raw(raw.as_bytes()).await.map_or(0, |answer| answer.status)
}

#[tokio::test]
async fn hosts_and_targets_are_checked() {
    let hub = Hub::start().await;
    let host = hub.site.host();
    for (raw, wanted) in [
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), 200),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\nConnection: close\r\n\r\n"), 400),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 400),
        ("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(), 400),
        (format!("GET http://{host}/healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), 400),
        (format!("GET http://evil.example/healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), 400),
        (format!("GET healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), 400),
        (format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"), 400),
        (format!("GET /healthz HTTP/1.1\r\nHost : {host}\r\nConnection: close\r\n\r\n"), 400),
        (format!("GET /healthz\0 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), 400),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-A: b\r\n folded\r\nConnection: close\r\n\r\n"), 400),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-A: a\0b\r\nConnection: close\r\n\r\n"), 400),
    ] {
        let got = status(&hub, &raw).await;
        let refused = wanted == 400 && (got == 0 || (400..500).contains(&got));
        assert!(got == wanted || refused, "{got} for {raw:?}");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused_everywhere() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let other = hub.application(&["Administrator"]).await;
    for target in
        ["/api/v1/whoami", "/api/v1/entities", "/metrics", "/healthz", "/oauth2/token", "/console/applications"]
    {
        for method in ["GET", "POST"] {
            let request = Request::new(method, target).bearer(&application.token).bearer(&other.token);
            assert_eq!(hub.site.ask(request).await.status, 400, "{method} {target}");
            let mixed =
                Request::new(method, target).bearer(&application.token).basic(&other.client_id, &other.client_secret);
            assert_eq!(hub.site.ask(mixed).await.status, 400, "{method} {target}");
        }
    }
}

#[tokio::test]
async fn a_length_beside_chunks_smuggles_nothing() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let host = hub.site.host();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        application.client_id, application.client_secret
    );
    let chunked = format!("{:x}\r\n{form}\r\n0\r\n\r\n", form.len());
    let hidden = format!("GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let both = ["Content-Length: LENGTH", "Transfer-Encoding: chunked"];
    for headers in [
        vec![both[0], both[1]],
        vec![both[1], both[0]],
        vec!["Content-Length: 5", "Content-Length: 6"],
        vec!["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        vec!["Transfer-Encoding: xchunked"],
        vec!["Transfer-Encoding: chunked, identity"],
        vec!["Transfer-Encoding : chunked", "Content-Length: LENGTH"],
        vec!["Content-Length: +5"],
        vec!["Content-Length: 0x5"],
    ] {
        let lines = headers.join("\r\n").replace("LENGTH", &(chunked.len()).to_string());
        let raw = format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n{lines}\r\n\r\n\
             {chunked}{hidden}"
        );
        let mut connection = Connection::open(hub.site.address).await.expect("the hub listens");
        connection.send(raw.as_bytes()).await.expect("sent");
        let mut statuses = Vec::new();
        while let Ok(answer) = connection.answer(false).await {
            statuses.push(answer.status);
            if connection.closed || statuses.len() > 3 {
                break;
            }
        }
        // Refused, or read as chunks with the connection closed after it; never a second request out of the body.
        let first = statuses.first().copied().unwrap_or(0);
        assert!(
            first == 0 || (400..500).contains(&first) || (first == 200 && connection.closed),
            "{headers:?}: {statuses:?}"
        );
        assert!(statuses.len() <= 1, "{headers:?}: {statuses:?}");
    }
    let lone = format!("POST /oauth2/token HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}");
    assert_ne!(status(&hub, &lone).await, 200);
}

#[tokio::test]
async fn unknown_paths_and_methods_say_so() {
    let hub = Hub::start().await;
    let unknown = hub.site.get("/api/v1/nothing").await;
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "unknown-path"));
    for target in [
        "/api/v1/whoami/",
        "/API/v1/whoami",
        "/api/v1//whoami",
        "/api/v1/./whoami",
        "/api/v1/x/../whoami",
        "/%61pi/v1/whoami",
    ] {
        let answer = hub.site.get(target).await;
        assert!(matches!(answer.status, 400 | 401 | 404), "{target}: {}", answer.status);
        assert_ne!(answer.status, 200);
    }
    let method = hub.site.ask(Request::new("DELETE", "/healthz")).await;
    assert_eq!(method.status, 405);
    assert!(method.header("allow").is_some_and(|allow| allow.contains("GET")), "{method:?}");
    for target in ["/healthz", "/api/v1/whoami", "/oauth2/token", "/console/applications"] {
        for strange in ["TRACE", "TRACK", "PROPFIND", "get", "A"] {
            let answer = hub.site.ask(Request::new(strange, target)).await;
            assert!((400..500).contains(&answer.status), "{strange} {target}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_it() {
    let hub = Hub::start().await;
    for target in [
        "/healthz",
        "/api/v1/whoami",
        "/oauth2/jwks",
        "/oauth2/token",
        "/console/sign-in",
        "/nothing",
        "/api/openapi.json",
    ] {
        let answer = hub.site.get(target).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
        assert!(answer.header("referrer-policy").is_some(), "{target}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{target}: {policy}"
        );
        assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "{target}: {policy}");
        assert!(answer.header("x-request-id").is_some_and(|id| id.len() >= 8), "{target}");
        assert!(answer.header("server").is_none() && answer.header("x-powered-by").is_none(), "{target}");
    }
    let given = hub.site.ask(Request::get("/healthz").header("X-Request-Id", "mine")).await;
    assert_ne!(given.header("x-request-id"), Some("mine"));
}

#[tokio::test]
async fn the_issuer_never_comes_from_the_host_header() {
    let hub = Hub::start().await;
    for target in ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource", "/api/v1/whoami"]
    {
        let request = Request::get(target)
            .header("Host", "evil.example")
            .header("X-Forwarded-Host", "evil.example")
            .header("Forwarded", "host=evil.example")
            .header("X-Forwarded-Proto", "https");
        let answer = hub.site.ask(request).await;
        assert!(!answer.everything().contains("evil.example"), "{target}: {answer:?}");
    }
}

#[tokio::test]
async fn forwarded_addresses_count_only_behind_a_proxy() {
    let hub = Hub::start().await;
    let inside = hub.application_in(&["Operator"], &["192.0.2.0/24"]).await;
    for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP"] {
        let value = if name == "Forwarded" { "for=192.0.2.7" } else { "192.0.2.7" };
        let request = Request::post("/oauth2/token")
            .basic(&inside.client_id, &inside.client_secret)
            .header(name, value)
            .form(&[("grant_type", "client_credentials")]);
        assert_eq!(hub.site.ask(request).await.status, 401, "{name} is believed");
    }
}

#[tokio::test]
async fn a_large_head_or_body_is_refused_and_the_hub_lives() {
    let hub = Hub::start().await;
    let host = hub.site.host();
    let many: String = (0..2_000).map(|number| format!("X-{number}: {number}\r\n")).collect();
    let long = "a".repeat(200_000);
    for raw in [
        format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n{many}\r\n"),
        format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-Long: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        format!("POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999999999999999\r\n\r\n"),
        format!("POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n"),
    ] {
        let got = status(&hub, &raw).await;
        assert!(got == 0 || (400..500).contains(&got), "{got}");
    }
    hub.site.get("/healthz").await.expect(200);
}
