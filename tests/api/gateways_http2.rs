//! Callers over TLS with HTTP/2, through a gateway whose service speaks HTTP/1.1: streamed both ways, each stream for itself.

use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::Incoming;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    time::{sleep, timeout},
};

use crate::support::{
    Application, Hub, Upstream,
    certificates::Authority,
    http2::{Http2, fed, piece, request, text},
};

/// A hub before this service, a node of it that speaks TLS, and a connection to that.
struct Stage {
    hub: Hub,
    node: Hub,
    caller: Http2,
}

async fn stage(upstream: &Upstream) -> Stage {
    let hub = Hub::start().await;
    hub.gateway("shop", upstream).await;
    let authority = Authority::new();
    let node = hub.tls_node(&authority.signs("DNS:localhost")).await;
    let caller = Http2::open(node.site.address, &authority).await;
    Stage { hub, node, caller }
}

impl Stage {
    async fn application(&self) -> Application {
        let application = self.hub.application(&["Administrator"]).await;
        self.node.poll().await;
        application
    }

    /// The beginning of an answer that does not end.
    async fn open(&self, application: &Application) -> http::Response<Incoming> {
        let asked = self.caller.ask(get(application, "/gateways/shop/stream"));
        let mut answer = timeout(Duration::from_secs(5), asked).await.expect("in time").expect("an answer");
        assert_eq!(answer.status(), 200);
        assert!(piece(&mut answer).await.expect("a piece").is_ok());
        answer
    }
}

fn get(application: &Application, path: &str) -> http::Request<Body> {
    request(application, "GET", path, &[], Body::empty())
}

/// Streams without end, a piece of this size every so many milliseconds.
async fn stream(size: usize, pause: u64) -> Upstream {
    Upstream::scripted(move |mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.ok()?;
        let piece = [format!("{size:x}\r\n").into_bytes(), vec![b'x'; size], b"\r\n".to_vec()].concat();
        loop {
            stream.write_all(&piece).await.ok()?;
            sleep(Duration::from_millis(pause)).await;
        }
    })
    .await
}

/// Answers nothing, and notices when nobody waits any more.
async fn silence() -> Upstream {
    Upstream::scripted(|mut stream, _| async move {
        while stream.read(&mut [0; 64]).await.ok()? > 0 {}
        None
    })
    .await
}

/// Reads until the answer breaks off; how long that took.
async fn until_cut(mut answer: http::Response<Incoming>) -> Duration {
    let began = Instant::now();
    loop {
        match timeout(Duration::from_secs(5), piece(&mut answer)).await.expect("it is cut") {
            Some(Ok(_)) => {}
            Some(Err(_)) => return began.elapsed(),
            None => panic!("passed off as whole"),
        }
    }
}

