//! A private store with given series; it ends and leaves nothing when dropped.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::api::{Api, PATIENCE};
use super::data::{Series, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Prometheus,
    VictoriaMetrics,
}

pub struct Store {
    pub api: Api,
    process: Child,
    folder: tempfile::TempDir,
}

impl Store {
    pub fn start<'a>(kind: Kind, series: impl Iterator<Item = &'a Series>) -> Self {
        let folder = tempfile::Builder::new().prefix("gateway-hub-test-").tempdir().expect("a temporary folder");
        match kind {
            Kind::Prometheus => {
                fill_prometheus(folder.path(), &text(series, 1));
                Self::run(folder, |command, folder, address| {
                    command.arg(format!("--config.file={}", folder.join("prometheus.yml").display()));
                    command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
                    command.args(["--storage.tsdb.retention.time=100y", "--log.level=error"]);
                    command.arg(format!("--web.listen-address={address}"));
                })
            }
            Kind::VictoriaMetrics => {
                let text = text(series, 1000);
                let store = Self::run(folder, |command, folder, address| {
                    command.arg(format!("-storageDataPath={}", folder.join("data").display()));
                    command.args(["-retentionPeriod=100y", "-loggerLevel=ERROR", "-search.disableCache"]);
                    command.args(["-memory.allowedBytes=64MB", "-search.latencyOffset=0s"]);
                    command.arg(format!("-httpListenAddr={address}"));
                });
                let (status, body) = store.api.send("POST", "/api/v1/import/prometheus", &text);
                assert!(status == 204 || status == 200, "{status} {body}");
                store.api.send("GET", "/internal/force_flush", "");
                store
            }
        }
    }

    fn run(folder: tempfile::TempDir, arguments: impl Fn(&mut Command, &Path, SocketAddr)) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let program = if folder.path().join("prometheus.yml").exists() { "prometheus" } else { "victoria-metrics" };
        let mut command = Command::new(program);
        arguments(&mut command, folder.path(), address);
        let errors = fs::File::create(folder.path().join("stderr")).expect("a file for errors");
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let process = command
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error} (Debian: apt-get install prometheus victoria-metrics)"));
        let mut store = Self { api: Api::of(address), process, folder };
        store.wait_until_ready();
        store
    }

    fn wait_until_ready(&mut self) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("a child of ours") {
                let errors = fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default();
                panic!("it ended ({status}): {errors}");
            }
            if self.api.try_send("GET", "/api/v1/query?query=1", "").is_some_and(|(status, _)| status == 200) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "it is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Blocks made by Prometheus' own tool: the same at every run, and there from the start.
fn fill_prometheus(folder: &Path, samples: &str) {
    fs::write(folder.join("prometheus.yml"), "global:\n  scrape_interval: 15s\n").expect("a configuration");
    fs::create_dir(folder.join("data")).expect("a folder");
    if samples.is_empty() {
        return;
    }
    let file = folder.join("samples");
    fs::write(&file, format!("{samples}# EOF\n")).expect("a file");
    let output = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(&file)
        .arg(folder.join("data"))
        .stdin(Stdio::null())
        .output()
        .expect("promtool (Debian: apt-get install prometheus)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let _ = fs::remove_file(file);
}
