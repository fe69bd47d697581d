//! `/gateways/NAME/…`: who gets through, to what, and what happens when the service behind does not play along.

use gateway_hub::actions::gateway::{CredentialInput, GatewayInput};

use crate::support::{Hub, Request, Upstream, upstream::ok};

#[tokio::test]
async fn a_granted_application_reaches_the_service() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("stock: 7").await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Operator"]).await;
    let answer = application.get("/gateways/shop/items/7?full=yes").await.expect(200);
    assert_eq!(answer.text(), "stock: 7");
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    let arrived = upstream.last();
    assert_eq!((arrived.method.as_str(), arrived.target.as_str()), ("GET", "/items/7?full=yes"));
    assert_eq!(arrived.header("host"), Some(upstream.address.to_string().as_str()));
    assert_eq!(arrived.header("x-gateway-hub-client-id"), Some(application.client_id.as_str()));
    for (target, arrives) in [("/gateways/shop", "/"), ("/gateways/shop/", "/"), ("/gateways/shop?a=b", "/?a=b")] {
        application.get(target).await.expect(200);
        assert_eq!(upstream.last().target, arrives, "{target}");
    }
}

#[tokio::test]
async fn the_address_has_a_path_of_its_own() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway_with("shop", &format!("{}/api/v2", upstream.url()), GatewayInput::default()).await;
    let application = hub.application(&["Operator"]).await;
    application.get("/gateways/shop/items").await.expect(200);
    assert_eq!(upstream.last().target, "/api/v2/items");
    application.get("/gateways/shop").await.expect(200);
    assert_eq!(upstream.last().target, "/api/v2/");
}

