//! The page about Prometheus, taken from the documentation and run with Debian's Prometheus.

use std::{fs, path::Path, process::Command, time::Duration};

use gateway_hub::ambient::Clock;
use serde_json::Value;

use crate::support::{
    Installation, Prometheus, Request,
    remote::{self, WriteRequest},
};

/// The blocks of the page in that language.
fn blocks(language: &str) -> Vec<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/prometheus.md")).expect("the page");
    let parts = page.split("\n```").skip(1).step_by(2);
    parts
        .filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n'))
        .map(|block| block.to_owned() + "\n")
        .collect()
}

/// Runs a block as a person would paste it.
fn paste(folder: &Path, data: &Path, block: &str, environment: &[(&str, &str)]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_gateway-hub")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-eu", "-c", block])
        .current_dir(folder)
        .envs(environment.iter().copied())
        .env("PATH", path)
        .env("GATEWAY_HUB_DATA_DIR", data)
        .output()
        .expect("sh");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{block}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn key(folder: &Path, file: &str) -> (String, String) {
    let key: Value = serde_json::from_slice(&fs::read(folder.join(file)).expect("the key")).expect("JSON");
    let text = |member: &str| key[member].as_str().expect(member).to_owned();
    (text("client_id"), text("client_secret"))
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
    let here = |block: &str| block.replace("127.0.0.1:9090", &behind).replace("127.0.0.1:8080", &hub);
    let (folder, data) = (installation.folder().to_owned(), installation.data());
    let shell = blocks("sh");
    let [create, ask, writer, others] = &shell[..] else { panic!("{} blocks", shell.len()) };
    paste(&folder, &data, &here(create), &[]);
    // A command's change is obeyed within a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (reader_id, reader_secret) = key(&folder, "reader.json");
    let environment = [("CLIENT_ID", &*reader_id), ("CLIENT_SECRET", &*reader_secret)];
    let printed = paste(&folder, &data, &here(ask), &environment);
    assert!(printed.contains("\"team\":\"a\"") && !printed.contains("\"team\":\"b\""), "{printed}");
    paste(&folder, &data, &here(writer), &[]);
    paste(&folder, &data, others, &[]);

    let configurations = blocks("yaml");
    let [write, read, grafana, collector] = &configurations[..] else { panic!("{} blocks", configurations.len()) };
    let with = |text: &str, (id, secret): (String, String)| {
        here(text).replace("CLIENT_ID", &id).replace("CLIENT_SECRET", &secret)
    };
    let scrapes =
        "scrape_configs:\n  - job_name: own\n    scrape_interval: 500ms\n    static_configs: [{targets: [SELF]}]\n";
    let configuration = with(write, key(&folder, "writer.json")) + scrapes;
    let writing = Prometheus::configured(&configuration);
    wait_for(&store, "go_goroutines{team=\"a\"}").await;
    let reads = Prometheus::configured(&with(read, (reader_id, reader_secret)));
    wait_for(&reads, "up{team=\"a\"}").await;
    assert!(reads.values("up{team=\"b\"}").await.is_empty());
    drop(writing);

    // Only read: the products are not here.
    let parse = "import sys, yaml; [yaml.safe_load(open(name)) for name in sys.argv[1:]]";
    for (name, text) in [("grafana.yml", grafana), ("collector.yml", collector)] {
        fs::write(folder.join(name), text).expect("written");
        let done = Command::new("/usr/bin/python3").args(["-c", parse, name]).current_dir(&folder).status();
        assert!(done.expect("python3").success(), "{name}");
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
