//! What passes between caller and service, both ways, and what never does (SECURITY 24).

use gateway_hub::actions::gateway::{CredentialInput, GatewayInput};

use crate::support::{Application, Hub, Request, Upstream};

async fn shop(raw: &'static str) -> (Hub, Upstream, Application) {
    let (hub, upstream) = (Hub::start().await, Upstream::answering(raw).await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Administrator"]).await;
    (hub, upstream, application)
}

#[tokio::test]
async fn sec_24_identity_is_the_hubs_to_say() {
    let (hub, upstream, application) = shop("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let raw = format!(
        "GET /gateways/shop/x HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close, X-Gateway-Hub-Client-Id, \
         X-Secret-Of-Hop\r\nX-Gateway-Hub-Client-Id: gh_forged\r\nX_Gateway_Hub_Client_Id: gh_forged\r\nx-gateway_hub-client-id: \
         gh_forged\r\nX.Gateway.Hub.Client.Id: gh_forged\r\nX-Gateway-Hub-Assertion: forged\r\nX-Secret-Of-Hop: 1\r\nCookie: a=b\r\n\
         X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-User: admin\r\nForwarded: for=10.0.0.1\r\nX-HTTP-Method-Override: DELETE\r\n\
         X-Original-URL: /admin\r\nX-Scope-OrgID: other\r\nTE: trailers\r\nUpgrade: websocket\r\nProxy-Authorization: Basic eA==\r\n\
         Accept: text/x-mine\r\nIf-None-Match: \"7\"\r\n\r\n",
        hub.site.host(),
        application.token
    );
    assert_eq!(hub.site.raw(raw.as_bytes()).await.expect("an answer").status, 200);
    let arrived = upstream.last();
    let mut names: Vec<&str> = arrived.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "if-none-match", "x-gateway-hub-client-id"], "{}", arrived.head);
    assert_eq!(arrived.header("x-gateway-hub-client-id"), Some(application.client_id.as_str()));
    assert!(!arrived.head.contains(&application.token) && !arrived.head.contains("forged"));
}

#[tokio::test]
async fn sec_24_what_the_gateway_sets_wins_over_what_the_caller_sends() {
    let hub = Hub::start().await;
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let input = GatewayInput {
        headers: Some(vec!["X-Scope-OrgID: team-a".to_owned(), "X-Flavour: vanilla".to_owned()]),
        credential: Some(CredentialInput::Header("X-Api-Key: upstream-secret".to_owned().into())),
        ..GatewayInput::default()
    };
    hub.gateway_with("shop", &upstream.url(), input).await;
    let application = hub.application(&["Operator"]).await;
    let request = Request::get("/gateways/shop/x")
        .header("X-Scope-OrgID", "team-b")
        .header("X-Flavour", "chocolate")
        .header("X-Flavour", "mint")
        .header("X-Api-Key", "mine");
    application.ask(request).await.expect(200);
    let arrived = upstream.last();
    for (name, value) in [("x-scope-orgid", "team-a"), ("x-flavour", "vanilla"), ("x-api-key", "upstream-secret")] {
        assert_eq!((arrived.header(name), arrived.count(name)), (Some(value), 1), "{name}");
    }
}

#[tokio::test]
async fn sec_24_what_would_act_on_the_hubs_address_never_comes_down() {
    let (_hub, _upstream, application) = shop(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: __Host-session=x\r\nSet-Cookie: b=c\r\n\
         Strict-Transport-Security: max-age=0\r\nClear-Site-Data: \"*\"\r\nAlt-Svc: h3=\":443\"\r\n\
         Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nService-Worker-Allowed: /\r\n\
         Content-Security-Policy: default-src *\r\nX-Content-Type-Options: sniff\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\
         WWW-Authenticate: Basic\r\nRefresh: 0; url=//evil\r\nX-Accel-Redirect: /etc\r\nX-Gateway-Hub-Client-Id: x\r\n\
         Upgrade: h2c\r\nX-Request-Id: theirs\r\nETag: \"7\"\r\nContent-Length: 2\r\n\r\nhi",
    )
    .await;
    let answer = application.get("/gateways/shop/x").await.expect(200);
    let mut names: Vec<&str> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "connection",
            "content-length",
            "content-security-policy",
            "content-type",
            "date",
            "etag",
            "referrer-policy",
            "x-content-type-options",
            "x-request-id"
        ]
    );
    assert_eq!(answer.header("content-security-policy"), Some("sandbox"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_ne!(answer.header("x-request-id"), Some("theirs"));
    assert_eq!(answer.header("connection"), Some("close"), "ours, because the test asks for it");
}

#[tokio::test]
async fn sec_28_redirects_are_told_and_not_followed() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let upstream = Upstream::scripted(|mut stream, arrived| async move {
        let to = match arrived.target.as_str() {
            "/metadata" => "http://169.254.169.254/latest/meta-data/".to_owned(),
            "/elsewhere" => "https://evil.example/".to_owned(),
            "/out" => "../../console".to_owned(),
            _ => format!("http://{}/found?x=1", arrived.header("host").unwrap_or_default()),
        };
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.ok()?;
        Some(stream)
    })
    .await;
    hub.gateway("shop", &upstream).await;
    for path in ["/metadata", "/elsewhere", "/out"] {
        let answer = application.get(&format!("/gateways/shop{path}")).await.expect(302);
        assert_eq!(answer.header("location"), None, "{path}");
    }
    let answer = application.get("/gateways/shop/own").await.expect(302);
    let expected = format!("{}/gateways/shop/found?x=1", hub.site.issuer);
    assert_eq!(answer.header("location"), Some(expected.as_str()));
    assert_eq!(upstream.seen().len(), 4);
}

