//! The public half of a signing key: parsed for verifying, and as the JWK that the JWKS shows (RFC 7517).

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Algorithm;

/// A public key, parsed once.
#[derive(Clone)]
pub struct PublicKey {
    kid: String,
    algorithm: Algorithm,
    key: ParsedPublicKey,
    jwk: Value,
}

/// Why a key could not be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes or the JWK are no key of the algorithm.
    #[error("not a usable {} key", .0.name())]
    Rejected(Algorithm),
    /// The JWK names no algorithm of ours.
    #[error("the JWK's `alg` must be ES256, EdDSA or RS256")]
    Algorithm,
    /// The system could not make a key.
    #[error("a new {} key could not be made", .0.name())]
    Generate(Algorithm),
    /// The system could not make a signature.
    #[error("a signature with the {} key could not be made", .0.name())]
    Sign(Algorithm),
}

impl PublicKey {
    /// A P-256 point in uncompressed form (SEC 1 §2.3.3).
    pub(super) fn from_p256(point: &[u8]) -> Result<Self, KeyError> {
        let rejected = KeyError::Rejected(Algorithm::ES256);
        let [4, xy @ ..] = point else { return Err(rejected) };
        if xy.len() != 64 {
            return Err(rejected);
        }
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| rejected)?;
        let (x, y) = (base64url(&xy[..32]), base64url(&xy[32..]));
        let kid = thumbprint(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": kid});
        Ok(Self { kid, algorithm: Algorithm::ES256, key, jwk })
    }

    /// The 32 bytes of an Ed25519 public key (RFC 8032).
    pub(super) fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = ParsedPublicKey::new(&ED25519, bytes).map_err(|_| KeyError::Rejected(Algorithm::EdDsa))?;
        let x = base64url(bytes);
        let kid = thumbprint(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "alg": "EdDSA", "kid": kid});
        Ok(Self { kid, algorithm: Algorithm::EdDsa, key, jwk })
    }

    /// The modulus and exponent of an RSA key, big-endian without leading zeros.
    pub(super) fn from_rsa(components: &PublicKeyComponents<Vec<u8>>) -> Result<Self, KeyError> {
        let key = components
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| KeyError::Rejected(Algorithm::RS256))?;
        let (n, e) = (base64url(&components.n), base64url(&components.e));
        let kid = thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#));
        let jwk = json!({"kty": "RSA", "n": n, "e": e, "use": "sig", "alg": "RS256", "kid": kid});
        Ok(Self { kid, algorithm: Algorithm::RS256, key, jwk })
    }

    /// Reads a JWK as [`PublicKey::jwk`] gives it. The `kid` is computed again, not believed.
    ///
    /// # Errors
    /// When it is no public key of one of our algorithms.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
        let algorithm = Algorithm::named(text("alg")).ok_or(KeyError::Algorithm)?;
        let rejected = KeyError::Rejected(algorithm);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)).map_err(|_| rejected);
        match (algorithm, text("kty"), text("crv")) {
            (Algorithm::ES256, "EC", "P-256") => Self::from_p256(&[vec![4], bytes("x")?, bytes("y")?].concat()),
            (Algorithm::EdDsa, "OKP", "Ed25519") => Self::from_ed25519(&bytes("x")?),
            (Algorithm::RS256, "RSA", _) => Self::from_rsa(&PublicKeyComponents { n: bytes("n")?, e: bytes("e")? }),
            _ => Err(rejected),
        }
    }

    /// The key's id: its RFC 7638 thumbprint.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The only algorithm whose signatures this key verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The JWK to publish, with `alg`, `use` and `kid`.
    #[must_use]
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// RFC 7638 §3: SHA-256 of the required members in alphabetical order without white space.
fn thumbprint(canonical: &str) -> String {
    base64url(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7638_thumbprint_of_its_example() {
        let jwk = json!({"kty": "RSA", "alg": "RS256", "e": "AQAB", "n": concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi",
            "FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnY",
            "b9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0",
            "Ls1jF44-csFCur-kEgU8awapJzKnqDKgw")});
        let key = PublicKey::from_jwk(&jwk).expect("a key");
        assert_eq!(key.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn rfc_8037_thumbprint_and_signature_of_its_example() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let key = PublicKey::from_jwk(&json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": x})).expect("a key");
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert!(key.verifies(message, &signature));
        assert!(!key.verifies(&message[1..], &signature));
    }

    #[test]
    fn rfc_7515_a3_signature_of_its_example() {
        let key = PublicKey::from_jwk(&json!({"kty": "EC", "crv": "P-256", "alg": "ES256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}))
        .expect("a key");
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        let message = concat!(
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog",
            "Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        );
        assert!(key.verifies(message.as_bytes(), &signature));
        assert!(!key.verifies(message.as_bytes(), &signature[1..]));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for jwk in [
            json!({}),
            json!([]),
            json!({"kty": "oct", "alg": "HS256", "k": "AAAA"}),
            json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "x": "AAAA", "y": "AAAA"}),
            json!({"kty": "EC", "crv": "P-384", "alg": "ES256", "x": "AAAA", "y": "AAAA"}),
            json!({"kty": "RSA", "alg": "RS256", "n": "AAAA", "e": "AQAB"}),
            json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": "AAAA"}),
        ] {
            assert!(PublicKey::from_jwk(&jwk).is_err(), "{jwk}");
        }
    }
}
