//! Applications and their API keys.

use super::name::Name;
use super::role::RoleId;
use super::time::Timestamp;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// A `client_id`: `gh_` and 22 base62 characters, for life, never used again. It is the application's id everywhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Parses the exact form; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::is(text).then(|| Self(text.to_owned()))
    }

    /// Whether a text has that form.
    #[must_use]
    pub fn is(text: &str) -> bool {
        let digits = text.strip_prefix("gh_");
        digits.is_some_and(|digits| digits.len() == 22 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A secret's id: 128 random bits, written as 32 hexadecimal digits; the `cred` claim of tokens issued with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId([u8; 16]);

impl CredentialId {
    /// The id made of these bits.
    #[must_use]
    pub const fn new(bits: u128) -> Self {
        // As bytes, because a million of them need not be aligned.
        Self(bits.to_be_bytes())
    }

    /// Parses the exact form; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if valid { u128::from_str_radix(text, 16).ok().map(Self::new) } else { None }
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// One of an application's live secrets, as the store holds it: a keyed hash, never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSecret {
    /// Its id.
    pub id: CredentialId,
    /// HMAC-SHA-256 of the secret under the pepper.
    pub hash: [u8; 32],
    /// The pepper's id.
    pub pepper: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The second from which it is dead; `None` while it is the current one.
    pub ends_at: Option<Timestamp>,
}

impl StoredSecret {
    /// Whether it is alive at `now`: dead from the stated second on.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

/// The named identity of an external application, with its API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its `client_id`.
    pub client_id: ClientId,
    /// Its name, unique case-folded among living applications.
    pub name: Name,
    /// What it is for, in somebody's words; may be empty.
    pub description: String,
    /// Its roles, sorted by id.
    pub roles: Vec<RoleId>,
    /// False while disabled.
    pub enabled: bool,
    /// From which networks it may come; empty for any.
    pub networks: Vec<IpNet>,
    /// Whether `client_id:client_secret` works as HTTP Basic on gateways.
    pub allow_basic: bool,
    /// From when on it is refused; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// Tokens whose `seq` is lower are dead.
    pub min_seq: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom, as shown to people.
    pub created_by: String,
    /// The id of the console user who answers for it, if somebody does.
    pub owner: Option<String>,
    /// Its secrets: one, or two during an overlap, newest first.
    pub secrets: Vec<StoredSecret>,
}

/// What an administrator sees at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationStatus {
    /// Alive.
    Active,
    /// Alive, and the previous secret still works until then.
    OverlapUntil(Timestamp),
    /// Past its expiry.
    Expired,
    /// Switched off.
    Disabled,
}

impl Application {
    /// Its status at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> ApplicationStatus {
        if !self.enabled {
            return ApplicationStatus::Disabled;
        }
        if self.is_expired(now) {
            return ApplicationStatus::Expired;
        }
        let overlap = self.old_secret(now).and_then(|secret| secret.ends_at);
        overlap.map_or(ApplicationStatus::Active, ApplicationStatus::OverlapUntil)
    }

    /// The older secret while an overlap is running.
    #[must_use]
    pub fn old_secret(&self, now: Timestamp) -> Option<&StoredSecret> {
        self.secrets.iter().find(|secret| secret.ends_at.is_some() && secret.is_live(now))
    }

    /// Whether its expiry has passed.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }
}

/// Whether an address lies in one of the networks; an empty list allows every address.
#[must_use]
pub fn network_allowed(networks: &[IpNet], address: IpAddr) -> bool {
    // An IPv4 caller on a dual-stack socket appears as ::ffff:a.b.c.d and must match IPv4 networks.
    let address = address.to_canonical();
    networks.is_empty() || networks.iter().any(|network| network.contains(&address))
}
