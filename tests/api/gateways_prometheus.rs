//! Gateways of kind `prometheus`, in front of Debian's own: what an application reads and writes under a filter.

use gateway_hub::actions::gateway::{GatewayInput, LabelsInput};
use serde_json::Value;

use crate::support::{
    Answer, Application, Hub, Prometheus, Request,
    remote::{self, Matcher, Metadata, ReadQuery, ReadRequest, ReadResponse, Series, WriteRequest},
};

pub(crate) const GATEWAY: &str = "/gateways/prom";

/// What every store of these tests holds.
const SERIES: [&str; 7] = [
    "up{team=\"a\",env=\"prod\",instance=\"1\"}",
    "up{team=\"a\",env=\"test\",instance=\"2\"}",
    "up{team=\"b\",env=\"prod\",instance=\"3\"}",
    "up{team=\"b\",env=\"test\",instance=\"4\"}",
    "up{env=\"test\",instance=\"5\"}",
    "load{team=\"a\",env=\"prod\",instance=\"1\"}",
    "secret{team=\"b\",env=\"prod\"}",
];

/// A hub in front of a filled Prometheus, with the attributes `app.team` and `env`.
pub(crate) struct Stage {
    pub(crate) hub: Hub,
    pub(crate) upstream: Prometheus,
    pub(crate) now: i64,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::with(Prometheus::start()).await
    }

    async fn with(upstream: Prometheus) -> Self {
        let hub = Hub::start().await;
        gateway(&hub, &upstream.url()).await;
        let now = hub.app.clock.now().seconds();
        let stage = Self { hub, upstream, now };
        let series = (0_i32..).zip(SERIES).map(|(at, text)| {
            let mut one = remote::series(text, f64::from(at) + 1.0, now * 1000);
            one.exemplars.push(remote::Exemplar {
                labels: vec![remote::Label { name: "trace_id".to_owned(), value: format!("trace-of-{at}") }],
                value: 1.0,
                timestamp: now * 1000,
            });
            one
        });
        let message = WriteRequest { series: series.collect(), metadata: Vec::new() };
        stage.upstream.site.ask(write("/api/v1/write", &message)).await.expect(204);
        stage
    }

    /// An application with view under this filter.
    pub(crate) async fn viewer(&self, filter: &str) -> Application {
        let name = format!("viewer {filter}");
        self.hub.role(&name, &["gateway/prom:view"], Some(filter)).await;
        self.hub.application(&[&name]).await
    }

    /// The instances of `up` that an application sees, asked in `PromQL`.
    pub(crate) async fn instances(&self, application: &Application) -> String {
        let answer = query(application, "sort_desc(up)").await.expect(200).json();
        let mut found: Vec<&str> =
            result(&answer).iter().filter_map(|one| one["metric"]["instance"].as_str()).collect();
        found.sort_unstable();
        found.concat()
    }
}

pub(crate) async fn gateway(hub: &Hub, url: &str) {
    let labels = LabelsInput { set: vec!["app.team=team".to_owned(), "env=env".to_owned()], ..LabelsInput::default() };
    let input = GatewayInput { kind: Some("prometheus".to_owned()), labels, ..GatewayInput::default() };
    hub.gateway_with("prom", url, input).await;
}

pub(crate) fn write(target: &str, message: &WriteRequest) -> Request {
    message_to(target, &remote::block(message))
}

