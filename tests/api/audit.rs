//! Rule 7: no change to security state without its audit event, in the same transaction.

use gateway_hub::actions::Actor;
use serde_json::json;

use crate::support::Hub;

#[tokio::test]
async fn rule_07_every_action_leaves_its_event() {
    let hub = Hub::start().await;
    let mut expected = hub.rows().await.table("audit_event").len();
    let application = hub.application_without_token(&["Operator"]).await;
    let id = application.client_id.as_str();
    let mut count = async |what: &str| {
        let rows = hub.rows().await;
        let events = rows.table("audit_event");
        expected += 1;
        assert_eq!(events.len(), expected, "{what}: {events:?}");
        let last = events.iter().max_by_key(|event| event["sequence"].as_i64()).expect("an event").clone();
        for member in ["actor_kind", "source", "action", "target_kind", "target_id"] {
            assert_ne!(last[member], json!(""), "{what}: {last}");
        }
        assert_ne!((&last["before_state"], &last["after_state"]), (&json!(""), &json!("")), "{what}: {last}");
    };
    count("create").await;
    hub.regenerate(id, Some(60)).await;
    count("regenerate").await;
    hub.leaked(id).await;
    count("leaked").await;
    hub.disable(id).await;
    count("disable").await;
    hub.enable(id).await;
    count("enable").await;
    hub.set_networks(id, &["127.0.0.0/8"]).await;
    count("update").await;
    hub.role("Reader", &["entities:view"], None).await;
    count("create role").await;
    hub.set_role("Reader", &["entities:edit"], None).await;
    count("update role").await;
    hub.delete_role("Reader").await;
    count("delete role").await;
    hub.delete(id).await;
    count("delete").await;
}

#[tokio::test]
async fn rule_07_what_cannot_be_audited_does_not_happen() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    hub.role("Reader", &["entities:view"], None).await;
    let operator = Actor::operator();
    hub.break_audit().await;
    let before = hub.rows().await;
    for (action, result) in hub.every_action_as(&operator, &application.client_id, &application.client_id).await {
        assert!(result.is_err(), "{action} went through without its event");
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());
    assert!(application.is_in().await && application.key_works().await);
}

#[tokio::test]
async fn the_audit_log_can_be_read_with_its_grant() {
    let hub = Hub::start().await;
    let application = hub.application(&["Administrator"]).await;
    let listed = application.get("/api/v1/audit").await.expect(200).json();
    assert!(listed["items"].as_array().is_some_and(|items| !items.is_empty()), "{listed}");
    assert!(listed.get("next_cursor").is_some());
}
