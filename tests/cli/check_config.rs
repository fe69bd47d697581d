//! `check-config`, and what every command says about a configuration that is not right.

use std::fs;

use super::support::process::Installation;

#[test]
fn a_good_configuration_is_shown_without_its_secrets() {
    let mut hub = Installation::new();
    hub.environment.push(("GATEWAY_HUB_DATABASE_URL".to_owned(), "postgres://hub:hunter2@db.internal/hub".to_owned()));
    let shown = hub.run(&["check-config", "--token-lifetime", "5m"]).good();
    assert!(shown.stdout.contains("postgres://hub:…@db.internal/hub"), "{shown:?}");
    assert!(shown.stdout.contains("5m"), "{shown:?}");
    let json = hub.run(&["check-config", "--json"]).good();
    assert_eq!(json.json()["listen"], "127.0.0.1:8080");
    assert!(!format!("{shown:?}{json:?}").contains("hunter2"));
    assert!(!hub.data().exists(), "check-config makes nothing");
}

#[test]
fn the_file_the_environment_and_flags_are_read_in_this_order() {
    let mut hub = Installation::new();
    let file = hub.folder().join("hub.toml");
    fs::write(&file, "listen = \"127.0.0.1:1\"\npublic_url = \"https://file.example\"\ntoken_lifetime = \"1m\"")
        .expect("written");
    hub.environment.push(("GATEWAY_HUB_CONFIG".to_owned(), file.display().to_string()));
    hub.environment.push(("GATEWAY_HUB_PUBLIC_URL".to_owned(), "https://variable.example".to_owned()));
    hub.environment.push(("GATEWAY_HUB_JSON".to_owned(), "true".to_owned()));
    let shown = hub.run(&["check-config", "--listen", "127.0.0.1:3"]).good().json();
    assert_eq!(shown["listen"], "127.0.0.1:3");
    assert_eq!(shown["public_url"], "https://variable.example");
    assert_eq!(shown["token_lifetime"], "1m");
}

#[test]
fn a_bad_value_names_key_value_and_what_would_be_right() {
    let mut hub = Installation::new();
    let flag = hub.run(&["check-config", "--listen", "eighty"]).code(2);
    assert!(flag.stderr.starts_with("error: --listen: \"eighty\" is not right: expected an IP address"), "{flag:?}");
    hub.environment.push(("GATEWAY_HUB_TOKEN_LIFETIME".to_owned(), "600".to_owned()));
    let variable = hub.run(&["keys", "list"]).code(1);
    assert!(variable.stderr.contains("GATEWAY_HUB_TOKEN_LIFETIME: \"600\""), "{variable:?}");
    assert!(variable.stderr.contains("from 30s to 1d"), "{variable:?}");
    assert_eq!(variable.stdout, "");
    hub.environment.clear();
    let file = hub.folder().join("hub.toml");
    fs::write(&file, "lisen = \"127.0.0.1:1\"").expect("written");
    let unknown = hub.run(&["check-config", "--config", &file.display().to_string()]).code(1);
    assert!(unknown.stderr.contains("unknown key \"lisen\": did you mean `listen`?"), "{unknown:?}");
    let missing = hub.run(&["check-config", "--config", "nowhere.toml"]).code(1);
    assert!(missing.stderr.contains("configuration file nowhere.toml: "), "{missing:?}");
}

#[test]
fn beyond_loopback_serve_needs_tls_or_a_proxy_and_a_public_url() {
    let hub = Installation::new();
    for command in ["check-config", "serve"] {
        let refused = hub.run(&[command, "--listen", "0.0.0.0:0"]).code(1);
        assert!(refused.stderr.contains("--tls-cert") && refused.stderr.contains("--behind-proxy"), "{refused:?}");
        assert!(refused.stderr.contains("--public-url"), "{refused:?}");
    }
    assert!(!hub.data().exists(), "refused before anything is made");
    let url = "https://hub.example.com";
    hub.run(&["check-config", "--listen", "0.0.0.0:8080", "--public-url", url, "--behind-proxy", "10.0.0.2"]).good();
}

#[test]
fn wrong_usage_is_2_and_help_has_examples() {
    let hub = Installation::new();
    for wrong in [
        &["keys"][..],
        &["keys", "create", "Grafana"],
        &["keys", "create", "Grafana", "--role", "Operator", "--expires", "soon"],
        &["keys", "create", "Grafana", "--role", "Operator", "--network", "ten"],
        &["keys", "regenerate", "Grafana", "--overlap", "1h", "--leaked"],
        &["keys", "update", "Grafana"],
        &["roles", "create", "R", "--grant", "entities"],
        &["roles", "create", "R", "--grant", "entities:view", "--filter", "a = "],
        &["users", "create", "ana", "--role", "Operator"],
        &["users", "create", "ana", "--password-stdin"],
        &["frobnicate"],
    ] {
        let done = hub.run(wrong).code(2);
        assert_eq!(done.stdout, "", "{wrong:?}");
        assert!(!done.stderr.is_empty(), "{wrong:?}");
    }
    assert!(!hub.data().exists(), "wrong usage makes nothing");
    for command in
        [&["--help"][..], &["serve", "--help"], &["keys", "create", "--help"], &["roles", "create", "--help"]]
    {
        let help = hub.run(command).good();
        assert!(help.stdout.contains("Example"), "{help:?}");
    }
}

#[test]
fn a_misspelt_variable_is_pointed_out() {
    let mut hub = Installation::new();
    hub.environment.push(("GATEWAY_HUB_PUBLICURL".to_owned(), "https://hub.example.com".to_owned()));
    hub.environment.push(("GATEWAY_HUB_SERVICE_PORT".to_owned(), "8080".to_owned()));
    let checked = hub.run(&["check-config"]).good();
    assert_eq!(checked.stderr, "warning: GATEWAY_HUB_PUBLICURL is no setting: did you mean GATEWAY_HUB_PUBLIC_URL?\n");
}

#[test]
fn a_database_out_of_reach_is_named_without_its_password() {
    let mut hub = Installation::new();
    hub.database_url = Some("postgres://hub:hunter2@127.0.0.1:1/hub".to_owned());
    for command in [&["keys", "list"][..], &["migrate"], &["serve", "--listen", "127.0.0.1:0"]] {
        let refused = hub.run(command).code(1);
        assert!(refused.stderr.contains("postgres://hub:…@127.0.0.1:1/hub"), "{refused:?}");
        assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    }
}

#[test]
fn the_settings_in_the_documentation_are_the_programs() {
    use gateway_hub::config::{Config, Setting, Sources};
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md")).expect("the page");
    for setting in Setting::ALL {
        let name = format!("`{}`", setting.key());
        let names = |line: &&str| line.split('|').nth(1).is_some_and(|cell| cell.contains(&name));
        let row = page.lines().find(names);
        let row = row.unwrap_or_else(|| panic!("docs/settings.md says nothing of {}", setting.key()));
        let is_flag = !matches!(setting, Setting::Key | Setting::KeyFile);
        assert_eq!(row.contains(&format!("`{}`", setting.flag())), is_flag, "{row}");
    }
    let (_, example) = page.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let mut sources = Sources::default();
    sources.add_file("example.toml".as_ref(), example).expect("TOML");
    Config::parse(&sources).expect("a good example").check_serving().expect("which may serve");
}
