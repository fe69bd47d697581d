//! `users` from the host.

use super::support::process::Installation;

const PASSWORD: &str = "correct horse battery";

#[test]
fn the_life_of_a_console_user() {
    let hub = Installation::new();
    let create = ["users", "create", "ana", "--role", "Administrator", "--password-stdin"];
    hub.run_with(&create, Some(&format!("{PASSWORD}\n"))).good();
    hub.user("ben", "Operator", PASSWORD);
    let listed = hub.run(&["users", "list", "--json"]).good().json();
    assert_eq!(listed[0]["name"], "ana");
    assert_eq!(listed[0]["roles"], serde_json::json!(["Administrator"]));
    assert!(!listed.to_string().contains("argon"), "{listed}");
    let again =
        hub.run_with(&["users", "create", "ANA", "--role", "Operator", "--password-stdin"], Some(PASSWORD)).code(1);
    assert!(again.stderr.to_lowercase().contains("ana"), "{again:?}");
    hub.run_with(&["users", "reset-password", "Ana", "--password-stdin"], Some("another long password")).good();
    hub.run(&["users", "end-sessions", "BEN"]).good();
    hub.run(&["users", "delete", "ben"]).good();
    hub.run(&["users", "end-sessions", "ben"]).code(1);
    hub.run(&["users", "delete", "ben"]).code(1);
}

#[test]
fn rule_10_the_last_administrator_stays() {
    let hub = Installation::new();
    hub.user("ana", "Administrator", PASSWORD);
    let refused = hub.run(&["users", "delete", "ana"]).code(1);
    assert!(refused.stderr.contains("last"), "{refused:?}");
    hub.user("eve", "Administrator", PASSWORD);
    hub.run(&["users", "delete", "ana"]).good();
}

#[test]
fn a_bad_password_is_refused_and_never_repeated() {
    let hub = Installation::new();
    let create = ["users", "create", "ana", "--role", "Administrator", "--password-stdin"];
    let short = hub.run_with(&create, Some("hunter2")).code(1);
    assert!(short.stderr.contains("at least 12 characters") && !short.stderr.contains("hunter2"), "{short:?}");
    let none = hub.run_with(&create, Some("\n")).code(1);
    assert!(none.stderr.contains("standard input is empty"), "{none:?}");
    assert_eq!(hub.run(&["users", "list", "--json"]).good().json(), serde_json::json!([]));
}
