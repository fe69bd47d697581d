//! `GET /api/v1/attributes` and `…/values`: names and values of what the caller may view, and of nothing else.

use serde_json::{Value, json};

use super::entities_summary::pages;
use crate::support::{Application, Hub, Request};

const VALUES: &str = "/api/v1/attributes/user.department/values";

async fn load(app: &Application, entities: &[Value]) {
    let text: String = entities.iter().map(|entity| entity.to_string() + "\n").collect();
    let request = Request::post("/api/v1/entities/bulk").body("application/x-ndjson", text.as_bytes());
    app.ask(request).await.expect(200);
}

fn texts(items: &[Value], member: &str) -> Vec<String> {
    items.iter().map(|item| item[member].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn names_and_values_are_listed_in_order_and_page_by_page() {
    let hub = Hub::start().await;
    let all = hub.application(&["Administrator"]).await;
    assert_eq!(pages(&all, "/api/v1/attributes").await, [] as [Value; 0]);
    let long = "ü".repeat(150);
    load(
        &all,
        &[
            json!({"id": "1", "attributes": {"user.department": "fx", "a/b": "x", "B": "y"}}),
            json!({"id": "2", "attributes": {"user.department": "fx-options"}}),
            json!({"id": "3", "attributes": {"user.department": long.clone() + "1"}}),
            json!({"id": "4", "attributes": {"user.department": long.clone() + "2", "empty": ""}}),
        ],
    )
    .await;
    assert_eq!(texts(&pages(&all, "/api/v1/attributes").await, "key"), ["B", "a/b", "user.department"]);
    let both = [format!("{long}1"), format!("{long}2")];
    assert_eq!(texts(&pages(&all, VALUES).await, "value"), ["fx", "fx-options", &both[0], &both[1]]);
    assert_eq!(texts(&pages(&all, &format!("{VALUES}?prefix=fx")).await, "value"), ["fx", "fx-options"]);
    assert_eq!(texts(&pages(&all, &format!("{VALUES}?prefix=%C3%BC")).await, "value"), both);
    assert_eq!(texts(&pages(&all, "/api/v1/attributes/a%2Fb/values").await, "value"), ["x"]);
    assert_eq!(pages(&all, "/api/v1/attributes/nothing/values").await, [] as [Value; 0]);
    for bad in [
        format!("{VALUES}?prefix=a%00"),
        format!("{VALUES}?prefix={}", "x".repeat(101)),
        format!("{VALUES}?filter=a%20%3D%20b"),
        format!("{VALUES}?cursor=%21"),
        "/api/v1/attributes?limit=1001".to_owned(),
        "/api/v1/attributes/a%00b/values".to_owned(),
        format!("/api/v1/attributes/{}/values", "k".repeat(129)),
    ] {
        all.get(&bad).await.expect(400);
    }
}

#[tokio::test]
async fn sec_27_hidden_names_and_values_never_show() {
    let hub = Hub::start().await;
    hub.role("See", &["entities:view"], Some("user.department IN (fx, \"fx-options\")")).await;
    hub.role("Change", &["entities:edit"], None).await;
    let all = hub.application(&["Administrator"]).await;
    let fx = hub.application(&["See", "Change"]).await;
    load(
        &all,
        &[
            json!({"id": "1", "attributes": {"user.department": "fx", "shown": "x"}}),
            json!({"id": "2", "attributes": {"user.department": "fx-options"}}),
        ],
    )
    .await;
    let asked = ["/api/v1/attributes?limit=1", &format!("{VALUES}?limit=1"), &format!("{VALUES}?prefix=f")];
    let mut before = Vec::new();
    for target in asked {
        before.push(fx.get(target).await.expect(200).comparable());
    }
    load(
        &all,
        &[
            json!({"id": "0", "attributes": {"user.department": "a-hidden", "a-hidden": "x", "shown": "hidden"}}),
            json!({"id": "3", "attributes": {"user.department": "fu-hidden", "z-hidden": "x"}}),
        ],
    )
    .await;
    for (target, before) in asked.into_iter().zip(before) {
        assert_eq!(fx.get(target).await.comparable(), before, "{target}: hidden rows change no byte, no cursor");
    }
    for target in
        ["/api/v1/attributes", VALUES, "/api/v1/attributes/shown/values", "/api/v1/attributes/a-hidden/values"]
    {
        let text = serde_json::to_string(&pages(&fx, target).await).expect("JSON");
        assert!(!text.contains("hidden"), "{target}: {text}");
    }
}