pub(crate) fn message_to(target: &str, block: &[u8]) -> Request {
    Request::post(target).header("Content-Encoding", "snappy").body("application/x-protobuf", block)
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub(crate) async fn query(application: &Application, query: &str) -> Answer {
    application.get(&format!("{GATEWAY}/api/v1/query?query={}", encoded(query))).await
}

fn result(answer: &Value) -> &Vec<Value> {
    answer["data"]["result"].as_array().unwrap_or_else(|| panic!("no result: {answer}"))
}

/// SECURITY 25: through every endpoint that reads, an application sees what a store with the permitted series would show.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_25_every_endpoint_shows_permitted_series_only() {
    let stage = Stage::set().await;
    let (a, now) = (stage.viewer("app.team = a").await, stage.now);
    assert_eq!(stage.instances(&a).await, "12");
    let either = stage.viewer("app.team = a OR env = test").await;
    assert_eq!(stage.instances(&either).await, "1245");
    let without = stage.viewer("app.team NOT EXISTS").await;
    assert_eq!(stage.instances(&without).await, "5");
    let all = stage.hub.application(&["Operator"]).await;
    assert_eq!(stage.instances(&all).await, "12345");

    // Sums, other teams' series, absence, and the parameter of an aggregation.
    let value = async |application: &Application, text: &str| {
        let answer = query(application, text).await.expect(200).json();
        result(&answer).first().map(|one| one["value"][1].as_str().expect("a value").to_owned())
    };
    assert_eq!(value(&a, "sum(up)").await.as_deref(), Some("3"));
    assert_eq!(value(&all, "sum(up)").await.as_deref(), Some("15"));
    assert_eq!(value(&a, "secret").await, None);
    assert_eq!(value(&a, "up{team=\"b\"}").await, None);
    assert_eq!(value(&a, "absent(secret)").await.as_deref(), Some("1"));
    let leak = "quantile(scalar(secret) / 100, up)";
    assert_ne!(value(&all, leak).await, value(&a, leak).await);
    assert_eq!(value(&a, leak).await.as_deref(), Some("NaN"));

    // A range, by POST.
    let times = [("start", now - 60), ("end", now), ("step", 15)].map(|(name, time)| (name, time.to_string()));
    let mut form = vec![("query", "up")];
    form.extend(times.iter().map(|(name, time)| (*name, time.as_str())));
    let range = a.ask(Request::post(&format!("{GATEWAY}/api/v1/query_range")).form(&form)).await.expect(200).json();
    assert_eq!(result(&range).len(), 2);

    // Series, labels and their values, with selectors and without.
    let get = async |application: &Application, path: &str| {
        application.get(&format!("{GATEWAY}/api/v1/{path}")).await.expect(200).json()["data"].clone()
    };
    let count = |value: &Value| value.as_array().map_or(0, Vec::len);
    assert_eq!(count(&get(&a, "series?match[]=up&match[]=secret").await), 2);
    assert_eq!(count(&get(&all, "series?match[]=up&match[]=secret").await), 6);
    assert_eq!(count(&get(&either, "series?match[]=up").await), 4);
    assert_eq!(get(&a, "label/__name__/values").await, serde_json::json!(["load", "up"]));
    assert_eq!(get(&a, "label/team/values?match[]=up").await, serde_json::json!(["a"]));
    assert_eq!(get(&a, "label/instance/values").await, serde_json::json!(["1", "2"]));
    assert_eq!(get(&without, "labels").await, serde_json::json!(["__name__", "env", "instance"]));
    // Exemplars.
    let exemplars = async |application: &Application| {
        let path = format!("query_exemplars?query=up%20or%20secret&start={}&end={}", now - 60, now + 60);
        get(application, &path).await.to_string()
    };
    assert!(exemplars(&all).await.contains("trace-of-6"), "{}", exemplars(&all).await);
    let seen = exemplars(&a).await;
    assert!(seen.contains("trace-of-0") && !seen.contains("trace-of-2") && !seen.contains("trace-of-6"), "{seen}");
    // Federation.
    let path = format!("{GATEWAY}/federate?match[]=%7B__name__%3D~%22.%2B%22%7D");
    let federated = a.get(&path).await.expect(200).text();
    assert!(federated.contains("load{") && !federated.contains("secret") && !federated.contains("team=\"b\""));
    assert!(all.get(&path).await.expect(200).text().contains("secret"));
}

