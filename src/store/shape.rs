//! The shapes of all statements, as the database sees them: how many parameters each takes, which columns it gives.

use super::db::Db;
use super::{Store, StoreError, entity_statements, security_statements};
use sqlx::{AssertSqlSafe, Column as _, Executor as _, SqlSafeStr as _, Statement as _};

/// What a database makes of one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The file in which the statement stands, and its name.
    pub name: String,
    /// How many parameters it takes.
    pub parameters: usize,
    /// The names of the columns that it gives.
    pub columns: Vec<String>,
}

impl Store {
    /// Prepares every statement of this program: one that does not fit the schema fails here rather than at work.
    ///
    /// # Errors
    /// The first statement that the database refuses, by its name.
    pub async fn shapes(&self) -> Result<Vec<Shape>, StoreError> {
        let mut shapes = Vec::new();
        for (file, name, sql) in security_statements() {
            shapes.push(self.security.shape(&format!("{file}::{name}"), sql).await?);
        }
        for (file, name, sql) in entity_statements() {
            shapes.push(self.entities.shape(&format!("{file}::{name}"), sql).await?);
        }
        Ok(shapes)
    }
}

impl Db {
    async fn shape(&self, name: &str, sql: &'static str) -> Result<Shape, StoreError> {
        macro_rules! shape {
            ($pool:expr) => {{
                let mut connection = $pool.acquire().await?;
                let prepared = (&mut *connection).prepare(AssertSqlSafe(sql).into_sql_str()).await;
                let statement = prepared.map_err(|error| StoreError::Refused(format!("{name}: {error}")))?;
                let parameters = match statement.parameters() {
                    Some(sqlx::Either::Left(types)) => types.len(),
                    Some(sqlx::Either::Right(count)) => count,
                    None => 0,
                };
                let columns = statement.columns().iter().map(|column| column.name().to_owned()).collect();
                Ok(Shape { name: name.to_owned(), parameters, columns })
            }};
        }
        match self {
            Self::Sqlite { readers, .. } => shape!(readers),
            Self::Postgres { pool, .. } => shape!(pool),
        }
    }
}
