//! Debian's Prometheus as a process of its own, with a folder of its own; killed when dropped.

use std::{
    fs,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{process::free_port, wire::Site};

/// Starting takes half a second; a loaded test machine gets more.
const START: Duration = Duration::from_secs(30);

/// A running Prometheus.
pub struct Prometheus {
    folder: tempfile::TempDir,
    pub site: Site,
    child: Child,
}

impl Prometheus {
    /// One that takes remote writes, keeps exemplars, and lets itself be administrated: whoever reaches it can stop it.
    pub fn start() -> Self {
        Self::configured("")
    }

    /// The same with a configuration, in which `SELF` stands for its own address.
    pub fn configured(configuration: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("gateway-hub-test-").tempdir().expect("a temporary folder");
        let port = free_port();
        let site = Site::new(SocketAddr::from(([127, 0, 0, 1], port)), &format!("http://127.0.0.1:{port}"));
        let configuration = configuration.replace("SELF", &site.address.to_string());
        fs::write(folder.path().join("prometheus.yml"), configuration).expect("a file");
        let child = launch(&folder, port);
        let mut made = Self { folder, site, child };
        made.wait();
        made
    }

    /// Its address for a gateway.
    pub fn url(&self) -> String {
        self.site.issuer.clone()
    }

    /// The values of an instant query, in the order of the answer.
    pub async fn values(&self, query: &str) -> Vec<f64> {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let answer = self.site.get(&format!("/api/v1/query?query={query}")).await.expect(200).json();
        let result = answer["data"]["result"].as_array().expect("a result").clone();
        result.iter().map(|one| one["value"][1].as_str().expect("a value").parse().expect("a number")).collect()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Takes it away, as a power cut does.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Brings it back at the same address with what it had stored.
    pub fn start_again(&mut self) {
        self.stop();
        let _ = fs::remove_file(self.folder.path().join("data/lock"));
        self.child = launch(&self.folder, self.site.address.port());
        self.wait();
    }

    #[track_caller]
    fn wait(&mut self) {
        use std::io::{Read as _, Write as _};
        let start = Instant::now();
        loop {
            assert!(self.runs(), "it ended: {}", self.log());
            let mut answer = String::new();
            if let Ok(mut stream) = std::net::TcpStream::connect(self.site.address) {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                let _ = stream.write_all(b"GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                let _ = stream.read_to_string(&mut answer);
            }
            if answer.starts_with("HTTP/1.1 200") {
                return;
            }
            assert!(start.elapsed() < START, "it is not ready: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.stop();
    }
}

fn launch(folder: &tempfile::TempDir, port: u16) -> Child {
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let log = fs::OpenOptions::new().create(true).append(true).open(path("log")).expect("a file for what it prints");
    Command::new("prometheus")
        .arg(format!("--config.file={}", path("prometheus.yml")))
        .arg(format!("--storage.tsdb.path={}", path("data")))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(["--web.enable-remote-write-receiver", "--web.enable-admin-api", "--web.enable-lifecycle"])
        .args(["--enable-feature=exemplar-storage", "--storage.tsdb.retention.time=30d"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("prometheus (Debian: apt-get install prometheus)")
}
