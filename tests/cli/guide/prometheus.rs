//! `docs/prometheus.md`: its commands and configurations, run with what Debian packages.

use std::{fs, path::Path, process::Command, time::Duration};

use gateway_hub::ambient::Clock;
use serde_json::Value;

use super::{Here, Terminal, blocks};
use crate::support::{
    Application, HubProcess, Installation, Prometheus, Request, Upstream,
    process::free_port,
    remote::{self, WriteRequest},
};

/// Client id and secret of a key that a command wrote to a file.
fn key(folder: &Path, file: &str) -> (String, String) {
    let key: Value = serde_json::from_slice(&fs::read(folder.join(file)).expect("the key")).expect("JSON");
    let text = |member: &str| key[member].as_str().expect(member).to_owned();
    (text("client_id"), text("client_secret"))
}

/// What a person sets who has that key at hand.
fn with_key((id, secret): &(String, String)) -> String {
    format!("CLIENT_ID='{id}'\nCLIENT_SECRET='{secret}'\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_about_prometheus_does_what_it_says() {
    let installation = Installation::new();
    let process = installation.serve(&[]);
    let store = Prometheus::start();
    let now = Clock::system().now().seconds() * 1000;
    let series = ["up{team=\"a\"}", "up{team=\"b\"}"].map(|text| remote::series(text, 1.0, now)).to_vec();
    let message = remote::block(&WriteRequest { series, metadata: Vec::new() });
    let request = Request::post("/api/v1/write").header("Content-Encoding", "snappy");
    store.site.ask(request.body("application/x-protobuf", &message)).await.expect(204);
    let (hub, behind) = (process.site.address.to_string(), store.site.address.to_string());
    let victoria = format!("127.0.0.1:{}", free_port());
    let empty = r#"{"status":"success","data":[]}"#;
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{empty}", empty.len());
    let recorder = Upstream::answering(answer).await;
    let recording = recorder.address.to_string();
    let places = [
        ("127.0.0.1:9090", &*behind),
        ("127.0.0.1:8080", &hub),
        ("127.0.0.1:8428", &victoria),
        ("10.0.0.6:8481", &recording),
        ("10.0.0.7:9090", &recording),
        ("10.0.0.8:8080", &recording),
    ];
    let folder = installation.folder();
    let mut terminal = Terminal::open(&installation, Here::new(&places));
    let [create, ask, writer, victoria_create, vmagent, tenants] = blocks("prometheus.md", "sh");
    terminal.paste(&create);
    let reader = key(folder, "reader.json");
    let printed = terminal.paste(&(with_key(&reader) + &ask));
    assert!(printed.contains("\"team\":\"a\"") && !printed.contains("\"team\":\"b\""), "{printed}");
    terminal.paste(&writer);

    let [write, read, grafana, collector] = blocks("prometheus.md", "yaml");
    let here = Here::new(&places);
    let with = |text: &str, (id, secret): &(String, String)| {
        here.put(text).replace("CLIENT_ID", id).replace("CLIENT_SECRET", secret)
    };
    let scrapes =
        "scrape_configs:\n  - job_name: own\n    scrape_interval: 500ms\n    static_configs: [{targets: [SELF]}]\n";
    let writing = Prometheus::configured(&(with(&write, &key(folder, "writer.json")) + scrapes));
    wait_for(&store, "go_goroutines{team=\"a\"}").await;
    let reads = Prometheus::configured(&with(&read, &reader));
    wait_for(&reads, "up{team=\"a\"}").await;
    assert!(reads.values("up{team=\"b\"}").await.is_empty());
    drop(writing);

    // VictoriaMetrics, written to by vmagent.
    let flags = "-storageDataPath=victoria -search.latencyOffset=0s";
    terminal.paste(&format!(
        "victoria-metrics {flags} -httpListenAddr={victoria} >victoria.log 2>&1 &
         until curl -s -o /dev/null http://{victoria}/health; do sleep 0.1; done
         curl -s --data-binary 'up{{team=\"b\"}} 7' http://{victoria}/api/v1/import/prometheus"
    ));
    terminal.paste(&victoria_create);
    let agent = key(folder, "vmagent.json");
    let scrape = format!(
        "scrape_configs:\n  - job_name: own\n    scrape_interval: 1s\n    static_configs: [{{targets: [\"{victoria}\"]}}]\n"
    );
    fs::write(folder.join("scrape.yml"), scrape).expect("written");
    fs::write(folder.join("secret.txt"), &agent.1).expect("written");
    let own = format!("-httpListenAddr=127.0.0.1:{} >vmagent.log 2>&1 &\n", free_port());
    terminal.paste(&format!("{}{} {own}", with_key(&agent), vmagent.trim_end()));
    let ask = ask.replace("gateways/metrics", "gateways/victoria");
    let mut printed = String::new();
    for _ in 0..60 {
        printed = terminal.paste(&ask);
        if printed.contains("\"team\":\"a\"") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let log = || fs::read_to_string(folder.join("vmagent.log")).unwrap_or_default();
    assert!(printed.contains("\"team\":\"a\"") && !printed.contains("\"team\":\"b\""), "{printed} {}", log());
    let everything = terminal.paste(&format!("curl -s 'http://{victoria}/api/v1/query?query=up'"));
    assert!(everything.contains("\"team\":\"b\""), "{everything}");

    terminal.paste(&tenants);
    each_gateway_has_its_tenant(&process, &recorder).await;

    // Only parsed: the products are not here.
    let parse = "import sys, yaml; [yaml.safe_load(open(name)) for name in sys.argv[1:]]";
    for (name, text) in [("grafana.yml", grafana), ("collector.yml", collector)] {
        fs::write(folder.join(name), text).expect("written");
        let done = Command::new("/usr/bin/python3").args(["-c", parse, name]).current_dir(folder).status();
        assert!(done.expect("python3").success(), "{name}");
    }
}

/// Whatever tenant a caller names: a service in the place of the products records what arrives.
async fn each_gateway_has_its_tenant(hub: &HubProcess<'_>, recorder: &Upstream) {
    let grants = ["victoria-0", "thanos", "mimir"].map(|name| format!("gateway/{name}:view"));
    let mut role = vec!["roles", "create", "Tenants", "--filter", "user.team = a"];
    role.extend(grants.iter().flat_map(|grant| ["--grant", grant.as_str()]));
    hub.installation.run(&role).good();
    let (id, secret) = hub.installation.key("Tenants", &["Tenants"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut caller = Application::with_key(&hub.site, "Tenants", &id, &secret);
    caller.sign_in().await;
    for (name, path, tenant) in [
        ("victoria-0", "/select/0/prometheus/api/v1/query", None),
        ("thanos", "/api/v1/query", Some("thanos-tenant")),
        ("mimir", "/prometheus/api/v1/query", Some("x-scope-orgid")),
    ] {
        let request = Request::get(&format!("/gateways/{name}/api/v1/query?query=up"));
        caller.ask(request.header("THANOS-TENANT", "other").header("X-Scope-OrgID", "other")).await.expect(200);
        let arrived = recorder.last();
        let query = arrived.target.strip_prefix(path).unwrap_or_else(|| panic!("{name}: {}", arrived.target));
        assert!(query.starts_with('?') && query.contains("team"), "{name}: {query}");
        for header in ["thanos-tenant", "x-scope-orgid"] {
            let wanted = (Some(header) == tenant).then_some("acme");
            assert_eq!(arrived.header(header), wanted, "{name}: {header}");
        }
    }
}

async fn wait_for(prometheus: &Prometheus, query: &str) {
    for _ in 0..300 {
        if !prometheus.values(query).await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing for {query}: {}", prometheus.log());
}
