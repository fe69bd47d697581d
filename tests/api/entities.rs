//! `/api/v1/entities`: what a role's filters let an application see and change (DESIGN 4.3, *Filters and edits*).

use serde_json::{Value, json};

use crate::support::{Application, Hub, Request};

fn entity(department: &str) -> Value {
    json!({"attributes": {"user.department": department}})
}

struct World {
    hub: Hub,
    all: Application,
    /// Views fx and rates, edits fx only.
    fx: Application,
    /// Edits fx and views nothing.
    blind: Application,
}

async fn world() -> World {
    let hub = Hub::start().await;
    hub.role("See", &["entities:view"], Some("user.department IN (fx, rates)")).await;
    hub.role("Change", &["entities:edit"], Some("user.department = fx")).await;
    let all = hub.application(&["Administrator"]).await;
    for (id, department) in [("fx-1", "fx"), ("rates-1", "rates"), ("equities-1", "equities")] {
        let answer = all.send("PUT", &format!("/api/v1/entities/{id}"), &entity(department)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    let fx = hub.application(&["See", "Change"]).await;
    let blind = hub.application(&["Change"]).await;
    World { hub, all, fx, blind }
}

#[tokio::test]
async fn rule_05_a_hidden_entity_does_not_exist() {
    let World { hub: _hub, fx, all, .. } = world().await;
    fx.get("/api/v1/entities/fx-1").await.expect(200);
    fx.get("/api/v1/entities/rates-1").await.expect(200);
    let hidden = fx.get("/api/v1/entities/equities-1").await;
    let absent = fx.get("/api/v1/entities/absent").await;
    assert_eq!((hidden.status, absent.status), (404, 404));
    let same = |answer: &crate::support::Answer| answer.text().replace("equities-1", "ID").replace("absent", "ID");
    assert_eq!(same(&hidden), same(&absent));
    for (method, body) in [("PATCH", entity("fx")), ("DELETE", Value::Null)] {
        for condition in [None, Some("\"other\""), Some("*")] {
            let mut request = Request::new(method, "/api/v1/entities/equities-1");
            if !body.is_null() {
                request = request.json(&body);
            }
            if let Some(tag) = condition {
                request = request.header("If-Match", tag);
            }
            assert_eq!(fx.ask(request).await.status, 404, "{method} {condition:?}: never 412");
        }
    }
    let listed = fx.get("/api/v1/entities").await.expect(200).json();
    let ids: Vec<_> = listed["items"].as_array().expect("a list").iter().map(|item| item["id"].clone()).collect();
    assert_eq!(json!(ids), json!(["fx-1", "rates-1"]));
    assert!(
        !fx.get("/api/v1/entities?filter=user.department%20%3D%20equities")
            .await
            .expect(200)
            .text()
            .contains("equities-1")
    );
    all.get("/api/v1/entities/equities-1").await.expect(200);
}

#[tokio::test]
async fn rule_05_a_write_satisfies_the_edit_filters_before_and_after() {
    let World { hub: _hub, fx, all, .. } = world().await;
    // Viewable but not editable.
    for method in ["PATCH", "PUT"] {
        assert_eq!(fx.send(method, "/api/v1/entities/rates-1", &entity("fx")).await.status, 403, "{method}");
    }
    assert_eq!(fx.ask(Request::new("DELETE", "/api/v1/entities/rates-1")).await.status, 403);
    // Out of one's reach: the body is judged first, whether or not the id exists.
    for id in ["fx-1", "new", "equities-1"] {
        let answer = fx.send("PUT", &format!("/api/v1/entities/{id}"), &entity("equities")).await;
        assert_eq!(answer.status, 403, "{id}");
    }
    assert_eq!(fx.send("PATCH", "/api/v1/entities/fx-1", &entity("equities")).await.status, 403);
    // The one documented oracle.
    let taken = fx.send("PUT", "/api/v1/entities/equities-1", &entity("fx")).await;
    assert_eq!((taken.status, taken.problem().as_str()), (409, "id-unavailable"));
    assert_eq!(all.get("/api/v1/entities/equities-1").await.json()["attributes"]["user.department"], "equities");
    assert_eq!(fx.send("PUT", "/api/v1/entities/fx-2", &entity("fx")).await.status, 201);
    fx.ask(Request::new("DELETE", "/api/v1/entities/fx-2")).await.expect(204);
}

#[tokio::test]
async fn rule_05_edit_never_includes_view() {
    let World { hub: _hub, blind, all, .. } = world().await;
    assert_eq!(blind.get("/api/v1/entities").await.status, 403);
    assert_eq!(blind.get("/api/v1/entities/fx-1").await.status, 403);
    let body = json!({"attributes": {"user.department": "fx", "user.secret": "x"}});
    all.send("PUT", "/api/v1/entities/fx-1", &body).await.expect(200);
    for (method, value) in [("PUT", entity("fx")), ("PATCH", json!({"attributes": {"a": "b"}}))] {
        let answer = blind.send(method, "/api/v1/entities/fx-1", &value).await;
        assert_eq!(answer.status, 204, "{method}: {}", answer.text());
        assert!(answer.body.is_empty() && answer.header("etag").is_none(), "{answer:?}");
    }
}

#[tokio::test]
async fn rule_09_what_was_acknowledged_is_there_after_a_restart() {
    let World { hub, all, .. } = world().await;
    let made = all.get("/api/v1/entities/fx-1").await.expect(200);
    let hub = hub.restart().await;
    let all = Application { site: hub.site.clone(), ..all };
    let read = all.get("/api/v1/entities/fx-1").await.expect(200);
    assert_eq!((read.body.clone(), read.header("etag")), (made.body.clone(), made.header("etag")));
}

#[tokio::test]
async fn etags_guard_writes() {
    let World { hub: _hub, all, .. } = world().await;
    let read = all.get("/api/v1/entities/fx-1").await.expect(200);
    let tag = read.header("etag").expect("an ETag").to_owned();
    let put = |condition: &str, value: &str| {
        Request::new("PUT", "/api/v1/entities/fx-1").header(condition, value).json(&entity("rates"))
    };
    all.ask(put("If-Match", "\"other\"")).await.expect(412);
    all.ask(put("If-None-Match", "*")).await.expect(412);
    let changed = all.ask(put("If-Match", &tag)).await.expect(200);
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
    all.ask(put("If-Match", &tag)).await.expect(412);
    let merged =
        all.send("PATCH", "/api/v1/entities/fx-1", &json!({"attributes": {"user.department": null, "a": "b"}})).await;
    assert_eq!(merged.expect(200).json()["attributes"], json!({"a": "b"}));
}

#[tokio::test]
async fn lists_turn_pages_and_name_the_filters_fault() {
    let World { hub: _hub, all, .. } = world().await;
    let mut seen = Vec::new();
    let mut target = "/api/v1/entities?limit=1".to_owned();
    loop {
        let page = all.get(&target).await.expect(200).json();
        seen.extend(
            page["items"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|item| item["id"].as_str().unwrap_or_default().to_owned()),
        );
        // A write behind and one ahead of the cursor move nothing.
        all.send("PUT", "/api/v1/entities/a-first", &entity("fx")).await;
        let Some(next) = page["next_cursor"].as_str() else { break };
        target = format!("/api/v1/entities?limit=1&cursor={next}");
    }
    assert_eq!(seen, ["equities-1", "fx-1", "rates-1"]);
    let wrong = all.get("/api/v1/entities?filter=a%20%3D%20").await.expect(400);
    assert!(wrong.text().contains("column"), "{}", wrong.text());
    for bad in ["limit=0", "limit=x", "limit=-1", "cursor=!!", "nonsense=1"] {
        let answer = all.get(&format!("/api/v1/entities?{bad}")).await;
        assert!(matches!(answer.status, 200 | 400), "{bad}: {}", answer.status);
    }
}
