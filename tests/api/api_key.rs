//! The life of an API key: made, replaced, overlapped, leaked, disabled, deleted; at once and for ever.

use std::collections::HashSet;

use gateway_hub::crypto::secret::SecretShape;
use serde_json::json;

use crate::support::{Application, Hub, Request, hub::PASSWORD};

const HOUR: u64 = 3_600;

/// The same application with the key that replaced its own.
fn with_secret(application: &Application, secret: &str) -> Application {
    Application { client_secret: secret.to_owned(), ..application.clone() }
}

#[tokio::test]
async fn sec_09_secrets_are_256_random_bits_with_prefix_and_checksum() {
    let hub = Hub::start().await;
    let mut seen = HashSet::new();
    let mut columns = vec![HashSet::new(); 53];
    for _ in 0..400 {
        let key = hub.application_without_token(&["Operator"]).await;
        let (id, secret) = (key.client_id, key.client_secret);
        let base62 = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        assert!(id.len() == 25 && id.starts_with("gh_") && base62(&id[3..]), "{id}");
        assert!(secret.len() == 53 && secret.starts_with("ghs_") && base62(&secret[4..]), "{secret}");
        assert!(matches!(SecretShape::of(&secret), SecretShape::WellFormed));
        for (column, byte) in columns.iter_mut().zip(secret.bytes()) {
            column.insert(byte);
        }
        assert!(seen.insert(id) && seen.insert(secret), "nothing comes twice");
    }
    // 400 draws of 62 characters leave out four of them once in 60 million tries. The first of the 43 carries less
    // (62^43 is a little more than 2^256) and the first of the checksum too.
    for (position, column) in columns.iter().enumerate().filter(|(at, _)| (5..47).contains(at) || *at > 47) {
        assert!(column.len() >= 58, "position {position} takes only {} values", column.len());
    }
    // A slip of one character never passes.
    let secret = hub.application_without_token(&["Operator"]).await.client_secret;
    for position in 4..secret.len() {
        for new in *b"0Az9" {
            if secret.as_bytes()[position] == new {
                continue;
            }
            let mut typed = secret.clone().into_bytes();
            typed[position] = new;
            let typed = String::from_utf8(typed).expect("ASCII");
            assert!(matches!(SecretShape::of(&typed), SecretShape::Mistyped), "{position}");
        }
    }
}

#[tokio::test]
async fn sec_10_a_dump_of_the_database_holds_no_usable_secret() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let application = hub.application(&["Administrator"]).await;
    let mut shown = person.new_key("Partner", &["Operator"]).await;
    shown.sign_in().await;
    let replaced = hub.regenerate(&shown.client_id, Some(HOUR)).await;

    let mut secrets = vec![
        application.client_secret.clone(),
        application.token.clone(),
        shown.client_secret.clone(),
        shown.token.clone(),
        replaced,
        PASSWORD.to_owned(),
    ];
    secrets.extend(person.cookies.iter().map(|(_, value)| value.clone()).filter(|value| value.len() >= 16));
    let key = hub.hub_key();
    secrets.push(key.text.clone());
    let dump = hub.rows().await.everything();
    let files = hub.database_files();
    assert!(!files.is_empty() && dump.len() > 1_000, "there is something to search");
    for secret in &secrets {
        assert!(!dump.contains(secret.as_str()), "a column holds a secret");
        for (path, content) in &files {
            assert!(!contains(content, secret.as_bytes()), "{path:?} holds a secret");
        }
    }
    for (path, content) in &files {
        assert!(!contains(content, &key.bytes), "{path:?} holds hub.key");
        assert!(!contains(content, b"PRIVATE KEY"), "{path:?} holds a private key");
        // PKCS#8 of a P-256 key begins so; wrapped, it does not.
        assert!(!contains(content, &hub.signing_key().await[..36]), "{path:?} holds the signing key");
    }

    // Whoever stole it can try every text in it, everywhere that takes a secret.
    for text in hub.rows().await.texts().into_iter().filter(|text| (16..600).contains(&text.len())) {
        if text.bytes().any(|byte| byte.is_ascii_control()) || !text.is_ascii() {
            continue;
        }
        let thief = with_secret(&application, &text);
        assert_ne!(thief.ask_token(&[]).await.status, 200, "{text}");
        assert_ne!(hub.site.ask(Request::get("/api/v1/whoami").bearer(&text)).await.status, 200, "{text}");
        for (name, _) in &person.cookies {
            let request = Request::get("/console/applications").header("Cookie", &format!("{name}={text}"));
            assert_ne!(hub.site.ask(request).await.status, 200, "{text} as {name}");
        }
    }
}

fn contains(content: &[u8], wanted: &[u8]) -> bool {
    content.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test]
