//! `gateways` from the host.

use std::{fs, path::PathBuf, process::Command};

use serde_json::json;

use tokio::io::AsyncWriteExt as _;

use super::support::{Upstream, process::Installation};

/// A file in the installation's folder; commands run there.
fn file(hub: &Installation, name: &str, content: &str) -> String {
    fs::write(hub.folder().join(name), content).expect("a file");
    name.to_owned()
}

const CREATE: [&str; 7] = ["gateways", "create", "search", "--kind", "http", "--url", "http://127.0.0.1:9"];

#[test]
fn the_life_of_a_gateway() {
    let hub = Installation::new();
    let token = file(&hub, "token", "canary-upstream-token\n");
    let made = hub
        .run(
            &[
                &CREATE[..],
                &["--url", "HTTP://127.0.0.1:10/v2/", "--bearer-file", &token, "--header", "X-Scope-OrgID: team a"],
                &["--rule", "post /query/** = view", "--rule", "* /admin/** = refused", "--description", "Search"],
                &[
                    "--connect-timeout",
                    "2s",
                    "--answer-timeout",
                    "30s",
                    "--idle-timeout",
                    "1m30s",
                    "--body-limit",
                    "10MiB",
                ],
                &["--concurrent", "20", "--forward-filter", "--json"],
            ]
            .concat(),
        )
        .good();
    assert!(!made.stdout.contains("canary"), "{made:?}");
    let made = made.json();
    let expected = json!({
        "name": "search", "kind": "http", "description": "Search", "authentication": "bearer",
        "addresses": ["http://127.0.0.1:9", "http://127.0.0.1:10/v2"], "headers": ["x-scope-orgid: team a"],
        "path_rules": ["POST /query/** = view", "* /admin/** = refused"], "connect_timeout_ms": 2_000,
        "answer_timeout_ms": 30_000, "idle_timeout_ms": 90_000, "body_limit": 10_485_760, "concurrent": 20,
        "assertion": true, "forward_filter": true, "own_ca": false, "client_certificate": false,
    });
    for (member, value) in expected.as_object().expect("an object") {
        assert_eq!(&made[member], value, "{member}");
    }
    let reached: Vec<&str> =
        made["roles"].as_array().expect("a list").iter().filter_map(|r| r["role"].as_str()).collect();
    assert_eq!(reached, ["Administrator", "Operator"]);

    let changed =
        hub.run(&["gateways", "update", "search", "--no-rules", "--body-limit", "none", "--json"]).good().json();
    assert_eq!((&changed["path_rules"], &changed["body_limit"]), (&json!([]), &json!(null)));
    assert_eq!((&changed["authentication"], &changed["concurrent"]), (&json!("bearer"), &json!(20)), "the rest stays");
    let shown = hub.run(&["gateways", "show", "search"]).good();
    assert!(shown.stdout.contains("bearer token") && !shown.stdout.contains("canary"), "{shown:?}");
    let listed = hub.run(&["gateways", "list", "--json"]).good().json();
    assert_eq!(listed[0]["name"], "search");
    hub.run(&CREATE).code(1);

    hub.run(&["gateways", "delete", "search"]).good();
    assert_eq!(hub.run(&["gateways", "list", "--json"]).good().json(), json!([]));
    assert!(hub.run(&["gateways", "show", "search"]).code(1).stderr.contains("there is none yet"));
    for (path, content) in hub.files() {
        let token = path.file_name().is_some_and(|name| name == "token");
        assert!(token || !content.windows(6).any(|bytes| bytes == b"canary"), "{}", path.display());
    }
}

#[test]
fn sec_28_a_changed_address_loses_the_credentials() {
    let hub = Installation::new();
    let password = file(&hub, "password", "correct horse");
    let basic = ["--basic-user", "hub", "--password-file", &password];
    hub.run(&[&CREATE[..], &basic].concat()).good();
    let authentication = |arguments: &[&str]| {
        let done = hub.run(&[&["gateways", "update", "search", "--json"], arguments].concat()).good().json();
        (done["authentication"].as_str().expect("a text").to_owned(), done["credentials_erased"] == json!(true))
    };
    let kept = ("basic".to_owned(), false);
    assert_eq!(authentication(&["--description", "x", "--concurrent", "5", "--rule", "GET / = view"]), kept);
    assert_eq!(authentication(&["--url", "http://127.0.0.1:9"]), kept, "the same place");
    for elsewhere in [
        &["--url", "http://127.0.0.1:9/other"][..],
        &["--url", "https://127.0.0.1:9"],
        &["--url", "http://127.0.0.1:9", "--url", "http://127.0.0.2:9"],
        &["--kind", "prometheus"],
    ] {
        assert_eq!(authentication(elsewhere), ("none".to_owned(), true), "{elsewhere:?}");
        let back = [&["--url", "http://127.0.0.1:9", "--kind", "http"], &basic[..]].concat();
        assert_eq!(authentication(&back), kept, "given with the change");
    }
    let (authority, _) = certificate(&hub, "authority");
    assert_eq!(authentication(&["--ca", &authority]), ("none".to_owned(), true));
    hub.run(&[&["gateways", "update", "search"], &basic[..]].concat()).good();
    assert_eq!(authentication(&["--no-ca"]), ("none".to_owned(), true));
}

