//! `keys`: the life of an API key from the host.

use super::support::{process::Installation, wire::Request};

async fn token_status(hub: &super::support::process::HubProcess<'_>, id: &str, secret: &str) -> u16 {
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    hub.site.ask(Request::post("/oauth2/token").form(&form)).await.status
}

#[test]
fn the_first_command_prepares_an_empty_folder() {
    let hub = Installation::new();
    let made = hub.run(&["keys", "create", "Grafana", "--role", "Operator", "--json"]).good();
    let key = made.json();
    assert_eq!(made.stdout.lines().count(), 1);
    assert_eq!(key["name"], "Grafana");
    assert_eq!(key["roles"], serde_json::json!(["Operator"]));
    assert!(key["client_id"].as_str().expect("a text").starts_with("gh_"));
    assert!(key["client_secret"].as_str().expect("a text").starts_with("ghs_"));
    for file in ["gateway-hub.db", "entities.db", "hub.key"] {
        assert!(hub.data().join(file).exists(), "{file}");
    }
    let listed = hub.run(&["keys", "list", "--json"]).good().json();
    assert_eq!(listed[0]["client_id"], key["client_id"]);
    assert_eq!(listed[0]["status"], "active");
}

#[test]
fn rule_01_a_secret_is_shown_by_the_command_that_makes_it_and_by_no_other() {
    let hub = Installation::new();
    let (id, secret) = hub.key("Grafana", &["Operator"]);
    for command in
        [&["keys", "list"][..], &["keys", "show", "Grafana"], &["keys", "show", &id], &["keys", "list", "--json"]]
    {
        let shown = hub.run(command).good();
        assert!(shown.stdout.contains(&id) && !shown.stdout.contains(&secret), "{shown:?}");
    }
    for (path, content) in hub.files() {
        assert!(!String::from_utf8_lossy(&content).contains(&secret), "{}", path.display());
    }
    let text = hub.run(&["keys", "regenerate", "Grafana"]).good().stdout;
    assert!(text.contains("ghs_") && text.contains(&id) && text.contains("can't be shown again"), "{text}");
}

#[test]
fn names_are_unique_whatever_their_capitals_and_roles_must_exist() {
    let hub = Installation::new();
    hub.key("Grafana", &["Operator"]);
    let taken = hub.run(&["keys", "create", "GRAFANA", "--role", "Operator"]).code(1);
    assert!(taken.stderr.to_lowercase().contains("grafana"), "{taken:?}");
    let unknown = hub.run(&["keys", "create", "Other", "--role", "Opertor"]).code(1);
    assert!(unknown.stderr.contains("Opertor") && unknown.stderr.contains("Operator"), "{unknown:?}");
    let missing = hub.run(&["keys", "show", "Nobody", "--json"]).code(1);
    assert!(missing.stderr.contains("Nobody") && missing.stdout.is_empty(), "{missing:?}");
    let empty = hub.run(&["keys", "create", " ", "--role", "Operator"]).code(1);
    assert!(empty.stderr.contains("name"), "{empty:?}");
}

#[test]
fn update_changes_what_is_named_and_leaves_the_rest() {
    let hub = Installation::new();
    hub.key("Grafana", &["Operator"]);
    let change =
        ["keys", "update", "grafana", "--name", "Grafana Berlin", "--network", "10.1.2.3/8", "--expires", "90d"];
    hub.run(&change).good();
    let shown = hub.run(&["keys", "show", "Grafana Berlin", "--json"]).good().json();
    assert_eq!(shown["networks"], serde_json::json!(["10.0.0.0/8"]));
    assert_eq!(shown["roles"], serde_json::json!(["Operator"]));
    assert!(shown["expires_at"].is_string());
    hub.run(&["keys", "update", "Grafana Berlin", "--role", "Administrator", "--any-network", "--expires", "never"])
        .good();
    let shown = hub.run(&["keys", "show", "Grafana Berlin", "--json"]).good().json();
    assert_eq!(shown["networks"], serde_json::json!([]));
    assert_eq!(shown["roles"], serde_json::json!(["Administrator"]));
    assert!(shown["expires_at"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_hub_obeys_the_command_line_at_once() {
    let hub = Installation::new();
    let (id, secret) = hub.key("Grafana", &["Operator"]);
    let serve = hub.serve(&[]);
    assert_eq!(token_status(&serve, &id, &secret).await, 200);

    hub.run(&["keys", "disable", "Grafana"]).good();
    assert_eq!(token_status(&serve, &id, &secret).await, 401);
    hub.run(&["keys", "enable", "Grafana"]).good();
    assert_eq!(token_status(&serve, &id, &secret).await, 200);

    let new = hub.run(&["keys", "regenerate", &id, "--overlap", "1h", "--json"]).good().json();
    assert_eq!(new["client_id"], id.as_str());
    let newer = new["client_secret"].as_str().expect("a text").to_owned();
    assert_eq!(token_status(&serve, &id, &secret).await, 200);
    assert_eq!(token_status(&serve, &id, &newer).await, 200);

    hub.run(&["keys", "end-overlap", &id]).good();
    assert_eq!(token_status(&serve, &id, &secret).await, 401);
    assert_eq!(token_status(&serve, &id, &newer).await, 200);
    assert!(hub.run(&["keys", "end-overlap", &id]).code(1).stderr.contains("no overlap"));

    let leaked = hub.run(&["keys", "regenerate", &id, "--leaked", "--json"]).good().json();
    let newest = leaked["client_secret"].as_str().expect("a text").to_owned();
    assert_eq!(token_status(&serve, &id, &secret).await, 401);
    assert_eq!(token_status(&serve, &id, &newer).await, 401);
    assert_eq!(token_status(&serve, &id, &newest).await, 200);

    hub.run(&["keys", "delete", "grafana"]).good();
    assert_eq!(token_status(&serve, &id, &newest).await, 401);
    hub.run(&["keys", "enable", &id]).code(1);
    hub.key("Grafana", &["Operator"]);
}

#[test]
fn find_names_the_owner_of_a_secret() {
    let hub = Installation::new();
    let (id, secret) = hub.key("Grafana", &["Operator"]);
    let found = hub.run_with(&["keys", "find", "--secret-stdin", "--json"], Some(&format!("{secret}\n"))).good();
    assert_eq!(found.json()["client_id"], id.as_str());
    assert!(!found.stdout.contains(&secret));
    hub.run(&["keys", "delete", "Grafana"]).good();
    let gone = hub.run_with(&["keys", "find", "--secret-stdin"], Some(&secret)).code(1);
    assert!(!gone.stderr.contains(&secret), "{gone:?}");
    let mistyped = hub.run_with(&["keys", "find", "--secret-stdin"], Some(&secret[..40])).code(1);
    assert!(mistyped.stderr.contains("cut short") && !mistyped.stderr.contains(&secret[..40]), "{mistyped:?}");
}

#[test]
fn a_secret_that_could_not_be_shown_is_a_failure() {
    let hub = Installation::new();
    let full = std::fs::File::options().write(true).open("/dev/full").expect("a device of Linux");
    let mut command = hub.command(&["keys", "create", "Grafana", "--role", "Operator"]);
    let done = command.stdout(full).stderr(std::process::Stdio::piped()).output().expect("the program runs");
    assert_eq!(done.status.code(), Some(1));
    let reason = String::from_utf8_lossy(&done.stderr);
    assert!(reason.contains("regenerate") && !reason.contains("ghs_"), "{reason}");
}
