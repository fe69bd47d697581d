//! The real program: `serve` and its commands in processes of their own, with everything they print kept.

use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::wire::Site;

/// Starting takes 0.3 s at most by design; a loaded test machine gets more.
const START: Duration = Duration::from_secs(30);

/// What a command did.
#[derive(Debug)]
pub struct Done {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Asserts exit 0 and hands the output on.
    #[track_caller]
    pub fn good(self) -> Self {
        assert!(self.status.success(), "{self:?}");
        self
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not one JSON value ({error}): {self:?}"))
    }
}

/// A folder for one installation, and the commands that work on it.
pub struct Installation {
    folder: tempfile::TempDir,
    pub database_url: Option<String>,
    /// Set in the environment of every process.
    pub environment: Vec<(String, String)>,
}

impl Installation {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("gateway-hub-test-").tempdir().expect("a temporary folder");
        Self { folder, database_url: None, environment: Vec::new() }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the program keeps its data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The program with this installation's folder and nothing else from the environment that concerns it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-hub"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GATEWAY_HUB_") || name == "RUST_LOG") {
            command.env_remove(name);
        }
        command.args(arguments).arg("--data-dir").arg(self.data()).current_dir(self.folder.path());
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, None)
    }

    /// Runs a command that reads its standard input.
    #[track_caller]
    pub fn run_with(&self, arguments: &[&str], input: Option<&str>) -> Done {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().expect("the program starts");
        if let Some(input) = input {
            // A command that refuses its arguments ends before it reads.
            let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        }
        let output = child.wait_with_output().expect("the program ends");
        Done {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// `keys create` with these roles: client id and secret.
    #[track_caller]
    pub fn key(&self, name: &str, roles: &[&str]) -> (String, String) {
        let mut arguments = vec!["keys", "create", name, "--json"];
        for role in roles {
            arguments.extend(["--role", role]);
        }
        let made = self.run(&arguments).good().json();
        let text = |member: &str| made[member].as_str().expect(member).to_owned();
        (text("client_id"), text("client_secret"))
    }

    /// `users create` with this password.
    #[track_caller]
    pub fn user(&self, name: &str, role: &str, password: &str) {
        self.run_with(&["users", "create", name, "--role", role, "--password-stdin"], Some(password)).good();
    }

    /// Every byte of every file below the folder, by path.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(content) = fs::read(&path) {
                    found.push((path, content));
                }
            }
        }
        found
    }

    /// Starts `serve` with more arguments and waits until it is ready.
    #[track_caller]
    pub fn serve(&self, arguments: &[&str]) -> HubProcess<'_> {
        let port = free_port();
        let site = Site::new(SocketAddr::from(([127, 0, 0, 1], port)), &format!("http://127.0.0.1:{port}"));
        self.serve_at(arguments, site)
    }

    /// The same at an address that was used before.
    #[track_caller]
    pub fn serve_at(&self, arguments: &[&str], site: Site) -> HubProcess<'_> {
        let listen = site.address.to_string();
        let mut all = vec!["serve", "--listen", &listen];
        all.extend(arguments);
        let count = (0..10_000).find(|count| !self.log("stderr", *count).exists()).expect("a free number");
        let file = |name: &str| fs::File::create(self.log(name, count)).expect("a file for what it prints");
        let mut command = self.command(&all);
        command.stdout(file("stdout")).stderr(file("stderr"));
        let child = command.spawn().expect("the program starts");
        let mut process = HubProcess { installation: self, site, child, count };
        process.wait_until_ready();
        process
    }

    fn log(&self, name: &str, count: u32) -> PathBuf {
        self.folder.path().join(format!("{name}.{count}"))
    }
}

/// A running `serve`; killed when dropped.
pub struct HubProcess<'a> {
    pub installation: &'a Installation,
    pub site: Site,
    child: Child,
    count: u32,
}

impl HubProcess<'_> {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn stdout(&self) -> String {
        fs::read_to_string(self.installation.log("stdout", self.count)).unwrap_or_default()
    }

    /// What it logged so far.
    pub fn stderr(&self) -> String {
        fs::read_to_string(self.installation.log("stderr", self.count)).unwrap_or_default()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, as a service manager does, and waits.
    #[track_caller]
    pub fn stop(mut self) -> ExitStatus {
        let signalled = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status();
        assert!(signalled.is_ok_and(|status| status.success()), "kill");
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return status;
            }
            assert!(start.elapsed() < START, "it does not stop: {}", self.stderr());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                panic!("it ended ({status}): {}{}", self.stdout(), self.stderr());
            }
            if ready(self.site.address) {
                return;
            }
            assert!(start.elapsed() < START, "it is not ready: {}{}", self.stdout(), self.stderr());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for HubProcess<'_> {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Asks `/readyz` without the runtime, so that it can be used anywhere. A TLS listener counts as ready once it accepts.
fn ready(address: SocketAddr) -> bool {
    use std::io::Read as _;
    let Ok(mut stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let asked = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    if stream.write_all(asked.as_bytes()).is_err() {
        return false;
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer.starts_with(b"HTTP/1.1 200") || (!answer.is_empty() && !answer.starts_with(b"HTTP/1.1 503"))
}

/// A port that nobody listens on just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
