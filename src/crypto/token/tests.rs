//! The signer and the verifier against a JWT library that is not ours, and against every forgery we could think of.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken as foreign;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::time::Timestamp;

const ISSUER: &str = "https://hub.example";
const NOW: i64 = 1_800_000_000;

fn claims() -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        client_id: "gh_0000000000000000000000".to_owned(),
        aud: vec![ISSUER.to_owned()],
        iat: NOW,
        exp: NOW + 600,
        jti: "0123456789abcdefghijkl".to_owned(),
        scope: "entities:edit entities:view".to_owned(),
        roles: vec!["Operator".to_owned(), "\"quoted\" \\ <b>\u{1}\u{7f}ü\u{2028}".to_owned()],
        cred: "cred_1".to_owned(),
        seq: 7,
    }
}

fn claims_json() -> Value {
    json!({"iss": ISSUER, "sub": "gh_0000000000000000000000", "client_id": "gh_0000000000000000000000", "aud": ISSUER,
        "iat": NOW, "exp": NOW + 600, "jti": "x", "scope": "entities:view", "roles": [], "cred": "cred_1", "seq": 7})
}

struct Pair {
    key: SigningKey,
    pkcs8: Vec<u8>,
    verifier: VerificationKeys,
}

fn pair(algorithm: Algorithm) -> Pair {
    let (key, pkcs8) = SigningKey::generate(algorithm, &Randomness::system()).expect("a key");
    let verifier = VerificationKeys::new(vec![key.public_key().clone()]);
    Pair { key, pkcs8: pkcs8.to_vec(), verifier }
}

impl Pair {
    fn sign(&self, claims: &Claims) -> String {
        self.key.sign(claims, &Randomness::system()).expect("signs")
    }

    /// Signs any header and payload with this pair's key, through the hub's own signer of bytes.
    fn forge(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let key = foreign::EncodingKey::from_ec_der(&self.pkcs8);
        let signature = foreign::crypto::sign(message.as_bytes(), &key, foreign::Algorithm::ES256).expect("signs");
        format!("{message}.{signature}")
    }

    fn header(&self) -> String {
        format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"{}"}}"#, self.key.kid())
    }

    fn verify(&self, token: &str) -> Result<Claims, TokenFault> {
        self.verify_at(token, NOW)
    }

    fn verify_at(&self, token: &str, now: i64) -> Result<Claims, TokenFault> {
        self.verifier.verify(token, &Expected { issuer: ISSUER, now: Timestamp::from_seconds(now) })
    }
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn foreign_algorithm(algorithm: Algorithm) -> foreign::Algorithm {
    match algorithm {
        Algorithm::ES256 => foreign::Algorithm::ES256,
        Algorithm::EdDsa => foreign::Algorithm::EdDSA,
        Algorithm::RS256 => foreign::Algorithm::RS256,
    }
}

#[test]
fn our_tokens_verify_here_and_with_another_library_through_the_jwk() {
    for algorithm in Algorithm::ALL {
        let pair = pair(algorithm);
        let token = pair.sign(&claims());
        assert_eq!(pair.verify(&token), Ok(claims()));

        let jwk: foreign::jwk::Jwk = serde_json::from_value(pair.key.public_jwk().clone()).expect("a JWK");
        let key = foreign::DecodingKey::from_jwk(&jwk).expect("a key");
        let mut validation = foreign::Validation::new(foreign_algorithm(algorithm));
        validation.set_audience(&[ISSUER]);
        validation.set_issuer(&[ISSUER]);
        validation.validate_exp = false;
        let decoded = foreign::decode::<Value>(&token, &key, &validation).expect("verifies");
        assert_eq!(decoded.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(decoded.header.kid.as_deref(), Some(pair.key.kid()));
        assert_eq!(decoded.claims["roles"][1], claims().roles[1]);
        assert_eq!(decoded.claims["aud"], ISSUER);
        assert_eq!(decoded.claims["sub"], decoded.claims["client_id"]);
        assert_eq!(decoded.claims["seq"], 7);
    }
}

#[test]
fn a_key_survives_its_pkcs8_and_its_jwk() {
    for algorithm in Algorithm::ALL {
        let pair = pair(algorithm);
        let token = pair.sign(&claims());
        let again = SigningKey::from_pkcs8(algorithm, &pair.pkcs8).expect("reads");
        assert_eq!(again.kid(), pair.key.kid());
        let public = PublicKey::from_jwk(pair.key.public_jwk()).expect("reads");
        assert_eq!(public.kid(), pair.key.kid());
        assert_eq!(public.jwk(), pair.key.public_jwk());
        let expected = Expected { issuer: ISSUER, now: Timestamp::from_seconds(NOW) };
        assert!(VerificationKeys::new(vec![public]).verify(&token, &expected).is_ok());
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(SigningKey::from_pkcs8(other, &pair.pkcs8).is_err());
        }
    }
}