#[tokio::test]
async fn connections_are_used_again() {
    let (hub, upstream) = (Hub::start().await, Upstream::echo().await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Administrator"]).await;
    for round in 0..20 {
        let text = format!("body {round}");
        let post = Request::post("/gateways/shop/echo").body("text/plain", text.as_bytes());
        assert_eq!(application.ask(post).await.expect(200).text(), text);
        application.get("/gateways/shop/echo").await.expect(200);
        application.ask(Request::new("HEAD", "/gateways/shop/echo")).await.expect(200);
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn sec_23_methods_and_rules_tell_view_from_edit() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    let rules = ["POST /search/** = view", "GET /export = edit", "* /admin/** = refused"];
    let input = GatewayInput { path_rules: Some(rules.map(str::to_owned).to_vec()), ..GatewayInput::default() };
    hub.gateway_with("shop", &upstream.url(), input).await;
    hub.role("Viewer", &["gateway/shop:view"], None).await;
    hub.role("Editor", &["gateway/shop:edit"], None).await;
    let viewer = hub.application(&["Viewer"]).await;
    let editor = hub.application(&["Editor"]).await;
    for (method, path, view, edit) in [
        ("GET", "/items", 200, 403),
        ("HEAD", "/items", 200, 403),
        ("POST", "/items", 403, 200),
        ("PUT", "/items", 403, 200),
        ("PATCH", "/items", 403, 200),
        ("DELETE", "/items/7", 403, 200),
        ("OPTIONS", "/items", 403, 200),
        ("POST", "/search/x", 200, 403),
        ("POST", "/search/", 200, 403),
        ("POST", "/searching", 403, 200),
        ("GET", "/export", 403, 200),
        ("GET", "/export/", 403, 200),
        ("GET", "/%65xport", 403, 200),
        ("GET", "/admin", 403, 403),
        ("GET", "/admin/", 403, 403),
        ("GET", "/%61dmin/keys", 403, 403),
        ("POST", "/admin/keys", 403, 403),
        ("TRACE", "/items", 405, 405),
        ("CONNECT", "/items", 405, 405),
        ("PROPFIND", "/items", 405, 405),
    ] {
        let target = format!("/gateways/shop{path}");
        let before = upstream.seen().len();
        let seen = viewer.ask(Request::new(method, &target)).await.status;
        let edited = editor.ask(Request::new(method, &target)).await.status;
        assert_eq!((seen, edited), (view, edit), "{method} {path}");
        let passed = [view, edit].iter().filter(|status| **status == 200).count();
        assert_eq!(upstream.seen().len() - before, passed, "{method} {path}");
    }
}

#[tokio::test]
async fn sec_23_without_a_grant_nobody_learns_which_gateways_there_are() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    let rules = Some(vec!["GET /export = edit".to_owned(), "* /admin/** = refused".to_owned()]);
    hub.gateway_with("shop", &upstream.url(), GatewayInput { path_rules: rules, ..GatewayInput::default() }).await;
    hub.role("Stranger", &["gateway/other:view", "entities:view"], None).await;
    let stranger = hub.application(&["Stranger"]).await;
    for path in ["/items", "/export", "/admin/x", ""] {
        let there = stranger.get(&format!("/gateways/shop{path}")).await.expect(403);
        let not_there = stranger.get(&format!("/gateways/shoq{path}")).await.expect(403);
        assert_eq!(there.text().replace("shop", "shoq"), not_there.text());
    }
    let granted = stranger.get("/gateways/other/items").await.expect(404);
    assert_eq!(granted.json()["gateway"], "other");
    assert_eq!(hub.site.get("/gateways/shop/items").await.status, 401);
    assert_eq!(hub.site.get("/gateways/shoq/items").await.status, 401);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn sec_23_a_path_that_can_be_read_in_two_ways_is_refused() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Administrator"]).await;
    for path in [
        "/a%2Fb",
        "/a%2fb",
        "/a%5Cb",
        "/%2e%2e/console",
        "/a/%2E/b",
        "/a%252fb",
        "/..",
        "/../console",
        "/a/./b",
        "/a/..;/b",
        "//a",
        "/a//b",
        "/a\\b",
        "/a%00b",
        "/a%0ab",
        "/a%",
        "/a%zz",
        "/a%ff",
    ] {
        let status = application.get(&format!("/gateways/shop{path}")).await.status;
        assert_eq!(status, 400, "{path}");
    }
    let absolute = format!(
        "GET http://{0}/gateways/shop/a HTTP/1.1\r\nHost: {0}\r\nAuthorization: Bearer {1}\r\nConnection: close\r\n\r\n",
        hub.site.host(),
        application.token
    );
    assert_eq!(hub.site.raw(absolute.as_bytes()).await.expect("an answer").status, 400);
    for path in ["/gateways/%73hop/a", "/gateways/SHOP/a", "/gateways//a", "/gateways/../api/v1/whoami"] {
        let status = application.get(path).await.status;
        assert!(matches!(status, 400 | 403 | 404), "{path}: {status}");
    }
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn sec_27_a_filter_that_nobody_enforces_is_refused() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.role("Everything", &["gateway/shop:edit"], None).await;
    hub.role("Some", &["gateway/shop:view"], Some("user.department = fx")).await;
    let both = hub.application(&["Everything", "Some"]).await;
    let some = hub.application(&["Some"]).await;
    // Saving such a pair is refused; the request is, whatever was checked before.
    let input = GatewayInput { forward_filter: Some(true), ..GatewayInput::default() };
    hub.gateway_with("shop", &upstream.url(), input).await;
    hub.forget_forward_filter().await;
    for application in [&some, &both] {
        let answer = application.get("/gateways/shop/items").await.expect(403);
        assert!(
            answer.json()["type"].as_str().expect("a type").ends_with("/filter-unenforceable"),
            "{}",
            answer.text()
        );
    }
    assert!(upstream.seen().is_empty());
    both.ask(Request::new("DELETE", "/gateways/shop/items/1")).await.expect(200);
}

#[tokio::test]
async fn the_hub_proves_itself_and_a_refusal_of_that_is_502() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let upstream = Upstream::scripted(|mut stream, arrived| async move {
        let status = match arrived.target.as_str() {
            "/401" => "401 Unauthorized",
            "/403" => "403 Forbidden",
            "/407" => "407 Proxy Authentication Required",
            _ => "200 OK",
        };
        let answer = format!("HTTP/1.1 {status}\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nhi");
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.ok()?;
        Some(stream)
    })
    .await;
    let credential = |credential| GatewayInput { credential: Some(credential), ..GatewayInput::default() };
    hub.gateway_with("none", &upstream.url(), GatewayInput::default()).await;
    let bearer = CredentialInput::Bearer("upstream-token".to_owned().into());
    hub.gateway_with("bearer", &upstream.url(), credential(bearer)).await;
    let basic = CredentialInput::Basic { user: "hub".to_owned(), password: "pass".to_owned().into() };
    hub.gateway_with("basic", &upstream.url(), credential(basic)).await;
    for (gateway, wanted) in
        [("none", None), ("bearer", Some("Bearer upstream-token")), ("basic", Some("Basic aHViOnBhc3M="))]
    {
        application.get(&format!("/gateways/{gateway}/ok")).await.expect(200);
        assert_eq!(upstream.last().header("authorization"), wanted);
        for path in ["/401", "/407"] {
            let refused = application.get(&format!("/gateways/{gateway}{path}")).await.expect(502);
            assert_eq!(refused.header("www-authenticate"), None);
            assert_eq!(refused.json()["gateway"], gateway);
        }
        let forbidden = application.get(&format!("/gateways/{gateway}/403")).await;
        assert_eq!(forbidden.status, if wanted.is_some() { 502 } else { 403 }, "{gateway}");
    }
}

