//! How access tokens are made.

use std::{fmt, time::Duration};

use super::{duration::Span, setting::Setting, source::Reader};

/// Settings of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenConfig {
    /// The algorithm of new signing keys.
    pub algorithm: SigningAlgorithm,
    /// From `iat` to `exp`.
    pub lifetime: Duration,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self { algorithm: SigningAlgorithm::Es256, lifetime: Duration::from_mins(10) }
    }
}

impl TokenConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let default = Self::default();
        Self {
            algorithm: reader.value(Setting::SigningAlgorithm, SigningAlgorithm::parse).unwrap_or(default.algorithm),
            lifetime: reader
                .value(Setting::TokenLifetime, Span::between(Duration::from_secs(30), Duration::from_hours(24)))
                .unwrap_or(default.lifetime),
        }
    }
}

/// The algorithms that may sign access tokens (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256: the default.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA PKCS #1 v1.5 with SHA-256, for clients that know nothing newer.
    Rs256,
}

impl SigningAlgorithm {
    /// Reads the name, in any case.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        [Self::Es256, Self::EdDsa, Self::Rs256]
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| "ES256, EdDSA or RS256".to_owned())
    }

    /// The name as in a token's header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