#[tokio::test]
async fn sec_24_nothing_is_smuggled_in_either_order_of_the_headers() {
    let (hub, upstream) = (Hub::start().await, Upstream::echo().await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Administrator"]).await;
    let smuggled = "GET /gateways/shop/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let head = |framing: &str| {
        format!(
            "POST /gateways/shop/first HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{framing}\r\n",
            hub.site.host(),
            application.token
        )
    };
    let chunked = format!("0\r\n\r\n{smuggled}");
    for framing in [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunked.len()),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", chunked.len()),
        format!("Content-Length: 0\r\nContent-Length: {}\r\n", chunked.len()),
        format!("Content-Length: 0, {}\r\n", chunked.len()),
        format!("Content-Length: +{}\r\n", chunked.len()),
        "Transfer-Encoding: xchunked\r\n".to_owned(),
        "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n".to_owned(),
        "Transfer-Encoding : chunked\r\n".to_owned(),
        "Transfer-Encoding:\x0bchunked\r\n".to_owned(),
        "Content-Length: 5\r\nTransfer_Encoding: chunked\r\n".to_owned(),
    ] {
        let raw = head(&framing) + &chunked;
        let _ = hub.site.raw(raw.as_bytes()).await;
        for arrived in upstream.seen() {
            assert_ne!(arrived.target, "/smuggled", "{framing}");
            assert!(
                arrived.count("content-length") + arrived.count("transfer-encoding") <= 1,
                "{framing}: {}",
                arrived.head
            );
        }
    }
    for header in ["Host: other", "Authorization: Bearer x"] {
        let raw = head(&format!("{header}\r\nContent-Length: 0\r\n"));
        assert_eq!(hub.site.raw(raw.as_bytes()).await.expect("an answer").status, 400, "{header}");
    }
}

#[tokio::test]
async fn bodies_keep_their_length_and_get_one_where_they_have_none() {
    let (hub, upstream) = (Hub::start().await, Upstream::echo().await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Administrator"]).await;
    application.ask(Request::post("/gateways/shop/x").body("text/plain", b"hello")).await.expect(200);
    assert_eq!(upstream.last().header("content-length"), Some("5"));
    application.ask(Request::new("DELETE", "/gateways/shop/x")).await.expect(200);
    let arrived = upstream.last();
    assert!(
        matches!(arrived.header("content-length"), None | Some("0")) && arrived.header("transfer-encoding").is_none()
    );
    let trailers = b"5\r\nhello\r\n0\r\nX-Gateway-Hub-Client-Id: forged\r\n\r\n";
    let chunked =
        Request::new("PUT", "/gateways/shop/x").header("Transfer-Encoding", "chunked").body("text/plain", trailers);
    assert_eq!(application.ask(chunked).await.expect(200).text(), "hello");
    let arrived = upstream.last();
    assert_eq!((arrived.header("transfer-encoding"), arrived.body.as_slice()), (Some("chunked"), &b"hello"[..]));
    // Some services read a body of GET.
    let get = Request::get("/gateways/shop/x").body("application/json", b"{\"query\":1}");
    assert_eq!(application.ask(get).await.expect(200).text(), "{\"query\":1}");
    let expect = Request::post("/gateways/shop/x").header("Expect", "100-continue").body("text/plain", b"hello");
    assert_eq!(application.ask(expect).await.expect(200).text(), "hello");
    assert_eq!(upstream.last().header("expect"), None);
}

#[tokio::test]
async fn head_tells_the_length_and_has_no_body() {
    let (_hub, _upstream, application) = shop("HTTP/1.1 200 OK\r\nContent-Length: 4711\r\n\r\n").await;
    let answer = application.ask(Request::new("HEAD", "/gateways/shop/x")).await.expect(200);
    assert_eq!(answer.header("content-length"), Some("4711"));
    let (_hub, _upstream, application) = shop("HTTP/1.1 304 Not Modified\r\nETag: \"7\"\r\n\r\n").await;
    let answer = application.get("/gateways/shop/x").await.expect(304);
    assert_eq!(answer.header("etag"), Some("\"7\""));
}
