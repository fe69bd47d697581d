//! Times pages of a full inventory and shows how the database finds them, for sizing (`docs/sizing.md`). Fill it first:
//!
//! ```text
//! just fill-entities 1000000 FOLDER
//! cargo run --release --example entity_pages -- FOLDER|postgres://user:password@host/database
//! ```

mod outcome;
mod turns;

use gateway_hub::config::DatabaseUrl;
use gateway_hub::domain::data_filter::DataFilter;
use gateway_hub::store::entity_search::{Length, by_value_sql, search};
use gateway_hub::store::{Store, StoreSettings, attribute};
use outcome::{Fault, exit_code};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::path::PathBuf;
use std::process::ExitCode;

/// Rows of a page.
const PAGE: usize = 50;

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), Fault> {
    let place = std::env::args().nth(1).ok_or("expected: FOLDER|postgres://…")?;
    let settings = if place.starts_with("postgres") {
        StoreSettings::Postgres(DatabaseUrl::parse(&place)?)
    } else {
        StoreSettings::Folder(PathBuf::from(&place))
    };
    let store = Store::open(&settings).await?;
    pages(&store).await?;
    attributes(&store).await?;
    println!("\nhow an equality is found:\n{}", plan(&place).await?);
    Ok(())
}

/// Pages from the beginning, the middle and the end of what a filter finds.
async fn pages(store: &Store) -> Result<(), Fault> {
    let filters = [
        "",
        "itrs.os-type = Linux",
        "user.department = department-7",
        "user.owner = \"team-7@example.com\"",
        "user.department IN (department-7, department-8, department-9)",
        "itrs.os-type = Linux AND user.department = department-7",
        "user.owner LIKE \"team-7@*\"",
    ];
    for text in filters {
        let filter = if text.is_empty() { None } else { Some(DataFilter::parse(text)?) };
        for (place, after) in
            [("first", ""), ("in the middle", "host/web-0500000"), ("near the end", "host/web-0999000")]
        {
            let filters: Vec<&DataFilter> = filter.iter().collect();
            let all = if text.is_empty() { "all" } else { text };
            turns::print(&format!("{all}: {place}"), async || {
                let mut tx = store.read_entities().await?;
                let found = search(&mut tx, after, &filters, PAGE).await?;
                Ok(found.entities.len())
            })
            .await?;
        }
    }
    Ok(())
}

async fn attributes(store: &Store) -> Result<(), Fault> {
    turns::print("names of attributes", async || {
        Ok(attribute::names(&mut store.read_entities().await?, "", PAGE).await?.len())
    })
    .await?;
    turns::print("values of user.owner", async || {
        Ok(attribute::values(&mut store.read_entities().await?, "user.owner", "", "", PAGE).await?.len())
    })
    .await?;
    turns::print("a summary by user.department", async || {
        Ok(attribute::counts(&mut store.read_entities().await?, "user.department", "", 1_000).await?.len())
    })
    .await
}

/// The plan of the database for a page by one value.
async fn plan(place: &str) -> Result<String, Fault> {
    let sql = by_value_sql(&[Length::Indexed]);
    if place.starts_with("postgres") {
        let mut connection = PgConnection::connect(place).await?;
        let prepare = format!("PREPARE p (text, bigint, text, text) AS {sql}");
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut connection).await?;
        let lines: Vec<String> =
            sqlx::query_scalar("EXPLAIN EXECUTE p ('host/web-0500000', 50, 'user.department', 'department-7')")
                .fetch_all(&mut connection)
                .await?;
        return Ok(lines.join("\n"));
    }
    let url = format!("sqlite://{place}/entities.db");
    let mut connection = SqliteConnection::connect(&url).await?;
    let lines: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(&mut connection).await?;
    Ok(lines.into_iter().map(|(.., line)| line).collect::<Vec<_>>().join("\n"))
}
