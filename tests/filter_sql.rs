//! What SQL and memory select together is what memory alone selects, on both databases.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_hub::config::DatabaseUrl;
use gateway_hub::domain::data_filter::{DataFilter, limits};
use gateway_hub::domain::entity::{Attributes, Entity, EntityId, EntityVersion};
use gateway_hub::domain::time::Timestamp;
use gateway_hub::store::{Store, StoreSettings, entity, entity_bulk, entity_search};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

const ENTITIES: usize = 150;
const FILTERS: usize = 400;

#[tokio::test]
async fn sql_and_memory_select_what_memory_alone_selects_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    check(StoreSettings::Folder(folder.path().to_owned())).await;
}

#[tokio::test]
async fn sql_and_memory_select_what_memory_alone_selects_on_postgresql() {
    let database = support::postgres::PostgresDatabase::create();
    check(StoreSettings::Postgres(DatabaseUrl::parse(&database.url).expect("an address"))).await;
}

async fn check(settings: StoreSettings) {
    let store = Store::open(&settings).await.expect("a store");
    store.migrate().await.expect("its schema");
    let mut runner = TestRunner::deterministic();
    let entities = inventory(&mut runner);
    let mut tx = store.write_entities().await.expect("a transaction");
    for entity in &entities {
        entity::insert(&mut tx, entity, Timestamp::from_seconds(0)).await.expect("an entity");
    }
    tx.commit().await.expect("a commit");

    let mut narrowed = 0;
    let mut exact = 0;
    let filter = filter_text();
    for _ in 0..FILTERS {
        let text = generate(&filter, &mut runner);
        let filter: DataFilter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let (rows, wanted) = compare(&store, &entities, &filter).await;
        narrowed += usize::from(rows < entities.len());
        exact += usize::from(rows == wanted);
    }
    println!("of {FILTERS} filters, SQL narrowed {narrowed} and was exact for {exact}");
    assert!(narrowed > FILTERS / 2 && exact > FILTERS / 2, "SQL does its part: {narrowed} narrowed, {exact} exact");

    for filter in largest() {
        compare(&store, &entities, &filter).await;
    }
    store.close().await;
}

/// How many rows SQL selected, and how many of them memory did.
async fn compare(store: &Store, entities: &[Entity], filter: &DataFilter) -> (usize, usize) {
    let memory: Vec<&EntityId> =
        entities.iter().filter(|entity| filter.matches(entity.attributes.as_map())).map(|entity| &entity.id).collect();
    let mut tx = store.read_entities().await.expect("a transaction");
    // Twice the same filter numbers its placeholders on and on.
    let found = entity_search::search(&mut tx, "", &[filter, filter], usize::MAX)
        .await
        .unwrap_or_else(|error| panic!("{filter}: {error}: {:?}", filter.sql_superset(1)));
    assert_eq!(found.searched_to, None);
    let rows = found.entities;
    let both: Vec<&EntityId> =
        rows.iter().filter(|entity| filter.matches(entity.attributes.as_map())).map(|entity| &entity.id).collect();
    assert_eq!(both, memory, "{filter}: {:?}", filter.sql_superset(1));
    (rows.len(), memory.len())
}

fn generate<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).expect("a value").current()
}

/// Entities in the order of their ids, which differ in case, scripts and separators.
fn inventory(runner: &mut TestRunner) -> Vec<Entity> {
    let attributes = btree_map(key(), value(), 0..6);
    let mut entities: Vec<Entity> = (0..ENTITIES)
        .map(|at| {
            let mut attributes = generate(&attributes, runner);
            if at == 0 {
                attributes.insert("a".to_owned(), "\u{10FFFF}".repeat(1024));
            }
            let prefix = ["Z/", "a-", "ä", "_", "\u{10FFFF}"][at % 5];
            Entity {
                id: EntityId::parse(format!("{prefix}{at}")).expect("an id"),
                attributes: Attributes::new(attributes).expect("attributes"),
                version: EntityVersion::new("1"),
            }
        })
        .collect();
    entities.sort_by(|left, right| left.id.cmp(&right.id));
    entities
}

