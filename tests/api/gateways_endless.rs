//! Services that reset their connections or never come to an end: whoever asks gets a problem or a connection that ends, and
//! nobody else notices.

use std::time::{Duration, Instant};

use gateway_hub::actions::gateway::GatewayInput;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{Application, Hub, Request, Upstream};

/// A gateway whose service writes `first` and then `rest` for ever; a body may pause for a second.
async fn endless(first: &'static str, rest: &'static str) -> (Hub, Upstream, Application) {
    let hub = Hub::start().await;
    let rest = rest.repeat(64 * 1024 / rest.len());
    let upstream = Upstream::scripted(move |mut stream, _| {
        let rest = rest.clone();
        async move {
            stream.write_all(first.as_bytes()).await.ok()?;
            loop {
                stream.write_all(rest.as_bytes()).await.ok()?;
            }
        }
    })
    .await;
    let idle = Some(Duration::from_secs(1));
    hub.gateway_with("shop", &upstream.url(), GatewayInput { idle_timeout: idle, ..GatewayInput::default() }).await;
    let application = hub.application(&["Administrator"]).await;
    (hub, upstream, application)
}

/// The service is left alone, soon.
async fn until_left(upstream: &Upstream) {
    let began = Instant::now();
    while upstream.open() > 0 {
        assert!(began.elapsed() < Duration::from_secs(2), "the service still writes for nobody");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_service_that_resets_is_told_and_not_passed_off_as_whole() {
    let (hub, well) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway("well", &well).await;
    let application = hub.application(&["Administrator"]).await;
    for (number, said) in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhello",
    ]
    .into_iter()
    .enumerate()
    {
        let upstream = Upstream::scripted(move |mut stream, _| async move {
            stream.write_all(said.as_bytes()).await.ok()?;
            sleep(Duration::from_millis(50)).await;
            stream.set_zero_linger().ok()?;
            None
        })
        .await;
        let name = format!("resets-{number}");
        hub.gateway(&name, &upstream).await;
        for request in [
            Request::get(&format!("/gateways/{name}/x")),
            Request::post(&format!("/gateways/{name}/x")).body("text/plain", b"hello"),
        ] {
            let before = upstream.seen().len();
            let outcome = application.site.try_ask(request.bearer(&application.token)).await;
            if number < 2 {
                let answer = outcome.expect("a problem").expect(502);
                assert_eq!((answer.problem(), answer.member("gateway")), ("gateway-fault".to_owned(), name.clone()));
            } else {
                assert!(outcome.is_err(), "{said:?}: {outcome:?}");
            }
            assert_eq!(upstream.seen().len(), before + 1, "{said:?}: sent once");
        }
        application.get("/gateways/well/x").await.expect(200);
    }
}

#[tokio::test]
async fn an_endless_body_ends_with_its_caller() {
    for (first, rest) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "x"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n", "x"),
    ] {
        let (hub, upstream, application) = endless(first, rest).await;
        let mut caller = TcpStream::connect(hub.site.address).await.expect("the hub listens");
        caller
            .write_all(&Request::get("/gateways/shop/x").bearer(&application.token).bytes(&hub.site.host()))
            .await
            .expect("sent");
        let (mut block, mut taken) = (vec![0; 64 * 1024], 0);
        while taken < 4 * 1024 * 1024 {
            taken += timeout(Duration::from_secs(5), caller.read(&mut block)).await.expect("in time").expect("open");
        }
        drop(caller);
        until_left(&upstream).await;
    }
}

#[tokio::test]
async fn what_has_no_body_ends_where_its_head_ends() {
    // HEAD, 204 and 304 have none, whatever follows (RFC 9112 §6.3).
    for (method, first) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\n\r\n"),
    ] {
        let (_hub, upstream, application) =
            endless(first, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned").await;
        for _ in 0..3 {
            let answer = application.ask(Request::new(method, "/gateways/shop/x")).await;
            assert!(answer.status < 400 && answer.body.is_empty(), "{first:?}: {answer:?}");
        }
        until_left(&upstream).await;
        assert_eq!(upstream.connections(), 3, "none was used again");
    }
}

#[tokio::test]
async fn chunks_are_no_place_to_hide_endless_words() {
    for (first, rest) in [
        // An extension of a chunk, a size in more and more digits (nothing moves, though bytes do), and trailers.
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", "x"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "X-Trailer: x\r\n"),
    ] {
        let (_hub, upstream, application) = endless(first, rest).await;
        let asked = application.site.try_ask(Request::get("/gateways/shop/x").bearer(&application.token));
        let outcome = timeout(Duration::from_secs(5), asked).await.unwrap_or_else(|_| panic!("it goes on: {first:?}"));
        assert!(outcome.as_ref().map_or(true, |answer| answer.status == 502), "{first:?}: {outcome:?}");
        until_left(&upstream).await;
    }
}
