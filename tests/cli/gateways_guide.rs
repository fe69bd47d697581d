//! `docs/gateways.md`: its commands, run as they stand.

use std::{fmt::Write as _, fs, net::TcpListener, path::Path, process::Command};

use super::support::process::Installation;

/// The commands of the guide, in order.
fn commands() -> Vec<String> {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gateways.md")).expect("the guide");
    let blocks = guide.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("an end").to_owned()).collect()
}

#[test]
fn the_guides_commands_do_what_it_says() {
    let hub = Installation::new();
    let serve = hub.serve(&[]);
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let mut script = String::from("set -e\n");
    for (number, block) in commands().into_iter().enumerate() {
        let _ = write!(script, "echo; echo '--- {number}'\n{block}\n");
        if number == 0 {
            script.push_str("service=$!\ntrap 'kill $service' EXIT\nuntil curl -s -o /dev/null http://127.0.0.1:9000/; do sleep 0.1; done\n");
        }
    }
    let script = script
        .replace("http://127.0.0.1:8080", &serve.site.issuer)
        .replace("http.server 9000", &format!("http.server {port}"))
        .replace("127.0.0.1:9000", &format!("127.0.0.1:{port}"));
    let program = Path::new(env!("CARGO_BIN_EXE_gateway-hub")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let ran = Command::new("sh")
        .args(["-c", &script])
        .env("PATH", path)
        .env("GATEWAY_HUB_DATA_DIR", hub.data())
        .current_dir(hub.folder())
        .output()
        .expect("sh");
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{stdout}{stderr}");
    let steps: Vec<&str> = stdout.split("--- ").skip(1).collect();
    assert_eq!(steps.len(), 7, "{stdout}");
    assert!(steps[3].contains("{\"pears\": 7}"), "{stdout}");
    assert!(steps[4].contains("insufficient-scope") && steps[4].contains("gateway/shop:edit"), "{stdout}");
    assert!(steps[5].contains("{\"pears\": 7}"), "{stdout}");
    assert!(steps[6].contains("invalid-token") && !steps[6].contains("pears"), "{stdout}");
}