/// SECURITY 25: remote read shows permitted series only, and none twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_25_remote_read_shows_permitted_series_only() {
    // Equalities that external labels have too mean something else to Prometheus.
    let stage = Stage::with(Prometheus::configured("global: {external_labels: {env: test}}")).await;
    let read = async |application: &Application, accepted: &[i32]| {
        let matcher = Matcher { kind: 2, name: "__name__".to_owned(), value: ".+".to_owned() };
        let query =
            ReadQuery { start: stage.now * 1000 - 60_000, end: stage.now * 1000 + 60_000, matchers: vec![matcher] };
        let message = ReadRequest { queries: vec![query.clone(), query], accepted: accepted.to_vec() };
        let request = message_to(&format!("{GATEWAY}/api/v1/read"), &remote::block(&message));
        let answer = application.ask(request).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
        let answer: ReadResponse = remote::opened(&answer.body);
        assert_eq!(answer.results.len(), 2);
        assert_eq!(answer.results[0], answer.results[1]);
        let mut found: Vec<String> = answer.results[0].series.iter().map(remote::text).collect();
        found.sort();
        found
    };
    let wanted = |at: &[usize]| {
        let mut wanted: Vec<String> = at.iter().map(|at| remote::text(&remote::series(SERIES[*at], 0.0, 0))).collect();
        wanted.sort();
        wanted
    };
    let filtered = stage.viewer("app.team = a").await;
    // Chunks are what Prometheus asks for first.
    assert_eq!(read(&filtered, &[1, 0]).await, wanted(&[0, 1, 5]));
    assert_eq!(read(&stage.viewer("app.team = a OR env = test").await, &[]).await, wanted(&[0, 1, 3, 4, 5]));
    assert_eq!(read(&stage.viewer("app.team NOT EXISTS").await, &[]).await, wanted(&[4]));
    assert_eq!(read(&stage.hub.application(&["Operator"]).await, &[]).await, wanted(&[0, 1, 2, 3, 4, 5, 6]));
}

/// SECURITY 25: what can't be filtered is refused, and what can't be parsed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_25_what_can_not_be_filtered_is_refused() {
    let stage = Stage::set().await;
    let (a, all) = (stage.viewer("app.team = a").await, stage.hub.application(&["Operator"]).await);
    for path in [
        "api/v1/rules",
        "api/v1/alerts",
        "api/v1/metadata",
        "api/v1/targets",
        "api/v1/targets/metadata",
        "api/v1/scrape_pools",
        "api/v1/alertmanagers",
        "api/v1/status/config",
        "api/v1/status/flags",
        "api/v1/status/runtimeinfo",
        "api/v1/status/tsdb",
        "api/v1/status/walreplay",
        "metrics",
    ] {
        let path = format!("{GATEWAY}/{path}");
        assert_eq!(a.get(&path).await.expect(403).problem(), "filter-unenforceable", "{path}");
        all.get(&path).await.expect(200);
    }
    for path in ["api/v1/status/buildinfo", "api/v1/format_query?query=up%2Bup"] {
        for application in [&a, &all] {
            application.get(&format!("{GATEWAY}/{path}")).await.expect(200);
        }
    }
    for bad in ["up{", "", "info(up)", "up{team=\"a\" or team=\"b\"}", "unknown_function(up)"] {
        let answer = query(&a, bad).await.expect(400);
        assert_eq!(answer.problem(), "invalid-query", "{bad}");
        // As clients of Prometheus read it.
        assert_eq!((answer.member("status"), answer.member("errorType")), ("error".to_owned(), "bad_data".to_owned()));
        assert!(!answer.member("error").is_empty(), "{bad}");
    }
    for nested in [2_000, 200_000] {
        let bomb = format!("{}up{}", "(".repeat(nested), ")".repeat(nested));
        let request = Request::post(&format!("{GATEWAY}/api/v1/query")).form(&[("query", &bomb)]);
        let answer = a.ask(request).await;
        assert!(matches!(answer.status, 400 | 413), "{nested}: {}", answer.status);
    }
    // Without a filter a query is not parsed: the upstream says what is wrong with it.
    let own = query(&all, "up{").await.expect(400);
    assert!(own.member("error").contains("parse error"), "{}", own.text());
    assert_eq!(stage.instances(&a).await, "12");
}

/// SECURITY 25: an upstream's error can quote what lies beyond the filter, and the filter itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_25_errors_do_not_quote_the_filter() {
    let stage = Stage::set().await;
    let (a, all) = (stage.viewer("app.team != zebra").await, stage.hub.application(&["Operator"]).await);
    let ambiguous = "up * on(env) up";
    assert!(query(&all, ambiguous).await.expect(422).text().contains("team"));
    let answer = query(&a, ambiguous).await.expect(422);
    assert!(!answer.text().contains("team") && !answer.text().contains("zebra"), "{}", answer.text());
    assert_eq!((answer.member("status"), answer.member("errorType")), ("error".to_owned(), "execution".to_owned()));
    assert_eq!(answer.problem(), "query-failed");
}

