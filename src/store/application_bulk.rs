//! Reading and writing many applications at once.

use super::application::{self, INSERT, INSERT_ROLE, INSERT_SECRET, Row, bind_application, hash_text, networks_text};
use super::rows::{ROWS, widened};
use super::{StoreError, Tx, application_list, on, statements};
use crate::domain::application::{Application, ClientId};
use crate::domain::time::Timestamp;
use std::sync::LazyLock;

statements! {
    GET = "WITH f (id) AS (VALUES (CAST($1 AS TEXT))) SELECT a.client_id, a.name, a.description, a.enabled, a.networks, \
        a.allow_basic, a.expires_at, a.min_seq, a.created_at, a.created_by, a.owner FROM f \
        JOIN application a ON a.client_id = f.id";
    TAKEN = "WITH f (key) AS (VALUES (CAST($1 AS TEXT))) SELECT a.name_key FROM f JOIN application a ON a.name_key = f.key";
}

static GET_MANY: LazyLock<String> = LazyLock::new(|| widened(GET));
static TAKEN_MANY: LazyLock<String> = LazyLock::new(|| widened(TAKEN));
static INSERT_MANY: LazyLock<String> = LazyLock::new(|| widened(INSERT));
static INSERT_ROLE_MANY: LazyLock<String> = LazyLock::new(|| widened(INSERT_ROLE));
static INSERT_SECRET_MANY: LazyLock<String> = LazyLock::new(|| widened(INSERT_SECRET));

/// The applications of these ids that are there, in no order; each id once.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, ids: &[&ClientId]) -> Result<Vec<Application>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(ROWS) {
        let rows: Vec<Row> = on!(tx, connection => {
            let mut query = sqlx::query_as(GET_MANY.as_str());
            for at in 0..ROWS {
                query = query.bind(chunk.get(at).map_or("", |id| id.as_str()));
            }
            query.fetch_all(connection).await
        })?;
        found.extend(application_list::complete(tx, rows).await?);
    }
    Ok(found)
}

/// Which of these name keys an application has.
///
/// # Errors
/// [`StoreError`].
pub async fn taken(tx: &mut Tx, keys: &[String]) -> Result<Vec<String>, StoreError> {
    let mut taken = Vec::new();
    for chunk in keys.chunks(ROWS) {
        let rows: Vec<(String,)> = on!(tx, connection => {
            let mut query = sqlx::query_as(TAKEN_MANY.as_str());
            for at in 0..ROWS {
                query = query.bind(chunk.get(at).map_or("", String::as_str));
            }
            query.fetch_all(connection).await
        })?;
        taken.extend(rows.into_iter().map(|(key,)| key));
    }
    Ok(taken)
}

/// Adds applications with their memberships and secrets.
///
/// # Errors
/// As [`application::insert`].
pub async fn insert(tx: &mut Tx, applications: &[Application]) -> Result<(), StoreError> {
    let (whole, rest) = applications.split_at(applications.len() / ROWS * ROWS);
    for chunk in whole.chunks(ROWS) {
        on!(tx, connection => {
            let mut query = sqlx::query(INSERT_MANY.as_str());
            for application in chunk {
                query = bind_application!(query, application);
            }
            query.execute(connection).await.map(|_| ())
        })?;
    }
    let of = |application: &Application| {
        application.roles.iter().map(|role| (application.client_id.clone(), role.clone())).collect::<Vec<_>>()
    };
    let memberships: Vec<_> = whole.iter().flat_map(of).collect();
    let (even, odd) = memberships.split_at(memberships.len() / ROWS * ROWS);
    for chunk in even.chunks(ROWS) {
        on!(tx, connection => {
            let mut query = sqlx::query(INSERT_ROLE_MANY.as_str());
            for (client_id, role) in chunk {
                query = query.bind(client_id.as_str()).bind(role.as_str());
            }
            query.execute(connection).await.map(|_| ())
        })?;
    }
    for (client_id, role) in odd {
        on!(tx, connection => sqlx::query(INSERT_ROLE).bind(client_id.as_str()).bind(role.as_str())
            .execute(connection).await.map(|_| ()))?;
    }
    let secrets: Vec<_> =
        whole.iter().flat_map(|one| one.secrets.iter().map(|secret| (&one.client_id, secret))).collect();
    let (even, odd) = secrets.split_at(secrets.len() / ROWS * ROWS);
    for chunk in even.chunks(ROWS) {
        on!(tx, connection => {
            let mut query = sqlx::query(INSERT_SECRET_MANY.as_str());
            for (client_id, secret) in chunk {
                query = query
                    .bind(secret.id.to_string())
                    .bind(client_id.as_str())
                    .bind(hash_text(&secret.hash))
                    .bind(&secret.pepper)
                    .bind(secret.created_at.micros())
                    .bind(secret.ends_at.map(Timestamp::micros));
            }
            query.execute(connection).await.map(|_| ())
        })?;
    }
    for (client_id, secret) in odd {
        application::insert_secret(tx, client_id, secret).await?;
    }
    for application in rest {
        application::insert(tx, application).await?;
    }
    Ok(())
}
