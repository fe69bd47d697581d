//! Open exchanges: streamed both ways, and cut when the key ends (SECURITY 22).

use std::time::{Duration, Instant};

use gateway_hub::actions::gateway::GatewayInput;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{Application, Hub, Request, Upstream};

/// A service that streams without end, a piece of this size every so many milliseconds.
async fn stream(piece: usize, pause: u64) -> Upstream {
    Upstream::scripted(move |mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.ok()?;
        let piece = [format!("{piece:x}\r\n").into_bytes(), vec![b'x'; piece], b"\r\n".to_vec()].concat();
        loop {
            stream.write_all(&piece).await.ok()?;
            sleep(Duration::from_millis(pause)).await;
        }
    })
    .await
}

fn head(hub: &Hub, application: &Application, line: &str, more: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{more}\r\n", hub.site.host(), application.token)
}

async fn open(hub: &Hub, application: &Application) -> TcpStream {
    let mut caller = TcpStream::connect(hub.site.address).await.expect("the hub listens");
    caller.write_all(head(hub, application, "GET /gateways/shop/stream", "").as_bytes()).await.expect("sent");
    let mut block = [0; 4096];
    let count = timeout(Duration::from_secs(5), caller.read(&mut block)).await.expect("in time").expect("an answer");
    assert!(block[..count].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&block[..count]));
    caller
}

/// Reads until the other side ends; how long that took.
async fn until_cut(mut caller: TcpStream) -> Duration {
    let began = Instant::now();
    let mut block = vec![0; 64 * 1024];
    loop {
        match timeout(Duration::from_secs(5), caller.read(&mut block)).await.expect("it is cut") {
            Ok(0) | Err(_) => return began.elapsed(),
            Ok(_) => {}
        }
    }
}

#[tokio::test]
async fn sec_22_open_answers_are_cut_when_the_key_ends() {
    let (hub, upstream) = (Hub::start().await, stream(10, 20).await);
    let gateway = hub.gateway("shop", &upstream).await;
    hub.role("Viewer", &["gateway/shop:view"], None).await;
    for end in ["delete", "disable", "regenerate", "leaked", "revoke", "roles", "network", "gateway"] {
        let application = hub.application(&["Viewer"]).await;
        let other = hub.application(&["Viewer"]).await;
        let (caller, lives) = (open(&hub, &application).await, open(&hub, &other).await);
        let id = application.client_id.as_str();
        match end {
            "delete" => hub.delete(id).await,
            "disable" => hub.disable(id).await,
            "regenerate" => drop(hub.regenerate(id, None).await),
            "leaked" => drop(hub.leaked(id).await),
            "revoke" => {
                application.client_post("/oauth2/revoke", &[("token", &application.token)]).await.expect(200);
            }
            "roles" => hub.set_roles(id, &["Administrator"]).await,
            "network" => hub.set_networks(id, &["192.0.2.0/24"]).await,
            _ => hub.delete_gateway(&gateway).await,
        }
        if end == "roles" {
            // The new role gives the same: nothing is cut for it.
            assert!(timeout(Duration::from_millis(800), until_cut(caller)).await.is_err(), "{end}");
        } else {
            let took = until_cut(caller).await;
            assert!(took < Duration::from_secs(1), "{end}: {took:?}");
        }
        if end != "gateway" {
            assert!(timeout(Duration::from_millis(50), until_cut(lives)).await.is_err(), "{end} cuts its own only");
        }
    }
}

