//! `/api/v1/gateways`: connection settings, read-only, never a credential; and who may change them at all.

use gateway_hub::actions::gateway::{self, CredentialInput, GatewayInput};
use gateway_hub::actions::{ActionError, Actor};
use gateway_hub::domain::gateway::GatewayId;
use serde_json::json;

use crate::support::{Hub, Request};

const SECRET: &str = "canary-upstream-password";

fn input(url: &str) -> GatewayInput {
    GatewayInput {
        kind: Some("http".to_owned()),
        addresses: Some(vec![url.to_owned()]),
        credential: Some(CredentialInput::Basic { user: "hub".to_owned(), password: SECRET.to_owned().into() }),
        headers: Some(vec!["X-Scope-OrgID: canary-tenant".to_owned()]),
        ..GatewayInput::default()
    }
}

async fn make(hub: &Hub, name: &str) -> GatewayId {
    let made = gateway::create(&hub.app, &Actor::operator(), name, &input("http://10.0.0.5:9090/api")).await;
    made.expect("a gateway").gateway.id
}

#[tokio::test]
async fn settings_are_listed_and_no_credential() {
    let hub = Hub::start().await;
    for name in ["b", "a", "c"] {
        make(&hub, name).await;
    }
    let reader = hub.application(&["Operator"]).await;
    let page = reader.get("/api/v1/gateways?limit=2").await.expect(200).json();
    let names = |page: &serde_json::Value| {
        let items = page["items"].as_array().expect("a list").clone();
        items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&page), ["a", "b"]);
    let rest = format!("/api/v1/gateways?limit=2&cursor={}", page["next_cursor"].as_str().expect("a cursor"));
    let rest = reader.get(&rest).await.expect(200).json();
    assert_eq!((names(&rest), &rest["next_cursor"]), (vec!["c".to_owned()], &json!(null)));
    let shown = reader.get("/api/v1/gateways/b").await.expect(200);
    let json = shown.json();
    assert_eq!((&json["authentication"], &json["headers"]), (&json!("basic"), &json!(["x-scope-orgid"])));
    assert_eq!(json["addresses"], json!(["http://10.0.0.5:9090/api"]));
    assert!(!shown.everything().contains("canary"), "{}", shown.everything());
    reader.get("/api/v1/gateways/nothing").await.expect(404);
    reader.get("/api/v1/gateways/No%20name").await.expect(404);
    // It takes gateways:view; a grant on the gateway itself is another thing.
    hub.role("Uses it", &["gateway/b:view", "gateway/b:edit"], None).await;
    let user = hub.application(&["Uses it"]).await;
    for target in ["/api/v1/gateways", "/api/v1/gateways/b"] {
        user.get(target).await.expect(403);
        hub.site.get(target).await.expect(401);
    }
    let who = user.get("/api/v1/whoami").await.expect(200).json();
    assert_eq!(who["view"][0]["resource"], "gateway/b");
}

#[tokio::test]
async fn sec_28_sec_29_no_application_says_where_a_gateway_leads() {
    let hub = Hub::start().await;
    let id = make(&hub, "metrics").await;
    let application = hub.application(&["Administrator"]).await;
    let before = hub.rows().await;
    let evil = json!({ "addresses": ["http://evil.example"], "url": "http://evil.example", "name": "metrics" });
    for target in ["/api/v1/gateways", "/api/v1/gateways/metrics", "/api/v1/gateways/metrics/test"] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let refused = application.send(method, target, &evil).await.expect(403);
            assert_eq!(refused.problem(), "console-only", "{method} {target}");
        }
    }
    let actor = Hub::application_actor(&application.client_id);
    for outcome in [
        gateway::create(&hub.app, &actor, "mine", &input("http://evil.example")).await.map(drop),
        gateway::update(&hub.app, &actor, &id, &input("http://evil.example")).await.map(drop),
        gateway::delete(&hub.app, &actor, &id).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(ActionError::Forbidden(_))), "{outcome:?}");
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());
}