async fn sec_12_two_live_secrets_at_most_and_the_old_one_ends_at_its_second() {
    let mut hub = Hub::with_manual_clock().await;
    let first = hub.application(&["Operator"]).await;
    let second = with_secret(&first, &hub.regenerate(&first.client_id, Some(HOUR)).await);
    assert!(first.key_works().await && second.key_works().await && first.is_in().await);
    // Regenerating during the overlap ends the oldest.
    hub.advance(60).await;
    let third = with_secret(&first, &hub.regenerate(&first.client_id, Some(HOUR)).await);
    assert!(!first.key_works().await && !first.is_in().await, "three are never alive");
    assert!(second.key_works().await && third.key_works().await);

    // To the second: alive just before, dead at it, on this node and on another.
    let other = hub.second_node().await;
    hub.advance(HOUR - 1).await;
    other.poll().await;
    let (mut old, mut new) = (second.clone(), third.clone());
    old.sign_in().await;
    new.sign_in().await;
    assert!(old.is_in().await && old.key_works().await);
    hub.advance(1).await;
    other.poll().await;
    assert!(!old.key_works().await && !old.is_in().await, "the overlap's end");
    assert!(new.key_works().await && new.is_in().await, "only the old one's tokens die");
    for mut elsewhere in [old.clone(), new.clone()] {
        let alive = elsewhere.client_secret == new.client_secret;
        elsewhere.site = other.site.clone();
        assert_eq!((elsewhere.key_works().await, elsewhere.is_in().await), (alive, alive), "on the other node");
    }

    // After a restart.
    other.stop().await;
    hub = hub.restart().await;
    for key in [&mut old, &mut new] {
        key.site = hub.site.clone();
    }
    assert!(!old.key_works().await && !old.is_in().await, "after a restart");
    assert!(new.key_works().await && new.is_in().await, "the new one stays");
}

#[tokio::test]
async fn sec_12_a_clock_that_jumps_back_revives_nothing() {
    let mut hub = Hub::with_manual_clock().await;
    let first = hub.application(&["Operator"]).await;
    let second = with_secret(&first, &hub.regenerate(&first.client_id, Some(HOUR)).await);
    hub.advance(HOUR + 1).await;
    assert!(!first.key_works().await);
    // At once, before any job has tidied up.
    hub.turn_back(HOUR);
    assert!(!first.key_works().await && !first.is_in().await, "after the clock jumped back");
    hub.settle().await;
    hub = hub.restart().await;
    let moved = |key: &Application| Application { site: hub.site.clone(), ..key.clone() };
    assert!(!moved(&first).key_works().await, "after a restart with a clock in the past");
    assert!(moved(&second).key_works().await);
}

#[tokio::test]
async fn sec_13_a_deleted_client_id_never_comes_back() {
    let mut hub = Hub::start().await;
    let gone = hub.application(&["Operator"]).await;
    hub.delete(&gone.client_id).await;
    let again = hub.application_named(&gone.name, &["Operator"]).await;
    assert_ne!(again.client_id, gone.client_id, "the name is free, the id is not");
    for round in ["at once", "after a restart"] {
        let gone = Application { site: hub.site.clone(), ..gone.clone() };
        assert!(!gone.key_works().await && !gone.is_in().await, "{round}");
        assert!(hub.try_enable(&gone.client_id).await.is_err(), "{round}");
        assert!(hub.try_regenerate(&gone.client_id).await.is_err(), "{round}");
        assert!(hub.try_delete(&gone.client_id).await.is_err(), "{round}");
        assert!(!gone.key_works().await && !gone.is_in().await, "{round}");
        hub = hub.restart().await;
    }
    let tombstones = hub.rows().await.table("deleted_application");
    assert!(
        tombstones.iter().any(|row| row["client_id"] == gone.client_id.as_str()),
        "a tombstone keeps it: {tombstones:?}"
    );
}

#[tokio::test]
async fn sec_20_regenerate_and_a_token_within_the_same_second() {
    // The clock stands still: nothing may decide by time.
    let hub = Hub::with_manual_clock().await;
    for _ in 0..10 {
        let old = hub.application(&["Operator"]).await;
        assert!(old.is_in().await, "now it stands in every cache");
        let mut new = with_secret(&old, &hub.regenerate(&old.client_id, None).await);
        assert!(!old.is_in().await && !old.key_works().await);
        new.sign_in().await;
        assert!(new.is_in().await && !old.is_in().await);
        assert_eq!(new.client_id, old.client_id);
    }
}

#[tokio::test]
async fn sec_20_disable_and_enable_revive_nothing() {
    let mut hub = Hub::with_manual_clock().await;
    let mut application = hub.application(&["Operator"]).await;
    assert!(application.is_in().await);
    hub.disable(&application.client_id).await;
    assert!(!application.is_in().await && !application.key_works().await);
    hub.enable(&application.client_id).await;
    assert!(!application.is_in().await, "its tokens stay dead");
    let old = application.clone();
    application.sign_in().await;
    assert!(application.is_in().await && !old.is_in().await);
    hub = hub.restart().await;
    let moved = |key: &Application| Application { site: hub.site.clone(), ..key.clone() };
    assert!(moved(&application).is_in().await && !moved(&old).is_in().await, "after a restart");
}

