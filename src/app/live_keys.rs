//! Peppers and signing keys, unwrapped and ready.

use crate::ambient::Clock;
use crate::config::SigningAlgorithm;
use crate::crypto::keyring::Keyring;
use crate::crypto::secret::Pepper;
use crate::crypto::token::{Algorithm, SigningKey, VerificationKeys};
use crate::domain::time::Timestamp;
use crate::store::keys::{WrappedPepper, WrappedSigningKey};
use std::sync::Arc;

/// The keys that this node works with.
#[derive(Debug, Default)]
pub struct LiveKeys {
    /// Counts the sets of keys that this process has had.
    pub generation: u64,
    peppers: Vec<Pepper>,
    signing: Vec<ScheduledKey>,
    /// The public keys whose signatures count.
    pub verification: VerificationKeys,
    /// The JWK set as published (RFC 7517 §5).
    pub jwks: String,
    /// What signs the assertions that upstreams get, once it is made.
    pub assertion: Option<Arc<SigningKey>>,
}

#[derive(Debug)]
struct ScheduledKey {
    key: Arc<SigningKey>,
    signs_from: Timestamp,
}

/// A stored key that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the key {name} can't be read: {reason}")]
pub struct KeyFault {
    name: String,
    reason: String,
}

impl KeyFault {
    pub(super) fn new(name: &str, reason: String) -> Self {
        Self { name: name.to_owned(), reason }
    }
}

/// The context under which peppers are wrapped.
#[must_use]
pub fn pepper_context(id: &str) -> String {
    format!("pepper/{id}")
}

/// The context under which signing keys are wrapped.
#[must_use]
pub fn signing_key_context(kid: &str) -> String {
    format!("signing-key/{kid}")
}

/// The context under which the key of the assertions for upstreams is wrapped.
pub const ASSERTION_KEY_CONTEXT: &str = "assertion-key";

/// The algorithm of that key: what libraries for JWT know everywhere.
pub const ASSERTION_ALGORITHM: Algorithm = Algorithm::ES256;

impl LiveKeys {
    /// Adds the key of the assertions for upstreams.
    ///
    /// # Errors
    /// [`KeyFault`] if it can't be read.
    pub fn with_assertion_key(mut self, keyring: &Keyring, wrapped: Option<&str>) -> Result<Self, KeyFault> {
        if let Some(wrapped) = wrapped {
            let fault = |reason: String| KeyFault::new(ASSERTION_KEY_CONTEXT, reason);
            let pkcs8 = keyring.unwrap(ASSERTION_KEY_CONTEXT, wrapped).map_err(|error| fault(error.to_string()))?;
            let key = SigningKey::from_pkcs8(ASSERTION_ALGORITHM, &pkcs8).map_err(|error| fault(error.to_string()))?;
            self.assertion = Some(Arc::new(key));
        }
        Ok(self)
    }

    /// Unwraps what the store holds; signing keys that have ended are left out.
    ///
    /// # Errors
    /// [`KeyFault`] names the key that can't be read.
    pub fn open(
        keyring: &Keyring,
        clock: &Clock,
        peppers: &[WrappedPepper],
        signing: &[WrappedSigningKey],
    ) -> Result<Self, KeyFault> {
        let now = clock.now();
        let mut keys = Self::default();
        for pepper in peppers {
            let fault = |reason: String| KeyFault { name: pepper.id.clone(), reason };
            let bytes =
                keyring.unwrap(&pepper_context(&pepper.id), &pepper.wrapped).map_err(|e| fault(e.to_string()))?;
            let bytes: &[u8; 32] = bytes.as_slice().try_into().map_err(|_| fault("not 32 bytes".to_owned()))?;
            keys.peppers.push(Pepper::new(pepper.id.clone(), bytes));
        }
        let mut public = Vec::new();
        for stored in signing.iter().filter(|stored| stored.ends_at.is_none_or(|end| now < end)) {
            let fault = |reason: String| KeyFault { name: stored.kid.clone(), reason };
            let algorithm = Algorithm::named(&stored.algorithm).ok_or_else(|| fault("unknown algorithm".to_owned()))?;
            let pkcs8 =
                keyring.unwrap(&signing_key_context(&stored.kid), &stored.wrapped).map_err(|e| fault(e.to_string()))?;
            let key = SigningKey::from_pkcs8(algorithm, &pkcs8).map_err(|e| fault(e.to_string()))?;
            public.push(key.public_key().clone());
            keys.signing.push(ScheduledKey { key: Arc::new(key), signs_from: stored.signs_from });
        }
        let jwks: Vec<&serde_json::Value> = keys.signing.iter().map(|scheduled| scheduled.key.public_jwk()).collect();
        keys.jwks = serde_json::json!({ "keys": jwks }).to_string();
        keys.verification = VerificationKeys::new(public);
        Ok(keys)
    }

    /// The key that signs at `now`: the newest that may, of the wanted algorithm if there is one.
    #[must_use]
    pub fn signing_key(&self, now: Timestamp, algorithm: SigningAlgorithm) -> Option<&Arc<SigningKey>> {
        let mut may_sign = self.signing.iter().rev().filter(|scheduled| scheduled.signs_from <= now);
        may_sign
            .clone()
            .find(|scheduled| scheduled.key.algorithm().name() == algorithm.name())
            .or_else(|| may_sign.next())
            .map(|scheduled| &scheduled.key)
    }

    /// Whether a key of that algorithm is there, even if it does not sign yet.
    #[must_use]
    pub fn has_signing_key(&self, algorithm: SigningAlgorithm) -> bool {
        self.signing.iter().any(|scheduled| scheduled.key.algorithm().name() == algorithm.name())
    }

    /// The pepper for new secrets: the newest.
    #[must_use]
    pub fn newest_pepper(&self) -> Option<&Pepper> {
        self.peppers.last()
    }

    /// The pepper at that index.
    #[must_use]
    pub fn pepper(&self, index: u16) -> Option<&Pepper> {
        self.peppers.get(usize::from(index))
    }

    /// The index of the pepper with that id.
    #[must_use]
    pub fn pepper_index(&self, id: &str) -> Option<u16> {
        self.peppers.iter().position(|pepper| pepper.id() == id).and_then(|index| u16::try_from(index).ok())
    }
}
