//! One connection of a caller: requests one after the other, bodies that are waited for, drip in, break off or are not wanted.

use std::time::Duration;

use gateway_hub::actions::gateway::GatewayInput;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{sleep, timeout};

use crate::support::{Application, Connection, Hub, Request, Upstream, upstream::ok};

/// A hub, a service that answers with what it got, and an application that may use it.
async fn echo() -> (Hub, Upstream, Application) {
    let (hub, upstream) = (Hub::start().await, Upstream::echo().await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Administrator"]).await;
    (hub, upstream, application)
}

async fn connect(hub: &Hub) -> Connection {
    Connection::open(hub.site.address).await.expect("the hub listens")
}

fn head(application: &Application, line: &str, more: &str) -> String {
    format!("{line}\r\nHost: hub\r\nAuthorization: Bearer {}\r\n{more}\r\n", application.token)
}

#[tokio::test]
async fn requests_that_come_together_are_answered_in_order() {
    let (hub, _upstream, application) = echo().await;
    let mut connection = connect(&hub).await;
    let post = |text: &str| {
        let length = format!("Content-Length: {}\r\n", text.len());
        head(&application, "POST /gateways/shop/x HTTP/1.1", &length) + text
    };
    let known = head(&application, "GET /api/v1/whoami HTTP/1.1", "");
    let chunked = head(&application, "POST /gateways/shop/x HTTP/1.1", "Transfer-Encoding: chunked\r\n");
    let all = [post("one"), known, format!("{chunked}3\r\ntwo\r\n0\r\n\r\n"), post("three")].concat();
    connection.send(all.as_bytes()).await.expect("sent");
    for wanted in ["one", "client_id", "two", "three"] {
        let answer = connection.answer(false).await.expect("answered").expect(200);
        assert!(answer.text().contains(wanted), "{wanted}: {}", answer.text());
    }
    assert!(!connection.closed);
}

#[tokio::test]
async fn a_request_that_drips_in_is_read() {
    let (hub, _upstream, application) = echo().await;
    let mut connection = connect(&hub).await;
    let post = head(&application, "POST /gateways/shop/x HTTP/1.1", "Transfer-Encoding: chunked\r\n");
    for piece in (post + "5\r\nhello\r\n0\r\n\r\n").as_bytes().chunks(7) {
        connection.send(piece).await.expect("sent");
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(connection.answer(false).await.expect("answered").expect(200).text(), "hello");
}

#[tokio::test]
async fn a_caller_that_waits_for_leave_gets_it_only_if_the_body_is_wanted() {
    let (hub, upstream, application) = echo().await;
    let expecting = |target: &str| {
        head(&application, &format!("POST {target} HTTP/1.1"), "Expect: 100-continue\r\nContent-Length: 5\r\n")
    };
    let mut wanted = connect(&hub).await;
    wanted.send(expecting("/gateways/shop/x").as_bytes()).await.expect("sent");
    assert_eq!(wanted.interim().await.expect("a word"), "HTTP/1.1 100 Continue");
    wanted.send(b"hello").await.expect("sent");
    assert_eq!(wanted.answer(false).await.expect("answered").expect(200).text(), "hello");
    assert!(!wanted.closed);
    let before = upstream.seen().len();
    // Nobody wants this one: the refusal comes at once, and whether a body follows is anybody's guess.
    let mut refused = connect(&hub).await;
    refused.send(expecting("/gateways/other/x").as_bytes()).await.expect("sent");
    let answer = refused.answer(false).await.expect("answered");
    assert!(answer.status == 404 && refused.closed, "{answer:?}");
    assert_eq!(upstream.seen().len(), before);
}

#[tokio::test]
async fn an_answer_to_a_body_that_nobody_reads_arrives() {
    let (hub, _upstream, application) = echo().await;
    // Refused before the body was read, which goes on being sent: the answer must not be lost in a reset.
    let size = 2 * 1024 * 1024;
    let mut connection = connect(&hub).await;
    let post = head(&application, "POST /gateways/other/x HTTP/1.1", &format!("Content-Length: {size}\r\n"));
    connection.send(post.as_bytes()).await.expect("sent");
    let sent = timeout(Duration::from_secs(5), connection.send(&vec![b'x'; size])).await.expect("taken");
    assert!(sent.is_ok(), "{sent:?}");
    let answer = connection.answer(false).await.expect("answered");
    assert!(answer.status == 404 && connection.closed, "{answer:?}");
    // A short one that is here already costs nobody the connection.
    let mut connection = connect(&hub).await;
    let post = head(&application, "POST /gateways/other/x HTTP/1.1", "Content-Length: 5\r\n") + "hello";
    let get = head(&application, "GET /gateways/shop/x HTTP/1.1", "");
    connection.send((post + &get).as_bytes()).await.expect("sent");
    connection.answer(false).await.expect("answered").expect(404);
    connection.answer(false).await.expect("answered").expect(200);
}

#[tokio::test]
async fn a_body_that_breaks_off_reaches_no_service_as_whole() {
    let (hub, upstream, application) = echo().await;
    for (framing, body) in [
        ("Content-Length: 10\r\n", "hello"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nzz\r\n"),
        ("Transfer-Encoding: chunked\r\n", "5\nhello\n0\n\n"),
    ] {
        let mut connection = connect(&hub).await;
        let post = head(&application, "POST /gateways/shop/x HTTP/1.1", framing) + body;
        connection.send(post.as_bytes()).await.expect("sent");
        connection.end_of_input().await;
        let answer = connection.answer(false).await;
        assert!(answer.as_ref().map_or(true, |answer| answer.status >= 400), "{framing:?} {body:?}: {answer:?}");
    }
    assert!(upstream.seen().iter().all(|arrived| arrived.method != "POST"), "{:?}", upstream.seen());
    application.ask(Request::post("/gateways/shop/x").body("text/plain", b"well")).await.expect(200);
}

#[tokio::test]
async fn connections_of_http_1_0_end_unless_they_are_asked_to_stay() {
    let (hub, _upstream, application) = echo().await;
    for (more, stays) in [("", false), ("Connection: keep-alive\r\n", true), ("Connection: close\r\n", false)] {
        let mut connection = connect(&hub).await;
        let get = head(&application, "GET /api/v1/whoami HTTP/1.0", more);
        connection.send(get.as_bytes()).await.expect("sent");
        let answer = connection.answer(false).await.expect("answered").expect(200);
        assert_eq!(answer.header("connection") == Some("keep-alive"), stays, "{more:?}");
        assert_eq!(!connection.closed, stays, "{more:?}");
        assert_eq!(answer.header("transfer-encoding"), None);
    }
}

#[tokio::test]
async fn sec_24_what_can_not_be_read_says_what_is_wrong_and_ends_the_connection() {
    let hub = Hub::start().await;
    let fields: String = (0..200).map(|number| format!("X-{number}: {number}\r\n")).collect();
    for (raw, status, said) in [
        ("GET / HTTP/1.1\nHost: hub\n\n".to_owned(), 400, "does not end in CR LF"),
        ("GET / HTTP/1.1\r\nHost : hub\r\n\r\n".to_owned(), 400, "name has a character"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400, "version"),
        (
            "POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            400,
            "both",
        ),
        ("POST / HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(), 400, "chunked"),
        (format!("GET / HTTP/1.1\r\nHost: hub\r\n{fields}\r\n"), 431, "128 fields"),
        (format!("GET /{} HTTP/1.1\r\n", "x".repeat(70_000)), 431, "64 KiB"),
    ] {
        let mut connection = connect(&hub).await;
        connection.send(format!("{raw}GET /smuggled HTTP/1.1\r\nHost: hub\r\n\r\n").as_bytes()).await.expect("sent");
        let answer = connection.answer(false).await.expect("answered");
        assert!(answer.status == status && answer.text().contains(said), "{raw:.60?}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("x-request-id").is_some() && answer.header("x-content-type-options") == Some("nosniff"));
        assert!(connection.closed);
        assert!(connection.answer(false).await.is_err(), "nothing that follows is looked at");
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_what_it_asked_for() {
    let hub = Hub::start().await;
    let upstream = Upstream::scripted(|mut stream, arrived| async move {
        if arrived.target == "/hangs" {
            sleep(Duration::from_secs(20)).await;
        }
        stream.write_all(ok("fine").as_bytes()).await.ok()?;
        Some(stream)
    })
    .await;
    // The service takes one request at a time, so the next one shows whether the first one is over.
    hub.gateway_with("shop", &upstream.url(), GatewayInput { concurrent: Some(1), ..GatewayInput::default() }).await;
    let application = hub.application(&["Administrator"]).await;
    let mut connection = connect(&hub).await;
    connection.send(head(&application, "GET /gateways/shop/hangs HTTP/1.1", "").as_bytes()).await.expect("sent");
    while upstream.seen().is_empty() {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(application.get("/gateways/shop/x").await.status, 503);
    drop(connection);
    timeout(Duration::from_secs(2), async {
        while application.get("/gateways/shop/x").await.status != 200 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("given up");
}
