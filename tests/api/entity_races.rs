//! Entities under writers at once, and lists over them, on both databases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gateway_hub::{
    actions::entity::{self, EntityChange, EntityError, EntityQuery},
    app::App,
    domain::{
        data_filter::DataFilter,
        entity::{
            AttributesPatch, Entity, EntityAccess, EntityId, EntityPatch, EntityTags, EntityVersion, Precondition,
        },
    },
    store,
};

use super::inventory::{access, attributes, id, on_both_databases};
use crate::support::Hub;

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_between_writers() {
    const WRITERS: usize = 6;
    const ROUNDS: usize = 12;
    on_both_databases(async |app| {
        let nobody_filters = access("");
        let (entity_id, none) = (id("counter"), Precondition::default());
        let start = attributes(&[("count", "0")]);
        entity::change(&app, &nobody_filters, &entity_id, EntityChange::Put(&start), &none).await.expect("created");
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (app, access, entity_id) = (Arc::clone(&app), nobody_filters.clone(), entity_id.clone());
                tokio::spawn(async move {
                    let mut lost = 0;
                    for _ in 0..ROUNDS {
                        lost += count_once(&app, &access, &entity_id).await;
                    }
                    lost
                })
            })
            .collect();
        let mut lost = 0;
        for writer in writers {
            lost += writer.await.expect("a writer");
        }
        let entity = entity::get(&app, &nobody_filters, &entity_id).await.expect("the entity");
        assert_eq!(entity.attributes.as_map()["count"], (WRITERS * ROUNDS).to_string());
        println!("{lost} writes were told that somebody else was first");
    })
    .await;
}

