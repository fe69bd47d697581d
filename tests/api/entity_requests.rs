//! `/api/v1/entities` in the details of HTTP and JSON: ids, bodies, entity tags, roles that add up.

use serde_json::{Value, json};

use crate::support::{Answer, Application, Hub, Request};

const ENTITIES: &str = "/api/v1/entities";

fn ids(answer: Answer) -> Vec<String> {
    let list = answer.expect(200).json();
    let items = list["items"].as_array().expect("a list");
    items.iter().map(|item| item["id"].as_str().unwrap_or_default().to_owned()).collect()
}

fn filtered(filter: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("filter", filter).finish();
    format!("{ENTITIES}?{query}")
}

async fn put(application: &Application, id: &str, attributes: Value) -> Answer {
    application.send("PUT", &format!("{ENTITIES}/{id}"), &json!({"attributes": attributes})).await
}

#[tokio::test]
async fn an_id_is_one_decoded_path_segment() {
    let hub = Hub::start().await;
    let all = hub.application(&["Administrator"]).await;
    let made = put(&all, "host%2Fweb%201%25", json!({"a": "1"})).await.expect(201).json();
    assert_eq!(made, json!({"id": "host/web 1%", "attributes": {"a": "1"}}));
    for same in ["host%2fweb%201%25", "%68ost%2Fweb%201%25"] {
        all.get(&format!("{ENTITIES}/{same}")).await.expect(200);
    }
    for other in ["host/web%201%25", "HOST%2Fweb%201%25", "host%252Fweb%201%25"] {
        assert_eq!(all.get(&format!("{ENTITIES}/{other}")).await.status, 404, "{other}");
    }
    let long = "x".repeat(257);
    for wrong in ["%00", "a%0Ab", "%FF", "bulk", "summary", "%2E%2E", &long] {
        let answer = put(&all, wrong, json!({})).await;
        assert!(matches!(answer.status, 400 | 404 | 405), "{wrong}: {}", answer.status);
    }
    put(&all, "%C3%BC", json!({})).await.expect(201);
    assert_eq!(ids(all.get(ENTITIES).await), ["host/web 1%", "ü"]);
    let head = all.ask(Request::new("HEAD", &format!("{ENTITIES}/%C3%BC"))).await.expect(200);
    assert!(head.body.is_empty() && head.header("etag").is_some());
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let hub = Hub::start().await;
    let all = hub.application(&["Administrator"]).await;
    let one = format!("{ENTITIES}/one");
    let send = async |method: &str, kind: &str, body: &str| {
        all.ask(Request::new(method, &one).body(kind, body.as_bytes())).await
    };
    for (body, status) in [
        (r#"{"attributes": {}}"#, 201),
        (r#"{"id": "one", "attributes": {"a": "1", "gone": ""}}"#, 200),
        (r#"{"id": "two", "attributes": {}}"#, 400),
        (r#"{"attributes": {"a": 1}}"#, 400),
        (r#"{"attributes": {"a": null}}"#, 400),
        (r#"{"attributes": {"a": "1", "a": "2"}}"#, 400),
        (r#"{"attributes": {"": "1"}}"#, 400),
        (r#"{"attributes": {"a": "\u0000"}}"#, 400),
        (r#"{"attributes": {}, "role": "Administrator"}"#, 400),
        ("{}", 400),
        ("[]", 400),
        ("", 400),
    ] {
        let answer = send("PUT", "application/json", body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
    assert_eq!(all.get(&one).await.json()["attributes"], json!({"a": "1"}));
    for (body, attributes) in [
        (r#"{"attributes": {"b": "2"}}"#, json!({"a": "1", "b": "2"})),
        (r#"{"attributes": {"a": null, "c": ""}}"#, json!({"b": "2"})),
        (r"{}", json!({"b": "2"})),
        (r#"{"attributes": null}"#, json!({})),
    ] {
        let answer = send("PATCH", "application/merge-patch+json", body).await.expect(200);
        assert_eq!(answer.json()["attributes"], attributes, "{body}");
    }
    for body in [r#"[{"op": "remove", "path": "/attributes"}]"#, r#"{"id": "two"}"#, r#"{"attributes": "x"}"#, "null"] {
        assert_eq!(send("PATCH", "application/merge-patch+json", body).await.status, 400, "{body}");
    }
    assert_eq!(send("PUT", "text/plain", r#"{"attributes": {}}"#).await.status, 415);
    let large = json!({"attributes": {"a": "x".repeat(2 * 1024 * 1024)}}).to_string();
    assert_eq!(send("PUT", "application/json", &large).await.status, 413);
}

#[tokio::test]
async fn entity_tags_save_and_guard() {
    let hub = Hub::start().await;
    let all = hub.application(&["Administrator"]).await;
    let one = format!("{ENTITIES}/one");
    let made = put(&all, "one", json!({"a": "1"})).await.expect(201);
    let tag = made.header("etag").expect("an ETag").to_owned();
    let unchanged = all.ask(Request::get(&one).header("If-None-Match", &format!("\"x\", W/{tag}"))).await.expect(304);
    assert_eq!((unchanged.body.len(), unchanged.header("etag")), (0, Some(tag.as_str())));
    all.ask(Request::get(&one).header("If-None-Match", "\"x\"")).await.expect(200);
    all.ask(Request::get(&one).header("If-Match", "\"x\"")).await.expect(412);
    all.ask(Request::get(&one).header("If-Match", "not a tag")).await.expect(400);
    // Saying what is known already is no change.
    assert_eq!(put(&all, "one", json!({"a": "1", "b": ""})).await.expect(200).header("etag"), Some(tag.as_str()));
    let delete = |tag: &str| Request::new("DELETE", &one).header("If-Match", tag);
    all.ask(delete("\"x\"")).await.expect(412);
    all.ask(delete(&format!("W/{tag}"))).await.expect(412);
    all.ask(delete(&tag)).await.expect(204);
    all.ask(delete(&tag)).await.expect(404);
    // Made again, it is another one.
    let again = put(&all, "one", json!({"a": "1"})).await.expect(201);
    assert_ne!(again.header("etag"), Some(tag.as_str()));
    let new_only = Request::new("PUT", &format!("{ENTITIES}/two")).header("If-Match", "*");
    all.ask(new_only.json(&json!({"attributes": {}}))).await.expect(412);
}

#[tokio::test]
async fn rule_06_roles_add_up_each_under_its_own_filter() {
    let hub = Hub::start().await;
    let all = hub.application(&["Administrator"]).await;
    for (id, department, region) in [("1", "fx", "eu"), ("2", "fx", "us"), ("3", "rates", "eu"), ("4", "rates", "us")] {
        put(&all, id, json!({"department": department, "region": region})).await.expect(201);
    }
    hub.role("Fx", &["entities:view"], Some("department = fx")).await;
    hub.role("Europe", &["entities:view", "entities:edit"], Some("region = eu")).await;
    let both = hub.application(&["Fx", "Europe"]).await;
    assert_eq!(ids(both.get(ENTITIES).await), ["1", "2", "3"]);
    assert_eq!(ids(both.get(&filtered("department = rates OR region = us")).await), ["2", "3"]);
    assert_eq!(ids(both.get(&filtered("NOT department EXISTS")).await), [""; 0]);
    // The edit of one role never pairs with the filter of another.
    let patch = json!({"attributes": {"x": "y"}});
    assert_eq!(both.send("PATCH", &format!("{ENTITIES}/3"), &patch).await.status, 200);
    let refused = both.send("PATCH", &format!("{ENTITIES}/2"), &patch).await;
    assert_eq!((refused.status, refused.problem().as_str()), (403, "outside-filter"));
    assert_eq!(both.send("PATCH", &format!("{ENTITIES}/4"), &patch).await.status, 404);
    // Out of sight by one's own change: done, and nothing shown.
    hub.role("Tag", &["entities:edit"], Some("department = fx")).await;
    let tagger = hub.application(&["Europe", "Tag"]).await;
    let moved = tagger.send("PATCH", &format!("{ENTITIES}/1"), &json!({"attributes": {"region": "us"}})).await;
    assert_eq!((moved.status, moved.body.len(), moved.header("etag")), (204, 0, None));
    assert_eq!(tagger.get(&format!("{ENTITIES}/1")).await.status, 404);
    // A token for less reaches no more.
    let mut narrow = tagger.clone();
    narrow.token = tagger.token_for("entities:edit").await;
    assert_eq!(narrow.send("PATCH", &format!("{ENTITIES}/1"), &patch).await.status, 404);
    assert_eq!(narrow.send("PATCH", &format!("{ENTITIES}/3"), &patch).await.status, 204);
    // And roles act at the next request.
    hub.set_role("Fx", &["entities:view"], Some("department = none")).await;
    assert_eq!(ids(both.get(ENTITIES).await), ["3"]);
}

#[tokio::test]
async fn a_filter_that_does_not_parse_selects_nothing_and_says_where() {
    let hub = Hub::start().await;
    let all = hub.application(&["Administrator"]).await;
    put(&all, "one", json!({"name": "web-1", "note": "two\nlines"})).await.expect(201);
    let refused = all.get(&filtered("name = web-1 AND")).await.expect(400);
    assert_eq!((refused.problem().as_str(), refused.json()["column"].as_u64()), ("invalid-filter", Some(17)));
    for (filter, found) in [
        (r#"name LIKE "web-*""#, 1),
        (r#"name MATCHES "web-[0-9]""#, 1),
        (r#"note MATCHES "two.lines""#, 1),
        (r#"note LIKE "two*lines""#, 1),
        ("name > web-1", 0),
        ("missing NOT EXISTS", 1),
    ] {
        assert_eq!(ids(all.get(&filtered(filter)).await).len(), found, "{filter}");
    }
    for filter in [&"(".repeat(5000), &"a = 1 OR ".repeat(800), r#"a MATCHES "\\d""#, "a = \"x"] {
        assert_eq!(all.get(&filtered(filter)).await.problem(), "invalid-filter", "{filter:.40}");
    }
}