#[test]
fn several_audiences_are_an_array() {
    let pair = pair(Algorithm::EdDsa);
    let two = Claims { aud: vec!["a".to_owned(), "b".to_owned()], ..claims() };
    let read = pair.verify(&pair.sign(&two)).expect("verifies");
    assert_eq!(read, two);
    assert!(read.is_for("b") && !read.is_for(ISSUER));
}

#[test]
fn sec_14_only_the_keys_own_algorithm_counts() {
    let pair = pair(Algorithm::ES256);
    let payload = claims_json().to_string();
    assert!(pair.verify(&pair.forge(&pair.header(), &payload)).is_ok(), "the forge itself is right");

    let kid = pair.key.kid();
    for alg in ["none", "None", "HS256", "HS512", "RS256", "EdDSA", "ES384", "es256", ""] {
        let header = format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#);
        assert_eq!(pair.verify(&pair.forge(&header, &payload)), Err(TokenFault::Algorithm), "{alg}");
        let unsigned = format!("{}.{}.", encode(&header), encode(&payload));
        assert_eq!(pair.verify(&unsigned), Err(TokenFault::Algorithm), "{alg}");
    }
    for header in [r#"{"typ":"at+jwt"}"#, r#"{"typ":"at+jwt","alg":null}"#, r#"{"typ":"at+jwt","alg":7}"#] {
        assert!(pair.verify(&pair.forge(header, &payload)).is_err(), "{header}");
    }

    // HS256 with the public key as the secret, in each form in which a library might hold it (RFC 8725 §2.1).
    let jwk = pair.key.public_jwk();
    let point = ["x", "y"].map(|part| URL_SAFE_NO_PAD.decode(jwk[part].as_str().expect("text")).expect("base64"));
    for secret in [point.concat(), [vec![4], point.concat()].concat(), jwk.to_string().into_bytes()] {
        let mut header = foreign::Header::new(foreign::Algorithm::HS256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(kid.to_owned());
        let token = foreign::encode(&header, &claims_json(), &foreign::EncodingKey::from_secret(&secret));
        assert_eq!(pair.verify(&token.expect("signs")), Err(TokenFault::Algorithm));
    }
}

#[test]
fn sec_14_keys_that_a_token_brings_along_are_ignored() {
    let (ours, theirs) = (pair(Algorithm::ES256), pair(Algorithm::ES256));
    let payload = claims_json().to_string();
    let jwk = theirs.key.public_jwk();
    for kid in [ours.key.kid(), theirs.key.kid()] {
        for brought in [
            format!(r#""jwk":{jwk}"#),
            r#""jku":"https://evil.example/jwks""#.to_owned(),
            r#""x5u":"https://evil.example/c""#.to_owned(),
        ] {
            let header = format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"{kid}",{brought}}}"#);
            let fault = ours.verify(&theirs.forge(&header, &payload)).expect_err("refused");
            assert!(matches!(fault, TokenFault::Signature | TokenFault::UnknownKey), "{fault}");
            // Brought along with the right key it changes nothing.
            if kid == ours.key.kid() {
                assert!(ours.verify(&ours.forge(&header, &payload)).is_ok());
            }
        }
    }
    let anonymous = r#"{"typ":"at+jwt","alg":"ES256"}"#;
    assert_eq!(ours.verify(&ours.forge(anonymous, &payload)), Err(TokenFault::UnknownKey));
}

