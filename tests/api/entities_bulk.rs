//! `POST /api/v1/entities/bulk`: all of a document or nothing, by the rules of one PUT after the other.

use std::collections::BTreeMap;

use gateway_hub::{
    actions::{
        entity::{self, EntityChange, EntityError, EntityQuery},
        entity_bulk::{self, BulkError, Loaded},
    },
    app::App,
    domain::entity::{Attributes, BulkDocument, EntityAccess, LineReason, Precondition},
};
use proptest::{collection::vec, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use super::inventory::{access, attributes, id, on_both_databases};
use crate::support::{Answer, Application, Hub, Request};

const BULK: &str = "/api/v1/entities/bulk";

fn line(id: &str, department: &str) -> String {
    json!({"id": id, "attributes": {"user.department": department}}).to_string() + "\n"
}

fn bulk(text: &str) -> Request {
    Request::post(BULK).body("application/x-ndjson", text.as_bytes())
}

/// All that the application sees, as JSON.
async fn everything(app: &Application) -> Value {
    app.get("/api/v1/entities?limit=1000").await.expect(200).json()["items"].clone()
}

/// A refusal that names this line.
#[track_caller]
fn refused(answer: Answer, status: u16, slug: &str, line: usize) -> String {
    let answer = answer.expect(status);
    assert_eq!((answer.problem().as_str(), answer.json()["line"].as_u64()), (slug, Some(line as u64)));
    answer.member("detail")
}

#[tokio::test]
async fn a_document_creates_updates_and_leaves_what_is_so_already() {
    let hub = Hub::start().await;
    let all = hub.application(&["Administrator"]).await;
    let text = line("a", "fx") + "\r\n" + &line("b", "fx") + &line("c/1", "rates") + line("a", "rates").trim_end();
    let done = all.ask(bulk(&text)).await.expect(200).json();
    assert_eq!(done, json!({"created": 3, "updated": 1, "unchanged": 0}));
    let before = all.get("/api/v1/entities/b").await.expect(200);
    let again = all.ask(bulk(&(line("b", "fx") + &line("a", "fx")))).await.expect(200).json();
    assert_eq!(again, json!({"created": 0, "updated": 1, "unchanged": 1}));
    let after = all.get("/api/v1/entities/b").await.expect(200);
    assert_eq!(before.header("etag"), after.header("etag"), "what is so already keeps its ETag");
    assert_eq!(all.ask(bulk("")).await.expect(200).json(), json!({"created": 0, "updated": 0, "unchanged": 0}));
    assert_eq!(all.get("/api/v1/entities/c%2F1").await.json()["attributes"]["user.department"], "rates");
    let hub = hub.restart().await;
    let all = Application { site: hub.site.clone(), ..all };
    assert_eq!(everything(&all).await.as_array().map(Vec::len), Some(3), "what was acknowledged is there");
}

#[tokio::test]
async fn sec_30_one_line_that_may_not_be_written_refuses_the_whole_document() {
    let hub = Hub::start().await;
    hub.role("See", &["entities:view"], Some("user.department IN (fx, rates)")).await;
    hub.role("Change", &["entities:edit"], Some("user.department = fx")).await;
    let all = hub.application(&["Administrator"]).await;
    all.ask(bulk(&(line("fx-1", "fx") + &line("rates-1", "rates") + &line("equities-1", "equities"))))
        .await
        .expect(200);
    let (fx, blind) = (hub.application(&["See", "Change"]).await, hub.application(&["Change"]).await);
    let before = everything(&all).await;
    let new = line("new", "fx");
    // A body outside one's filters is refused whether or not the id exists.
    for id in ["equities-1", "fx-1", "absent"] {
        refused(fx.ask(bulk(&(new.clone() + &line(id, "equities")))).await, 403, "outside-filter", 2);
    }
    refused(fx.ask(bulk(&(new.clone() + "\n" + &line("rates-1", "fx")))).await, 403, "outside-filter", 3);
    refused(fx.ask(bulk(&(new.clone() + &line("equities-1", "fx")))).await, 409, "id-unavailable", 2);
    assert_eq!(everything(&all).await, before, "nothing was changed");

    // Without view, nothing is told of what was there.
    let answer = blind.ask(bulk(&(new + &line("fx-1", "fx")))).await.expect(204);
    assert!(answer.body.is_empty());
    refused(blind.ask(bulk(&line("rates-1", "fx"))).await, 409, "id-unavailable", 1);
    let viewer = hub.application(&["See"]).await;
    viewer.ask(bulk(&line("x", "fx"))).await.expect(403);
    let token = fx.token_for("entities:edit").await;
    hub.site.ask(bulk(&line("fx-1", "fx")).bearer(&token)).await.expect(204);
    hub.site.ask(bulk(&line("fx-1", "fx"))).await.expect(401);
}

#[tokio::test]
async fn a_document_that_can_t_be_read_changes_nothing_and_its_line_is_named() {
    let hub = Hub::start().await;
    let all = hub.application(&["Administrator"]).await;
    let good = line("a", "fx");
    let deep = format!("{{\"id\":\"b\",\"attributes\":{}{}}}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    for (bad, wanted) in [
        ("{", "can't be read"),
        ("\u{0}", "can't be read"),
        (&deep, "recursion"),
        (r#"{"id":"b","attributes":{"a":"1","a":"2"}}"#, "repeated"),
        (r#"{"id":"b"}"#, "missing"),
        (r#"{"id":"b","attributes":{"a":1}}"#, "attributes.a"),
        (r#"{"attributes":{}}"#, "id"),
        (r#"{"id":"summary","attributes":{}}"#, "summary"),
        (r#"{"id":"b","attributes":{"a":"\u0000"}}"#, "U+0000"),
        (r#"{"id":"b","attributes":{},"extra":1}"#, "extra"),
    ] {
        let detail = refused(all.ask(bulk(&format!("{good}\n{bad}\n{good}"))).await, 400, "invalid-body", 3);
        assert!(detail.contains(wanted) && detail.contains("Line 3"), "{detail}");
    }
    let long = format!("{good}{{\"id\":\"{}\"}}", "x".repeat(1024 * 1024));
    refused(all.ask(bulk(&long)).await, 413, "body-too-large", 2);
    let many = good.repeat(100_001);
    refused(all.ask(bulk(&many)).await, 413, "body-too-large", 100_001);
    assert_eq!(everything(&all).await, json!([]));

    // The size is refused before the body is sent, and a packed body is not opened.
    let announced = Request::post(BULK).header("Content-Type", "application/x-ndjson");
    let announced = announced.header("Content-Length", "67108865");
    let answer = all.ask(announced).await;
    assert_eq!((answer.status, answer.problem().as_str()), (413, "body-too-large"));
    for (name, value) in [("Content-Encoding", "gzip"), ("Content-Encoding", "identity, br")] {
        all.ask(bulk(&good).header(name, value)).await.expect(415);
    }
    for kind in ["application/json", "text/plain", "application/x-ndjson+gzip"] {
        all.ask(Request::post(BULK).body(kind, good.as_bytes())).await.expect(415);
    }
    all.ask(bulk(&good).header("Content-Encoding", "identity")).await.expect(200);
    all.ask(Request::get(BULK)).await.expect(405);
}

/// A step of a story: an entity as it is to be.
type Step = (String, BTreeMap<String, String>);

fn story() -> impl Strategy<Value = (String, Vec<Step>, Vec<Step>)> {
    let filter = select(vec!["", "d = fx", "d != fx", "d IN (fx, rates)", "NOT e = x", "d = fx OR e EXISTS"]);
    let value = select(vec!["", "fx", "rates", "x"]).prop_map(str::to_owned);
    let pairs = (value.clone(), value).prop_map(|(d, e)| BTreeMap::from([("d".to_owned(), d), ("e".to_owned(), e)]));
    let step = (select(vec!["a", "b", "c", "A", "ä/1"]).prop_map(str::to_owned), pairs);
    (filter.prop_map(str::to_owned), vec(step.clone(), 0..5), vec(step, 0..8))
}

fn document(steps: &[Step]) -> String {
    steps.iter().map(|(id, attributes)| json!({"id": id, "attributes": attributes}).to_string() + "\n").collect()
}

async fn put(app: &App, access: &EntityAccess, step: &Step) -> Result<(), EntityError> {
    let attributes = Attributes::new(step.1.clone()).expect("attributes");
    entity::change(app, access, &id(&step.0), EntityChange::Put(&attributes), &Precondition::default()).await.map(drop)
}

async fn state(app: &App) -> Vec<(String, Attributes)> {
    let query = EntityQuery { filter: None, after: "", limit: 1000 };
    let page = entity::list(app, &access(""), query).await.expect("a page");
    page.items.into_iter().map(|entity| (entity.id.to_string(), entity.attributes)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_does_what_a_put_of_each_line_does() {
    on_both_databases(async |app| {
        let mut runner = TestRunner::deterministic();
        let (mut done, mut refused) = (0, 0);
        for _ in 0..60 {
            let (filter, world, steps) = story().new_tree(&mut runner).expect("a story").current();
            let (all, caller) = (access(""), access(&filter));
            clear(&app).await;
            for step in &world {
                put(&app, &all, step).await.expect("the world as it is");
            }
            let before = state(&app).await;
            let text = document(&steps);
            let outcome = entity_bulk::load(&app, &caller, BulkDocument::new(text.as_bytes())).await;
            let loaded = state(&app).await;
            clear(&app).await;
            for step in &world {
                put(&app, &all, step).await.expect("the world as it is");
            }
            let mut first = None;
            for (at, step) in steps.iter().enumerate() {
                if let Err(error) = put(&app, &caller, step).await {
                    first.get_or_insert((at + 1, error.to_string()));
                    break;
                }
            }
            match (outcome, first) {
                (Ok(Loaded { created, updated, unchanged }), None) => {
                    assert_eq!(loaded, state(&app).await, "{filter}: {text}");
                    assert_eq!(created + updated + unchanged, steps.len() as u64);
                    assert_eq!(created, (loaded.len() - before.len()) as u64);
                    done += 1;
                }
                (Err(BulkError::Line(fault)), Some((at, reason))) => {
                    assert_eq!(loaded, before, "{filter}: {text}");
                    // What lies outside is told before the store is looked at, so perhaps of a later line.
                    let LineReason::Refused(_) = fault.reason else { panic!("{fault}") };
                    assert!(fault.line == at && fault.reason.to_string() == reason || fault.line > at, "{fault}, {at}");
                    refused += 1;
                }
                (outcome, first) => panic!("{filter}: {outcome:?} but {first:?}\n{text}"),
            }
        }
        println!("{done} documents were written, {refused} refused");
        assert!(done > 10 && refused > 10);
    })
    .await;
}

async fn clear(app: &App) {
    let all = access("");
    for (name, _) in state(app).await {
        entity::change(app, &all, &id(&name), EntityChange::Delete, &Precondition::default()).await.expect("deleted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_at_once_are_each_whole() {
    on_both_databases(async |app| {
        let documents: Vec<_> = (0..4)
            .map(|writer| {
                let app = std::sync::Arc::clone(&app);
                tokio::spawn(async move {
                    let order: Vec<usize> = if writer % 2 == 0 { (0..300).collect() } else { (0..300).rev().collect() };
                    let steps: Vec<Step> = order
                        .into_iter()
                        .map(|at| (format!("e{at}"), attributes(&[("by", &writer.to_string())]).into_map()))
                        .collect();
                    let text = document(&steps);
                    entity_bulk::load(&app, &access(""), BulkDocument::new(text.as_bytes())).await.expect("loaded")
                })
            })
            .collect();
        let mut created = 0;
        for document in documents {
            created += document.await.expect("a writer").created;
        }
        let entities = state(&app).await;
        assert_eq!((created, entities.len()), (300, 300));
        assert!(entities.iter().all(|(_, attributes)| *attributes == entities[0].1), "one document wrote last");
    })
    .await;
}