fn key() -> impl Strategy<Value = String> {
    select(vec!["a", "b.c", "A", "näme", "and", "it's"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    let few = vec![
        "",
        "a",
        "A",
        "ab",
        "aB",
        "abc",
        "b",
        "web-1",
        "WEB-1",
        "ü",
        "a%",
        "a_",
        "\\",
        "\"",
        "'",
        "a b",
        "\u{D7FF}",
        "\u{E000}",
        "\u{FFFF}",
        "\u{10000}",
        "\u{10FFFF}",
        "10",
        "9",
        " ",
    ];
    prop_oneof![
        6 => select(few).prop_map(str::to_owned),
        1 => "[^\\p{Cc}]{0,4}",
    ]
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn condition() -> impl Strategy<Value = String> {
    let operator = select(vec!["=", "!=", ">", ">=", "<", "<="]);
    let list = (select(vec!["IN", "NOT IN"]), vec(value(), 1..4)).prop_map(|(operator, values)| {
        format!("{operator} ({})", values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", "))
    });
    let patterns = vec![
        "",
        "a|ab",
        "a.*",
        "(a|b)?",
        "[^a]*",
        "web-[0-9]",
        r"\\|a\%",
        ".+",
        "(?:A|a)b?",
        "|ü",
        "^a",
        "ab$",
        "\u{10FFFF}.*",
    ];
    let test = prop_oneof![
        3 => (operator, value()).prop_map(|(operator, value)| format!("{operator} {}", quoted(&value))),
        2 => list,
        1 => select(vec!["EXISTS", "NOT EXISTS"]).prop_map(str::to_owned),
        2 => vec(value(), 1..4).prop_map(|pieces| format!("LIKE {}", quoted(&pieces.join("*")))),
        1 => select(patterns).prop_map(|pattern| format!("MATCHES {}", quoted(pattern))),
    ];
    (key(), test).prop_map(|(key, test)| format!("{} {test}", quoted(&key)))
}

fn filter_text() -> impl Strategy<Value = String> {
    condition().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" AND "))),
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("NOT ({part})")),
        ]
    })
}

/// The largest filters that may be saved, and what a caller with very many roles has.
fn largest() -> Vec<DataFilter> {
    let parse = |text: String| text.parse::<DataFilter>().unwrap_or_else(|error| panic!("{text}: {error}"));
    let conditions = |join: &str| parse(vec!["a != x"; limits::CONDITIONS].join(join));
    let list =
        parse(format!("a IN ({})", (0..limits::IN_VALUES).map(|at| format!("v{at}")).collect::<Vec<_>>().join(",")));
    let nested = parse(
        format!("{}a = a", "NOT (b.c = x OR ".repeat(limits::NESTING / 2)) + ")".repeat(limits::NESTING / 2).as_str(),
    );
    let roles = |count: usize| {
        let filters = (0..count).map(|at| Arc::new(parse(format!("a = v{at} AND b.c != w{at}")))).collect();
        DataFilter::any(filters).expect("filters").as_ref().clone()
    };
    vec![conditions(" AND "), conditions(" OR "), list, nested, roles(100), roles(5000)]
}

#[tokio::test]
async fn a_page_goes_on_after_the_last_id_in_byte_order_on_both_databases() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = support::postgres::PostgresDatabase::create();
    for settings in [
        StoreSettings::Folder(folder.path().to_owned()),
        StoreSettings::Postgres(DatabaseUrl::parse(&database.url).expect("an address")),
    ] {
        let store = Store::open(&settings).await.expect("a store");
        store.migrate().await.expect("its schema");
        let entities = inventory(&mut TestRunner::deterministic());
        let mut tx = store.write_entities().await.expect("a transaction");
        for entity in &entities {
            entity::insert(&mut tx, entity, Timestamp::from_seconds(0)).await.expect("an entity");
        }
        tx.commit().await.expect("a commit");
        let mut seen: Vec<Entity> = Vec::new();
        let mut tx = store.read_entities().await.expect("a transaction");
        loop {
            let after = seen.last().map_or("", |entity| entity.id.as_str());
            let found = entity_search::search(&mut tx, after, &[], 7).await.expect("a page");
            seen.extend(found.entities);
            if found.searched_to.is_none() {
                break;
            }
        }
        assert_eq!(seen, entities);
        drop(tx);
        store.close().await;
    }
}

#[tokio::test]
async fn a_writer_that_lost_the_race_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = support::postgres::PostgresDatabase::create();
    for settings in [
        StoreSettings::Folder(folder.path().to_owned()),
        StoreSettings::Postgres(DatabaseUrl::parse(&database.url).expect("an address")),
    ] {
        let store = Store::open(&settings).await.expect("a store");
        store.migrate().await.expect("its schema");
        let now = Timestamp::from_seconds(0);
        let attributes =
            |value: &str| Attributes::new(BTreeMap::from([("k".to_owned(), value.to_owned())])).expect("attributes");
        let of = |value: &str, version: &str| Entity {
            id: EntityId::parse("e").expect("an id"),
            attributes: attributes(value),
            version: EntityVersion::new(version),
        };
        let (first, second) = (of("1", "v1"), of("2", "v2"));
        let mut tx = store.write_entities().await.expect("a transaction");
        entity::insert(&mut tx, &first, now).await.expect("an entity");
        entity::replace(&mut tx, &first.version, &second, now).await.expect("a change");
        assert!(entity::insert(&mut tx, &first, now).await.is_err(), "the id is taken");
        assert!(entity::replace(&mut tx, &first.version, &first, now).await.is_err(), "changed meanwhile");
        assert!(entity::delete(&mut tx, &first.id, &first.version).await.is_err(), "changed meanwhile");
        assert_eq!(entity::get(&mut tx, &first.id).await.expect("a row"), Some(second.clone()));
        entity::delete(&mut tx, &first.id, &second.version).await.expect("a deletion");
        assert!(entity::is_empty(&mut tx).await.expect("an answer"));
        // Its attributes went with it, so that they can come again.
        entity::insert(&mut tx, &first, now).await.expect("an entity");
        tx.commit().await.expect("a commit");
        store.close().await;
    }
}

