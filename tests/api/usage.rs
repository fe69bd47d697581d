//! What applications do is counted, and stored beside the requests.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use gateway_hub::domain::denial::DenialReason;
use serde_json::json;

use crate::support::{Application, ConsoleUser, Hub, Request};

/// The counts of an application's only day, and its used grants.
async fn day_of(hub: &Hub, application: &Application) -> (u64, u64, u64, String) {
    let days = hub.rows().await.table("usage_day");
    let mut own = days.iter().filter(|day| day["client_id"] == application.client_id.as_str());
    let day = own.next().expect("a row of its own");
    assert!(own.next().is_none(), "one row for application and day");
    let count = |column: &str| day[column].as_u64().expect("a count");
    let mut grants: Vec<&str> = day["grants"].as_str().expect("a text").split_ascii_whitespace().collect();
    grants.sort_unstable();
    (count("tokens"), count("requests"), count("refusals"), grants.join(" "))
}

/// How often each reason was counted for this `client_id`.
async fn denials_of(hub: &Hub, client_id: &str) -> BTreeMap<String, u64> {
    let mut reasons = BTreeMap::new();
    for row in hub.rows().await.table("denial").iter().filter(|row| row["client_id"] == client_id) {
        assert_eq!(row["source"], "127.0.0.1");
        *reasons.entry(row["reason"].as_str().expect("a reason").to_owned()).or_default() +=
            row["times"].as_u64().expect("a count");
    }
    reasons
}

#[tokio::test]
async fn use_is_counted_by_day_with_the_grants_that_were_used() {
    let hub = Hub::with_manual_clock().await;
    hub.role("Writer", &["entities:view", "entities:edit", "introspection:view", "roles:view"], None).await;
    let mut writer = hub.application(&["Writer"]).await;
    let other = hub.application(&["Operator"]).await;
    writer.sign_in().await;
    writer.get("/api/v1/whoami").await.expect(200);
    writer.get("/api/v1/entities").await.expect(200);
    writer.get("/api/v1/entities/none").await.expect(404);
    let entity = json!({ "attributes": { "a": "1" } });
    writer.send("PUT", "/api/v1/entities/one", &entity).await.expect(201);
    writer.client_post("/oauth2/introspect", &[("token", &other.token)]).await.expect(200);
    writer.client_post("/oauth2/introspect", &[("token", &writer.token)]).await.expect(200);
    hub.flush_usage().await;
    let used = "entities:edit entities:view introspection:view";
    assert_eq!(day_of(&hub, &writer).await, (2, 6, 0, used.to_owned()), "roles:view is granted and was not used");
    assert_eq!(day_of(&hub, &other).await, (1, 0, 0, String::new()));
    writer.get("/api/v1/roles").await.expect(200);
    hub.flush_usage().await;
    assert_eq!(day_of(&hub, &writer).await, (2, 7, 0, format!("{used} roles:view")));

    let stored = |table: &'static str, column: &'static str, id: String| {
        let hub = &hub;
        async move {
            let rows = hub.rows().await.table(table);
            rows.iter().find(|row| row[column] == id.as_str()).expect("a row")["last_used_at"].clone()
        }
    };
    let now = hub.app.clock.now();
    assert_eq!(stored("application", "client_id", writer.client_id.clone()).await, json!(now.micros()));
    assert_eq!(stored("api_secret", "client_id", writer.client_id.clone()).await, json!(now.micros()));
    let shown = other.get(&format!("/api/v1/applications/{}", writer.client_id)).await.expect(200).json();
    assert_eq!(shown["last_used_at"], json!(now.to_string()));
    hub.advance(119).await;
    writer.get("/api/v1/whoami").await.expect(200);
    hub.flush_usage().await;
    let minute = now.plus(Duration::from_mins(1));
    assert_eq!(
        stored("application", "client_id", writer.client_id.clone()).await,
        json!(minute.micros()),
        "to the minute"
    );
}

