//! Clients of Prometheus' API that other people wrote: Debian's Prometheus as a writer and a reader through the hub, and the
//! calls of Grafana's data source, replayed.

use std::time::{Duration, Instant};

use gateway_hub::actions::application::ApplicationUpdate;

use crate::gateways_prometheus::{GATEWAY, gateway};
use crate::support::{Application, Hub, Prometheus, Request};

/// How long the service behind the hub is away, unless the environment says otherwise.
const AWAY: u64 = 6;

/// How a Prometheus is told to go through the hub.
fn oauth2(hub: &Hub, application: &Application) -> String {
    format!(
        "    oauth2:\n      client_id: {}\n      client_secret: {}\n      token_url: {}/oauth2/token\n",
        application.client_id, application.client_secret, hub.site.issuer
    )
}

/// Asks again until there is something.
async fn until(prometheus: &Prometheus, query: &str) -> Vec<f64> {
    let start = Instant::now();
    loop {
        let found = prometheus.values(query).await;
        if !found.is_empty() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "nothing for {query}: {}", prometheus.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What a Prometheus has scraped arrives through the hub, all of it, though the store behind the hub was away for a while; and
/// another Prometheus reads it through the hub.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_writes_and_reads_through_the_hub_and_loses_nothing() {
    let hub = Hub::start().await;
    let mut store = Prometheus::start();
    gateway(&hub, &store.url()).await;
    hub.role("writes a", &["gateway/prom:edit"], Some("app.team = a")).await;
    hub.role("reads a", &["gateway/prom:view"], Some("app.team = a")).await;
    let (edit, view) = (hub.application(&["writes a"]).await, hub.application(&["reads a"]).await);
    let writer = Prometheus::configured(&format!(
        "global: {{scrape_interval: 500ms, external_labels: {{team: a}}}}\n\
         scrape_configs:\n  - job_name: own\n    static_configs: [{{targets: [SELF]}}]\n\
         remote_write:\n  - url: {}{GATEWAY}/api/v1/write\n{}    queue_config: {{batch_send_deadline: 1s, max_backoff: 1s}}\n",
        hub.site.issuer,
        oauth2(&hub, &edit)
    ));
    until(&store, "go_goroutines{team=\"a\"}").await;
    let from = hub.app.clock.now().seconds();
    tokio::time::sleep(Duration::from_secs(1)).await;

    let away = std::env::var("PROMETHEUS_AWAY_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(AWAY);
    store.stop();
    tokio::time::sleep(Duration::from_secs(away)).await;
    store.start_again();
    let to = hub.app.clock.now().seconds();

    // What was scraped from before it went until it was back, here and there.
    let count = format!("count_over_time(go_goroutines[{}s] @ {to})", to - from);
    let scraped = writer.values(&count).await[0];
    assert!(scraped >= f64::from(u32::try_from(away).expect("short")), "{scraped}");
    let start = Instant::now();
    loop {
        let arrived = store.values(&count.replace("go_goroutines", "go_goroutines{team=\"a\"}")).await;
        if arrived == [scraped] {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60 + away), "{arrived:?} of {scraped}: {}", writer.log());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let lost = "prometheus_remote_storage_samples_failed_total + prometheus_remote_storage_samples_dropped_total";
    assert_eq!(until(&writer, lost).await, [0.0]);

    // Another application writes for another team; the reader sees nothing of it.
    let all = hub.application(&["Operator"]).await;
    let now = hub.app.clock.now().seconds() * 1000;
    let series = vec![crate::support::remote::series("go_goroutines{team=\"b\"}", 7.0, now)];
    let message = crate::support::remote::WriteRequest { series, metadata: Vec::new() };
    all.ask(crate::gateways_prometheus::write(&format!("{GATEWAY}/api/v1/write"), &message)).await.expect(204);
    assert_eq!(store.values("count(go_goroutines)").await, [2.0]);
    let reader = Prometheus::configured(&format!(
        "remote_read:\n  - url: {}{GATEWAY}/api/v1/read\n    read_recent: true\n{}",
        hub.site.issuer,
        oauth2(&hub, &view)
    ));
    assert_eq!(until(&reader, "count(go_goroutines)").await, [1.0]);
    assert_eq!(reader.values(&count).await, [scraped]);
    assert!(reader.values("go_goroutines{team=\"b\"}").await.is_empty());
}

/// The calls that Grafana's Prometheus data source makes, with the key as HTTP Basic and the headers that it sends: its health
/// check, label browser, query builder, panels and exemplars. Grafana itself is not run here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grafanas_calls_work_with_basic() {
    let hub = Hub::start().await;
    let store = Prometheus::start();
    gateway(&hub, &store.url()).await;
    let now = hub.app.clock.now().seconds();
    let all = hub.application(&["Operator"]).await;
    let series = ["up{team=\"a\",job=\"x\"}", "up{team=\"b\",job=\"y\"}"];
    let series = series.iter().map(|text| crate::support::remote::series(text, 1.0, now * 1000)).collect();
    let message = crate::support::remote::WriteRequest { series, metadata: Vec::new() };
    all.ask(crate::gateways_prometheus::write(&format!("{GATEWAY}/api/v1/write"), &message)).await.expect(204);
    hub.role("dashboards", &["gateway/prom:view"], Some("app.team = a")).await;
    let grafana = hub.application_without_token(&["dashboards"]).await;
    let call = async |request: Request| {
        let request = request
            .basic(&grafana.client_id, &grafana.client_secret)
            .header("User-Agent", "Grafana/11.2.0")
            .header("X-Grafana-Org-Id", "1")
            .header("X-Datasource-Uid", "prom")
            .header("X-Dashboard-Uid", "board");
        hub.site.ask(request).await
    };
    let path = |rest: &str| format!("{GATEWAY}/api/v1/{rest}");
    let post = |rest: &str, form: &[(&str, &str)]| Request::post(&path(rest)).form(form);
    let (start, end) = ((now - 3600).to_string(), (now + 1).to_string());
    let range = [("start", &*start), ("end", &*end)];

    // Off by default.
    call(Request::get(&path("query?query=1%2B1"))).await.expect(401);
    let allow = ApplicationUpdate { allow_basic: Some(true), ..ApplicationUpdate::default() };
    hub.update(&grafana.client_id, allow).await;
    // The health check, and what kind of store this is.
    let health = call(post("query", &[("query", "1+1"), ("time", &end)])).await.expect(200).json();
    assert_eq!(health["data"]["result"][1], "2");
    let built = call(Request::get(&path("status/buildinfo"))).await.expect(200).json();
    assert!(built["data"]["version"].is_string());
    // The label browser and the query builder.
    let times = format!("start={start}&end={end}&limit=40000");
    let names = call(Request::get(&path(&format!("label/__name__/values?{times}")))).await.expect(200).json();
    assert_eq!(names["data"], serde_json::json!(["up"]));
    let labels = call(post("labels", &[&range[..], &[("match[]", "up")]].concat())).await.expect(200).json();
    assert_eq!(labels["data"], serde_json::json!(["__name__", "job", "team"]));
    call(Request::get(&path(&format!("labels?{times}")))).await.expect(200);
    let jobs = call(Request::get(&path(&format!("label/job/values?match[]=up&{times}")))).await.expect(200).json();
    assert_eq!(jobs["data"], serde_json::json!(["x"]));
    let found =
        call(post("series", &[&range[..], &[("match[]", "{__name__=\"up\"}")]].concat())).await.expect(200).json();
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
    call(Request::get(&path(&format!("series?match[]=up&{times}")))).await.expect(200);
    call(Request::get(&path("format_query?query=up%2Bup"))).await.expect(200);
    // Panels: a range, an instant, exemplars.
    let query = ("query", "sum by (team) (rate(up[5m])) or up");
    let panel = call(post("query_range", &[&range[..], &[query, ("step", "15")]].concat())).await.expect(200).json();
    assert_eq!(panel["data"]["result"].as_array().map(Vec::len), Some(1), "{panel}");
    call(post("query", &[("query", "up{job=~\"x|y\"}"), ("time", &end)])).await.expect(200);
    call(post("query_exemplars", &[&range[..], &[("query", "up")]].concat())).await.expect(200);
    // What it does without when it is refused: help texts and rules.
    for refused in ["metadata?limit=40000", "rules", "rules?type=alert"] {
        assert_eq!(call(Request::get(&path(refused))).await.expect(403).problem(), "filter-unenforceable");
    }
    // An error that it shows in the panel.
    let wrong = call(post("query", &[("query", "up{")])).await.expect(400).json();
    assert!(wrong["status"] == "error" && wrong["error"].is_string() && wrong["errorType"] == "bad_data", "{wrong}");
}
