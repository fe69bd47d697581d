//! Applications, their memberships and their secrets' hashes.

use super::{StoreError, Tx, application_list, on, statements};
use crate::domain::application::{Application, ClientId, CredentialId, StoredSecret};
use crate::domain::name::Name;
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use ipnet::IpNet;
use sqlx::FromRow;
use std::collections::HashMap;

statements! {
    ALL = "SELECT client_id, name, description, enabled, networks, allow_basic, expires_at, min_seq, created_at, \
        created_by, owner FROM application";
    GET = "SELECT client_id, name, description, enabled, networks, allow_basic, expires_at, min_seq, created_at, \
        created_by, owner FROM application WHERE client_id = $1";
    BY_NAME = "SELECT client_id, name, description, enabled, networks, allow_basic, expires_at, min_seq, created_at, \
        created_by, owner FROM application WHERE name_key = $1";
    PAGE = "SELECT client_id, name, description, enabled, networks, allow_basic, expires_at, min_seq, created_at, \
        created_by, owner FROM application WHERE name_key > $1 ORDER BY name_key LIMIT $2";
    BY_ROLE = "SELECT m.client_id FROM application_role m WHERE m.role_id = $1 ORDER BY m.client_id";
    COUNT = "SELECT COUNT(*) AS n FROM application";
    INSERT = "INSERT INTO application (client_id, name, name_key, description, enabled, networks, allow_basic, \
        expires_at, min_seq, created_at, created_by, owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11)";
    UPDATE = "UPDATE application SET name = $1, name_key = $2, description = $3, enabled = $4, networks = $5, \
        allow_basic = $6, expires_at = $7, owner = $8 WHERE client_id = $9";
    DELETE = "DELETE FROM application WHERE client_id = $1";
    BURY = "INSERT INTO deleted_application (client_id, name, deleted_at) VALUES ($1, $2, $3)";
    IS_BURIED = "SELECT COUNT(*) AS n FROM deleted_application WHERE client_id = $1";
    ROLES = "SELECT client_id, role_id FROM application_role";
    ROLES_OF = "SELECT client_id, role_id FROM application_role WHERE client_id = $1";
    INSERT_ROLE = "INSERT INTO application_role (client_id, role_id) VALUES ($1, $2)";
    DELETE_ROLES = "DELETE FROM application_role WHERE client_id = $1";
    SECRETS = "SELECT client_id, id, hash, pepper, created_at, ends_at FROM api_secret \
        ORDER BY ends_at IS NOT NULL, created_at DESC, id";
    BY_HASH = "SELECT client_id FROM api_secret WHERE hash = $1 AND pepper = $2 AND (ends_at IS NULL OR ends_at > $3)";
    SECRETS_OF = "SELECT client_id, id, hash, pepper, created_at, ends_at FROM api_secret WHERE client_id = $1 \
        ORDER BY ends_at IS NOT NULL, created_at DESC, id";
    // No DISTINCT: SQLite would walk a million secrets in the order of client_id, each time that it is asked.
    ENDED = "SELECT client_id FROM api_secret WHERE ends_at <= $1 ORDER BY ends_at LIMIT 100";
    INSERT_SECRET = "INSERT INTO api_secret (id, client_id, hash, pepper, created_at, ends_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    END_SECRET = "UPDATE api_secret SET ends_at = $1 WHERE id = $2";
    DELETE_SECRET = "DELETE FROM api_secret WHERE id = $1";
    SUBMIT = "INSERT INTO submission (id, client_id, at) VALUES ($1, $2, $3)";
    FORGET_SUBMISSIONS = "DELETE FROM submission WHERE at < $1";
}

#[derive(FromRow)]
pub(super) struct Row {
    client_id: String,
    name: String,
    description: String,
    enabled: bool,
    networks: String,
    allow_basic: bool,
    expires_at: Option<i64>,
    min_seq: i64,
    created_at: i64,
    created_by: String,
    owner: Option<String>,
}

