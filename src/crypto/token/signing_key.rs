//! A private key and what it is for: signing access tokens.

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Algorithm, Claims, KeyError, PublicKey};
use crate::ambient::Randomness;

/// A key that signs access tokens.
pub struct SigningKey {
    private: PrivateKey,
    public: PublicKey,
    /// The encoded header and its dot, the same for every token of this key.
    prefix: String,
}

enum PrivateKey {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// A new key, and its PKCS#8 form for the store to keep wrapped.
    ///
    /// Ed25519 takes its seed from `randomness`; aws-lc makes P-256 and RSA keys (2048 bits) only from its own
    /// generator, and so it does the nonces of signatures.
    ///
    /// # Errors
    /// When aws-lc can't make a key.
    pub fn generate(algorithm: Algorithm, randomness: &Randomness) -> Result<(Self, Zeroizing<Vec<u8>>), KeyError> {
        let failed = KeyError::Generate(algorithm);
        let pkcs8 = match algorithm {
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| failed)?;
                pair.to_pkcs8v1().map_err(|_| failed)?.as_ref().to_vec()
            }
            Algorithm::EdDsa => {
                let seed = Zeroizing::new(randomness.bytes::<32>());
                let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_| failed)?;
                pair.to_pkcs8v1().map_err(|_| failed)?.as_ref().to_vec()
            }
            Algorithm::RS256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| failed)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed)?;
                der.as_ref().to_vec()
            }
        };
        let pkcs8 = Zeroizing::new(pkcs8);
        Ok((Self::from_pkcs8(algorithm, &pkcs8)?, pkcs8))
    }

    /// Reads a private key from unencrypted PKCS#8 (RFC 5208).
    ///
    /// # Errors
    /// When it is no key of that algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let rejected = KeyError::Rejected(algorithm);
        let (private, public) = match algorithm {
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| rejected)?;
                let public = PublicKey::from_p256(pair.public_key().as_ref())?;
                (PrivateKey::Ecdsa(pair), public)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| rejected)?;
                let public = PublicKey::from_ed25519(pair.public_key().as_ref())?;
                (PrivateKey::Ed25519(pair), public)
            }
            Algorithm::RS256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| rejected)?;
                let public = PublicKey::from_rsa(&PublicKeyComponents::from(pair.public_key()))?;
                (PrivateKey::Rsa(pair), public)
            }
        };
        let header = format!(r#"{{"typ":"at+jwt","alg":"{}","kid":"{}"}}"#, algorithm.name(), public.kid());
        let prefix = URL_SAFE_NO_PAD.encode(header) + ".";
        Ok(Self { private, public, prefix })
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The key's id, as in the tokens' header and in the JWKS.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// The algorithm of its signatures.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// The JWK to publish (RFC 7517), with `alg`, `use` and `kid`.
    #[must_use]
    pub fn public_jwk(&self) -> &Value {
        self.public.jwk()
    }

    /// The signed token in compact form (RFC 7515 §7.1).
    ///
    /// # Errors
    /// When aws-lc can't sign, which means that its generator failed.
    pub fn sign(&self, claims: &Claims, randomness: &Randomness) -> Result<String, KeyError> {
        let mut json = String::with_capacity(claims.size_hint());
        claims.write_json(&mut json);
        self.sign_json(&self.prefix, &json, randomness)
    }

    /// Signs any claims as a JWT of another type, which no verifier of access tokens takes (RFC 8725 §3.11).
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn sign_typed(&self, typ: &str, json: &str, randomness: &Randomness) -> Result<String, KeyError> {
        let header = format!(r#"{{"typ":"{typ}","alg":"{}","kid":"{}"}}"#, self.algorithm().name(), self.kid());
        self.sign_json(&(URL_SAFE_NO_PAD.encode(header) + "."), json, randomness)
    }

    fn sign_json(&self, prefix: &str, json: &str, randomness: &Randomness) -> Result<String, KeyError> {
        // The signature adds 86 characters for ES256 and EdDSA, 342 for RS256.
        let mut token = String::with_capacity(prefix.len() + json.len().div_ceil(3) * 4 + 346);
        token.push_str(prefix);
        URL_SAFE_NO_PAD.encode_string(json, &mut token);
        let failed = KeyError::Sign(self.algorithm());
        match &self.private {
            PrivateKey::Ecdsa(pair) => {
                let signature = pair.sign(randomness.source(), token.as_bytes()).map_err(|_| failed)?;
                push_signature(signature.as_ref(), &mut token);
            }
            PrivateKey::Ed25519(pair) => {
                let signature = pair.try_sign(token.as_bytes()).map_err(|_| failed)?;
                push_signature(signature.as_ref(), &mut token);
            }
            PrivateKey::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, randomness.source(), token.as_bytes(), &mut signature)
                    .map_err(|_| failed)?;
                push_signature(&signature, &mut token);
            }
        }
        Ok(token)
    }
}

fn push_signature(signature: &[u8], token: &mut String) {
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, token);
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}
