//! Loading many entities at once.

use super::Place;
use gateway_hub::actions::entity_bulk::{Loaded, load, operator_access};
use gateway_hub::app::App;
use gateway_hub::domain::entity::BulkDocument;

const BATCH: usize = 2_000;

/// A batch of entities, with an attribute of this value.
async fn load_batch(app: &App, batch: usize, value: &str) -> Loaded {
    let line = |at: usize| format!("{{\"id\":\"host/{at:06}\",\"attributes\":{{\"a\":\"{value}\",\"b\":\"{at}\"}}}}\n");
    let text: String = (batch * BATCH..(batch + 1) * BATCH).map(line).collect();
    load(app, &operator_access(), BulkDocument::new(text.as_bytes())).await.expect("loaded")
}

/// The statements are planned while the tables are empty, and the plans are kept while they grow: none may be one that reads
/// a whole table to find a few ids.
#[tokio::test]
async fn a_load_into_an_empty_inventory_reads_no_more_than_it_looks_up() {
    let place = Place::postgres();
    let app = place.node().await;
    let every = u64::try_from(BATCH).expect("a small number");
    for batch in 0..5 {
        let Loaded { created, .. } = load_batch(&app, batch, "first").await;
        assert_eq!(created, every);
    }
    for batch in 0..5 {
        let Loaded { updated, .. } = load_batch(&app, batch, "second").await;
        assert_eq!(updated, every);
    }
    let Loaded { unchanged, .. } = load_batch(&app, 4, "second").await;
    assert_eq!(unchanged, every);
    // What a connection has counted is there to read once it is closed.
    app.store.close().await;
    let database = place.database.as_ref().expect("PostgreSQL");
    let read = "SELECT COALESCE(SUM(seq_tup_read), 0) FROM pg_stat_user_tables WHERE relname LIKE 'entity%'";
    let written = "SELECT SUM(n_tup_ins) FROM pg_stat_user_tables WHERE relname = 'entity_attribute'";
    for _ in 0..100 {
        if database.sql(written).trim() == "40000" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(database.sql(written).trim(), "40000", "all is counted");
    let rows: u64 = database.sql(read).trim().parse().expect("a number");
    assert!(rows < 20_000, "{rows} rows were read one after the other");
}