#[tokio::test]
async fn sec_22_an_overlap_ends_at_its_second_for_open_answers_too() {
    let (hub, upstream) = (Hub::with_manual_clock().await, stream(10, 20).await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Operator"]).await;
    let caller = open(&hub, &application).await;
    hub.regenerate(&application.client_id, Some(60)).await;
    hub.advance(59).await;
    sleep(Duration::from_millis(600)).await;
    assert_eq!(upstream.open(), 1, "still open");
    hub.advance(2).await;
    let took = until_cut(caller).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn sec_22_who_takes_nothing_is_cut_too() {
    let (hub, upstream) = (Hub::start().await, stream(64 * 1024, 0).await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Operator"]).await;
    // Never read from: the buffers fill up and everything waits.
    let caller = open(&hub, &application).await;
    sleep(Duration::from_millis(300)).await;
    assert_eq!(upstream.open(), 1);
    hub.delete(&application.client_id).await;
    let began = Instant::now();
    while upstream.open() > 0 {
        assert!(began.elapsed() < Duration::from_secs(1), "the connection to the service is still open");
        sleep(Duration::from_millis(20)).await;
    }
    drop(caller);
}

#[tokio::test]
async fn sec_22_a_request_that_waits_for_its_answer_or_still_uploads_is_cut() {
    let hub = Hub::start().await;
    let upstream = Upstream::scripted(|stream, _| async move {
        sleep(Duration::from_secs(20)).await;
        Some(stream)
    })
    .await;
    hub.gateway("shop", &upstream).await;
    for (line, more) in
        [("GET /gateways/shop/slow", ""), ("POST /gateways/shop/slow", "Content-Length: 100\r\nX-Unread: 1\r\n")]
    {
        let application = hub.application(&["Administrator"]).await;
        let mut caller = TcpStream::connect(hub.site.address).await.expect("the hub listens");
        caller.write_all(head(&hub, &application, line, more).as_bytes()).await.expect("sent");
        if line.starts_with("POST") {
            caller.write_all(b"some").await.expect("sent");
        }
        sleep(Duration::from_millis(300)).await;
        hub.delete(&application.client_id).await;
        let began = Instant::now();
        let mut answer = vec![0; 4096];
        let count =
            timeout(Duration::from_secs(5), caller.read(&mut answer)).await.expect("in time").expect("an answer");
        assert!(answer[..count].starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer[..count]));
        assert!(began.elapsed() < Duration::from_secs(1), "{line}");
    }
}

#[tokio::test]
async fn a_caller_that_leaves_takes_its_request_along() {
    let (hub, upstream) = (Hub::start().await, stream(10, 20).await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Operator"]).await;
    let caller = open(&hub, &application).await;
    assert_eq!(upstream.open(), 1);
    drop(caller);
    let began = Instant::now();
    while upstream.open() > 0 {
        assert!(began.elapsed() < Duration::from_secs(2), "the service still works for nobody");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn pieces_arrive_as_they_are_sent() {
    let (hub, upstream) = (Hub::start().await, stream(10, 100).await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Operator"]).await;
    let mut caller = open(&hub, &application).await;
    let began = Instant::now();
    let mut block = [0; 4096];
    for _ in 0..3 {
        assert!(caller.read(&mut block).await.expect("a piece") > 0);
    }
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn two_hundred_slow_downloads_do_not_slow_a_fast_one() {
    let (hub, slow) = (Hub::start().await, stream(64 * 1024, 0).await);
    let fast = Upstream::saying("quick").await;
    hub.gateway("shop", &slow).await;
    hub.gateway("fast", &fast).await;
    let application = hub.application(&["Operator"]).await;
    let mut open_ones = Vec::new();
    for _ in 0..200 {
        open_ones.push(open(&hub, &application).await);
    }
    sleep(Duration::from_millis(300)).await;
    let mut times = Vec::new();
    for _ in 0..50 {
        let began = Instant::now();
        application.get("/gateways/fast/x").await.expect(200);
        times.push(began.elapsed());
    }
    times.sort();
    println!("beside 200 slow downloads: median {:?}, slowest {:?}", times[25], times[49]);
    assert!(times[25] < Duration::from_millis(100), "{times:?}");
}

#[tokio::test]
async fn a_stalled_body_ends_either_way() {
    let hub = Hub::start().await;
    let stalls = Upstream::scripted(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome").await.ok()?;
        sleep(Duration::from_secs(20)).await;
        Some(stream)
    })
    .await;
    let idle = Some(Duration::from_millis(500));
    hub.gateway_with("shop", &stalls.url(), GatewayInput { idle_timeout: idle, ..GatewayInput::default() }).await;
    let application = hub.application(&["Administrator"]).await;
    let took = until_cut(open(&hub, &application).await).await;
    assert!((400..2500).contains(&took.as_millis()), "{took:?}");
    // The caller stops sending.
    let mut caller = TcpStream::connect(hub.site.address).await.expect("the hub listens");
    let upload = head(&hub, &application, "POST /gateways/shop/x", "Content-Length: 100\r\nX-Unread: 1\r\n");
    let silent = Upstream::scripted(|stream, _| async move {
        sleep(Duration::from_secs(20)).await;
        Some(stream)
    })
    .await;
    hub.gateway_with("silent", &silent.url(), GatewayInput { idle_timeout: idle, ..GatewayInput::default() }).await;
    caller.write_all(upload.replace("/shop/", "/silent/").as_bytes()).await.expect("sent");
    let mut answer = vec![0; 4096];
    let count = timeout(Duration::from_secs(5), caller.read(&mut answer)).await.expect("in time").expect("an answer");
    assert!(answer[..count].starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer[..count]));
    application.ask(Request::get("/api/v1/whoami")).await.expect(200);
}