#[tokio::test]
async fn bodies_have_their_limit() {
    let (hub, upstream) = (Hub::start().await, Upstream::echo().await);
    let input = GatewayInput { body_limit: Some(10), ..GatewayInput::default() };
    hub.gateway_with("shop", &upstream.url(), input).await;
    let application = hub.application(&["Administrator"]).await;
    let post = |body: &'static str| Request::post("/gateways/shop/x").body("text/plain", body.as_bytes());
    application.ask(post("0123456789")).await.expect(200);
    application.ask(post("0123456789a")).await.expect(413);
    let chunked = Request::post("/gateways/shop/x")
        .header("Transfer-Encoding", "chunked")
        .body("text/plain", b"6\r\n012345\r\n6\r\n678901\r\n0\r\n\r\n");
    assert_eq!(application.ask(chunked).await.expect(413).json()["gateway"], "shop");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn usage_counts_what_was_forwarded_and_not_the_services_own_refusals() {
    let hub = Hub::start().await;
    let upstream = Upstream::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
    hub.gateway("shop", &upstream).await;
    hub.role("Viewer", &["gateway/shop:view"], None).await;
    let application = hub.application(&["Viewer"]).await;
    application.get("/gateways/shop/items").await.expect(403);
    hub.flush_usage().await;
    let rows = hub.rows().await;
    assert!(rows.table("denial").is_empty(), "{:?}", rows.table("denial"));
    application.ask(Request::new("DELETE", "/gateways/shop/items")).await.expect(403);
    hub.flush_usage().await;
    assert_eq!(hub.rows().await.table("denial").len(), 1);
}

#[tokio::test]
async fn what_the_caller_sees_of_a_service_that_is_away() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let gone = Upstream::saying("x").await.url();
    hub.gateway_with("shop", &gone, GatewayInput::default()).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let answer = application.get("/gateways/shop/items").await;
        assert_eq!(answer.json()["gateway"], "shop");
        assert!(!answer.text().contains(gone.trim_start_matches("http://")), "{}", answer.text());
        assert_eq!(answer.header("retry-after").is_some(), answer.status == 503);
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [502, 502, 502, 503, 503]);
    // Another gateway does not notice.
    let well = Upstream::saying("ok").await;
    hub.gateway("other", &well).await;
    application.get("/gateways/other/items").await.expect(200);
}

#[tokio::test]
async fn a_second_address_takes_over() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let gone = Upstream::saying("x").await.url();
    let well = Upstream::saying(&ok("")).await;
    let input = GatewayInput { addresses: Some(vec![gone, well.url()]), ..GatewayInput::default() };
    hub.gateway_with("shop", "", input).await;
    for _ in 0..6 {
        application.get("/gateways/shop/items").await.expect(200);
    }
    assert_eq!(well.seen().len(), 6);
}
