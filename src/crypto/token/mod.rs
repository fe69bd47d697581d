//! Access tokens: JWT as RFC 9068 says, signed and verified.

mod claims;
mod header;
mod public_key;
mod signing_key;
#[cfg(test)]
mod tests;
mod verify;

pub use claims::Claims;
pub use public_key::{KeyError, PublicKey};
pub use signing_key::SigningKey;
pub use verify::{Expected, FUTURE_TOLERANCE_SECONDS, LONGEST_TOKEN, TokenFault, VerificationKeys};

use serde::{Deserialize, Serialize};

use super::base62;
use crate::ambient::Randomness;
use crate::config::SigningAlgorithm;

/// The signature algorithms that exist here (RFC 7518, RFC 8037). There is no `none` and no HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    #[default]
    ES256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RS256,
}

impl Algorithm {
    /// Every algorithm, the default first.
    pub const ALL: [Self; 3] = [Self::ES256, Self::EdDsa, Self::RS256];

    /// The name in the `alg` header, case-sensitive.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::RS256 => "RS256",
        }
    }

    /// The algorithm of a name as [`Algorithm::name`] gives it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(setting: SigningAlgorithm) -> Self {
        match setting {
            SigningAlgorithm::Es256 => Self::ES256,
            SigningAlgorithm::EdDsa => Self::EdDsa,
            SigningAlgorithm::Rs256 => Self::RS256,
        }
    }
}

/// A new token id: 128 random bits as 22 base62 digits.
#[must_use]
pub fn token_id(randomness: &Randomness) -> String {
    base62::encode::<22>(&randomness.bytes::<16>())
}
