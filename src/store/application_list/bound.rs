//! Statements whose text depends on what is asked. Their texts are made of this program's own words and placeholders;
//! every value is bound.

use super::super::application::{Row, SecretRow};
use super::super::{StoreError, Tx, on};
use crate::domain::application::{Application, CredentialId, StoredSecret};
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};
use std::collections::HashMap;

/// A statement and the values that its placeholders stand for.
#[derive(Clone, Default)]
pub(super) struct Sql {
    pub(super) text: String,
    values: Vec<Value>,
}

#[derive(Clone)]
enum Value {
    Text(String),
    Number(i64),
}

impl Sql {
    /// Binds a text and gives its placeholder.
    pub(super) fn text(&mut self, value: &str) -> String {
        self.value(Value::Text(value.to_owned()))
    }

    /// Binds a number and gives its placeholder.
    pub(super) fn number(&mut self, value: i64) -> String {
        self.value(Value::Number(value))
    }

    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}

/// A row of the list.
#[derive(FromRow)]
pub(super) struct Listed {
    #[sqlx(flatten)]
    pub(super) row: Row,
    pub(super) last_used_at: Option<i64>,
}

/// The rows of a statement. It is not worth a place in the cache of prepared statements.
pub(super) async fn rows<T>(tx: &mut Tx, sql: Sql) -> Result<Vec<T>, StoreError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let Sql { text, values } = sql;
    Ok(on!(tx, connection => {
        let mut query = sqlx::query_as(AssertSqlSafe(text)).persistent(false);
        for value in values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        query.fetch_all(connection).await
    })?)
}

/// Adds roles and secrets to these applications: two statements for all of them, in the same order.
pub(in crate::store) async fn complete(tx: &mut Tx, found: Vec<Row>) -> Result<Vec<Application>, StoreError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut applications: Vec<Application> = found.into_iter().map(Application::try_from).collect::<Result<_, _>>()?;
    let of_these = |before: &str, after: &str| {
        let mut sql = Sql::default();
        let ids: Vec<String> =
            applications.iter().map(|application| sql.text(application.client_id.as_str())).collect();
        sql.text = format!("{before} WHERE client_id IN ({}){after}", ids.join(", "));
        sql
    };
    let memberships = of_these("SELECT client_id, role_id FROM application_role", "");
    let secrets = of_these(
        "SELECT client_id, id, hash, pepper, created_at, ends_at FROM api_secret",
        " ORDER BY ends_at IS NOT NULL, created_at DESC, id",
    );
    let mut roles: HashMap<String, Vec<RoleId>> = HashMap::new();
    for (client_id, role) in rows::<(String, String)>(tx, memberships).await? {
        roles.entry(client_id).or_default().push(RoleId::new(role));
    }
    let mut secrets_of: HashMap<String, Vec<StoredSecret>> = HashMap::new();
    for mut row in rows::<SecretRow>(tx, secrets).await? {
        let client_id = std::mem::take(&mut row.client_id);
        secrets_of.entry(client_id).or_default().push(row.try_into()?);
    }
    for application in &mut applications {
        application.roles = roles.remove(application.client_id.as_str()).unwrap_or_default();
        application.roles.sort_unstable();
        application.secrets = secrets_of.remove(application.client_id.as_str()).unwrap_or_default();
    }
    Ok(applications)
}

/// When each of these secrets was last used, to the minute; one that never was is not there.
pub(super) async fn last_uses(
    tx: &mut Tx,
    secrets: impl Iterator<Item = CredentialId>,
) -> Result<HashMap<CredentialId, Timestamp>, StoreError> {
    let mut sql = Sql::default();
    let ids: Vec<String> = secrets.map(|id| sql.text(&id.to_string())).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    sql.text = format!("SELECT id, last_used_at FROM api_secret WHERE id IN ({})", ids.join(", "));
    let used: Vec<(String, Option<i64>)> = rows(tx, sql).await?;
    let pair = |(id, at): (String, Option<i64>)| Some((CredentialId::parse(&id)?, Timestamp::from_micros(at?)));
    Ok(used.into_iter().filter_map(pair).collect())
}