#[derive(FromRow)]
pub(super) struct SecretRow {
    pub(super) client_id: String,
    id: String,
    hash: String,
    pepper: String,
    created_at: i64,
    ends_at: Option<i64>,
}

impl TryFrom<Row> for Application {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable = |what: &str| StoreError::Unreadable(format!("application {}: {what}", row.client_id));
        let networks: Result<Vec<IpNet>, _> = row.networks.split_ascii_whitespace().map(str::parse).collect();
        Ok(Self {
            client_id: ClientId::parse(&row.client_id).ok_or_else(|| unreadable("not a client_id"))?,
            name: Name::parse(&row.name).map_err(|fault| unreadable(&fault.to_string()))?,
            description: row.description,
            roles: Vec::new(),
            enabled: row.enabled,
            networks: networks.map_err(|fault| unreadable(&fault.to_string()))?,
            allow_basic: row.allow_basic,
            expires_at: row.expires_at.map(Timestamp::from_micros),
            min_seq: u64::try_from(row.min_seq).map_err(|_| unreadable("a negative min_seq"))?,
            created_at: Timestamp::from_micros(row.created_at),
            created_by: row.created_by,
            owner: row.owner,
            secrets: Vec::new(),
        })
    }
}

impl TryFrom<SecretRow> for StoredSecret {
    type Error = StoreError;

    fn try_from(row: SecretRow) -> Result<Self, StoreError> {
        let unreadable = || StoreError::Unreadable(format!("secret {}: not an id with a hash of 32 bytes", row.id));
        Ok(Self {
            hash: parse_hash(&row.hash).ok_or_else(unreadable)?,
            id: CredentialId::parse(&row.id).ok_or_else(unreadable)?,
            pepper: row.pepper,
            created_at: Timestamp::from_micros(row.created_at),
            ends_at: row.ends_at.map(Timestamp::from_micros),
        })
    }
}

pub(super) fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut hash = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != hash.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}

pub(super) fn hash_text(hash: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn networks_text(networks: &[IpNet]) -> String {
    networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// All applications, in no order, with roles and secrets: three passes, so that a million takes seconds.
///
/// # Errors
/// [`StoreError`].
pub async fn all(tx: &mut Tx) -> Result<Vec<Application>, StoreError> {
    let rows: Vec<Row> = on!(tx, connection => sqlx::query_as(ALL).fetch_all(connection).await)?;
    let mut roles: HashMap<String, Vec<RoleId>> = HashMap::new();
    let memberships: Vec<(String, String)> = on!(tx, connection => sqlx::query_as(ROLES).fetch_all(connection).await)?;
    for (client_id, role) in memberships {
        roles.entry(client_id).or_default().push(RoleId::new(role));
    }
    let mut secrets: HashMap<String, Vec<StoredSecret>> = HashMap::new();
    let rows_of_secrets: Vec<SecretRow> = on!(tx, connection => sqlx::query_as(SECRETS).fetch_all(connection).await)?;
    for mut row in rows_of_secrets {
        let client_id = std::mem::take(&mut row.client_id);
        secrets.entry(client_id).or_default().push(row.try_into()?);
    }
    let complete = |row: Row| {
        let mut application = Application::try_from(row)?;
        application.roles = roles.remove(application.client_id.as_str()).unwrap_or_default();
        application.roles.sort_unstable();
        application.secrets = secrets.remove(application.client_id.as_str()).unwrap_or_default();
        Ok(application)
    };
    rows.into_iter().map(complete).collect()
}

async fn complete(tx: &mut Tx, row: Option<Row>) -> Result<Option<Application>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let mut application = Application::try_from(row)?;
    let id = application.client_id.as_str();
    let roles: Vec<(String, String)> =
        on!(tx, connection => sqlx::query_as(ROLES_OF).bind(id).fetch_all(connection).await)?;
    application.roles = roles.into_iter().map(|(_, role)| RoleId::new(role)).collect();
    application.roles.sort_unstable();
    let secrets: Vec<SecretRow> =
        on!(tx, connection => sqlx::query_as(SECRETS_OF).bind(id).fetch_all(connection).await)?;
    application.secrets = secrets.into_iter().map(StoredSecret::try_from).collect::<Result<_, _>>()?;
    Ok(Some(application))
}

/// The application of that `client_id`.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, id: &ClientId) -> Result<Option<Application>, StoreError> {
    let row = on!(tx, connection => sqlx::query_as(GET).bind(id.as_str()).fetch_optional(connection).await)?;
    complete(tx, row).await
}

