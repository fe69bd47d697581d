//! The hub's key: made once, and never guessed again.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::support::process::Installation;

#[test]
fn the_key_is_made_for_its_owner_only() {
    let hub = Installation::new();
    hub.run(&["migrate"]).good();
    let mode = fs::metadata(hub.data().join("hub.key")).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_missing_key_stops_the_start_and_says_what_to_copy() {
    let hub = Installation::new();
    hub.key("Grafana", &["Operator"]);
    let key = hub.data().join("hub.key");
    let saved = fs::read(&key).expect("the key");
    fs::remove_file(&key).expect("removed");
    for command in [&["keys", "list"][..], &["serve", "--listen", "127.0.0.1:0"], &["migrate"]] {
        let refused = hub.run(command).code(1);
        assert!(refused.stderr.contains("hub.key"), "{refused:?}");
        assert!(refused.stderr.to_lowercase().contains("copy"), "{refused:?}");
        assert!(!key.exists(), "no new key beside data that another key wraps");
    }
    fs::write(&key, saved).expect("put back");
    hub.run(&["keys", "list"]).good();
}

#[test]
fn a_different_key_stops_the_start_and_shows_neither() {
    let mut hub = Installation::new();
    hub.key("Grafana", &["Operator"]);
    let text = fs::read_to_string(hub.data().join("hub.key")).expect("the key");
    let wrong = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    hub.environment.push(("GATEWAY_HUB_KEY".to_owned(), wrong.to_owned()));
    let refused = hub.run(&["keys", "list"]).code(1);
    assert!(refused.stderr.contains("GATEWAY_HUB_KEY"), "{refused:?}");
    assert!(!refused.stderr.contains(wrong) && !refused.stderr.contains(text.trim()), "{refused:?}");
    hub.environment[0].1 = "short".to_owned();
    let malformed = hub.run(&["keys", "list"]).code(1);
    assert!(malformed.stderr.contains("32 bytes"), "{malformed:?}");
    hub.environment[0].1 = text.trim().to_owned();
    hub.run(&["keys", "list"]).good();
}

#[test]
fn a_key_from_a_file_is_used_instead() {
    let mut hub = Installation::new();
    let file = hub.folder().join("elsewhere.key");
    fs::write(&file, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").expect("written");
    hub.environment.push(("GATEWAY_HUB_KEY_FILE".to_owned(), file.display().to_string()));
    hub.key("Grafana", &["Operator"]);
    assert!(!hub.data().join("hub.key").exists());
    hub.environment[0].1 = hub.folder().join("nowhere.key").display().to_string();
    let refused = hub.run(&["keys", "list"]).code(1);
    assert!(refused.stderr.contains("nowhere.key"), "{refused:?}");
}