#[tokio::test]
async fn sec_31_refusals_are_counted_by_minute_reason_application_and_source() {
    let hub = Hub::with_manual_clock().await;
    hub.role("Reader", &["entities:view"], Some("a = 1")).await;
    let reader = hub.application(&["Reader"]).await;
    let other = hub.application(&["Operator"]).await;
    let wrong = Application { client_secret: other.client_secret.clone(), ..reader.clone() };
    for _ in 0..3 {
        assert!(!wrong.key_works().await);
    }
    reader.ask_token(&[("scope", "audit:view")]).await.expect(400);
    reader.ask_token(&[("resource", "https://elsewhere.example")]).await.expect(400);
    reader.get("/api/v1/audit").await.expect(403);
    reader.send("POST", "/api/v1/applications", &json!({})).await.expect(403);
    reader.send("DELETE", "/api/v1/entities/one", &json!({})).await.expect(403);
    // What names no application of ours: a secret in the wrong place, nonsense for a token.
    let misplaced = Application { client_id: reader.client_secret.clone(), ..reader.clone() };
    assert!(!misplaced.key_works().await);
    hub.site.ask(Request::get("/api/v1/whoami").bearer("nonsense")).await.expect(401);
    hub.flush_usage().await;
    let expected = |counts: &[(DenialReason, u64)]| -> BTreeMap<String, u64> {
        counts.iter().map(|(reason, times)| (reason.as_str().to_owned(), *times)).collect()
    };
    let counts = [
        (DenialReason::WrongSecret, 3),
        (DenialReason::Scope, 2),
        (DenialReason::NotAllowed, 2),
        (DenialReason::ConsoleOnly, 1),
    ];
    assert_eq!(denials_of(&hub, &reader.client_id).await, expected(&counts));
    assert_eq!(day_of(&hub, &reader).await, (1, 0, 8, String::new()));
    let nobody = [(DenialReason::UnknownClient, 1), (DenialReason::InvalidToken, 1)];
    assert_eq!(denials_of(&hub, "").await, expected(&nobody));
    assert!(!hub.rows().await.everything().contains(&reader.client_secret), "no secret, wherever it was put");

    // An application's own state, and its tokens.
    hub.set_networks(&reader.client_id, &["192.0.2.0/24"]).await;
    assert!(!reader.key_works().await && !reader.is_in().await);
    hub.disable(&reader.client_id).await;
    assert!(!reader.key_works().await && !reader.is_in().await);
    hub.delete(&reader.client_id).await;
    assert!(!reader.key_works().await && !reader.is_in().await);
    assert!(other.is_in().await);
    hub.advance(601).await;
    assert!(!other.is_in().await, "expired");
    hub.flush_usage().await;
    let more = [
        (DenialReason::Network, 2),
        (DenialReason::Disabled, 1),
        // Disabled once, deleted once: the token names the application, the key no longer does.
        (DenialReason::DeadToken, 2),
    ];
    assert_eq!(denials_of(&hub, &reader.client_id).await, expected(&[&counts[..], &more].concat()));
    let nobody = [(DenialReason::UnknownClient, 2), (DenialReason::InvalidToken, 1)];
    assert_eq!(denials_of(&hub, "").await, expected(&nobody));
    assert_eq!(denials_of(&hub, &other.client_id).await, expected(&[(DenialReason::ExpiredToken, 1)]));
}

#[tokio::test]
async fn sec_31_sign_ins_that_fail_are_counted() {
    let hub = Hub::with_manual_clock().await;
    let person = hub.console_user("Administrator").await;
    for (name, password) in [(person.name.as_str(), "wrong password"), ("nobody-of-that-name", "hunter2-hunter2")] {
        let (_, answer) = ConsoleUser::try_sign_in(&hub.site, name, password).await;
        assert_eq!(answer.status, 401);
    }
    ConsoleUser::sign_in(&hub.site, &person.name, &hub.password(&person.name)).await;
    hub.flush_usage().await;
    let counted: BTreeMap<String, u64> = [(DenialReason::SignIn.as_str().to_owned(), 2)].into();
    assert_eq!(denials_of(&hub, "").await, counted);
    let rows = hub.rows().await;
    assert!(rows.table("denial").iter().all(|row| row["source"] == "127.0.0.1"), "with where they came from");
    assert!(!rows.everything().contains("hunter2"), "what was typed is kept nowhere");
}

#[tokio::test]
async fn a_wrong_secret_does_not_make_a_key_look_used() {
    let hub = Hub::start().await;
    let application = hub.application_without_token(&["Operator"]).await;
    let other = hub.application_without_token(&["Operator"]).await;
    let wrong = Application { client_secret: other.client_secret.clone(), ..application.clone() };
    assert!(!wrong.key_works().await);
    hub.flush_usage().await;
    assert_eq!(day_of(&hub, &application).await, (0, 0, 1, String::new()));
    for table in ["application", "api_secret"] {
        let rows = hub.rows().await.table(table);
        assert!(rows.iter().all(|row| row["last_used_at"].is_null()), "{rows:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_are_durable_within_ten_seconds_and_at_a_stop() {
    let hub = Hub::start().await;
    let mut application = hub.application(&["Operator"]).await;
    let began = Instant::now();
    application.get("/api/v1/whoami").await.expect(200);
    let counted = async || {
        let days = hub.rows().await.table("usage_day");
        days.iter().any(|day| day["client_id"] == application.client_id.as_str() && day["requests"] == 1)
    };
    while !counted().await {
        assert!(began.elapsed() < Duration::from_secs(10), "not durable in time");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    application.get("/api/v1/whoami").await.expect(200);
    let hub = hub.restart().await;
    assert_eq!(day_of(&hub, &application).await.1, 2, "the last seconds are stored at a stop");
    application.site = hub.site.clone();
    assert!(application.is_in().await);
}