#[test]
fn sec_15_the_type_must_be_at_jwt() {
    let pair = pair(Algorithm::ES256);
    let payload = claims_json().to_string();
    let kid = pair.key.kid();
    let verify = |typ: &str| pair.verify(&pair.forge(&format!(r#"{{{typ}"alg":"ES256","kid":"{kid}"}}"#), &payload));
    for typ in [r#""typ":"JWT","#, r#""typ":"jwt","#, r#""typ":"id_token+jwt","#, r#""typ":"","#, ""] {
        assert_eq!(verify(typ), Err(TokenFault::Type), "{typ}");
    }
    for typ in [r#""typ":"AT+JWT","#, r#""typ":"application/at+jwt","#] {
        assert!(verify(typ).is_ok(), "{typ}");
    }
    assert_eq!(verify(r#""typ":"at+jwt","crit":["b64"],"b64":false,"#), Err(TokenFault::Critical));
    assert_eq!(verify(r#""typ":"at+jwt","crit":[],"#), Err(TokenFault::Critical));
}

#[test]
fn sec_15_every_claim_is_required_and_typed() {
    let pair = pair(Algorithm::ES256);
    let verify = |payload: &Value| pair.verify(&pair.forge(&pair.header(), &payload.to_string()));
    let names = ["iss", "sub", "client_id", "aud", "iat", "exp", "jti", "scope", "roles", "cred", "seq"];
    for name in names {
        let mut payload = claims_json();
        payload.as_object_mut().expect("an object").remove(name);
        assert_eq!(verify(&payload), Err(TokenFault::MissingClaim(name)));
        for wrong in [json!(null), json!(true), json!({}), json!(1.5), json!([[1]])] {
            payload[name] = wrong.clone();
            let fault = verify(&payload).expect_err("refused");
            assert!(
                matches!(fault, TokenFault::MalformedClaims | TokenFault::MissingClaim(_)),
                "{name} {wrong} {fault}"
            );
        }
    }
    for name in ["iat", "exp", "seq"] {
        let mut payload = claims_json();
        payload[name] = json!("1800000000");
        assert_eq!(verify(&payload), Err(TokenFault::MalformedClaims), "{name}");
    }
    let with = |name: &str, value: Value| {
        let mut payload = claims_json();
        payload[name] = value;
        verify(&payload)
    };
    assert_eq!(with("sub", json!("gh_other")), Err(TokenFault::Subject));
    assert_eq!(with("iss", json!("https://hub.example/")), Err(TokenFault::Issuer));
    assert_eq!(with("seq", json!(-1)), Err(TokenFault::MalformedClaims));
    assert_eq!(with("iat", json!(-1)), Err(TokenFault::MalformedClaims));
    assert_eq!(with("jti", json!("")), Err(TokenFault::MalformedClaims));
    assert_eq!(with("jti", json!("\u{0}")), Err(TokenFault::MalformedClaims));
    assert!(with("extra", json!({"a": [1, {"b": null}]})).is_ok());
}

#[test]
fn sec_16_no_leeway_at_the_end_and_ten_seconds_at_the_start() {
    let pair = pair(Algorithm::EdDsa);
    let token = pair.sign(&claims());
    assert!(pair.verify_at(&token, NOW + 599).is_ok());
    assert_eq!(pair.verify_at(&token, NOW + 600), Err(TokenFault::Expired));
    assert!(pair.verify_at(&token, NOW - 10).is_ok());
    assert_eq!(pair.verify_at(&token, NOW - 11), Err(TokenFault::Future));
    let odd = pair.sign(&Claims { iat: i64::MAX, exp: i64::MIN, ..claims() });
    assert_eq!(pair.verify(&odd), Err(TokenFault::Future));
}

#[test]
fn the_compact_form_is_strict() {
    let pair = pair(Algorithm::ES256);
    let token = pair.sign(&claims());
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b".to_owned(),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{token}="),
        format!("{header}=.{payload}.{signature}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{header}.{payload}.{}", signature.replace(['-', '_'], "+")) + "/",
        format!("{header}.{payload}.{}", &signature[1..]),
    ] {
        assert!(pair.verify(&bad).is_err(), "{bad}");
    }
    assert_eq!(pair.verify(&"a".repeat(LONGEST_TOKEN + 1)), Err(TokenFault::TooLong));

    let good = claims_json().to_string();
    let doubled = |at: &str| good.replacen('{', &format!("{{{at},"), 1);
    for payload in [
        doubled(r#""iss":"https://hub.example""#),
        doubled(r#""sub":"gh_0000000000000000000000""#),
        doubled(r#""x":1,"x":1"#),
        format!("{good}{good}"),
        format!("[{good}]"),
        "null".to_owned(),
        String::new(),
    ] {
        let fault = pair.verify(&pair.forge(&pair.header(), &payload));
        assert_eq!(fault, Err(TokenFault::MalformedClaims), "{payload}");
    }
    let kid = pair.key.kid();
    for header in [
        format!(r#"{{"typ":"at+jwt","typ":"at+jwt","alg":"ES256","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"at+jwt","alg":"ES256","kid":"{kid}","x":1,"x":1}}"#),
        "[]".to_owned(),
        String::new(),
    ] {
        assert_eq!(pair.verify(&pair.forge(&header, &good)), Err(TokenFault::Malformed), "{header}");
    }
}

#[test]
fn faults_never_repeat_what_the_token_says() {
    let pair = pair(Algorithm::ES256);
    let mut payload = claims_json();
    payload["iss"] = json!("<script>");
    let fault = pair.verify(&pair.forge(&pair.header(), &payload.to_string())).expect_err("refused");
    assert!(!fault.to_string().contains("script"));
}

proptest! {
    #[test]
    fn any_claims_come_back(
        texts in prop::collection::vec(any::<String>(), 5),
        roles in prop::collection::vec(any::<String>(), 0..4),
        aud in prop::collection::vec(any::<String>(), 1..4),
        seq in any::<u64>(),
        iat in any::<i64>(),
        exp in any::<i64>(),
    ) {
        let mut texts = texts.into_iter();
        let mut text = || texts.next().expect("five texts");
        let claims = Claims {
            iss: text(), client_id: text(), aud, iat, exp, jti: text(), scope: text(), roles, cred: text(), seq,
        };
        let mut json = String::new();
        claims.write_json(&mut json);
        prop_assert_eq!(Claims::from_json(json.as_bytes()), Ok(claims));
    }

    #[test]
    fn a_changed_token_never_verifies(at in 0_usize..1000, with in "[A-Za-z0-9_.=-]") {
        let pair = pair(Algorithm::EdDsa);
        let token = pair.sign(&claims());
        let at = at % token.len();
        prop_assume!(token[at..=at] != with);
        let mut changed = token;
        changed.replace_range(at..=at, &with);
        prop_assert!(pair.verify(&changed).is_err());
    }

    #[test]
    fn no_text_panics(token in any::<String>(), header in any::<String>(), payload in any::<String>()) {
        let pair = pair(Algorithm::EdDsa);
        let _ = pair.verify(&token);
        let _ = pair.verify(&format!("{}.{}.AAAA", encode(&header), encode(&payload)));
        let _ = Claims::from_json(payload.as_bytes());
    }
}
