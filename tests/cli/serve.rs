//! `serve` as people meet it: what it prints, and how it starts and stops.

use super::support::process::Installation;

#[test]
fn a_fresh_machine_needs_nothing_and_gets_a_first_run_link() {
    let hub = Installation::new();
    let serve = hub.serve(&[]);
    let printed = serve.stdout();
    let base = format!("http://{}", serve.site.address);
    assert!(printed.contains(&format!("{base}/console")), "{printed}");
    assert!(printed.contains(&format!("{base}/console/first-run#")), "{printed}");
    assert!(printed.contains(&hub.data().display().to_string()), "{printed}");
    assert_eq!(serve.stderr(), "", "quiet by default");
    let first = link(&printed);
    assert!(serve.stop().success());

    let again = hub.serve(&[]);
    assert_ne!(link(&again.stdout()), first, "a new link at each start");
    assert!(again.stop().success());

    hub.user("ana", "Administrator", "correct horse battery");
    let settled = hub.serve(&[]);
    assert!(!settled.stdout().contains("first-run"), "{}", settled.stdout());
}

fn link(printed: &str) -> String {
    let (_, token) = printed.split_once("/console/first-run#").expect("a link");
    token.split_whitespace().next().expect("a token").to_owned()
}

#[test]
fn with_json_the_start_is_one_value() {
    let hub = Installation::new();
    let serve = hub.serve(&["--json"]);
    let started: serde_json::Value = serde_json::from_str(&serve.stdout()).expect("one JSON value");
    let base = format!("http://{}", serve.site.address);
    assert_eq!(started["public_url"], base.as_str());
    assert!(started["first_run_link"].as_str().is_some_and(|link| link.starts_with(&base)), "{started}");
}

#[test]
fn an_address_in_use_is_named() {
    let hub = Installation::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let refused = hub.run(&["serve", "--listen", &address]).code(1);
    assert!(refused.stderr.contains(&address), "{refused:?}");
}

#[test]
fn tls_files_are_checked_before_anything_listens() {
    let hub = Installation::new();
    let broken = hub.folder().join("broken.pem");
    std::fs::write(&broken, "not PEM").expect("written");
    let file = broken.display().to_string();
    for command in ["serve", "check-config"] {
        let refused = hub.run(&[command, "--listen", "127.0.0.1:0", "--tls-cert", &file, "--tls-key", &file]).code(1);
        assert!(refused.stderr.contains("broken.pem") && refused.stderr.contains("PEM"), "{refused:?}");
    }
    assert!(!hub.data().exists(), "nothing is made");
}
