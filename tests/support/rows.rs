//! All rows of all tables, to compare before and after, to count, and to search for secrets.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::postgres::PostgresDatabase;

/// Tables that signing in and using things may touch without any change of security state.
const USE: [&str; 5] = ["console_session", "usage_day", "denial", "node", "sqlite_sequence"];
/// The column that using an application or a secret touches.
const LAST_USED: &str = "last_used_at";

/// What stood in the databases at one moment: table, then its rows as JSON texts, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows(BTreeMap<String, Vec<String>>);

impl Rows {
    /// Reads the SQLite files of a data folder.
    pub async fn of_folder(folder: &Path) -> Self {
        let mut tables = BTreeMap::new();
        for file in ["gateway-hub.db", "entities.db"] {
            let options = SqliteConnectOptions::new().filename(folder.join(file)).read_only(true);
            let mut connection = SqliteConnection::connect_with(&options).await.expect("the database opens");
            let listed =
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
            let names: Vec<String> = sqlx::query_scalar(listed).fetch_all(&mut connection).await.expect("tables");
            for name in names {
                let columns = "SELECT name FROM pragma_table_info($1)";
                let columns: Vec<String> =
                    sqlx::query_scalar(columns).bind(&name).fetch_all(&mut connection).await.expect("columns");
                let list =
                    columns.iter().map(|column| format!("'{column}', \"{column}\"")).collect::<Vec<_>>().join(", ");
                let all = format!("SELECT json_object({list}) FROM \"{name}\"");
                let mut rows: Vec<String> =
                    sqlx::query_scalar(AssertSqlSafe(all)).fetch_all(&mut connection).await.expect("rows");
                rows.sort();
                tables.insert(name, rows);
            }
            connection.close().await.expect("the database closes");
        }
        Self(tables)
    }

    /// Reads a PostgreSQL database.
    pub fn of_postgres(database: &PostgresDatabase) -> Self {
        let names = database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");
        let read = |name: &str| {
            let text = database.sql(&format!("SELECT row_to_json(t) FROM \"{name}\" t"));
            let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
            rows.sort();
            (name.to_owned(), rows)
        };
        Self(names.lines().map(read).collect())
    }

    /// How many rows each table has.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.0.iter().map(|(name, rows)| (name.clone(), rows.len())).collect()
    }

    /// The rows of one table.
    #[track_caller]
    pub fn table(&self, name: &str) -> Vec<Value> {
        let rows = self.0.get(name).unwrap_or_else(|| panic!("no table {name}, only {:?}", self.0.keys()));
        rows.iter().map(|row| serde_json::from_str(row).expect("JSON")).collect()
    }

    /// Everything but sessions and usage.
    pub fn security_state(&self) -> BTreeMap<&str, Vec<String>> {
        let tables = self.0.iter().filter(|(name, _)| !USE.contains(&name.as_str()));
        tables.map(|(name, rows)| (name.as_str(), rows.iter().map(|row| without_use(row)).collect())).collect()
    }

    /// All of it as one text.
    pub fn everything(&self) -> String {
        self.0.iter().map(|(name, rows)| format!("{name}\n{}\n", rows.join("\n"))).collect()
    }

    /// Every text that stands in a column, and the texts inside JSON columns.
    pub fn texts(&self) -> Vec<String> {
        let mut found = Vec::new();
        for row in self.0.values().flatten() {
            collect(&serde_json::from_str(row).expect("JSON"), &mut found);
        }
        found.sort();
        found.dedup();
        found
    }
}

/// The row without its last use.
fn without_use(row: &str) -> String {
    let mut value: Value = serde_json::from_str(row).expect("JSON");
    match value.as_object_mut().and_then(|members| members.remove(LAST_USED)) {
        Some(_) => value.to_string(),
        None => row.to_owned(),
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            found.push(text.clone());
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                collect(&inner, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        _ => {}
    }
}