#[tokio::test]
async fn rule_10_who_edits_gateways_needs_all_that_they_give() {
    let hub = Hub::start().await;
    let id = make(&hub, "prod").await;
    hub.role("Settings only", &["gateways:view", "gateways:edit"], None).await;
    hub.role("Viewer too", &["gateways:view", "gateways:edit", "gateway/*:view"], None).await;
    hub.role("Filtered", &["entities:view"], Some("user.department = fx")).await;
    hub.role("All of dev", &["gateways:view", "gateways:edit", "gateway/dev-*:view", "gateway/dev-*:edit"], None).await;
    for role in ["Settings only", "Viewer too", "All of dev", "Operator"] {
        let actor = hub.actor(role).await;
        let before = hub.rows().await;
        for outcome in [
            gateway::create(&hub.app, &actor, "other", &input("http://evil.example")).await.map(drop),
            gateway::update(
                &hub.app,
                &actor,
                &id,
                &GatewayInput { path_rules: Some(vec!["* /** = view".into()]), ..GatewayInput::default() },
            )
            .await
            .map(drop),
        ] {
            assert!(matches!(outcome, Err(ActionError::Forbidden(_))), "{role}: {outcome:?}");
        }
        assert_eq!(before.security_state(), hub.rows().await.security_state(), "{role}");
    }
    let keeper = hub.actor("All of dev").await;
    let made = gateway::create(&hub.app, &keeper, "dev-1", &input("http://10.0.0.6")).await.expect("theirs");
    gateway::delete(&hub.app, &keeper, &made.gateway.id).await.expect("theirs");
}

#[tokio::test]
async fn sec_31_changes_are_audited_without_credentials() {
    let hub = Hub::start().await;
    let id = make(&hub, "metrics").await;
    let operator = Actor::operator();
    let rotated = GatewayInput {
        credential: Some(CredentialInput::Bearer("canary-token".to_owned().into())),
        ..GatewayInput::default()
    };
    gateway::update(&hub.app, &operator, &id, &rotated).await.expect("changed");
    let live = hub.app.snapshot.gateway("metrics").expect("live");
    assert_eq!(live.credentials.secret.as_ref().map(|secret| secret.as_str()), Some("canary-token"));
    hub.role("Named", &["gateway/metrics:view", "entities:view"], None).await;
    gateway::delete(&hub.app, &operator, &id).await.expect("deleted");
    assert!(hub.app.snapshot.gateway("metrics").is_none());
    let role = hub.app.snapshot.role(&hub.role_id("Named")).expect("a role");
    assert_eq!(role.grants.len(), 1, "the grant went with it, here too");
    let rows = hub.rows().await;
    let events: Vec<_> =
        rows.table("audit_event").into_iter().filter(|event| event["target_kind"] == "gateway").collect();
    let mut actions: Vec<&str> = events.iter().filter_map(|event| event["action"].as_str()).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["gateway.create", "gateway.delete", "gateway.update"]);
    let text = serde_json::to_string(&events).expect("JSON");
    assert!(text.contains("credentials_changed") && text.contains("gateway/metrics:view"), "{text}");
    for secret in [SECRET, "canary-token"] {
        assert!(!rows.everything().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn what_was_seen_is_what_is_changed() {
    let hub = Hub::start().await;
    let id = make(&hub, "metrics").await;
    let mut tx = hub.app.store.read().await.expect("a transaction");
    let stored = gateway_hub::store::gateway::get(&mut tx, &id).await.expect("reads").expect("there");
    drop(tx);
    let change = |text: &str| GatewayInput {
        description: Some(text.to_owned()),
        seen: Some(gateway::seen(&stored)),
        ..GatewayInput::default()
    };
    gateway::update(&hub.app, &Actor::operator(), &id, &change("first")).await.expect("as seen");
    let late = gateway::update(&hub.app, &Actor::operator(), &id, &change("second")).await;
    assert!(matches!(late, Err(ActionError::Conflict(_))), "{late:?}");
}

#[tokio::test]
async fn the_description_tells_of_them() {
    let hub = Hub::start().await;
    let document = hub.site.ask(Request::get("/api/openapi.json")).await.expect(200).json();
    for path in ["/api/v1/gateways", "/api/v1/gateways/{name}"] {
        assert!(document["paths"][path]["get"].is_object(), "{path}");
        assert!(document["paths"][path]["post"]["responses"]["403"].is_object(), "{path}");
    }
}
