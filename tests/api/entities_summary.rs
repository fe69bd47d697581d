//! `GET /api/v1/entities/summary`: counts of what the caller may view, and of nothing else.

use std::collections::BTreeMap;

use gateway_hub::{
    actions::{attribute, entity_bulk},
    domain::{
        data_filter::DataFilter,
        entity::{BulkDocument, EntityAccess},
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use super::inventory::{access, on_both_databases};
use crate::support::{Application, Hub, Request};

const SUMMARY: &str = "/api/v1/entities/summary";

async fn load(app: &Application, entities: &[(&str, Value)]) {
    let text: String =
        entities.iter().map(|(id, pairs)| json!({"id": id, "attributes": pairs}).to_string() + "\n").collect();
    let request = Request::post("/api/v1/entities/bulk").body("application/x-ndjson", text.as_bytes());
    app.ask(request).await.expect(200);
}

/// All pages of a list, an item at a time.
pub(crate) async fn pages(app: &Application, target: &str) -> Vec<Value> {
    let join = if target.contains('?') { '&' } else { '?' };
    let (mut items, mut cursor) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = app.get(&format!("{target}{join}limit=1&cursor={cursor}")).await.expect(200).json();
        items.extend(page["items"].as_array().expect("a list").clone());
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return items,
        }
    }
    panic!("{target} never ends: {items:?}")
}

#[tokio::test]
async fn values_are_counted_with_a_filter_and_page_by_page() {
    let hub = Hub::start().await;
    let all = hub.application(&["Administrator"]).await;
    load(
        &all,
        &[
            ("1", json!({"d": "fx", "os": "Linux"})),
            ("2", json!({"d": "fx", "os": "Windows"})),
            ("3", json!({"d": "Rates", "os": "Linux"})),
            ("4", json!({"os": "Linux"})),
        ],
    )
    .await;
    let counts = |pairs: &[(&str, u64)]| -> Vec<Value> {
        pairs.iter().map(|(value, count)| json!({"value": value, "count": count})).collect()
    };
    let whole = counts(&[("", 1), ("Rates", 1), ("fx", 2)]);
    let answer = all.get(&format!("{SUMMARY}?by=d")).await.expect(200).json();
    assert_eq!(answer, json!({"items": whole, "next_cursor": null}));
    assert_eq!(pages(&all, &format!("{SUMMARY}?by=d")).await, whole);
    let filtered = format!("{SUMMARY}?by=d&filter=os%20%3D%20Linux");
    assert_eq!(pages(&all, &filtered).await, counts(&[("", 1), ("Rates", 1), ("fx", 1)]));
    assert_eq!(pages(&all, &format!("{SUMMARY}?by=nothing")).await, counts(&[("", 4)]));
    for bad in ["", "?by=", "?by=a%00", "?by=a&by=b", "?by=a&cursor=Zng", "?by=a&limit=0", "?by=a&filter=x%20%3D"] {
        all.get(&format!("{SUMMARY}{bad}")).await.expect(400);
    }
    let long = "k".repeat(129);
    all.get(&format!("{SUMMARY}?by={long}")).await.expect(400);
}

#[tokio::test]
async fn sec_27_hidden_entities_are_not_counted() {
    let hub = Hub::start().await;
    hub.role("See", &["entities:view"], Some("d = fx")).await;
    hub.role("Change", &["entities:edit"], None).await;
    let all = hub.application(&["Administrator"]).await;
    load(
        &all,
        &[("1", json!({"d": "fx", "secret": "shown"})), ("2", json!({"d": "rates", "secret": "hidden", "only": "x"}))],
    )
    .await;
    let fx = hub.application(&["See", "Change"]).await;
    let text = fx.get(&format!("{SUMMARY}?by=secret")).await.expect(200).text();
    assert!(text.contains("shown") && !text.contains("hidden"), "{text}");
    assert_eq!(pages(&fx, &format!("{SUMMARY}?by=only")).await, [json!({"value": "", "count": 1})]);
    // Asking for the hidden by its own attributes finds nothing.
    assert_eq!(pages(&fx, &format!("{SUMMARY}?by=secret&filter=d%20%3D%20rates")).await, [] as [Value; 0]);
    // Hidden rows change no byte of an answer.
    let before = fx.get(&format!("{SUMMARY}?by=d&limit=1")).await.comparable();
    load(&all, &[("3", json!({"d": "a-hidden", "secret": "a"})), ("4", json!({"d": "rates"}))]).await;
    assert_eq!(fx.get(&format!("{SUMMARY}?by=d&limit=1")).await.comparable(), before);
    let blind = hub.application(&["Change"]).await;
    for path in [&format!("{SUMMARY}?by=d")[..], "/api/v1/attributes", "/api/v1/attributes/d/values"] {
        blind.get(path).await.expect(403);
        let narrow = fx.token_for("entities:edit").await;
        hub.site.ask(Request::get(path).bearer(&narrow)).await.expect(403);
    }
}

