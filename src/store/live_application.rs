//! All applications as decisions need them, for the start of a node: one pass over each table, a text for each row. A million
//! rows of several columns would take several times as long to come out of the database.

use super::{StoreError, Tx, on, statements};
use crate::domain::application::{Application, ClientId, CredentialId, StoredSecret};
use crate::domain::name::Name;
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use futures_util::TryStreamExt as _;
use ipnet::IpNet;
use std::collections::HashMap;

statements! {
    APPLICATIONS = "SELECT client_id || CASE WHEN enabled THEN '1' ELSE '0' END || CASE WHEN allow_basic THEN '1' ELSE '0' END \
        || COALESCE(CAST(expires_at AS TEXT), '') || '|' || CAST(min_seq AS TEXT) || '|' || networks || '|' || name AS line \
        FROM application";
    MEMBERSHIPS = "SELECT client_id || role_id AS line FROM application_role";
    SECRETS = "SELECT client_id || id || hash || CAST(created_at AS TEXT) || '|' || COALESCE(CAST(ends_at AS TEXT), '') \
        || '|' || pepper AS line FROM api_secret";
}

/// Bytes of a `client_id`, of a secret's id, and of its hash.
const CLIENT_ID: usize = 25;
const CREDENTIAL_ID: usize = 32;
const HASH: usize = 64;

/// The `client_id` without allocation: a million of them are looked up.
type Key = [u8; CLIENT_ID];

/// Shows every application, in no order, with its roles and secrets, and without what is only for people: description,
/// owner, when and by whom it was made.
///
/// # Errors
/// [`StoreError`].
pub async fn for_each(tx: &mut Tx, mut visit: impl FnMut(&Application) + Send) -> Result<(), StoreError> {
    let mut roles = memberships(tx).await?;
    let mut secrets = all_secrets(tx).await?;
    each_line(tx, APPLICATIONS, |line| {
        let (key, rest) = split_key(line)?;
        let mut application = application(line, rest)?;
        application.roles = roles.take(&key);
        application.secrets = secrets.remove(&key).map_or_else(Vec::new, Secrets::newest_first);
        visit(&application);
        Some(())
    })
    .await
}

/// Runs the statement and reads its lines as they come.
async fn each_line(
    tx: &mut Tx,
    statement: &'static str,
    mut read: impl FnMut(&str) -> Option<()>,
) -> Result<(), StoreError> {
    on!(tx, connection => {
        let mut lines = sqlx::query_scalar::<_, String>(statement).fetch(connection);
        while let Some(line) = lines.try_next().await? {
            read(&line).ok_or_else(|| {
                let begin: String = line.chars().take(CLIENT_ID).collect();
                StoreError::Unreadable(format!("application {begin}: a row of its tables"))
            })?;
        }
        Ok(())
    })
}

fn split_key(line: &str) -> Option<(Key, &str)> {
    let (key, rest) = line.split_at_checked(CLIENT_ID)?;
    Some((key.as_bytes().try_into().ok()?, rest))
}

