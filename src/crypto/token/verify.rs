//! The one verifier of access tokens: signature and claims. What the snapshot decides (`cred`, `seq`, `jti`, the
//! audience of the route) is checked by its callers, at each request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::header::Header;
use super::{Algorithm, Claims, PublicKey};
use crate::domain::time::Timestamp;

/// The longest token that is looked at, in bytes. Ours have at most about 4 KiB.
pub const LONGEST_TOKEN: usize = 8 * 1024;

/// How far a token's `iat` may lie in the future, for nodes whose clocks differ.
pub const FUTURE_TOLERANCE_SECONDS: i64 = 10;

/// The public keys whose signatures count, by `kid`.
#[derive(Clone, Debug, Default)]
pub struct VerificationKeys {
    keys: Vec<PublicKey>,
}

/// What a token must agree with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The hub's public URL, exactly as in `iss`.
    pub issuer: &'a str,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why a token is refused. The texts go to callers, and so never repeat what the token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Longer than [`LONGEST_TOKEN`].
    #[error("the access token is too long")]
    TooLong,
    /// Not three base64url parts with a JSON header.
    #[error("the access token is malformed")]
    Malformed,
    /// `typ` is not `at+jwt` (RFC 9068 §4).
    #[error("the token is not an access token")]
    Type,
    /// A `crit` header parameter.
    #[error("the access token uses an extension that is not supported")]
    Critical,
    /// An algorithm that is not allowed, or not the key's.
    #[error("the access token's signature algorithm is not accepted")]
    Algorithm,
    /// A `kid` that is none of ours, not even of a key that still verifies.
    #[error("the access token was signed with an unknown or retired key")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the access token's signature is invalid")]
    Signature,
    /// The claims are no JSON object, repeat a member, or a claim has the wrong type.
    #[error("the access token's claims are malformed")]
    MalformedClaims,
    /// A required claim is missing.
    #[error("the access token lacks the claim `{0}`")]
    MissingClaim(&'static str),
    /// `sub` is not the `client_id`.
    #[error("the access token's subject is not its client")]
    Subject,
    /// Another issuer.
    #[error("the access token was issued by another server")]
    Issuer,
    /// Issued too far in the future.
    #[error("the access token is not valid yet")]
    Future,
    /// `exp` has come.
    #[error("the access token has expired")]
    Expired,
}

impl VerificationKeys {
    /// The keys that verify from now on.
    #[must_use]
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self { keys }
    }

    /// The keys, for the JWKS.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// Checks form, header, signature, claims and time, in this order (RFC 9068 §4, RFC 8725).
    ///
    /// # Errors
    /// The first fault found. Nothing of a token counts before its signature holds.
    pub fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<Claims, TokenFault> {
        if token.len() > LONGEST_TOKEN {
            return Err(TokenFault::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenFault::Malformed)?;
        // A fourth part fails here: a dot is not in the base64url alphabet.
        let payload = decode(payload)?;
        let signature = decode(signature)?;
        let key = self.key_for(&decode(header)?)?;
        if !key.verifies(message.as_bytes(), &signature) {
            return Err(TokenFault::Signature);
        }
        let claims = Claims::from_json(&payload)?;
        // Nothing was issued before 1970, and no id of ours has other characters.
        if claims.iat < 0 || claims.jti.is_empty() || !claims.jti.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenFault::MalformedClaims);
        }
        if claims.iss != expected.issuer {
            return Err(TokenFault::Issuer);
        }
        let now = expected.now.seconds();
        if claims.iat > now.saturating_add(FUTURE_TOLERANCE_SECONDS) {
            return Err(TokenFault::Future);
        }
        if claims.exp <= now {
            return Err(TokenFault::Expired);
        }
        Ok(claims)
    }

    /// The key that the header names, if type and algorithm are right too.
    fn key_for(&self, header: &[u8]) -> Result<&PublicKey, TokenFault> {
        let header: Header = serde_json::from_slice(header).map_err(|_| TokenFault::Malformed)?;
        let typ = header.typ.ok_or(TokenFault::Type)?;
        if !typ.eq_ignore_ascii_case("at+jwt") && !typ.eq_ignore_ascii_case("application/at+jwt") {
            return Err(TokenFault::Type);
        }
        if header.crit {
            return Err(TokenFault::Critical);
        }
        let algorithm = header.alg.as_deref().and_then(Algorithm::named).ok_or(TokenFault::Algorithm)?;
        let kid = header.kid.ok_or(TokenFault::UnknownKey)?;
        let key = self.keys.iter().find(|key| key.kid() == kid).ok_or(TokenFault::UnknownKey)?;
        // The key decides which algorithm its signatures have; the header may only agree (RFC 8725 §3.1).
        if key.algorithm() == algorithm { Ok(key) } else { Err(TokenFault::Algorithm) }
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenFault::Malformed)
}