async fn until_closed(upstream: &Upstream, left: usize) -> Duration {
    let began = Instant::now();
    while upstream.open() > left {
        assert!(began.elapsed() < Duration::from_secs(3), "the service still works for nobody");
        sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

#[tokio::test]
async fn sec_24_headers_of_http2_are_stripped_as_others_are() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nAlt-Svc: h3=\":443\"\r\nKeep-Alive: timeout=5\r\nETag: \"7\"\r\n\
         Content-Length: 2\r\n\r\nhi",
    )
    .await;
    let stage = stage(&upstream).await;
    let application = stage.application().await;
    let headers = [
        ("x-gateway-hub-client-id", "gh_forged"),
        ("x_gateway_hub_client_id", "gh_forged"),
        ("x-http-method-override", "DELETE"),
        ("x-forwarded-user", "admin"),
        ("cookie", "a=b"),
        ("cookie", "c=d"),
        ("te", "trailers"),
        ("host", "localhost"),
        ("accept", "text/x-mine"),
    ];
    let asked = request(&application, "GET", "/gateways/shop/x?a=b", &headers, Body::empty());
    let answer = stage.caller.ask(asked).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let mut down: Vec<&str> = answer.headers().keys().map(http::HeaderName::as_str).collect();
    down.sort_unstable();
    let own = ["content-length", "content-security-policy", "date", "etag", "referrer-policy"];
    assert_eq!(down, [&own[..], &["x-content-type-options", "x-request-id"]].concat());
    assert_eq!(text(answer).await, "hi");
    let arrived = upstream.last();
    let mut up: Vec<&str> = arrived.headers.iter().map(|(name, _)| name.as_str()).collect();
    up.sort_unstable();
    assert_eq!((up, arrived.target.as_str()), (vec!["accept", "host", "x-gateway-hub-client-id"], "/x?a=b"));
    assert_eq!(arrived.header("x-gateway-hub-client-id"), Some(application.client_id.as_str()));
    assert_eq!(arrived.header("host"), Some(upstream.address.to_string().as_str()));
    // Two names for where it goes.
    let asked = request(&application, "GET", "/gateways/shop/x", &[("host", "other")], Body::empty());
    assert_eq!(stage.caller.ask(asked).await.expect("an answer").status(), 400);
    // The path is read as with HTTP/1.1.
    for path in ["/gateways/shop/a%2fb", "/gateways/shop/%2e%2e/x", "/gateways/shop//x"] {
        assert_eq!(stage.caller.ask(get(&application, path)).await.expect("an answer").status(), 400, "{path}");
    }
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_body_without_length_arrives_whole() {
    let upstream = Upstream::echo().await;
    let stage = stage(&upstream).await;
    let application = stage.application().await;
    let (feed, body) = fed();
    let asked = stage.caller.ask(request(&application, "POST", "/gateways/shop/x", &[], body));
    let feeding = async {
        for piece in ["one ", "two ", "three"] {
            feed.send(Bytes::from(piece)).await.expect("it is read");
            sleep(Duration::from_millis(30)).await;
        }
        drop(feed);
    };
    let (answer, ()) = tokio::join!(asked, feeding);
    assert_eq!(text(answer.expect("an answer")).await, "one two three");
    let arrived = upstream.last();
    assert_eq!((arrived.header("transfer-encoding"), arrived.header("content-length")), (Some("chunked"), None));
    // A length that is told stays one; none at all is no body.
    let told = request(&application, "PUT", "/gateways/shop/x", &[("content-length", "5")], Body::from("hello"));
    assert_eq!(text(stage.caller.ask(told).await.expect("an answer")).await, "hello");
    assert_eq!(upstream.last().header("content-length"), Some("5"));
    let empty = request(&application, "DELETE", "/gateways/shop/x", &[], Body::empty());
    assert_eq!(stage.caller.ask(empty).await.expect("an answer").status(), 200);
    assert_eq!(upstream.last().header("transfer-encoding"), None);
    let head = request(&application, "HEAD", "/gateways/shop/x", &[], Body::empty());
    assert_eq!(text(stage.caller.ask(head).await.expect("an answer")).await, "");
    assert_eq!(upstream.connections(), 1);
}

/// SECURITY 24: frames say where a body ends, whatever a header says.
#[tokio::test]
async fn sec_24_a_length_that_lies_is_not_passed_on_as_a_request() {
    let upstream = Upstream::echo().await;
    let stage = stage(&upstream).await;
    let application = stage.application().await;
    for (length, body) in [("50", "short"), ("2", "GET /smuggled HTTP/1.1\r\n\r\n")] {
        let (feed, streamed) = fed();
        let asked = stage.caller.ask(request(
            &application,
            "POST",
            "/gateways/shop/x",
            &[("content-length", length)],
            streamed,
        ));
        let feeding = async {
            let _ = feed.send(Bytes::from(body)).await;
            drop(feed);
        };
        let (answer, ()) = tokio::join!(asked, feeding);
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status().is_client_error()), "{length}");
    }
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    assert_eq!(stage.caller.ask(get(&application, "/gateways/shop/x")).await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn both_sides_talk_at_the_same_time() {
    // What it gets it sends back as it is: the pieces of a chunked body are those of a chunked answer.
    let upstream = Upstream::scripted(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.ok()?;
        let (mut from, mut to) = stream.split();
        copy(&mut from, &mut to).await.ok()?;
        None
    })
    .await;
    let stage = stage(&upstream).await;
    let application = stage.application().await;
    let (feed, body) = fed();
    let asked = stage.caller.ask(request(&application, "POST", "/gateways/shop/talk", &[("x-unread", "1")], body));
    let mut answer = timeout(Duration::from_secs(5), asked).await.expect("before the body").expect("an answer");
    for said in ["one", "two", "three"] {
        feed.send(Bytes::from(said)).await.expect("it is read");
        let heard = timeout(Duration::from_secs(5), piece(&mut answer)).await.expect("in time");
        assert_eq!(heard.expect("a piece").expect("open"), said);
    }
    drop(feed);
    let end = timeout(Duration::from_secs(5), piece(&mut answer)).await.expect("in time");
    assert!(end.is_none(), "{end:?}");
}