/// The application of that name, case-folded.
///
/// # Errors
/// [`StoreError`].
pub async fn by_name(tx: &mut Tx, name: &Name) -> Result<Option<Application>, StoreError> {
    let row = on!(tx, connection => sqlx::query_as(BY_NAME).bind(name.key()).fetch_optional(connection).await)?;
    complete(tx, row).await
}

/// At most `limit` applications by name, after the one whose name key is `after` (empty: from the first on).
///
/// # Errors
/// [`StoreError`].
pub async fn page(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<Application>, StoreError> {
    let rows: Vec<Row> = on!(tx, connection => sqlx::query_as(PAGE).bind(after).bind(i64::from(limit))
        .fetch_all(connection).await)?;
    application_list::complete(tx, rows).await
}

/// How many applications there are.
///
/// # Errors
/// [`StoreError`].
pub async fn count(tx: &mut Tx) -> Result<u64, StoreError> {
    let (count,): (i64,) = on!(tx, connection => sqlx::query_as(COUNT).fetch_one(connection).await)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The applications that have the role.
///
/// # Errors
/// [`StoreError`].
pub async fn with_role(tx: &mut Tx, role: &RoleId) -> Result<Vec<ClientId>, StoreError> {
    let rows: Vec<(String,)> =
        on!(tx, connection => sqlx::query_as(BY_ROLE).bind(role.as_str()).fetch_all(connection).await)?;
    Ok(rows.into_iter().filter_map(|(id,)| ClientId::parse(&id)).collect())
}

/// Binds the columns of [`INSERT`], for one row or as one of many.
macro_rules! bind_application {
    ($query:expr, $application:expr) => {{
        let application: &Application = $application;
        $query
            .bind(application.client_id.as_str())
            .bind(application.name.as_str())
            .bind(application.name.key())
            .bind(&application.description)
            .bind(application.enabled)
            .bind(networks_text(&application.networks))
            .bind(application.allow_basic)
            .bind(application.expires_at.map(Timestamp::micros))
            .bind(application.created_at.micros())
            .bind(&application.created_by)
            .bind(&application.owner)
    }};
}
pub(super) use bind_application;

/// Adds an application with its memberships and secrets.
///
/// # Errors
/// [`StoreError::Duplicate`] for a name that is taken, [`StoreError::Dangling`] for a role that is gone.
pub async fn insert(tx: &mut Tx, application: &Application) -> Result<(), StoreError> {
    on!(tx, connection => bind_application!(sqlx::query(INSERT), application)
        .execute(connection).await.map(|_| ()))?;
    insert_roles(tx, application).await?;
    for secret in &application.secrets {
        insert_secret(tx, &application.client_id, secret).await?;
    }
    Ok(())
}

/// Replaces all but `min_seq` and the secrets.
///
/// # Errors
/// [`StoreError::Duplicate`] for a name that is taken, [`StoreError::Dangling`] for a role that is gone.
pub async fn update(tx: &mut Tx, application: &Application) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(UPDATE)
        .bind(application.name.as_str())
        .bind(application.name.key())
        .bind(&application.description)
        .bind(application.enabled)
        .bind(networks_text(&application.networks))
        .bind(application.allow_basic)
        .bind(application.expires_at.map(Timestamp::micros))
        .bind(&application.owner)
        .bind(application.client_id.as_str())
        .execute(connection).await.map(|_| ()))?;
    on!(tx, connection => sqlx::query(DELETE_ROLES).bind(application.client_id.as_str())
        .execute(connection).await.map(|_| ()))?;
    insert_roles(tx, application).await
}

