//! How the embedded database reads: through indexes, however many applications there are.

use super::Place;
use gateway_hub::store::security_statements;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

/// Statements that are meant to read a whole table: a start, an export, a count that somebody asks for, all roles, and the
/// console users of one.
const READ_ALL: [&str; 9] = [
    "application::ALL",
    "application::ROLES",
    "application::SECRETS",
    "application::COUNT",
    "live_application::APPLICATIONS",
    "live_application::MEMBERSHIPS",
    "live_application::SECRETS",
    "role::ALL",
    "role::CONSOLE_USERS",
];

/// What stays small, as the plans name it: tables that administrators fill by hand, and rows that a statement brings along.
const SMALL: [&str; 10] = [
    "f",
    "few",
    "console_session",
    "console_user",
    "console_user_role",
    "first_run_link",
    "gateway",
    "node",
    "pepper",
    "signing_key",
];

/// The jobs ask some of these every second: one that walks a million rows takes a third of a core of an idle hub.
#[tokio::test]
async fn no_statement_walks_a_table_that_grows_with_the_applications() {
    let place = Place::sqlite();
    place.node().await;
    let file = SqliteConnectOptions::new().filename(place.folder().join("gateway-hub.db")).read_only(true);
    let mut connection = SqliteConnection::connect_with(&file).await.expect("the database");
    let mut walks = Vec::new();
    for (file, name, sql) in security_statements() {
        let name = format!("{file}::{name}");
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(explain))
            .fetch_all(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let walked = |step: &str| {
            let table = step.strip_prefix("SCAN ")?.split(' ').next()?.to_owned();
            // `SCAN 64 CONSTANT ROWS` and `SCAN CONSTANT ROW` are the statement's own.
            let own = step.contains("CONSTANT ROW");
            (!own && !SMALL.contains(&table.as_str())).then_some(table)
        };
        for (_, _, _, step) in plan {
            if let Some(table) = walked(&step)
                && !READ_ALL.contains(&name.as_str())
            {
                walks.push(format!("{name} walks {table}: {step}"));
            }
        }
    }
    assert!(walks.is_empty(), "{walks:#?}");
}