#[tokio::test]
async fn a_cancelled_stream_is_cancelled_at_the_service() {
    let (upstream, silent) = (stream(10, 20).await, silence().await);
    let stage = stage(&upstream).await;
    stage.hub.gateway("silent", &silent).await;
    let application = stage.application().await;
    let (left, mut stays) = (stage.open(&application).await, stage.open(&application).await);
    assert_eq!(upstream.open(), 2);
    drop(left);
    until_closed(&upstream, 1).await;
    // Before there is an answer, and in the middle of a body.
    let waiting = stage.caller.ask(get(&application, "/gateways/silent/x"));
    assert!(timeout(Duration::from_millis(300), waiting).await.is_err());
    until_closed(&silent, 0).await;
    let (feed, body) = fed();
    let upload = stage.caller.ask(request(&application, "POST", "/gateways/silent/x", &[("x-unread", "1")], body));
    feed.send(Bytes::from("some")).await.expect("it is read");
    assert!(timeout(Duration::from_millis(300), upload).await.is_err());
    until_closed(&silent, 0).await;
    assert!(piece(&mut stays).await.expect("a piece").is_ok(), "the other stream goes on");
    assert_eq!(upstream.open(), 1);
}

/// SECURITY 22: on one connection, as a proxy before the hub shares it, one key's streams end and no other's.
#[tokio::test]
async fn sec_22_a_stream_is_cut_when_its_key_ends_and_no_other_one() {
    let upstream = stream(10, 20).await;
    let stage = stage(&upstream).await;
    for end in ["delete", "disable", "leaked"] {
        let (ends, lives) = (stage.application().await, stage.application().await);
        let (cut, mut stays) = (stage.open(&ends).await, stage.open(&lives).await);
        match end {
            "delete" => stage.node.delete(&ends.client_id).await,
            "disable" => stage.node.disable(&ends.client_id).await,
            _ => drop(stage.node.leaked(&ends.client_id).await),
        }
        let took = until_cut(cut).await;
        assert!(took < Duration::from_secs(1), "{end}: {took:?}");
        for _ in 0..20 {
            assert!(piece(&mut stays).await.expect("a piece").is_ok(), "{end} cuts its own only");
        }
    }
}

/// SECURITY 22: a caller that takes nothing is cut too, and whoever shares its connection is not.
#[tokio::test]
async fn sec_22_a_stream_that_nobody_reads_is_cut_alone() {
    let (upstream, gentle) = (stream(64 * 1024, 0).await, stream(10, 20).await);
    let stage = stage(&upstream).await;
    stage.hub.gateway("gentle", &gentle).await;
    let (ends, lives) = (stage.application().await, stage.application().await);
    let stalled = stage.open(&ends).await;
    let mut stays = stage.caller.ask(get(&lives, "/gateways/gentle/x")).await.expect("an answer");
    sleep(Duration::from_millis(500)).await;
    assert_eq!(upstream.open(), 1);
    stage.node.delete(&ends.client_id).await;
    let took = until_closed(&upstream, 0).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    for _ in 0..50 {
        assert!(piece(&mut stays).await.expect("a piece").is_ok(), "cuts its own only");
    }
    until_cut(stalled).await;
}