async fn insert_roles(tx: &mut Tx, application: &Application) -> Result<(), StoreError> {
    for role in &application.roles {
        on!(tx, connection => sqlx::query(INSERT_ROLE).bind(application.client_id.as_str()).bind(role.as_str())
            .execute(connection).await.map(|_| ()))?;
    }
    Ok(())
}

/// Removes an application for ever: its `client_id` stays behind as a tombstone.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, application: &Application, now: Timestamp) -> Result<(), StoreError> {
    let id = application.client_id.as_str();
    on!(tx, connection => sqlx::query(DELETE).bind(id).execute(connection).await.map(|_| ()))?;
    on!(tx, connection => sqlx::query(BURY).bind(id).bind(application.name.as_str()).bind(now.micros())
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Whether an application of that `client_id` was deleted.
///
/// # Errors
/// [`StoreError`].
pub async fn is_buried(tx: &mut Tx, id: &ClientId) -> Result<bool, StoreError> {
    let (count,): (i64,) =
        on!(tx, connection => sqlx::query_as(IS_BURIED).bind(id.as_str()).fetch_one(connection).await)?;
    Ok(count > 0)
}

/// Adds a secret's hash.
///
/// # Errors
/// [`StoreError`].
pub async fn insert_secret(tx: &mut Tx, id: &ClientId, secret: &StoredSecret) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(INSERT_SECRET)
        .bind(secret.id.to_string())
        .bind(id.as_str())
        .bind(hash_text(&secret.hash))
        .bind(&secret.pepper)
        .bind(secret.created_at.micros())
        .bind(secret.ends_at.map(Timestamp::micros))
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// The application that has a secret of that hash, alive at `now`.
///
/// # Errors
/// [`StoreError`].
pub async fn by_secret(
    tx: &mut Tx,
    hash: &[u8; 32],
    pepper: &str,
    now: Timestamp,
) -> Result<Option<Application>, StoreError> {
    let row: Option<(String,)> = on!(tx, connection => sqlx::query_as(BY_HASH).bind(hash_text(hash)).bind(pepper)
        .bind(now.micros()).fetch_optional(connection).await)?;
    match row.and_then(|(id,)| ClientId::parse(&id)) {
        Some(id) => get(tx, &id).await,
        None => Ok(None),
    }
}

/// Sets when a secret ends.
///
/// # Errors
/// [`StoreError`].
pub async fn end_secret(tx: &mut Tx, secret: CredentialId, ends_at: Timestamp) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(END_SECRET).bind(ends_at.micros()).bind(secret.to_string())
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Removes a secret's hash.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_secret(tx: &mut Tx, secret: CredentialId) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(DELETE_SECRET).bind(secret.to_string()).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Applications with a secret that has ended by `now`, at most 100.
///
/// # Errors
/// [`StoreError`].
pub async fn with_ended_secret(tx: &mut Tx, now: Timestamp) -> Result<Vec<ClientId>, StoreError> {
    let rows: Vec<(String,)> =
        on!(tx, connection => sqlx::query_as(ENDED).bind(now.micros()).fetch_all(connection).await)?;
    Ok(rows.into_iter().filter_map(|(id,)| ClientId::parse(&id)).collect())
}

/// Notes that a form was submitted.
///
/// # Errors
/// [`StoreError::Duplicate`] if it was submitted before.
pub async fn submit(tx: &mut Tx, submission: &str, id: &ClientId, now: Timestamp) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(SUBMIT).bind(submission).bind(id.as_str()).bind(now.micros())
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Forgets the submissions before `before`: their forms are long gone.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_submissions(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    Ok(on!(tx, connection => sqlx::query(FORGET_SUBMISSIONS).bind(before.micros()).execute(connection).await
        .map(|done| done.rows_affected()))?)
}