/// Adds one to the counter; gives how often somebody else was first.
async fn count_once(app: &App, access: &EntityAccess, id: &EntityId) -> usize {
    for lost in 0.. {
        let read = entity::get(app, access, id).await.expect("the entity");
        let next = read.attributes.as_map()["count"].parse::<usize>().expect("a number") + 1;
        let changes = BTreeMap::from([("count".to_owned(), Some(next.to_string()))]);
        let patch = EntityPatch { id: None, attributes: AttributesPatch::Merge(changes) };
        let same = Precondition { if_match: Some(EntityTags::OneOf(vec![read.version])), if_none_match: None };
        match entity::change(app, access, id, EntityChange::Patch(&patch), &same).await {
            Ok(_) => return lost,
            Err(EntityError::PreconditionFailed) => {}
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("the loop ends by success")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_creators_creates() {
    on_both_databases(async |app| {
        let create_only = Precondition { if_match: None, if_none_match: Some(EntityTags::Any) };
        let creators: Vec<_> = (0..8)
            .map(|at| {
                let (app, create_only) = (Arc::clone(&app), create_only.clone());
                tokio::spawn(async move {
                    let mine = attributes(&[("by", &at.to_string())]);
                    entity::change(&app, &access(""), &id("one"), EntityChange::Put(&mine), &create_only).await
                })
            })
            .collect();
        let mut created = 0;
        for creator in creators {
            match creator.await.expect("a creator") {
                Ok(written) => created += usize::from(written.created),
                Err(EntityError::PreconditionFailed) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(created, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_is_listed_once_and_in_order_whatever_is_written_meanwhile() {
    on_both_databases(async |app| {
        let access = access("");
        let none = Precondition::default();
        let stays: Vec<String> = (0..60).map(|at| format!("e{at:03}")).collect();
        for name in &stays {
            let value = attributes(&[("k", "v")]);
            entity::change(&app, &access, &id(name), EntityChange::Put(&value), &none).await.expect("created");
        }
        let mut seen = Vec::new();
        let mut after = String::new();
        for round in 0.. {
            let query = EntityQuery { filter: None, after: &after, limit: 7 };
            let page = entity::list(&app, &access, query).await.expect("a page");
            seen.extend(page.items.into_iter().map(|entity| entity.id.to_string()));
            // Before, at and after the cursor, something comes and goes.
            for name in [format!("a{round}"), format!("{after}x"), format!("z{round}")] {
                let value = attributes(&[("k", &round.to_string())]);
                entity::change(&app, &access, &id(&name), EntityChange::Put(&value), &none).await.expect("created");
                if round % 2 == 0 {
                    entity::change(&app, &access, &id(&name), EntityChange::Delete, &none).await.expect("deleted");
                }
            }
            match page.next_after {
                Some(next) => next.as_str().clone_into(&mut after),
                None => break,
            }
        }
        assert!(seen.is_sorted() && seen.iter().collect::<BTreeSet<_>>().len() == seen.len(), "{seen:?}");
        let listed: Vec<&String> = seen.iter().filter(|name| stays.contains(name)).collect();
        assert_eq!(listed, stays.iter().collect::<Vec<_>>());
    })
    .await;
}

/// Filters that SQL can't narrow: memory finds the few among many, and no cursor names a hidden one.
#[tokio::test(flavor = "multi_thread")]
async fn sec_27_a_long_search_ends_its_page_early_and_its_cursor_tells_nothing_of_what_is_hidden() {
    const ROWS: usize = 25_000;
    let hub = Hub::start().await;
    let app = &hub.app;
    let mut tx = app.store.write_entities().await.expect("a transaction");
    for at in 0..ROWS {
        let department = if at % 5_000 == 17 { "fx" } else { "rates" };
        let kind = if at == ROWS - 1_000 { "rare" } else { "usual" };
        let entity = Entity {
            id: id(&format!("e{at:05}")),
            attributes: attributes(&[("department", department), ("kind", kind)]),
            version: EntityVersion::new("1"),
        };
        store::entity::insert(&mut tx, &entity, app.clock.now()).await.expect("an entity");
    }
    tx.commit().await.expect("a commit");

    // Few are visible, far apart: pages end early, some of them empty, and their cursors go on.
    let some = access("NOT department MATCHES \"rates|r.*\"");
    let (found, pages) = all(app, &some, None).await;
    assert_eq!(found, ["e00017", "e05017", "e10017", "e15017", "e20017"]);
    assert_eq!(pages, 3, "a page reads some 10,000 rows");
    // None is visible: the same, to the end.
    let none = access("NOT department MATCHES \"rates|.*\"");
    assert_eq!(all(app, &none, None).await, (vec![], 3));
    // All are visible, one is asked for.
    let rare: DataFilter = "NOT kind MATCHES \"usual|u.*\"".parse().expect("a filter");
    assert_eq!(all(app, &access(""), Some(&rare)).await, (vec!["e24000".to_owned()], 3));
    // Where the database narrows, it looks at more rows for one page.
    let narrowed: DataFilter = "kind LIKE \"r*\"".parse().expect("a filter");
    assert_eq!(all(app, &access(""), Some(&narrowed)).await, (vec!["e24000".to_owned()], 1));

    // A cursor tells nothing of the hidden entity at which it stands.
    hub.role("Few", &["entities:view"], Some("NOT department MATCHES \"rates|r.*\"")).await;
    let caller = hub.application(&["Few"]).await;
    let page = caller.get("/api/v1/entities?limit=3").await.expect(200).json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    let cursor = page["next_cursor"].as_str().expect("a cursor").to_owned();
    let decoded = URL_SAFE_NO_PAD.decode(&cursor).expect("base64");
    assert!(!String::from_utf8_lossy(&decoded).contains("e0"), "{cursor}");
    let short = caller.get("/api/v1/entities?limit=1").await.expect(200).json();
    assert_eq!(short["next_cursor"].as_str().map(str::len), Some(cursor.len()));
    let next = caller.get(&format!("/api/v1/entities?limit=3&cursor={cursor}")).await.expect(200).json();
    assert_eq!(next["items"][0]["id"], "e10017");
    // Nor can one be made: the place of an entity is not to be guessed at.
    let made = URL_SAFE_NO_PAD.encode("e09999");
    caller.get(&format!("/api/v1/entities?cursor={made}")).await.expect(400);
}

/// All ids, page by page, and how many pages it took.
async fn all(app: &App, access: &EntityAccess, filter: Option<&DataFilter>) -> (Vec<String>, usize) {
    let (mut after, mut pages, mut found) = (String::new(), 0, Vec::new());
    loop {
        let page = entity::list(app, access, EntityQuery { filter, after: &after, limit: 10 }).await.expect("a page");
        found.extend(page.items.into_iter().map(|entity| entity.id.to_string()));
        pages += 1;
        match page.next_after {
            Some(next) => next.as_str().clone_into(&mut after),
            None => return (found, pages),
        }
    }
}