/// A self-signed certificate and its key, by `openssl`.
fn certificate(hub: &Installation, name: &str) -> (String, String) {
    let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/CN={name}"), "-keyout", &key, "-out", &certificate])
        .current_dir(hub.folder())
        .output()
        .expect("openssl starts");
    assert!(made.status.success(), "{made:?}");
    (certificate, key)
}

#[test]
fn certificates_are_checked_when_they_are_given() {
    let hub = Installation::new();
    let (certificate_a, key_a) = certificate(&hub, "a");
    let (_, key_b) = certificate(&hub, "b");
    let text = file(&hub, "text", "not PEM");
    let create = |arguments: &[&str]| hub.run(&[&CREATE[..], arguments].concat());
    for (arguments, reason) in [
        (&["--ca", &text][..], "holds no readable certificate"),
        (&["--ca", "missing.pem"], "--ca missing.pem can't be read"),
        (&["--cert", &text, "--key", &key_a], "holds no readable certificate"),
        (&["--cert", &certificate_a, "--key", &text], "holds no readable private key"),
        (&["--cert", &certificate_a, "--key", &key_b], "does not belong to the first certificate"),
    ] {
        assert!(create(arguments).code(1).stderr.contains(reason), "{reason}");
    }
    create(&["--cert", &certificate_a]).code(2);
    let made = create(&["--cert", &certificate_a, "--key", &key_a, "--ca", &certificate_a, "--json"]).good().json();
    assert_eq!((&made["own_ca"], &made["client_certificate"]), (&json!(true), &json!(true)));
    let secret = fs::read_to_string(hub.folder().join(&key_a)).expect("the key");
    let body = secret.lines().nth(1).expect("a line of the key").as_bytes();
    let data: Vec<(PathBuf, Vec<u8>)> =
        hub.files().into_iter().filter(|(path, _)| path.starts_with(hub.data())).collect();
    assert!(!data.is_empty());
    for (path, content) in data {
        assert!(!content.windows(body.len()).any(|bytes| bytes == body), "{}", path.display());
    }
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let hub = Installation::new();
    let create = |arguments: &[&str]| hub.run(&[&CREATE[..], arguments].concat());
    for (arguments, reason) in [
        (&["--url", "metrics:9090"][..], "http://"),
        (&["--url", "http://user:pass@metrics"], "--basic-user"),
        (&["--header", "Host: x"], "host"),
        (&["--header", "Authorization: x"], "authorization"),
        (&["--rule", "GET /a = look"], "look"),
        (&["--label", "a=b-c"], "b-c"),
        (&["--body-limit", "10MB"], "10MiB"),
        (&["--basic-user", "x"], "--password-file"),
        (&["--key", "x"], "--cert"),
    ] {
        assert!(create(arguments).code(2).stderr.contains(reason), "{reason}");
    }
    for (arguments, reason) in [
        (&["--label", "a=b"][..], "kind http has no labels"),
        (&["--connect-timeout", "2h"], "connect_timeout"),
        (&["--concurrent", "0"], "concurrent"),
        (&["--forward-filter", "--assertion", "false"], "switch both on"),
        (&["--url", "http://127.0.0.1:9"], "given twice"),
    ] {
        assert!(create(arguments).code(1).stderr.contains(reason), "{reason}");
    }
    for name in ["", "Search", "a b", "-a", "a/b", "ä"] {
        let refused = hub.run(&["gateways", "create", "--kind", "http", "--url", "http://a", "--", name]);
        assert_ne!(refused.status.code(), Some(0), "{name}");
    }
    let prometheus = ["gateways", "create", "p", "--kind", "prometheus", "--url", "http://127.0.0.1:9"];
    for (arguments, reason) in
        [(&["--rule", "GET / = view"][..], "no path rules"), (&["--forward-filter"], "forwards no")]
    {
        assert!(hub.run(&[&prometheus[..], arguments].concat()).code(1).stderr.contains(reason), "{reason}");
    }
    assert_eq!(hub.run(&["gateways", "list", "--json"]).good().json(), json!([]));
    create(&[]).good();
    hub.run(&["gateways", "update", "search"]).code(2);
}