type Pairs = BTreeMap<String, String>;

fn inventory() -> impl Strategy<Value = Vec<Pairs>> {
    let value = select(vec!["", "fx", "rates", "Fx", "ä", "\u{10FFFF}", "a\nb"]).prop_map(str::to_owned);
    let long = select(vec![99, 100, 101, 250]).prop_map(|length| "ö".repeat(length));
    let value = prop_oneof![4 => value, 1 => long.clone(), 1 => long.prop_map(|text| text + "x")];
    vec((value.clone(), value).prop_map(|(d, e)| Pairs::from([("d".into(), d), ("e".into(), e)])), 0..40)
}

fn filters() -> impl Strategy<Value = String> {
    let filters =
        ["d = fx", "d != fx", "e EXISTS", "NOT d IN (fx, rates)", "d LIKE \"f*\" OR e = rates", "d > e", "e = \"\""];
    select(filters.to_vec()).prop_map(str::to_owned)
}

/// Whatever the filters of the role and of the request, each list is what memory counts.
#[tokio::test(flavor = "multi_thread")]
async fn lists_are_what_memory_counts() {
    on_both_databases(async |app| {
        let mut runner = TestRunner::deterministic();
        for round in 0..12 {
            let entities = inventory().new_tree(&mut runner).expect("an inventory").current();
            let text: String = (0..40)
                .map(|at| json!({"id": format!("e{at}"), "attributes": entities.get(at).cloned().unwrap_or_default()}))
                .map(|line| line.to_string() + "\n")
                .collect();
            entity_bulk::load(&app, &access(""), BulkDocument::new(text.as_bytes())).await.expect("loaded");
            let mut entities: Vec<Pairs> = entities;
            entities.resize(40, Pairs::new());
            for asked in 0..6 {
                let role =
                    if asked == 0 { None } else { option::of(filters()).new_tree(&mut runner).expect("one").current() };
                let filter =
                    if asked == 0 { None } else { option::of(filters()).new_tree(&mut runner).expect("one").current() };
                let role_filter: Option<DataFilter> = role.as_ref().map(|text| text.parse().expect("a filter"));
                let filter: Option<DataFilter> = filter.map(|text| text.parse().expect("a filter"));
                let caller: EntityAccess = access(role.as_deref().unwrap_or_default());
                let visible: Vec<&Pairs> =
                    entities.iter().filter(|pairs| role_filter.as_ref().is_none_or(|f| f.matches(pairs))).collect();
                for limit in [1, 2, 100] {
                    check(&app, &caller, &visible, filter.as_ref(), limit, round).await;
                }
            }
        }
    })
    .await;
}

async fn check(
    app: &gateway_hub::app::App,
    caller: &EntityAccess,
    visible: &[&Pairs],
    filter: Option<&DataFilter>,
    limit: usize,
    round: usize,
) {
    let value = |pairs: &Pairs, key: &str| pairs.get(key).cloned().unwrap_or_default();
    for key in ["d", "e", "nothing"] {
        let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
        for pairs in visible.iter().filter(|pairs| filter.is_none_or(|filter| filter.matches(pairs))) {
            *wanted.entry(value(pairs, key)).or_default() += 1;
        }
        let mut counted: Vec<(String, u64)> = Vec::new();
        loop {
            let after = counted.last().map(|(value, _)| value.as_str());
            let page = attribute::summary(app, caller, key, filter, after, limit).await.expect("a summary");
            counted.extend(page.iter().map(|count| (count.value.clone(), count.entities)));
            if page.len() < limit {
                break;
            }
        }
        assert_eq!(counted, wanted.into_iter().collect::<Vec<_>>(), "round {round}, {key}, {filter:?}");

        for prefix in ["", "f", "ö", &"ö".repeat(100)] {
            let mut wanted: Vec<String> = visible.iter().map(|pairs| value(pairs, key)).collect();
            wanted.retain(|value| !value.is_empty() && value.starts_with(prefix));
            wanted.sort();
            wanted.dedup();
            let mut listed: Vec<String> = Vec::new();
            loop {
                let after = listed.last().cloned().unwrap_or_default();
                let page = attribute::values(app, caller, key, prefix, &after, limit).await.expect("values");
                listed.extend(page.iter().cloned());
                if page.len() < limit {
                    break;
                }
            }
            assert_eq!(listed, wanted, "round {round}, {key}, prefix {prefix:?}");
        }
    }
    let mut wanted: Vec<&str> =
        ["d", "e"].into_iter().filter(|key| visible.iter().any(|pairs| !value(pairs, key).is_empty())).collect();
    let names = attribute::names(app, caller, "", limit).await.expect("names");
    wanted.truncate(limit);
    assert_eq!(names, wanted, "round {round}");
}
