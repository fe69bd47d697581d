//! Services that do not play along: they hang, lie, flood and break off. Callers get a problem that names the gateway, or a
//! connection that ends; the hub goes on.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gateway_hub::actions::gateway::GatewayInput;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use crate::support::{Application, Hub, Request, Upstream, upstream::ok};

/// A gateway whose service does with each connection what the script says; it allows 600 ms.
async fn hostile<F, R>(script: F) -> (Hub, Upstream, Application)
where
    F: Fn(TcpStream) -> R + Send + Sync + 'static,
    R: Future<Output = Option<TcpStream>> + Send + 'static,
{
    let hub = Hub::start().await;
    let upstream = Upstream::scripted(move |stream, _| script(stream)).await;
    let wait = Some(Duration::from_millis(600));
    let input = GatewayInput { answer_timeout: wait, idle_timeout: wait, ..GatewayInput::default() };
    hub.gateway_with("shop", &upstream.url(), input).await;
    let application = hub.application(&["Administrator"]).await;
    (hub, upstream, application)
}

async fn saying(raw: impl Into<Vec<u8>>) -> (Hub, Upstream, Application) {
    let raw: std::sync::Arc<[u8]> = raw.into().into();
    hostile(move |mut stream| {
        let raw = raw.clone();
        async move {
            stream.write_all(&raw).await.ok()?;
            stream.shutdown().await.ok()?;
            None
        }
    })
    .await
}

#[tokio::test]
async fn a_service_that_hangs_is_504_and_only_for_who_asked() {
    let (hub, _upstream, application) = hostile(|stream| async {
        sleep(Duration::from_secs(30)).await;
        Some(stream)
    })
    .await;
    let well = Upstream::saying("ok").await;
    hub.gateway("well", &well).await;
    let began = Instant::now();
    let (hung, fine) = tokio::join!(application.get("/gateways/shop/x"), async {
        sleep(Duration::from_millis(100)).await;
        application.get("/gateways/well/x").await
    });
    assert_eq!((hung.status, fine.status), (504, 200));
    assert_eq!(hung.json()["gateway"], "shop");
    assert!(began.elapsed() < Duration::from_secs(3));
    let health = hub.app.snapshot.gateway("shop").expect("the gateway");
    assert_eq!(health.gateway.name.as_str(), "shop");
}

#[tokio::test]
async fn slow_headers_and_floods_of_interim_answers_end_in_time() {
    for piece in ["X", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"] {
        let (_hub, upstream, application) = hostile(move |mut stream| async move {
            if piece == "X" {
                stream.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ").await.ok()?;
            }
            loop {
                stream.write_all(piece.as_bytes()).await.ok()?;
                if piece == "X" {
                    sleep(Duration::from_millis(50)).await;
                }
            }
        })
        .await;
        let began = Instant::now();
        let status = application.get("/gateways/shop/x").await.status;
        assert!(matches!(status, 502 | 504), "{piece:?}: {status}");
        assert!(began.elapsed() < Duration::from_secs(5), "{piece:?}: {:?}", began.elapsed());
        sleep(Duration::from_millis(100)).await;
        assert_eq!(upstream.open(), 0, "{piece:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_502() {
    let long = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\nContent-Length: 0\r\n\r\n", "x".repeat(200_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X-A: b\r\n".repeat(500));
    for raw in [
        "",
        "SSH-2.0-OpenSSH_9\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX-A: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 999999 OK\r\n\r\n",
        &long,
        &many,
    ] {
        let (_hub, _upstream, application) = saying(raw).await;
        let answer = application.get("/gateways/shop/x").await;
        assert_eq!(answer.status, 502, "{:?}: {}", &raw[..raw.len().min(80)], answer.text());
        assert_eq!(answer.json()["gateway"], "shop");
    }
}

#[tokio::test]
async fn an_answer_cut_short_is_not_passed_off_as_whole() {
    for raw in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello",
    ] {
        let (_hub, _upstream, application) = saying(raw).await;
        let outcome = application.site.try_ask(Request::get("/gateways/shop/x").bearer(&application.token)).await;
        assert!(outcome.map_or(true, |answer| answer.status == 502), "{raw:?}");
    }
}

#[tokio::test]
async fn sec_24_a_length_beside_chunks_and_more_bytes_than_announced_confuse_nobody() {
    // The second answer waits in the same bytes; whoever comes next must not get it.
    let poison = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned";
    for raw in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello{poison}"),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n{poison}"
        ),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n5\r\nhello\r\n0\r\n\r\n{poison}"
        ),
        format!("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n{poison}"),
        format!("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n{poison}"),
    ] {
        let first = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let (_hub, _upstream, application) = hostile({
            let raw = raw.clone();
            move |mut stream| {
                let text =
                    if first.swap(false, std::sync::atomic::Ordering::Relaxed) { raw.clone() } else { ok("clean") };
                async move {
                    stream.write_all(text.as_bytes()).await.ok()?;
                    Some(stream)
                }
            }
        })
        .await;
        let answer = application.get("/gateways/shop/first").await;
        assert!(matches!(answer.status, 200 | 204 | 304 | 502), "{raw:?}: {}", answer.status);
        assert!(answer.status != 200 || answer.text() == "hello", "{raw:?}: {}", answer.text());
        assert!(answer.headers("content-length").len() + answer.headers("transfer-encoding").len() <= 1, "{raw:?}");
        for _ in 0..3 {
            assert_eq!(application.get("/gateways/shop/second").await.expect(200).text(), "clean", "{raw:?}");
        }
    }
}

