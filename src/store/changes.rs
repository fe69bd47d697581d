//! The feed of changes, by which every node learns what another one did.

use super::rows::{ROWS, widened};
use super::{StoreError, Tx, audit_event, migrate, notify, on, statements};
use crate::domain::application::ClientId;
use crate::domain::audit_event::AuditEvent;
use crate::domain::gateway::GatewayId;
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use std::sync::LazyLock;

statements! {
    /// Bumping the one row makes writers queue up here: numbers become visible in order and without gaps, which a
    /// sequence does not promise.
    BUMP = "UPDATE change_counter SET seq = seq + $2 WHERE id = $1 RETURNING seq";
    SERIALISE = "UPDATE change_counter SET seq = seq WHERE id = $1";
    INSERT = "INSERT INTO change (seq, id, kind, target, at) VALUES ($1, $2, $3, $4, $5)";
    RAISE_MIN_SEQ = "UPDATE application SET min_seq = $1 WHERE client_id = $2";
    HEAD = "SELECT c.seq, COALESCE((SELECT f.id FROM change f WHERE f.seq = c.seq), '') AS id FROM change_counter c WHERE c.id = 1";
    AT = "SELECT at FROM change WHERE seq = $1";
    FROM = "SELECT seq, id, kind, target FROM change WHERE seq >= $1 ORDER BY seq LIMIT $2";
}

static INSERT_MANY: LazyLock<String> = LazyLock::new(|| widened(INSERT));

const CHANGE_COUNTER: i64 = 1;
const AUDIT_COUNTER: i64 = 2;

/// What was changed, so that nodes know what to read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An application, its key or its roles.
    Application(ClientId),
    /// An application, all of whose tokens so far die with this change: its `min_seq` becomes the change's number.
    ApplicationTokens(ClientId),
    /// A role.
    Role(RoleId),
    /// A gateway, its settings or its credentials.
    Gateway(GatewayId),
    /// A console user.
    ConsoleUser(String),
    /// The signing keys or peppers.
    Keys,
    /// A revoked token, by its `jti`.
    Token(String),
    /// A kind that a newer program wrote and this one does not know: everything is read again.
    Unknown,
}

impl Change {
    fn columns(&self) -> (&'static str, &str) {
        match self {
            Self::Application(id) | Self::ApplicationTokens(id) => ("application", id.as_str()),
            Self::Role(id) => ("role", id.as_str()),
            Self::Gateway(id) => ("gateway", id.as_str()),
            Self::ConsoleUser(id) => ("console_user", id),
            Self::Keys => ("keys", ""),
            Self::Token(jti) => ("token", jti),
            Self::Unknown => ("unknown", ""),
        }
    }

    fn parse(kind: &str, target: String) -> Self {
        match kind {
            "application" => ClientId::parse(&target).map_or(Self::Unknown, Self::Application),
            "role" => Self::Role(RoleId::new(target)),
            "gateway" => Self::Gateway(GatewayId::new(target)),
            "console_user" => Self::ConsoleUser(target),
            "keys" => Self::Keys,
            "token" => Self::Token(target),
            _ => Self::Unknown,
        }
    }
}

pub(super) struct Recorded {
    pub(super) changes: Vec<Change>,
    pub(super) event: AuditEvent,
}

/// A place in the feed: the number of a change and its random id. A store that was put back to an earlier state has
/// another id, or none, at the same number.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The change's number; 0 before the first.
    pub seq: u64,
    /// Its id; empty before the first.
    pub id: String,
}

/// One change as a node reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its place.
    pub cursor: Cursor,
    /// What was changed.
    pub change: Change,
}

