//! What belongs to applications, by `client_id`, until they are put together.

use super::table::{Lines, each_line};
use super::{CREDENTIAL_ID, HASH, Key, SecretRow, instant, split_key};
use crate::domain::application::CredentialId;
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::application::parse_hash;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// What belongs to applications, mostly one each: the last one of an application, and from each the one before.
struct Belongings<T> {
    last: HashMap<Key, u32, BuildHasherDefault<KeyHasher>>,
    items: Vec<(T, Option<u32>)>,
}

/// The ids are random, and made by the hub: a few of their characters tell them apart.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.rchunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517C_C1B7_2722_0A95);
        }
    }

    fn finish(&self) -> u64 {
        // The table looks at the highest bits and at the lowest ones.
        self.0 ^ (self.0 >> 32)
    }
}

impl<T> Belongings<T> {
    /// Room for one each, so that nothing is moved about and left behind while it grows.
    fn with_capacity(count: usize) -> Self {
        Self {
            last: HashMap::with_capacity_and_hasher(count, BuildHasherDefault::default()),
            items: Vec::with_capacity(count),
        }
    }

    fn add(&mut self, key: Key, item: T) -> Option<()> {
        let number = u32::try_from(self.items.len()).ok()?;
        let before = self.last.insert(key, number);
        self.items.push((item, before));
        Some(())
    }

    fn of(&self, key: &Key) -> impl Iterator<Item = &T> {
        let item = |number: u32| self.items.get(number as usize);
        let last = self.last.get(key).and_then(|number| item(*number));
        std::iter::successors(last, move |(_, before)| before.and_then(item)).map(|(item, _)| item)
    }
}

/// Texts that return again and again, each kept once.
#[derive(Default)]
struct Recurring {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Recurring {
    fn number(&mut self, text: &str) -> Option<u32> {
        if let Some(known) = self.numbers.get(text) {
            return Some(*known);
        }
        let number = u32::try_from(self.texts.len()).ok()?;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        Some(number)
    }
}

/// Who has which roles.
pub(super) struct Memberships {
    roles: Vec<RoleId>,
    of: Belongings<u32>,
}

/// The roles of an application: mostly one, which needs no list of its own.
pub(super) enum Roles<'a> {
    One(&'a RoleId),
    Many(Vec<RoleId>),
}

impl Roles<'_> {
    pub(super) fn as_slice(&self) -> &[RoleId] {
        match self {
            Self::One(role) => std::slice::from_ref(role),
            Self::Many(roles) => roles,
        }
    }
}

impl Memberships {
    pub(super) async fn of(mut lines: Lines, count: usize) -> Result<Self, StoreError> {
        let (mut of, mut roles) = (Belongings::with_capacity(count), Recurring::default());
        each_line(&mut lines, |line| {
            let (key, role) = split_key(line)?;
            of.add(key, roles.number(role)?)
        })
        .await?;
        Ok(Self { roles: roles.texts.into_iter().map(RoleId::new).collect(), of })
    }

    /// The roles of an application, in the order in which sets of them are compared.
    pub(super) fn roles(&self, key: &Key) -> Roles<'_> {
        let mut roles = self.of.of(key).filter_map(|number| self.roles.get(*number as usize));
        match (roles.next(), roles.next()) {
            (Some(one), None) => Roles::One(one),
            (first, second) => {
                let mut all: Vec<RoleId> = first.into_iter().chain(second).chain(roles).cloned().collect();
                all.sort_unstable();
                Roles::Many(all)
            }
        }
    }
}

/// Who has which secrets.
pub(super) struct Secrets {
    peppers: Vec<String>,
    of: Belongings<Secret>,
}

struct Secret {
    id: CredentialId,
    hash: [u8; 32],
    pepper: u32,
    created_at: Timestamp,
    ends_at: Option<Timestamp>,
}

impl Secrets {
    pub(super) async fn of(mut lines: Lines, count: usize) -> Result<Self, StoreError> {
        let (mut of, mut peppers) = (Belongings::with_capacity(count), Recurring::default());
        each_line(&mut lines, |line| {
            let (key, rest) = split_key(line)?;
            of.add(key, secret(rest, &mut peppers)?)
        })
        .await?;
        Ok(Self { peppers: peppers.texts, of })
    }

    /// The one without an end first, then the newest: the order of every other reader. Two at most (SECURITY 12).
    pub(super) fn newest_first(&self, key: &Key) -> [Option<SecretRow<'_>>; 2] {
        let mut all = self.of.of(key);
        let mut first = [all.next(), all.next()];
        let mut many = Vec::new();
        if first[1].is_some() {
            many.extend(first.into_iter().flatten().chain(all));
            many.sort_by_key(|secret| (secret.ends_at.is_some(), Reverse(secret.created_at), secret.id));
            first = [many.first().copied(), many.get(1).copied()];
        }
        first.map(|secret| secret.and_then(|secret| self.row(secret)))
    }

    fn row(&self, secret: &Secret) -> Option<SecretRow<'_>> {
        let pepper = self.peppers.get(secret.pepper as usize)?;
        Some(SecretRow { id: secret.id, hash: secret.hash, pepper, ends_at: secret.ends_at })
    }
}

fn secret(text: &str, peppers: &mut Recurring) -> Option<Secret> {
    let (id, rest) = text.split_at_checked(CREDENTIAL_ID)?;
    let (hash, rest) = rest.split_at_checked(HASH)?;
    let mut parts = rest.splitn(3, '|');
    let (created_at, ends_at, pepper) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Secret {
        id: CredentialId::parse(id)?,
        hash: parse_hash(hash)?,
        pepper: peppers.number(pepper)?,
        created_at: Timestamp::from_micros(created_at.parse().ok()?),
        ends_at: instant(ends_at).ok()?,
    })
}
