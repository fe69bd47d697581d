//! How the embedded database reads: through indexes, however many applications there are.

use super::Place;
use gateway_hub::store::security_statements;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

/// Statements that are meant to read a whole table: a start, an export, a count that somebody asks for, all roles, all
/// console users, and those of one role.
const READ_ALL: [&str; 10] = [
    "application::ALL",
    "application::ROLES",
    "application::SECRETS",
    "application::COUNT",
    "console_user::ALL",
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

/// What was asked once a second, and took a third of a core of an idle hub with a million applications.
const WALKS: &str = "SELECT DISTINCT client_id FROM api_secret WHERE ends_at <= $1 LIMIT 100";

/// The steps of a statement's plan that walk a table which may be large.
async fn walks(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(explain).fetch_all(connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let walks = |step: &String| {
        let Some(walked) = step.strip_prefix("SCAN ") else { return false };
        // `SCAN 64 CONSTANT ROWS` and `SCAN CONSTANT ROW` are the statement's own.
        !walked.contains("CONSTANT ROW") && !SMALL.contains(&walked.split(' ').next().unwrap_or_default())
    };
    plan.into_iter().map(|(_, _, _, step)| step).filter(walks).collect()
}

#[tokio::test]
async fn no_statement_walks_a_table_that_grows_with_the_applications() {
    let place = Place::sqlite();
    place.node().await;
    let file = SqliteConnectOptions::new().filename(place.folder().join("gateway-hub.db")).read_only(true);
    let mut connection = SqliteConnection::connect_with(&file).await.expect("the database");
    assert_eq!(walks(&mut connection, WALKS).await.len(), 1, "this test sees it");
    for (file, name, sql) in security_statements() {
        let name = format!("{file}::{name}");
        let steps = walks(&mut connection, sql).await;
        assert!(steps.is_empty() || READ_ALL.contains(&name.as_str()), "{name}: {steps:?}");
    }
}