#[test]
fn a_secret_that_is_refused_is_not_repeated() {
    let hub = Installation::new();
    for (flag, content) in [
        ("--header-file", "canary-without-a-colon"),
        ("--header-file", "canary header: x"),
        ("--header-file", "X-Api-Key: canary\u{7}x"),
        ("--bearer-file", "Bearer canary"),
        ("--bearer-file", "canary\nsecond line"),
    ] {
        let secret = file(&hub, "secret", content);
        let refused = hub.run(&[&CREATE[..], &[flag, &secret]].concat()).code(1);
        assert!(!refused.stderr.contains("canary"), "{refused:?}");
    }
    let token = file(&hub, "secret", "Authorization: Token canary\r\n");
    let made = hub.run(&[&CREATE[..], &["--header-file", &token, "--json"]].concat()).good().json();
    assert_eq!(made["authentication"], "header");
}

#[test]
fn deleting_takes_the_grants_that_name_it_and_creating_lists_those_that_wait() {
    let hub = Installation::new();
    hub.run(&CREATE).good();
    let role = |name: &str, grants: &[&str]| {
        let mut arguments = vec!["roles", "create", name];
        for grant in grants {
            arguments.extend(["--grant", grant]);
        }
        hub.run(&arguments).good();
    };
    role("Search only", &["gateway/search:view", "gateway/search:edit"]);
    role("Both", &["gateway/search:view", "entities:view"]);
    role("Pattern", &["gateway/sea*:view"]);
    role("Other", &["gateway/other:view"]);
    let deleted = hub.run(&["gateways", "delete", "search", "--json"]).good().json();
    let removed = json!([
        { "role": "Both", "grants": ["gateway/search:view"] },
        { "role": "Search only", "grants": ["gateway/search:view", "gateway/search:edit"] },
    ]);
    assert_eq!(deleted["removed"], removed);
    let grants = |name: &str| hub.run(&["roles", "show", name, "--json"]).good().json()["grants"].clone();
    assert_eq!(grants("Search only"), json!([]));
    assert_eq!(grants("Both"), json!(["entities:view"]));
    assert_eq!(grants("Pattern"), json!(["gateway/sea*:view"]));

    let reached = |made: serde_json::Value| {
        let roles = made["roles"].as_array().expect("a list").clone();
        roles.iter().map(|role| role["role"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let again = hub.run(&[&CREATE[..], &["--json"]].concat()).good().json();
    assert_eq!(reached(again), ["Administrator", "Operator", "Pattern"], "the name revives no grant");
    let other = ["gateways", "create", "other", "--kind", "http", "--url", "http://127.0.0.1:9", "--json"];
    assert_eq!(reached(hub.run(&other).good().json()), ["Administrator", "Operator", "Other"], "a grant that waited");
}

#[test]
fn a_filter_that_a_gateway_cannot_enforce_is_refused_on_either_side() {
    let hub = Installation::new();
    hub.run(&CREATE).good();
    let role = |name: &str, grant: &str| {
        hub.run(&["roles", "create", name, "--grant", grant, "--filter", "user.department = fx"])
    };
    for grant in ["gateway/search:view", "gateway/*:edit"] {
        let refused = role("FX", grant).code(1);
        assert!(refused.stderr.contains("FX") && refused.stderr.contains("search"), "{refused:?}");
    }
    role("FX", "entities:view").good();
    hub.run(&["roles", "update", "FX", "--grant", "gateway/sea*:view"]).code(1);
    hub.run(&["gateways", "update", "search", "--forward-filter"]).good();
    hub.run(&["roles", "update", "FX", "--grant", "gateway/sea*:view"]).good();
    let refused = hub.run(&["gateways", "update", "search", "--forward-filter", "false"]).code(1);
    assert!(refused.stderr.contains("FX"), "{refused:?}");
    let covered = ["gateways", "create", "seal", "--kind", "http", "--url", "http://127.0.0.1:9"];
    let refused = hub.run(&covered).code(1);
    assert!(refused.stderr.contains("FX") && refused.stderr.contains("seal"), "{refused:?}");
    hub.run(&[&covered[..], &["--forward-filter"]].concat()).good();
}

/// A store that wants a bearer token, as the hub asks it.
async fn store() -> Upstream {
    Upstream::scripted(|mut stream, arrived| async move {
        let known = arrived.header("authorization") == Some("Bearer good");
        let (status, body) = match (known, arrived.target.as_str()) {
            (false, _) => ("401 Unauthorized", ""),
            (true, "/p/api/v1/status/buildinfo") => ("200 OK", r#"{"status":"success","data":{"version":"2.42.0"}}"#),
            (true, "/p/api/v1/labels") => ("200 OK", r#"{"status":"success","data":["__name__","job"]}"#),
            (true, _) => ("404 Not Found", "nothing"),
        };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
        Some(stream)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_upstream_is_asked_what_it_is() {
    let hub = Installation::new();
    let upstream = store().await;
    let (good, bad) = (file(&hub, "good", "good\n"), file(&hub, "bad", "bad\n"));
    let url = format!("{}/p", upstream.url());
    let create = |name: &str, kind: &str, url: &str, more: &[&str]| {
        let arguments = ["gateways", "create", name, "--kind", kind, "--url", url, "--json"];
        hub.run(&[&arguments[..], more].concat()).good().json()
    };
    let label = ["--bearer-file", &good, "--label", "user.department=job"];
    let made = create("metrics", "prometheus", &url, &label);
    assert_eq!(made["found"], "Prometheus 2.42.0, 2 labels");
    assert_eq!(made["labels"], json!({ "__name__": "__name__", "job": "job", "user.department": "job" }));
    assert_eq!(made["warning"], json!(null));
    let tested = hub.run(&["gateways", "test", "metrics"]).good();
    assert!(tested.stdout.contains("Prometheus 2.42.0, 2 labels"), "{tested:?}");
    // The labels that are new are added, and nothing that was mapped is changed.
    let fewer = hub.run(&["gateways", "update", "metrics", "--no-label", "job", "--label", "__name__=job", "--json"]);
    assert_eq!(fewer.good().json()["labels"], json!({ "__name__": "job", "user.department": "job" }));
    let again = hub.run(&["gateways", "update", "metrics", "--refresh-labels", "--json"]).good().json();
    assert_eq!(again["labels"], json!({ "__name__": "job", "job": "job", "user.department": "job" }));
    // Whatever is wrong is said, and the gateway is saved.
    let warning = |made: &serde_json::Value| made["warning"].as_str().expect("a warning").to_owned();
    let refused = create("refused", "prometheus", &url, &["--bearer-file", &bad]);
    assert!(warning(&refused).contains("credentials (status 401)"), "{refused}");
    let wrong = create("wrong", "prometheus", &upstream.url(), &["--bearer-file", &good]);
    assert!(warning(&wrong).contains("is the path of the address right?"), "{wrong}");
    let plain = create("plain", "http", &url, &["--bearer-file", &good]);
    assert_eq!(plain["found"], "answers 404 to GET /");
    let away = create("away", "http", "http://127.0.0.1:9", &[]);
    assert!(warning(&away).contains("127.0.0.1:9") && away["found"].is_null(), "{away}");
    let failed = hub.run(&["gateways", "test", "away"]).code(1);
    assert!(failed.stderr.contains("127.0.0.1:9"), "{failed:?}");
    hub.run(&["gateways", "update", "away", "--refresh-labels"]).code(1);
    let local = create("local", "http", "http://169.254.169.254", &[]);
    assert!(warning(&local).contains("169.254.169.254") && warning(&local).contains("refused"), "{local}");
    let both = create("both", "http", &url, &["--url", "http://127.0.0.1:9", "--bearer-file", &good]);
    assert!(both["found"].is_string() && warning(&both).contains("127.0.0.1:9"), "{both}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_28_stored_credentials_are_not_sent_to_another_address_by_a_test() {
    let hub = Installation::new();
    let (own, other) = (store().await, store().await);
    let good = file(&hub, "good", "good");
    let create = ["gateways", "create", "metrics", "--kind", "http", "--url"];
    hub.run(&[&create[..], &[&own.url(), "--bearer-file", &good]].concat()).good();
    hub.run(&["gateways", "update", "metrics", "--url", &other.url()]).good();
    let seen = other.seen();
    assert!(!seen.is_empty() && seen.iter().all(|arrived| arrived.header("authorization").is_none()), "{seen:?}");
}