/// SECURITY 26: URL and form can't disagree, in whatever way they are sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_26_url_and_form_can_not_disagree() {
    let stage = Stage::set().await;
    let a = stage.viewer("app.team = a").await;
    let target = |rest: &str| format!("{GATEWAY}/api/v1/{rest}");
    let form = |target: &str, query: &str| Request::post(target).form(&[("query", query)]);
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nsecret\r\n--x--\r\n";
    let plain = "application/x-www-form-urlencoded";
    let requests = [
        Request::get(&target("query?query=up&query=secret")),
        Request::get(&target("query?query=up&%71uery=secret")),
        Request::get(&target("query?query=up&extra=1")),
        form(&target("query?query=up"), "secret"),
        form(&target("query?query=secret"), "up"),
        Request::post(&target("query?query=up")).body("multipart/form-data; boundary=x", multipart.as_bytes()),
        Request::post(&target("query?query=up")).body("text/plain", b"query=secret"),
        Request { body: b"query=secret".to_vec(), ..Request::post(&target("query?query=up")) },
        Request::get(&target("query?query=up")).body(plain, b"query=secret"),
        form(&target("query"), "up").header("Content-Type", "multipart/form-data; boundary=x"),
        form(&target("query"), "up").header("Content-Encoding", "gzip"),
        Request::get(&target("series?match[]=")),
        Request::get(&target("series?match[]=up&match[]=")),
        Request::get(&target("series?match[]=up&match=secret")),
        Request::get(&target("%2e%2e/v1/query?query=up")),
        Request::get(&target("query%2Fx?query=up")),
        Request::get(&target("label/a%2Fb/values")),
    ];
    for request in requests {
        let answer = a.ask(request.clone()).await;
        assert!(matches!(answer.status, 400 | 404 | 415), "{} {}: {}", request.method, request.target, answer.status);
        assert!(!answer.text().contains("\"b\""), "{}", answer.text());
    }
    // An encoded path is decoded once and then judged: this is `query`.
    let answer = a.get(&target("%71uery?query=up")).await.expect(200).json();
    assert_eq!(result(&answer).len(), 2);
    a.get(&target("%2571uery?query=up")).await.expect(404);
    // Every selector is limited, wherever it stands.
    let both = Request::post(&target("series?match[]=secret")).form(&[("match[]", "up"), ("match[]", "{team=\"b\"}")]);
    let answer = a.ask(both).await.expect(200).json();
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(2), "{answer}");
}

/// SECURITY 27: roles add up, each under its own filter; one role's edit never pairs with another's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_27_roles_add_up_and_edit_stays_apart_from_view() {
    let stage = Stage::set().await;
    let hub = &stage.hub;
    hub.role("sees a", &["gateway/prom:view"], Some("app.team = a")).await;
    hub.role("sees test", &["gateway/prom:view"], Some("env = test")).await;
    hub.role("writes b", &["gateway/prom:edit"], Some("app.team = b")).await;
    assert_eq!(stage.instances(&hub.application(&["sees a", "sees test"]).await).await, "1245");

    let both = hub.application(&["sees a", "writes b"]).await;
    assert_eq!(stage.instances(&both).await, "12");
    let new = |text: &str| remote::series(text, 1.0, stage.now * 1000);
    let send = async |application: &Application, series: Vec<Series>| {
        let metadata = vec![Metadata { kind: 1, family: "up".to_owned(), help: "secret help".to_owned() }];
        let message = WriteRequest { series, metadata };
        application.ask(write(&format!("{GATEWAY}/api/v1/write"), &message)).await
    };
    send(&both, vec![new("new{team=\"b\"}")]).await.expect(204);
    // One series beyond the filter, and nothing of the request is written; the first one is named.
    let mixed = vec![new("new{team=\"b\",x=\"1\"}"), new("new{team=\"a\"}"), new("new{team=\"c\"}")];
    let refused = send(&both, mixed).await.expect(403);
    assert_eq!(refused.problem(), "outside-filter");
    assert!(refused.member("detail").contains("new{team=\"a\"}"), "{}", refused.text());
    for outside in ["new{}", "new{app_team=\"b\"}", "new{team=\"b \"}", "new{team=\"a\",env=\"test\"}"] {
        send(&both, vec![new(outside)]).await.expect(403);
    }
    // View alone writes nothing, edit alone sees nothing.
    let viewer = hub.application(&["sees a"]).await;
    assert_eq!(send(&viewer, vec![new("new{team=\"a\"}")]).await.expect(403).problem(), "insufficient-scope");
    let writer = hub.application(&["writes b"]).await;
    assert_eq!(query(&writer, "up").await.expect(403).problem(), "insufficient-scope");
    let all = hub.application(&["Operator"]).await;
    let written = query(&all, "new").await.expect(200).json();
    assert_eq!(result(&written).len(), 1, "{written}");
    assert_eq!(result(&written)[0]["metric"], serde_json::json!({"__name__": "new", "team": "b"}));
}