#[tokio::test]
async fn sec_20_re_created_names_revive_nothing() {
    let hub = Hub::start().await;
    // An application's name.
    let old = hub.application(&["Operator"]).await;
    assert!(old.is_in().await);
    hub.delete(&old.client_id).await;
    let new = hub.application_named(&old.name, &["Operator"]).await;
    assert!(new.is_in().await && !old.is_in().await && !old.key_works().await);
    // A role's name: memberships and grants bind to ids.
    hub.role("Readers", &["entities:view"], None).await;
    hub.role("Other", &["gateway/none:view"], None).await;
    let member = hub.application(&["Readers", "Other"]).await;
    member.get("/api/v1/entities").await.expect(200);
    hub.delete_role("Readers").await;
    member.get("/api/v1/entities").await.expect(403);
    hub.role("Readers", &["entities:view", "entities:edit"], None).await;
    member.get("/api/v1/entities").await.expect(403);
    assert!(!member.ask_token(&[]).await.expect(200).member("scope").contains("entities"));
}

#[tokio::test]
async fn rule_02_leaked_ends_all_secrets_and_all_tokens() {
    let hub = Hub::start().await;
    let first = hub.application(&["Operator"]).await;
    let mut second = with_secret(&first, &hub.regenerate(&first.client_id, Some(HOUR)).await);
    second.sign_in().await;
    assert!(first.is_in().await && second.is_in().await);
    let mut third = with_secret(&first, &hub.leaked(&first.client_id).await);
    for dead in [&first, &second] {
        assert!(!dead.is_in().await && !dead.key_works().await);
    }
    third.sign_in().await;
    assert!(third.is_in().await);
}

#[tokio::test]
async fn rule_06_roles_act_at_the_next_request() {
    let hub = Hub::start().await;
    hub.role("Reader", &["entities:view", "entities:edit"], None).await;
    let application = hub.application(&["Reader"]).await;
    let body = json!({"attributes": {"user.department": "fx"}});
    let put = || application.send("PUT", "/api/v1/entities/a", &body);
    let edited = put().await;
    assert!(matches!(edited.status, 200 | 201), "{edited:?}");
    hub.set_role("Reader", &["entities:view"], None).await;
    put().await.expect(403);
    application.get("/api/v1/entities/a").await.expect(200);
    hub.set_role("Reader", &["entities:view"], Some("user.department = equities")).await;
    application.get("/api/v1/entities/a").await.expect(404);
    // A grant added later is not in the token's scope; a new token has it.
    hub.set_role("Reader", &["entities:view", "audit:view"], None).await;
    application.get("/api/v1/audit").await.expect(403);
    let mut renewed = application.clone();
    renewed.sign_in().await.get("/api/v1/audit").await.expect(200);
    hub.set_roles(&application.client_id, &["Operator"]).await;
    renewed.get("/api/v1/entities").await.expect(200);
}

#[tokio::test]
async fn rule_06_one_roles_edit_never_pairs_with_another_roles_filter() {
    let hub = Hub::start().await;
    hub.role("See fx", &["entities:view"], Some("user.department = fx")).await;
    hub.role("Edit rates", &["entities:edit"], Some("user.department = rates")).await;
    let writer = hub.application(&["Administrator"]).await;
    for department in ["fx", "rates"] {
        let body = json!({"attributes": {"user.department": department}});
        writer.send("PUT", &format!("/api/v1/entities/{department}"), &body).await;
    }
    let both = hub.application(&["See fx", "Edit rates"]).await;
    both.get("/api/v1/entities/fx").await.expect(200);
    both.get("/api/v1/entities/rates").await.expect(404);
    let merge = json!({"attributes": {"x": "y"}});
    both.send("PATCH", "/api/v1/entities/fx", &merge).await.expect(403);
    both.send("PATCH", "/api/v1/entities/rates", &merge).await.expect(404);
}

#[tokio::test]
async fn networks_bind_keys_and_tokens() {
    let hub = Hub::start().await;
    let inside = hub.application_in(&["Operator"], &["127.0.0.0/8"]).await;
    let mut signed = inside.clone();
    assert!(signed.sign_in().await.is_in().await);
    hub.set_networks(&inside.client_id, &["192.0.2.0/24"]).await;
    assert!(!signed.is_in().await && !signed.key_works().await, "tokens obey the networks of now");
}

#[tokio::test]
async fn rule_08_a_regenerate_every_second_keeps_two_secrets() {
    let hub = Hub::with_manual_clock().await;
    let mut keys = vec![hub.application(&["Operator"]).await];
    for _ in 0..5 {
        hub.advance(1).await;
        let secret = hub.regenerate(&keys[0].client_id, Some(HOUR)).await;
        keys.push(with_secret(&keys[0], &secret));
        let mut alive = 0;
        for key in &keys {
            alive += u32::from(key.key_works().await);
        }
        assert_eq!(alive, 2);
    }
}