/// Writes what was recorded; the numbers come last but for the audit events, which carry numbers of their own.
pub(super) async fn write(tx: &mut Tx, recorded: Vec<Recorded>) -> Result<Option<u64>, StoreError> {
    if recorded.is_empty() {
        return Ok(None);
    }
    // A program that can't read the schema any more must not write to it either.
    migrate::check_readable(tx).await?;
    let count = recorded.iter().map(|recorded| recorded.changes.len()).sum();
    let mut seq = if count == 0 { 0 } else { bump(tx, CHANGE_COUNTER, count).await? };
    let mut numbered: Vec<Numbered<'_>> = Vec::with_capacity(count);
    for Recorded { changes, event } in &recorded {
        for change in changes {
            numbered.push(Numbered { seq, id: event.id_for(seq), change, at: event.at.micros() });
            seq += 1;
        }
    }
    insert(tx, &numbered).await?;
    for Numbered { seq, change, .. } in &numbered {
        if let Change::ApplicationTokens(client_id) = change {
            on!(tx, connection => sqlx::query(RAISE_MIN_SEQ).bind(*seq).bind(client_id.as_str())
                .execute(connection).await.map(|_| ()))?;
        }
    }
    let first = bump(tx, AUDIT_COUNTER, recorded.len()).await?;
    let events: Vec<(i64, &AuditEvent)> = (first..).zip(recorded.iter().map(|recorded| &recorded.event)).collect();
    audit_event::append(tx, &events).await?;
    if count > 0 && tx.notifies() {
        notify::send(tx, "").await?;
    }
    Ok(numbered.last().map(|last| u64::try_from(last.seq).unwrap_or_default()))
}

/// A change with its number.
struct Numbered<'a> {
    seq: i64,
    id: String,
    change: &'a Change,
    at: i64,
}

async fn insert(tx: &mut Tx, changes: &[Numbered<'_>]) -> Result<(), StoreError> {
    for chunk in changes.chunks(ROWS) {
        let chunks = if chunk.len() == ROWS { vec![chunk] } else { chunk.chunks(1).collect() };
        for chunk in chunks {
            on!(tx, connection => {
                let mut query = sqlx::query(if chunk.len() == ROWS { INSERT_MANY.as_str() } else { INSERT });
                for Numbered { seq, id, change, at } in chunk {
                    let (kind, target) = change.columns();
                    query = query.bind(*seq).bind(id).bind(kind).bind(target).bind(*at);
                }
                query.execute(connection).await.map(|_| ())
            })?;
        }
    }
    Ok(())
}

/// Takes so many numbers, and gives the first of them.
async fn bump(tx: &mut Tx, counter: i64, count: usize) -> Result<i64, StoreError> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let (last,): (i64,) =
        on!(tx, connection => sqlx::query_as(BUMP).bind(counter).bind(count).fetch_one(connection).await)?;
    Ok(last - count + 1)
}

/// Makes this transaction wait for every other writer of security state, and them for it: for rules that hold over
/// several rows, such as that one administrator stays.
///
/// # Errors
/// [`StoreError`].
pub async fn serialise(tx: &mut Tx) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(SERIALISE).bind(CHANGE_COUNTER).execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// The place of the last change.
///
/// # Errors
/// [`StoreError`].
pub async fn head(tx: &mut Tx) -> Result<Cursor, StoreError> {
    let (seq, id): (i64, String) = on!(tx, connection => sqlx::query_as(HEAD).fetch_one(connection).await)?;
    Ok(Cursor { seq: u64::try_from(seq).unwrap_or_default(), id })
}

/// When the change of that number was made; `None` if there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn made_at(tx: &mut Tx, seq: u64) -> Result<Option<Timestamp>, StoreError> {
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let row: Option<(i64,)> = on!(tx, connection => sqlx::query_as(AT).bind(seq).fetch_optional(connection).await)?;
    Ok(row.map(|(at,)| Timestamp::from_micros(at)))
}

/// At most `limit` changes from number `from` on, in order.
///
/// # Errors
/// [`StoreError`].
pub async fn from(tx: &mut Tx, from: u64, limit: u32) -> Result<Vec<FeedEntry>, StoreError> {
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let rows: Vec<(i64, String, String, String)> =
        on!(tx, connection => sqlx::query_as(FROM).bind(from).bind(i64::from(limit)).fetch_all(connection).await)?;
    let entry = |(seq, id, kind, target): (i64, String, String, String)| FeedEntry {
        cursor: Cursor { seq: u64::try_from(seq).unwrap_or_default(), id },
        change: Change::parse(&kind, target),
    };
    Ok(rows.into_iter().map(entry).collect())
}