fn application(line: &str, rest: &str) -> Option<Application> {
    let (flags, rest) = rest.split_at_checked(2)?;
    let mut parts = rest.splitn(4, '|');
    let (expires_at, min_seq, networks, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let networks: Result<Vec<IpNet>, _> = networks.split_ascii_whitespace().map(str::parse).collect();
    Some(Application {
        client_id: ClientId::parse(line.get(..CLIENT_ID)?)?,
        name: Name::parse(name).ok()?,
        description: String::new(),
        roles: Vec::new(),
        enabled: flags.starts_with('1'),
        networks: networks.ok()?,
        allow_basic: flags.ends_with('1'),
        expires_at: instant(expires_at).ok()?,
        min_seq: min_seq.parse().ok()?,
        created_at: Timestamp::from_micros(0),
        created_by: String::new(),
        owner: None,
        secrets: Vec::new(),
    })
}

/// An instant in microseconds; none for an empty text.
fn instant(text: &str) -> Result<Option<Timestamp>, std::num::ParseIntError> {
    if text.is_empty() { Ok(None) } else { text.parse().map(|micros| Some(Timestamp::from_micros(micros))) }
}

/// Who has which roles; each role's id is kept once.
#[derive(Default)]
struct Memberships {
    roles: Vec<RoleId>,
    of: HashMap<Key, Numbers>,
}

/// Numbers of roles: mostly one.
enum Numbers {
    One(u32),
    Many(Vec<u32>),
}

impl Memberships {
    /// The roles of an application, in the order in which sets of them are compared.
    fn take(&mut self, key: &Key) -> Vec<RoleId> {
        let numbers = match self.of.remove(key) {
            None => Vec::new(),
            Some(Numbers::One(number)) => vec![number],
            Some(Numbers::Many(numbers)) => numbers,
        };
        let mut roles: Vec<RoleId> =
            numbers.into_iter().filter_map(|number| self.roles.get(number as usize).cloned()).collect();
        roles.sort_unstable();
        roles
    }
}

async fn memberships(tx: &mut Tx) -> Result<Memberships, StoreError> {
    let mut memberships = Memberships::default();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    each_line(tx, MEMBERSHIPS, |line| {
        let (key, role) = split_key(line)?;
        let number = if let Some(number) = numbers.get(role) {
            *number
        } else {
            let number = u32::try_from(memberships.roles.len()).ok()?;
            memberships.roles.push(RoleId::new(role));
            numbers.insert(role.to_owned(), number);
            number
        };
        memberships
            .of
            .entry(key)
            .and_modify(|known| match known {
                Numbers::One(first) => *known = Numbers::Many(vec![*first, number]),
                Numbers::Many(more) => more.push(number),
            })
            .or_insert(Numbers::One(number));
        Some(())
    })
    .await?;
    Ok(memberships)
}

/// The secrets of an application: mostly one.
enum Secrets {
    One(StoredSecret),
    Many(Vec<StoredSecret>),
}

impl Secrets {
    /// The one without an end first, then the newest: the order of every other reader.
    fn newest_first(self) -> Vec<StoredSecret> {
        let mut secrets = match self {
            Self::One(secret) => return vec![secret],
            Self::Many(secrets) => secrets,
        };
        secrets.sort_by_key(|secret| (secret.ends_at.is_some(), std::cmp::Reverse(secret.created_at), secret.id));
        secrets
    }
}

async fn all_secrets(tx: &mut Tx) -> Result<HashMap<Key, Secrets>, StoreError> {
    let mut all: HashMap<Key, Secrets> = HashMap::new();
    each_line(tx, SECRETS, |line| {
        let (key, rest) = split_key(line)?;
        let secret = secret(rest)?;
        match all.remove(&key) {
            None => all.insert(key, Secrets::One(secret)),
            Some(Secrets::One(first)) => all.insert(key, Secrets::Many(vec![first, secret])),
            Some(Secrets::Many(mut more)) => {
                more.push(secret);
                all.insert(key, Secrets::Many(more))
            }
        };
        Some(())
    })
    .await?;
    Ok(all)
}

fn secret(text: &str) -> Option<StoredSecret> {
    let (id, rest) = text.split_at_checked(CREDENTIAL_ID)?;
    let (hash, rest) = rest.split_at_checked(HASH)?;
    let mut parts = rest.splitn(3, '|');
    let (created_at, ends_at, pepper) = (parts.next()?, parts.next()?, parts.next()?);
    Some(StoredSecret {
        id: CredentialId::parse(id)?,
        hash: super::application::parse_hash(hash)?,
        pepper: pepper.to_owned(),
        created_at: Timestamp::from_micros(created_at.parse().ok()?),
        ends_at: instant(ends_at).ok()?,
    })
}
