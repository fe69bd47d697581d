//! Applications as decisions need them: in memory, small, with nothing that is only shown.

use super::live_keys::LiveKeys;
use super::role_set::RoleSetId;
use crate::domain::application::{Application, CredentialId};
use crate::domain::time::Timestamp;
use ipnet::IpNet;

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
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Tokens whose `seq` is lower are dead.
    pub min_seq: u64,
    /// From which networks it may come; empty for any.
    pub networks: Box<[IpNet]>,
    /// Its secrets: the current one, and the previous one during an overlap.
    pub secrets: [Option<LiveSecret>; 2],
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
    pub(super) fn of(application: &Application, role_set: RoleSetId, keys: &LiveKeys) -> Self {
        let mut secrets = [None, None];
        // Two at most (SECURITY 12); a secret under a pepper that this node does not have can't match anything.
        for (place, secret) in secrets.iter_mut().zip(&application.secrets) {
            *place = keys.pepper_index(&secret.pepper).map(|pepper| LiveSecret {
                id: secret.id,
                hash: secret.hash,
                pepper,
                ends_at: secret.ends_at,
            });
        }
        Self {
            name: application.name.as_str().into(),
            role_set,
            enabled: application.enabled,
            allow_basic: application.allow_basic,
            expires_at: application.expires_at,
            min_seq: application.min_seq,
            networks: application.networks.clone().into_boxed_slice(),
            secrets,
        }
    }

    /// Whether the application may be served at all at `now`, whichever secret it used.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.enabled && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether the secret of that id is alive at `now`.
    #[must_use]
    pub fn has_live_secret(&self, id: CredentialId, now: Timestamp) -> bool {
        self.secrets.iter().flatten().any(|secret| secret.id == id && secret.is_live(now))
    }
}

/// The 22 characters behind `gh_`: a key that lies in the table itself.
pub(super) type ClientKey = [u8; 22];

pub(super) fn client_key(client_id: &str) -> Option<ClientKey> {
    client_id.strip_prefix("gh_")?.as_bytes().try_into().ok()
}
