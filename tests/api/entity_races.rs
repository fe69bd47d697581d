//! Entities under writers at once, and lists over them, on both databases.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gateway_hub::{
    actions::entity::{self, EntityChange, EntityError, EntityQuery},
    app::App,
    domain::{
        access::{AccessTable, decide},
        data_filter::DataFilter,
        entity::{
            Attributes, AttributesPatch, Entity, EntityAccess, EntityId, EntityPatch, EntityTags, EntityVersion,
            Precondition,
        },
        grant::{Action, Grant},
        name::Name,
        resource::Resource,
        role::{Role, RoleId},
    },
    store,
};

use crate::support::Hub;

fn access(filter: &str) -> EntityAccess {
    let grants: Vec<Grant> = ["entities:view", "entities:edit"].map(|grant| grant.parse().expect("a grant")).into();
    let role = Role {
        id: RoleId::new("role"),
        name: Name::parse("role").expect("a name"),
        grants,
        filter: (!filter.is_empty()).then(|| Arc::new(filter.parse().expect("a filter"))),
        built_in: false,
    };
    let table = AccessTable::compile([&role]);
    let permits = [Action::View, Action::Edit]
        .map(|action| decide(&table, &table.full_scope(), &Resource::Entities, action).expect("a permit"));
    EntityAccess::of(permits, table.reach(&Resource::Entities, Action::View))
}

fn id(text: &str) -> EntityId {
    EntityId::parse(text).expect("an id")
}

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Attributes::new(pairs.collect()).expect("attributes")
}

async fn on_both_databases<F: Future<Output = ()>>(story: impl Fn(Arc<App>) -> F) {
    for hub in [Hub::start().await, Hub::start_on_postgres().await] {
        story(Arc::clone(&hub.app)).await;
        hub.stop().await;
    }
}

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
async fn a_long_search_ends_its_page_early_and_names_only_what_is_visible() {
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

    // Few are visible, far apart: the page ends early, and goes on after the last of them.
    let some = access("NOT department MATCHES \"rates|r.*\"");
    let query = EntityQuery { filter: None, after: "", limit: 3 };
    let page = entity::list(app, &some, query).await.expect("a page");
    let names: Vec<&str> = page.items.iter().map(|entity| entity.id.as_str()).collect();
    assert_eq!(names, ["e00017", "e05017"]);
    assert_eq!(page.next_after.as_ref().map(EntityId::as_str), Some("e05017"));
    let query = EntityQuery { filter: None, after: "e05017", limit: 3 };
    let page = entity::list(app, &some, query).await.expect("a page");
    assert_eq!(page.items.iter().map(|entity| entity.id.as_str()).collect::<Vec<_>>(), ["e10017", "e15017"]);
    // Where none is visible for long, the search goes on until there is one to name, or to the end.
    let none = access("NOT department MATCHES \"rates|.*\"");
    let query = EntityQuery { filter: None, after: "", limit: 3 };
    let page = entity::list(app, &none, query).await.expect("a page");
    assert_eq!((page.items, page.next_after), (vec![], None));

    // All are visible, one is asked for: pages without it end early, and their cursors go on.
    let rare: DataFilter = "NOT kind MATCHES \"usual|u.*\"".parse().expect("a filter");
    let (mut after, mut pages, mut found) = (String::new(), 0, Vec::new());
    loop {
        let query = EntityQuery { filter: Some(&rare), after: &after, limit: 10 };
        let page = entity::list(app, &access(""), query).await.expect("a page");
        found.extend(page.items.into_iter().map(|entity| entity.id.to_string()));
        pages += 1;
        match page.next_after {
            Some(next) => next.as_str().clone_into(&mut after),
            None => break,
        }
    }
    assert_eq!(found, ["e24000"]);
    assert_eq!(pages, 3, "a page reads some 10,000 rows");

    // Some are visible, none of them is asked for: the cursor is one of them.
    let query = EntityQuery { filter: Some(&rare), after: "", limit: 10 };
    let page = entity::list(app, &some, query).await.expect("a page");
    assert_eq!(page.items, []);
    assert_eq!(page.next_after.as_ref().map(EntityId::as_str), Some("e05017"));
}
