//! Gateways of kind `prometheus` in front of a service that records what arrives: what goes up, and what becomes of answers
//! that no Prometheus of today gives.

use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;

use crate::gateways_prometheus::{GATEWAY, gateway, write};
use crate::support::{
    Application, Hub, Request, Upstream,
    remote::{self, WriteRequest},
    upstream::Arrived,
};

/// Answers everything with this status, content type and body.
async fn answering(status: &str, content_type: &str, body: &str) -> Upstream {
    let length = body.len();
    let raw = format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}");
    Upstream::answering(raw).await
}

async fn viewer(hub: &Hub) -> Application {
    hub.role("viewer", &["gateway/prom:view"], Some("app.team = zebra")).await;
    hub.application(&["viewer"]).await
}

const EMPTY: &str = r#"{"status":"success","data":[]}"#;

/// SECURITY 24, 26: the request is made anew. Tenants, filters of other products and whatever else a caller adds stay behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_26_what_goes_up_is_made_anew() {
    let hub = Hub::start().await;
    let upstream = answering("200 OK", "application/json", EMPTY).await;
    gateway(&hub, &upstream.url()).await;
    let application = viewer(&hub).await;
    let all = hub.application(&["Operator"]).await;
    let extra =
        "extra_label=team%3Db&extra_filters=%7Bteam%3D%22b%22%7D&extra_filters[]=%7B%7D&extra%5Ffilters%5B%5D=%7B%7D";
    let target = |rest: &str| format!("{GATEWAY}/api/v1/{rest}");
    for caller in [&application, &all] {
        let request = Request::get(&target(&format!("%71uery?{extra}&query=%75p&time=1")))
            .header("X-Scope-OrgID", "other")
            .header("THANOS-TENANT", "other")
            .header("AccountID", "7")
            .header("X-Anything", "other")
            .header("Cookie", "a=b")
            .header("User-Agent", "grafana")
            .header("Range", "bytes=0-1")
            .header("Accept-Encoding", "gzip");
        caller.ask(request).await.expect(200);
        let Arrived { target, headers, .. } = upstream.last();
        let query = target.strip_prefix("/api/v1/query?").expect("the path as the table has it");
        assert!(query.contains("query=") && query.contains("time=1") && !query.contains("extra"), "{target}");
        let mut names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept-encoding", "host", "user-agent", "x-gateway-hub-client-id"]);
    }
    // Under a filter the answer is read, so it must come as it is.
    application.get(&target("labels")).await.expect(200);
    assert_eq!(upstream.last().header("accept-encoding"), Some("identity"));
    assert!(upstream.last().target.contains("zebra"));
    // A form stays a form, and is no longer the caller's.
    let form = Request::post(&target("series?match[]=up")).form(&[("match[]", "down"), ("extra_filters[]", "{}")]);
    application.ask(form).await.expect(200);
    let arrived = upstream.last();
    let body = String::from_utf8(arrived.body.clone()).expect("text");
    assert_eq!((arrived.target.as_str(), arrived.count("content-type")), ("/api/v1/series", 1));
    assert_eq!((body.matches("zebra").count(), body.contains("extra")), (2, false), "{body}");
}

/// SECURITY 25: warnings and infos can quote the rewritten query; so can errors of any kind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_25_what_quotes_the_filter_stays_behind() {
    let quoting = r#"{"status":"success","warnings":["{team=\"zebra\"}"],"data":{"result":[]},"infos":["zebra"],"error":"zebra"}"#;
    let hub = Hub::start().await;
    let pieces = Upstream::scripted(move |mut stream, _| async move {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).await.ok()?;
        for byte in quoting.bytes() {
            stream.write_all(&[b'1', b'\r', b'\n', byte, b'\r', b'\n']).await.ok()?;
        }
        stream.write_all(b"0\r\n\r\n").await.ok()?;
        Some(stream)
    })
    .await;
    gateway(&hub, &pieces.url()).await;
    let (application, all) = (viewer(&hub).await, hub.application(&["Operator"]).await);
    let target = format!("{GATEWAY}/api/v1/query?query=up");
    let answer = application.get(&target).await.expect(200);
    assert_eq!(answer.text(), r#"{"status":"success","data":{"result":[]}}"#);
    assert_eq!(all.get(&target).await.expect(200).text(), quoting);

    for (status, wanted) in [
        ("400 Bad Request", 400),
        ("422 Unprocessable Entity", 422),
        ("500 Internal Server Error", 502),
        ("503 Service Unavailable", 503),
        ("404 Not Found", 404),
        ("302 Found", 502),
        ("429 Too Many Requests", 503),
        ("203 Quoting", 502),
    ] {
        let hub = Hub::start().await;
        let upstream = answering(status, "text/plain", "query {team=\"zebra\"}").await;
        gateway(&hub, &upstream.url()).await;
        let application = viewer(&hub).await;
        let answer = application.get(&target).await.expect(wanted);
        assert!(!answer.everything().contains("zebra"), "{}", answer.everything());
        assert!(!answer.member("error").is_empty());
    }
}

/// A write that is answered with 401, 403 or 429 is dropped by Prometheus; with 5xx it is sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_can_be_sent_again_is_answered_so() {
    let message = |hub: &Hub| {
        let now = hub.app.clock.now().seconds() * 1000;
        let series = vec![remote::series("up{team=\"a\"}", 1.0, now)];
        write(&format!("{GATEWAY}/api/v1/write"), &WriteRequest { series, metadata: Vec::new() })
    };
    for (status, wanted) in [
        ("429 Too Many Requests", 503),
        ("503 Service Unavailable", 503),
        ("500 Internal Server Error", 500),
        ("401 Unauthorized", 502),
        ("400 Bad Request", 400),
        ("204 No Content", 204),
    ] {
        let hub = Hub::start().await;
        let upstream = answering(status, "text/plain", "").await;
        gateway(&hub, &upstream.url()).await;
        let writer = hub.application(&["Operator"]).await;
        let answer = writer.ask(message(&hub)).await.expect(wanted);
        if wanted == 503 && status.starts_with("429") {
            assert!(answer.header("retry-after").is_some());
        }
    }
    // Nobody there, and then left alone for a while.
    let hub = Hub::start().await;
    let gone = answering("204 No Content", "text/plain", "").await.url();
    gateway(&hub, &gone).await;
    let writer = hub.application(&["Operator"]).await;
    for _ in 0..10 {
        let status = writer.ask(message(&hub)).await.status;
        assert!(matches!(status, 502 | 503), "{status}");
    }
}

/// What was asked before is not rewritten again, and not mixed up between filters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rewritten_queries_are_remembered_by_filter() {
    let hub = Hub::start().await;
    let upstream = Arc::new(answering("200 OK", "application/json", EMPTY).await);
    gateway(&hub, &upstream.url()).await;
    let mut callers = Vec::new();
    for team in ["lion", "tiger"] {
        hub.role(team, &["gateway/prom:view"], Some(&format!("app.team = {team}"))).await;
        callers.push((team, hub.application(&[team]).await));
    }
    for _ in 0..3 {
        for (team, caller) in &callers {
            caller.get(&format!("{GATEWAY}/api/v1/query?query=up")).await.expect(200);
            assert!(upstream.last().target.contains(team), "{}", upstream.last().target);
        }
    }
    // A changed filter counts at the next request.
    hub.set_role("lion", &["gateway/prom:view"], Some("app.team = leopard")).await;
    callers[0].1.get(&format!("{GATEWAY}/api/v1/query?query=up")).await.expect(200);
    assert!(upstream.last().target.contains("leopard"), "{}", upstream.last().target);
}
