//! Forged access tokens: signed with the hub's own key, which the test takes out of the store, or with an attacker's.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use super::Hub;

/// The means to sign anything as this hub would, and the header and claims of a good token to start from.
pub struct Forge {
    pub header: Value,
    pub claims: Value,
    key: Vec<u8>,
    attacker: Vec<u8>,
}

impl Forge {
    /// Takes the good token apart and the hub's signing key (ES256) out of its store.
    pub async fn new(hub: &Hub, token: &str) -> Self {
        let parts: Vec<_> = token.split('.').collect();
        let decode = |part: &str| -> Value {
            let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
            serde_json::from_slice(&bytes).expect("JSON")
        };
        let header = decode(parts[0]);
        let claims = decode(parts[1]);
        let key = hub.signing_key().await;
        let attacker = new_key();
        Self { header, claims, key, attacker }
    }

    /// Signed as the hub signs.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(header, &claims.to_string())
    }

    /// The same, with any text as the payload.
    pub fn sign_text(&self, header: &Value, payload: &str) -> String {
        es256(&self.key, header, payload)
    }

    /// The header may name any algorithm; the signature is ES256 all the same.
    pub fn sign_declaring(&self, header: &Value, claims: &Value) -> String {
        es256(&self.key, header, &claims.to_string())
    }

    /// Signed with a key that is not the hub's.
    pub fn sign_as_attacker(&self, header: &Value, claims: &Value) -> String {
        es256(&self.attacker, header, &claims.to_string())
    }

    /// Signed with HMAC.
    pub fn sign_hmac(&self, algorithm: Algorithm, secret: &[u8], with_kid: bool) -> String {
        let mut header = self.header.clone();
        header["alg"] = json!(format!("{algorithm:?}"));
        if !with_kid {
            header.as_object_mut().expect("an object").remove("kid");
        }
        let message = message(&header, &self.claims.to_string());
        let signature = crypto::sign(message.as_bytes(), &EncodingKey::from_secret(secret), algorithm).expect("HMAC");
        format!("{message}.{signature}")
    }

    /// The public key in the forms in which somebody could take it for an HMAC secret.
    pub fn public_key_as_secrets(jwks: &[u8]) -> Vec<(Algorithm, Vec<u8>)> {
        let set: Value = serde_json::from_slice(jwks).expect("JSON");
        let mut point = vec![4];
        for coordinate in ["x", "y"] {
            let text = set["keys"][0][coordinate].as_str().expect("a coordinate");
            point.extend(URL_SAFE_NO_PAD.decode(text).expect("base64url"));
        }
        // SubjectPublicKeyInfo of a P-256 key (RFC 5480): a fixed head, then the point.
        let head = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
        let mut der: Vec<u8> =
            (0..head.len()).step_by(2).map(|at| u8::from_str_radix(&head[at..at + 2], 16).expect("digits")).collect();
        der.extend(&point);
        let body = base64::engine::general_purpose::STANDARD.encode(&der);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &body[..64], &body[64..]);
        let forms =
            [point, der, pem.into_bytes(), set["keys"][0].to_string().into_bytes(), jwks.to_vec(), Vec::from(b"")];
        let algorithms = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        forms.iter().flat_map(|form| algorithms.map(|algorithm| (algorithm, form.clone()))).collect()
    }

    /// Headers by which a token could bring its own key along (RFC 7515 §4.1.2 to §4.1.6).
    pub fn attacker_headers(&self) -> Vec<(&'static str, Value)> {
        let point = public_point(&self.attacker);
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "attacker",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        });
        vec![
            ("jwk", jwk),
            ("jku", json!("http://127.0.0.1:9/jwks")),
            ("x5u", json!("http://127.0.0.1:9/certificate")),
            ("x5c", json!(["MIIB"])),
        ]
    }
}

fn message(header: &Value, payload: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(payload))
}

fn es256(key: &[u8], header: &Value, payload: &str) -> String {
    let message = message(header, payload);
    let signature = crypto::sign(message.as_bytes(), &EncodingKey::from_ec_der(key), Algorithm::ES256).expect("ES256");
    format!("{message}.{signature}")
}

fn new_key() -> Vec<u8> {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    pair.to_pkcs8v1().expect("PKCS#8").as_ref().to_vec()
}

fn public_point(key: &[u8]) -> Vec<u8> {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key).expect("a key");
    pair.public_key().as_ref().to_vec()
}