#[tokio::test]
async fn a_stale_connection_costs_a_safe_request_nothing_and_repeats_no_unsafe_one() {
    let hub = Hub::start().await;
    // Answers once on each connection; the next request on it is read and the connection closed without a word.
    let counts = std::sync::Arc::new(std::sync::Mutex::new(std::collections::HashMap::new()));
    let upstream = Upstream::scripted(move |mut stream, _| {
        let peer = stream.peer_addr().expect("connected");
        let seen = {
            let mut counts = counts.lock().unwrap();
            let seen = counts.entry(peer).or_insert(0);
            *seen += 1;
            *seen
        };
        async move {
            if seen > 1 {
                return None;
            }
            stream.write_all(ok("fine").as_bytes()).await.ok()?;
            Some(stream)
        }
    })
    .await;
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Administrator"]).await;
    application.get("/gateways/shop/a").await.expect(200);
    application.get("/gateways/shop/b").await.expect(200);
    assert_eq!(upstream.seen().len(), 3, "the second one was sent once more");
    let post = Request::post("/gateways/shop/c").body("text/plain", b"once");
    assert_eq!(application.ask(post).await.status, 502);
    let posts = upstream.seen().iter().filter(|arrived| arrived.method == "POST").count();
    assert_eq!(posts, 1, "nobody can know whether it took effect");
    let delete = Request::new("DELETE", "/gateways/shop/d");
    application.ask(delete).await.expect(200);
}

#[tokio::test]
async fn an_upload_that_a_stale_connection_breaks_is_not_sent_again_without_its_body() {
    let hub = Hub::start().await;
    let (listener, heads) =
        (TcpListener::bind(("127.0.0.1", 0)).await.expect("a port"), Arc::new(Mutex::new(Vec::new())));
    let address = listener.local_addr().expect("bound");
    // Answers a GET; of a POST it reads the beginning and resets the connection.
    tokio::spawn({
        let heads = Arc::clone(&heads);
        async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let heads = Arc::clone(&heads);
                tokio::spawn(async move {
                    let mut block = [0; 4096];
                    while let Ok(count @ 1..) = stream.read(&mut block).await {
                        let text = String::from_utf8_lossy(&block[..count]).into_owned();
                        let is_get = text.starts_with("GET");
                        heads.lock().unwrap().push(text);
                        if !is_get || stream.write_all(ok("fine").as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        }
    });
    hub.gateway_with("shop", &format!("http://{address}"), GatewayInput::default()).await;
    let application = hub.application(&["Administrator"]).await;
    for _ in 0..5 {
        application.get("/gateways/shop/a").await.expect(200);
        let post = Request::post("/gateways/shop/b").body("text/plain", &vec![b'x'; 8 << 20]);
        let outcome = application.site.try_ask(post.bearer(&application.token)).await;
        assert!(outcome.as_ref().map_or(true, |answer| answer.status == 502), "{outcome:?}");
    }
    let heads = heads.lock().unwrap();
    let posts: Vec<_> = heads.iter().filter(|head| head.starts_with("POST")).collect();
    assert_eq!(posts.len(), 5, "each was sent once: {posts:?}");
}

#[tokio::test]
async fn a_connection_that_the_service_closed_in_peace_is_not_used() {
    let hub = Hub::start().await;
    let upstream = Upstream::scripted(|mut stream, _| async move {
        stream.write_all(ok("fine").as_bytes()).await.ok()?;
        None
    })
    .await;
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Administrator"]).await;
    for _ in 0..5 {
        application.ask(Request::post("/gateways/shop/a").body("text/plain", b"x")).await.expect(200);
        sleep(Duration::from_millis(30)).await;
    }
    assert_eq!(upstream.seen().len(), 5);
}

#[tokio::test]
async fn as_many_requests_as_the_gateway_allows() {
    let hub = Hub::start().await;
    let upstream = Upstream::scripted(|mut stream, _| async move {
        sleep(Duration::from_millis(600)).await;
        stream.write_all(ok("fine").as_bytes()).await.ok()?;
        Some(stream)
    })
    .await;
    hub.gateway_with("shop", &upstream.url(), GatewayInput { concurrent: Some(2), ..GatewayInput::default() }).await;
    let application = hub.application(&["Operator"]).await;
    let get = || application.get("/gateways/shop/x");
    let (a, b, c) = tokio::join!(get(), get(), async {
        sleep(Duration::from_millis(200)).await;
        application.get("/gateways/shop/x").await
    });
    assert_eq!((a.status, b.status, c.status), (200, 200, 503));
    assert_eq!(c.header("retry-after"), Some("1"));
    application.get("/gateways/shop/x").await.expect(200);
}

#[tokio::test]
async fn sec_28_the_hub_connects_neither_to_itself_nor_to_link_local_addresses() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let port = hub.site.address.port();
    for (number, url) in [
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.2:{port}"),
        format!("http://[::ffff:127.0.0.1]:{port}"),
        "http://169.254.169.254".to_owned(),
        "http://[fe80::1]".to_owned(),
        "http://[::ffff:169.254.169.254]".to_owned(),
        "http://0.0.0.0:1".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("g{number}");
        hub.gateway_with(&name, &url, GatewayInput::default()).await;
        let began = Instant::now();
        application.get(&format!("/gateways/{name}/healthz")).await.expect(502);
        assert!(began.elapsed() < Duration::from_secs(1), "{url}: nothing is even tried");
    }
}
