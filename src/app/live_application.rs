//! Applications as decisions need them: in memory, small, with nothing that is only shown.

use super::live_keys::LiveKeys;
use super::role_set::RoleSetId;
use crate::domain::application::CredentialId;
use crate::domain::time::Timestamp;
use crate::store::live_application::LiveRow;
use ipnet::IpNet;
use std::sync::LazyLock;

/// An application as decisions need it.
#[derive(Clone, Debug)]
pub struct LiveApplication {
    /// Its name.
    pub name: Box<str>,
    /// Its roles.
    pub role_set: RoleSetId,
    /// False while disabled.
    pub enabled: bool,
    /// Whether Basic works on gateways.
    pub allow_basic: bool,
    expires_at: MaybeInstant,
    /// Tokens whose `seq` is lower are dead.
    pub min_seq: u64,
    /// The current secret.
    secret: Option<PackedSecret>,
    /// What few have, apart, so that it takes no room where it is not.
    rare: Option<Box<Rare>>,
}

/// What few applications have.
#[derive(Clone, Debug, Default)]
struct Rare {
    networks: Box<[IpNet]>,
    /// The previous secret during an overlap.
    previous: Option<PackedSecret>,
}

/// An instant or none, in eight bytes.
#[derive(Clone, Copy, Debug)]
struct MaybeInstant(i64);

impl MaybeInstant {
    /// What no instant of a key can be.
    const NONE: i64 = i64::MAX;

    fn of(instant: Option<Timestamp>) -> Self {
        Self(instant.map_or(Self::NONE, Timestamp::micros))
    }

    fn get(self) -> Option<Timestamp> {
        (self.0 != Self::NONE).then(|| Timestamp::from_micros(self.0))
    }
}

/// A secret without padding: with a million of them a byte is a megabyte.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(2))]
struct PackedSecret {
    id: CredentialId,
    hash: [u8; 32],
    pepper: u16,
    ends_at: MaybeInstant,
}

impl PackedSecret {
    fn unpack(self) -> LiveSecret {
        let Self { id, hash, pepper, ends_at } = self;
        LiveSecret { id, hash, pepper, ends_at: ends_at.get() }
    }
}

/// A secret as decisions need it.
#[derive(Clone, Copy, Debug)]
pub struct LiveSecret {
    /// Its id.
    pub id: CredentialId,
    /// Its keyed hash.
    pub hash: [u8; 32],
    /// Which pepper made the hash.
    pub pepper: u16,
    /// The second from which it is dead.
    pub ends_at: Option<Timestamp>,
}

impl LiveSecret {
    /// Whether it is alive at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

impl LiveApplication {
    pub(super) fn of(row: &LiveRow<'_>, role_set: RoleSetId, keys: &LiveKeys) -> Self {
        // A secret under a pepper that this node does not have can't match anything.
        let [secret, previous] = row.secrets.map(|secret| {
            let secret = secret?;
            let pepper = keys.pepper_index(secret.pepper)?;
            Some(PackedSecret { id: secret.id, hash: secret.hash, pepper, ends_at: MaybeInstant::of(secret.ends_at) })
        });
        let rare = Rare { networks: row.networks.as_slice().into(), previous };
        Self {
            name: row.name.into(),
            role_set,
            enabled: row.enabled,
            allow_basic: row.allow_basic,
            expires_at: MaybeInstant::of(row.expires_at),
            min_seq: row.min_seq,
            secret,
            rare: (!rare.networks.is_empty() || rare.previous.is_some()).then(|| Box::new(rare)),
        }
    }

    /// What stands in for an application that is not there: with a secret that nothing matches.
    #[must_use]
    pub fn nobody() -> &'static Self {
        static NOBODY: LazyLock<LiveApplication> = LazyLock::new(|| LiveApplication {
            name: "".into(),
            role_set: RoleSetId::default(),
            enabled: true,
            allow_basic: false,
            expires_at: MaybeInstant::of(None),
            min_seq: 0,
            secret: Some(PackedSecret {
                id: CredentialId::new(0),
                hash: [0; 32],
                pepper: 0,
                ends_at: MaybeInstant::of(None),
            }),
            rare: None,
        });
        &NOBODY
    }

    /// From which networks it may come; empty for any.
    #[must_use]
    pub fn networks(&self) -> &[IpNet] {
        self.rare.as_ref().map_or(&[], |rare| &rare.networks)
    }

    /// Its secrets: the current one, and the previous one during an overlap.
    #[must_use]
    pub fn secrets(&self) -> [Option<LiveSecret>; 2] {
        [self.secret, self.rare.as_ref().and_then(|rare| rare.previous)].map(|secret| secret.map(PackedSecret::unpack))
    }

    /// From when on it is refused.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at.get()
    }

    /// Whether the application may be served at all at `now`, whichever secret it used.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.enabled && self.expires_at().is_none_or(|end| now < end)
    }

    /// Whether the secret of that id is alive at `now`.
    #[must_use]
    pub fn has_live_secret(&self, id: CredentialId, now: Timestamp) -> bool {
        self.secrets().into_iter().flatten().any(|secret| secret.id == id && secret.is_live(now))
    }
}

/// The 22 characters behind `gh_`: a key that lies in the table itself.
pub(super) type ClientKey = [u8; 22];

pub(super) fn client_key(client_id: &str) -> Option<ClientKey> {
    client_id.strip_prefix("gh_")?.as_bytes().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_small() {
        // Beside it lie its key, its name, and its place in the table: 250 bytes at most together (docs/sizing.md).
        assert!(size_of::<LiveApplication>() <= 112, "{}", size_of::<LiveApplication>());
        assert!(align_of::<LiveApplication>() <= 8);
    }
}