/// SECURITY 27: forged and duplicate labels, bombs, and protocols that are not read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_27_writes_that_are_no_good_are_refused_for_good() {
    let stage = Stage::set().await;
    stage.hub.role("writes b", &["gateway/prom:edit"], Some("app.team = b")).await;
    let (writer, all) = (stage.hub.application(&["writes b"]).await, stage.hub.application(&["Operator"]).await);
    let target = &format!("{GATEWAY}/api/v1/write");
    let label = |name: &str, value: &str| remote::Label { name: name.to_owned(), value: value.to_owned() };
    let twice = |first: &str, second: &str| {
        let mut one = remote::series("forged", 1.0, stage.now * 1000);
        one.labels.extend([label("team", first), label("team", second)]);
        WriteRequest { series: vec![one], metadata: Vec::new() }
    };
    for application in [&writer, &all] {
        for (first, second) in [("a", "b"), ("b", "a"), ("b", "b"), ("b", "")] {
            application.ask(write(target, &twice(first, second))).await.expect(400);
        }
        // Declares 4 GiB.
        application.ask(message_to(target, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0])).await.expect(413);
        let zeros = snap::raw::Encoder::new().compress_vec(&vec![0; 40 << 20]).expect("a block");
        application.ask(message_to(target, &zeros)).await.expect(413);
        application.ask(message_to(target, b"no block")).await.expect(400);
        let good = remote::block(&WriteRequest::default());
        for (content_type, encoding) in [
            ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy"),
            ("application/json", "snappy"),
            ("application/x-protobuf", "zstd"),
            ("application/x-protobuf", "identity"),
        ] {
            let request = Request::post(target).header("Content-Encoding", encoding).body(content_type, &good);
            application.ask(request).await.expect(415);
        }
        application.ask(Request::post(&format!("{GATEWAY}/api/v1/otlp/v1/metrics"))).await.expect(404);
        application.ask(message_to(target, &good)).await.expect(204);
    }
    assert!(result(&query(&all, "forged").await.expect(200).json()).is_empty());
}

/// SECURITY 23: every endpoint with every method, and what is never forwarded: the upstream would obey.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_23_nothing_but_the_table_is_forwarded() {
    use gateway_hub::domain::prometheus::endpoint::ENDPOINTS;

    let mut stage = Stage::set().await;
    let administrator = stage.hub.application(&["Administrator"]).await;
    let a = stage.viewer("app.team = a").await;
    for row in ENDPOINTS {
        let path = format!("{GATEWAY}/{}", row.path.replace("{name}", "job"));
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] {
            let listed = row.methods.iter().any(|known| known.as_str() == method);
            for application in [&administrator, &a] {
                let answer = application.ask(Request::new(method, &path)).await;
                assert_eq!(answer.status == 405, !listed, "{method} {path}: {}", answer.status);
                if !listed {
                    assert_eq!(answer.header("allow"), Some(row.allowed()), "{method} {path}");
                }
            }
        }
    }
    let never = [
        "-/quit",
        "-/reload",
        "-/healthy",
        "-/ready",
        "api/v1/admin/tsdb/delete_series?match[]=up",
        "api/v1/admin/tsdb/snapshot",
        "api/v1/admin/tsdb/clean_tombstones",
        "debug/pprof/heap",
        "debug/pprof/cmdline",
        "consoles/prometheus.html",
        "graph",
        "classic/graph",
        "",
        "api/v1/label/__name__",
        "api/v1/query/",
        "api/v1/quer%79%2f",
        "api/v1/QUERY?query=up",
    ];
    for path in never {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            for application in [&administrator, &a] {
                let answer = application.ask(Request::new(method, &format!("{GATEWAY}/{path}"))).await;
                assert!(matches!(answer.status, 400 | 404), "{method} {path}: {}", answer.status);
            }
        }
    }
    assert!(stage.upstream.runs());
    assert_eq!(stage.instances(&administrator).await, "12345");
}