/// Twenty thousand entities on each database: each of 100 departments has 200, one in two is Linux, and one has a note that
/// is too long for the index.
#[tokio::test]
async fn an_equality_reads_an_index_and_turns_pages_in_it_on_both_databases() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = support::postgres::PostgresDatabase::create();
    for settings in [
        StoreSettings::Folder(folder.path().to_owned()),
        StoreSettings::Postgres(DatabaseUrl::parse(&database.url).expect("an address")),
    ] {
        let postgres = matches!(settings, StoreSettings::Postgres(_));
        let store = Store::open(&settings).await.expect("a store");
        store.migrate().await.expect("its schema");
        let long = "ä".repeat(2_048);
        let entities: Vec<Entity> = (0..20_000)
            .map(|at| {
                let mut pairs = BTreeMap::from([("department".to_owned(), format!("d{}", at % 100))]);
                pairs.insert("os".to_owned(), if at % 2 == 0 { "Linux" } else { "Windows" }.to_owned());
                pairs.insert("note".to_owned(), format!("{}{at}", &long[..if at == 7 { 4_000 } else { 300 }]));
                Entity {
                    id: EntityId::parse(format!("host-{at:05}")).expect("an id"),
                    attributes: Attributes::new(pairs).expect("attributes"),
                    version: EntityVersion::new("1"),
                }
            })
            .collect();
        let mut tx = store.write_entities().await.expect("a transaction");
        entity_bulk::insert(&mut tx, &entities.iter().collect::<Vec<_>>(), Timestamp::from_seconds(0))
            .await
            .expect("entities");
        tx.commit().await.expect("a commit");

        // With and without statistics: a database that has just been filled has none.
        for analysed in [false, true] {
            for values in [1, 3] {
                let plan = plan(&folder, postgres.then_some(&database), values, analysed).await;
                assert!(plan.contains("entity_attribute_by_value"), "{plan}");
                assert!(!plan.contains("SCAN e") && !plan.contains("Seq Scan"), "{plan}");
                if values == 1 {
                    println!("{plan}");
                }
            }
        }

        for (filter, wanted) in [
            ("department = d7", 200),
            ("department IN (d7, d8, d9)", 600),
            ("os = Linux AND department = d8", 200),
            ("os = Linux AND department = d7", 0),
            ("department = d7 OR os = Linux", 10_200),
            (&format!("note = \"{}7\"", &long[..4_000]), 1),
            (&format!("note = \"{}8\"", &long[..300]), 1),
            ("department = nothing", 0),
        ] {
            let filter: DataFilter = filter.parse().expect("a filter");
            let (mut after, mut found, mut steps, mut read) = (String::new(), Vec::new(), 0, 0);
            let mut tx = store.read_entities().await.expect("a transaction");
            loop {
                let step = entity_search::search(&mut tx, &after, &[&filter], 250).await.expect("a step");
                (steps, read) = (steps + 1, read + step.entities.len());
                found.extend(step.entities.into_iter().filter(|entity| filter.matches(entity.attributes.as_map())));
                match step.searched_to {
                    Some(id) => id.as_str().clone_into(&mut after),
                    None => break,
                }
            }
            assert_eq!(found.len(), wanted, "{filter}");
            assert!(found.is_sorted_by(|left, right| left.id < right.id));
            assert!(read <= wanted.max(400), "{filter}: {read} rows read for {wanted}");
            assert!(steps <= wanted / 250 + 3, "{filter}: {steps} steps");
        }
        store.close().await;
    }
}

/// How the database finds the entities with so many values.
async fn plan(
    folder: &tempfile::TempDir,
    database: Option<&support::postgres::PostgresDatabase>,
    values: usize,
    analysed: bool,
) -> String {
    let sql = entity_search::by_value_sql(&vec![entity_search::Length::Indexed; values]);
    if let Some(database) = database {
        let types = vec!["text"; 2 * values].join(", ");
        let arguments = (0..values).map(|at| format!("'department', 'd{at}'")).collect::<Vec<_>>().join(", ");
        let analyse = if analysed { "ANALYZE entity; ANALYZE entity_attribute;" } else { "" };
        return database.sql(&format!(
            "{analyse} PREPARE p (text, bigint, {types}) AS {sql}; EXPLAIN EXECUTE p ('host-10000', 250, {arguments})"
        ));
    }
    let options = SqliteConnectOptions::new().filename(folder.path().join("entities.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.expect("the database opens");
    if analysed {
        sqlx::query("ANALYZE").execute(&mut connection).await.expect("statistics");
    }
    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
        .fetch_all(&mut connection)
        .await
        .expect("a plan");
    rows.into_iter().map(|(.., line)| line + "\n").collect()
}
