//! All applications as decisions need them, for the start of a node: one pass over each table, side by side if there are
//! transactions for it, a text for each row. A million rows of several columns would take several times as long.

mod belongings;
mod table;

use super::{StoreError, Tx, statements};
use crate::domain::application::{Application, ClientId, CredentialId};
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use belongings::{Memberships, Secrets};
use ipnet::IpNet;
use table::each_line;
use tokio::task::{JoinError, JoinSet};

statements! {
    APPLICATIONS = "SELECT client_id || CASE WHEN enabled THEN '1' ELSE '0' END || CASE WHEN allow_basic THEN '1' ELSE '0' END \
        || COALESCE(CAST(expires_at AS TEXT), '') || '|' || CAST(min_seq AS TEXT) || '|' || networks || '|' || name AS line \
        FROM application";
    MEMBERSHIPS = "SELECT client_id || role_id AS line FROM application_role";
    SECRETS = "SELECT client_id || id || hash || CAST(created_at AS TEXT) || '|' || COALESCE(CAST(ends_at AS TEXT), '') \
        || '|' || pepper AS line FROM api_secret";
}

/// How many transactions [`for_each`] can use.
pub const TABLE_COUNT: usize = 3;

/// Bytes of a `client_id`, of a secret's id, and of its hash.
const CLIENT_ID: usize = 25;
const CREDENTIAL_ID: usize = 32;
const HASH: usize = 64;

/// The `client_id` without allocation: a million of them are looked up.
type Key = [u8; CLIENT_ID];

/// An application without what is only for people: description, owner, when and by whom it was made.
#[derive(Debug)]
pub struct LiveRow<'a> {
    /// Its `client_id`.
    pub client_id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its roles, sorted by id.
    pub roles: &'a [RoleId],
    /// False while disabled.
    pub enabled: bool,
    /// From which networks it may come; empty for any.
    pub networks: Vec<IpNet>,
    /// Whether Basic works on gateways.
    pub allow_basic: bool,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Tokens whose `seq` is lower are dead.
    pub min_seq: u64,
    /// Its secrets: the current one, and the previous one during an overlap.
    pub secrets: [Option<SecretRow<'a>>; 2],
}

/// A secret without when it was made.
#[derive(Clone, Copy, Debug)]
pub struct SecretRow<'a> {
    /// Its id.
    pub id: CredentialId,
    /// HMAC-SHA-256 of the secret under the pepper.
    pub hash: [u8; 32],
    /// The pepper's id.
    pub pepper: &'a str,
    /// The second from which it is dead.
    pub ends_at: Option<Timestamp>,
}

impl<'a> LiveRow<'a> {
    /// What decisions need of an application.
    #[must_use]
    pub fn of(application: &'a Application) -> Self {
        let mut secrets = application.secrets.iter().map(|secret| SecretRow {
            id: secret.id,
            hash: secret.hash,
            pepper: &secret.pepper,
            ends_at: secret.ends_at,
        });
        Self {
            client_id: application.client_id.as_str(),
            name: application.name.as_str(),
            roles: &application.roles,
            enabled: application.enabled,
            networks: application.networks.clone(),
            allow_basic: application.allow_basic,
            expires_at: application.expires_at,
            min_seq: application.min_seq,
            // Two at most (SECURITY 12).
            secrets: [secrets.next(), secrets.next()],
        }
    }
}

/// Shows every application, in no order; there are about `count`. The transactions must see one and the same state; one is
/// enough.
///
/// # Errors
/// [`StoreError`].
pub async fn for_each(
    transactions: Vec<Tx>,
    count: usize,
    mut visit: impl FnMut(&LiveRow<'_>) + Send,
) -> Result<(), StoreError> {
    let mut readers = JoinSet::new();
    let [memberships, secrets, mut applications] = table::read(transactions, &mut readers);
    let memberships = tokio::spawn(Memberships::of(memberships, count));
    let secrets = tokio::spawn(Secrets::of(secrets, count));
    let memberships = memberships.await.map_err(|fault| broken(&fault))??;
    let secrets = secrets.await.map_err(|fault| broken(&fault))??;
    each_line(&mut applications, |line| {
        let (key, rest) = split_key(line)?;
        let (id, roles) = (ClientId::is(&line[..CLIENT_ID]).then_some(&line[..CLIENT_ID])?, memberships.roles(&key));
        visit(&application(id, rest, roles.as_slice(), secrets.newest_first(&key))?);
        Some(())
    })
    .await?;
    while let Some(outcome) = readers.join_next().await {
        outcome.map_err(|fault| broken(&fault))??;
    }
    Ok(())
}

/// A task that did not come to its end.
fn broken(fault: &JoinError) -> StoreError {
    StoreError::Unavailable(fault.to_string())
}

fn split_key(line: &str) -> Option<(Key, &str)> {
    let (key, rest) = line.split_at_checked(CLIENT_ID)?;
    Some((key.as_bytes().try_into().ok()?, rest))
}

fn application<'a>(
    client_id: &'a str,
    rest: &'a str,
    roles: &'a [RoleId],
    secrets: [Option<SecretRow<'a>>; 2],
) -> Option<LiveRow<'a>> {
    let (flags, rest) = rest.split_at_checked(2)?;
    let mut parts = rest.splitn(4, '|');
    let (expires_at, min_seq, networks, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let networks: Result<Vec<IpNet>, _> = networks.split_ascii_whitespace().map(str::parse).collect();
    Some(LiveRow {
        client_id,
        name,
        roles,
        enabled: flags.starts_with('1'),
        networks: networks.ok()?,
        allow_basic: flags.ends_with('1'),
        expires_at: instant(expires_at).ok()?,
        min_seq: min_seq.parse().ok()?,
        secrets,
    })
}

/// An instant in microseconds; none for an empty text.
fn instant(text: &str) -> Result<Option<Timestamp>, std::num::ParseIntError> {
    if text.is_empty() { Ok(None) } else { text.parse().map(|micros| Some(Timestamp::from_micros(micros))) }
}
