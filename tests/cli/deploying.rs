//! What `deploy/` says, held against the program; and the stop that loses nobody's request.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{
    process::{Installation, free_port},
    wire::Request,
};

fn deploy(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error} (see tests/install)"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn systemd_accepts_the_unit() {
    let unit = fs::read_to_string(deploy("systemd/gateway-hub.service")).expect("the unit");
    let program = env!("CARGO_BIN_EXE_gateway-hub");
    let here = unit.replace("/usr/local/bin/gateway-hub", program);
    assert!(here.contains(&format!("ExecStart={program} serve")), "{here}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gateway-hub.service");
    fs::write(&file, here).expect("written");
    let said = output(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file));
    assert!(!said.contains("gateway-hub.service"), "{said}");
}

/// The names of `GATEWAY_HUB_…` variables that a text mentions.
fn variables(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
    words.filter(|word| word.starts_with("GATEWAY_HUB_") && word.len() > 12).map(str::to_owned).collect()
}

#[test]
fn every_variable_that_the_files_set_is_one() {
    let settings =
        fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md")).expect("docs");
    for file in ["systemd/gateway-hub.service", "docker/Dockerfile", "kubernetes/gateway-hub.yaml"] {
        let text = fs::read_to_string(deploy(file)).expect("a file");
        let found = variables(&text);
        assert!(!found.is_empty(), "{file}");
        for variable in found {
            let key = variable.trim_start_matches("GATEWAY_HUB_").to_lowercase();
            assert!(settings.contains(&format!("`{key}`")), "{file} sets {variable}");
        }
    }
}

#[test]
fn the_image_runs_the_program_without_root() {
    let text = fs::read_to_string(deploy("docker/Dockerfile")).expect("the file");
    assert!(text.contains("\nUSER 65532:65532\n"), "not root");
    let toolchain = env!("CARGO_PKG_RUST_VERSION");
    assert!(text.contains(&format!("FROM rust:{toolchain}-")), "the toolchain that Cargo.toml asks for");
    for argument in ["serve", "--listen", "--tls-cert", "--tls-key", "--public-url"] {
        let help = Installation::new().run(&["serve", "--help"]).good().stdout;
        assert!(text.contains(argument) && help.contains(argument), "{argument}");
    }
}

#[tokio::test]
async fn the_manifest_starts_a_hub_that_its_probes_find() {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cli/clients/manifest.py");
    let said = output(Command::new("python3").arg(script).arg(deploy("kubernetes/gateway-hub.yaml")));
    let manifest: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&manifest["root"], &manifest["writes"]), (&Value::Bool(false), &Value::Bool(false)));
    let args: Vec<String> = serde_json::from_value(manifest["args"].clone()).expect("arguments");
    let mut installation = Installation::new();
    let key = output(Command::new("openssl").args(["rand", "-base64", "32"])).trim().to_owned();
    installation.environment = vec![("GATEWAY_HUB_KEY".to_owned(), key)];

    // The very arguments are a good configuration…
    let mut check = args.clone();
    check[0] = "check-config".to_owned();
    check.push("--json".to_owned());
    let checked = installation.run(&check.iter().map(String::as_str).collect::<Vec<_>>()).good().json();
    let drain = checked["drain_time"].as_str().and_then(|time| time.trim_end_matches('s').parse::<u64>().ok());
    assert!(manifest["grace"].as_u64() > drain.map(|drain| drain + 10), "{checked}");

    // …and with free ports in place of the manifest's, the probes find what they ask for.
    let (http, operations) = (free_port(), free_port());
    let ports = [("http", http), ("operations", operations)];
    let own = |name: &str| ports.iter().find(|(port, _)| *port == name).expect("a port of the manifest").1;
    let mut here = args;
    for (name, port) in ports {
        let declared = format!("0.0.0.0:{}", manifest["ports"][name]);
        let matching = here.iter_mut().find(|argument| argument.ends_with(&declared)).expect("a listener on the port");
        *matching = matching.replace(&declared, &format!("127.0.0.1:{port}"));
    }
    let mut command = installation.command(&here.iter().map(String::as_str).collect::<Vec<_>>());
    let serve = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut serve = Ended(serve.expect("started"));
    for (name, probe) in manifest["probes"].as_object().expect("probes") {
        let port = own(probe["port"].as_str().expect("a named port"));
        let address = format!("http://127.0.0.1:{port}{}", probe["path"].as_str().expect("a path"));
        let start = Instant::now();
        loop {
            if reqwest::get(&address).await.is_ok_and(|answer| answer.status() == 200) {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{name} finds nothing at {address}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(serve.0.try_wait().expect("a child"), None, "it still runs");
}

/// A process that ends with the test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_node_that_drains_answers_while_it_says_that_it_is_not_ready() {
    let installation = Installation::new();
    let serve = installation.serve(&["--drain-time", "1m"]);
    let site = serve.site.clone();
    site.ask(Request::get("/readyz")).await.expect(200);
    let terminate = |signal: &str| output(Command::new("kill").args([signal, &serve.pid().to_string()]));
    terminate("-TERM");
    let start = Instant::now();
    while site.ask(Request::get("/readyz")).await.status != 503 {
        assert!(start.elapsed() < Duration::from_secs(10), "it does not say so");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    site.ask(Request::get("/healthz")).await.expect(200);
    site.ask(Request::get("/.well-known/oauth-authorization-server")).await.expect(200);
    // A second signal ends the wait.
    assert!(serve.stop().success());
    assert!(start.elapsed() < Duration::from_secs(30));
}
