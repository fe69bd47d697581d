//! Access tokens at the resource server: RFC 9068, RFC 6750 and what attackers send instead.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{Answer, Application, Hub, Request, forge::Forge};

/// Every route that wants an application's token, with a target that fits it.
fn guarded() -> Vec<(&'static str, String)> {
    crate::routes::all()
        .into_iter()
        .filter(|route| route.wants_token)
        .map(|route| (route.method, route.path.replace("{id}", "some-id")))
        .collect()
}

#[track_caller]
fn invalid_token(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 401, "{what}: {}", answer.everything());
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer ") && challenge.contains(r#"error="invalid_token""#), "{what}: {challenge}");
}

async fn refused(hub: &Hub, token: &str, what: &str) {
    invalid_token(&hub.site.ask(Request::get("/api/v1/whoami").bearer(token)).await, what);
    let introspected = hub.introspect(token).await;
    assert_eq!(introspected, json!({"active": false}), "{what}");
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn a_token_forged_with_the_hubs_own_key_is_good() {
    // The proof that the forgeries below are refused for what they change and not for how they are made.
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let forge = Forge::new(&hub, &application.token).await;
    let token = forge.sign(&forge.header, &forge.claims);
    hub.site.ask(Request::get("/api/v1/whoami").bearer(&token)).await.expect(200);
}

#[tokio::test]
async fn sec_14_only_asymmetric_algorithms_of_the_allow_list() {
    let hub = Hub::start().await;
    let application = hub.application(&["Administrator"]).await;
    let forge = Forge::new(&hub, &application.token).await;
    let claims = encode(&forge.claims);
    let signature = application.token.rsplit('.').next().expect("three parts");

    for none in ["none", "None", "NONE", "nOnE", ""] {
        let mut header = forge.header.clone();
        header["alg"] = json!(none);
        let head = encode(&header);
        refused(&hub, &format!("{head}.{claims}."), none).await;
        refused(&hub, &format!("{head}.{claims}.{signature}"), none).await;
        refused(&hub, &format!("{head}.{claims}"), none).await;
    }
    // The public key as an HMAC secret, in every form that it is published in.
    let jwks = hub.site.get("/oauth2/jwks").await.expect(200);
    for (algorithm, secret) in Forge::public_key_as_secrets(&jwks.body) {
        let token = forge.sign_hmac(algorithm, &secret, true);
        refused(&hub, &token, "HS with the public key").await;
        refused(&hub, &forge.sign_hmac(algorithm, &secret, false), "HS without kid").await;
    }
    // An attacker's own key, offered along with the token, or named by an address.
    for (member, value) in forge.attacker_headers() {
        for kid in [Some(forge.header["kid"].clone()), Some(json!("attacker")), None] {
            let mut header = forge.header.clone();
            header[member] = value.clone();
            match &kid {
                Some(kid) => header["kid"] = kid.clone(),
                None => drop(header.as_object_mut().expect("an object").remove("kid")),
            }
            refused(&hub, &forge.sign_as_attacker(&header, &forge.claims), member).await;
        }
        // The same headers on a well-signed token are ignored: they lead nowhere and change nothing.
        let mut header = forge.header.clone();
        header[member] = value.clone();
        let answer = hub.site.ask(Request::get("/api/v1/whoami").bearer(&forge.sign(&header, &forge.claims))).await;
        assert!(matches!(answer.status, 200 | 401), "{member}: {answer:?}");
    }
    for other in ["ES384", "ES512", "PS256", "RS256", "EdDSA", "ES256K"] {
        let mut header = forge.header.clone();
        header["alg"] = json!(other);
        refused(&hub, &forge.sign_declaring(&header, &forge.claims), other).await;
    }
    let mut critical = forge.header.clone();
    critical["crit"] = json!(["exp"]);
    refused(&hub, &forge.sign(&critical, &forge.claims), "crit").await;
}

#[tokio::test]
async fn sec_14_a_changed_token_is_refused() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let token = &application.token;
    // Every position of the token, one changed character each; the last of a part may carry unused bits, which must
    // be zero, so that no token has a second spelling.
    let mut positions: Vec<_> = (0..token.len()).step_by(7).collect();
    positions.push(token.len() - 1);
    positions.extend(token.match_indices('.').map(|(at, _)| at - 1));
    for position in positions {
        let old = token.as_bytes()[position];
        for new in *b"AQgw.-" {
            if new == old {
                continue;
            }
            let mut changed = token.clone().into_bytes();
            changed[position] = new;
            let changed = String::from_utf8(changed).expect("ASCII");
            let answer = hub.site.ask(Request::get("/api/v1/whoami").bearer(&changed)).await;
            assert_eq!(answer.status, 401, "position {position}, {old} to {new}");
        }
    }
    for changed in [
        format!("{token}="),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{token}"),
        token.to_uppercase(),
    ] {
        let answer = hub.site.ask(Request::get("/api/v1/whoami").bearer(&changed)).await;
        assert_eq!(answer.status, 401, "{changed}");
    }
}

#[tokio::test]
async fn sec_15_type_and_claims_are_required() {
    let hub = Hub::start().await;
    let application = hub.application(&["Administrator"]).await;
    let forge = Forge::new(&hub, &application.token).await;

    for typ in
        [json!("JWT"), json!("jwt"), json!("id+jwt"), json!("at+jwt2"), json!(""), json!(null), json!(["at+jwt"])]
    {
        let mut header = forge.header.clone();
        header["typ"] = typ.clone();
        refused(&hub, &forge.sign(&header, &forge.claims), &format!("typ {typ}")).await;
    }
    let mut header = forge.header.clone();
    header.as_object_mut().expect("an object").remove("typ");
    refused(&hub, &forge.sign(&header, &forge.claims), "no typ").await;

    for claim in ["iss", "aud", "exp", "iat", "jti", "client_id", "cred", "seq"] {
        let mut claims = forge.claims.clone();
        claims.as_object_mut().expect("an object").remove(claim);
        refused(&hub, &forge.sign(&forge.header, &claims), &format!("without {claim}")).await;
        for wrong in [json!(null), json!({}), json!([]), json!(true), json!("\u{0}"), json!(-1), json!(1.5)] {
            let mut claims = forge.claims.clone();
            claims[claim] = wrong.clone();
            refused(&hub, &forge.sign(&forge.header, &claims), &format!("{claim} {wrong}")).await;
        }
    }
    let issuer = &hub.site.issuer;
    for (claim, wrong) in [
        ("iss", json!(format!("{issuer}/"))),
        ("iss", json!("https://elsewhere.example")),
        ("aud", json!(format!("{issuer}/"))),
        ("aud", json!(format!("{issuer}/gateways/prom"))),
        ("aud", json!("https://elsewhere.example")),
        ("aud", json!(["https://elsewhere.example"])),
        ("client_id", json!(format!("gh_{}", "0".repeat(22)))),
        ("cred", json!("another")),
        ("sub", json!("another")),
    ] {
        let mut claims = forge.claims.clone();
        claims[claim] = wrong.clone();
        refused(&hub, &forge.sign(&forge.header, &claims), &format!("{claim} {wrong}")).await;
    }
    // One application's credential never carries another's name.
    let other = hub.application(&["Operator"]).await;
    let mut claims = forge.claims.clone();
    claims["client_id"] = json!(other.client_id);
    claims["sub"] = json!(other.client_id);
    refused(&hub, &forge.sign(&forge.header, &claims), "another's client_id").await;
    // Not even a JSON object.
    for payload in ["", "{", "[]", "null", "\"x\"", "{}{}"] {
        refused(&hub, &forge.sign_text(&forge.header, payload), payload).await;
    }
    // A member twice: two readers could read two tokens.
    let text = forge.claims.to_string();
    let doubled = format!("{{\"client_id\":\"{}\",{}", other.client_id, &text[1..]);
    refused(&hub, &forge.sign_text(&forge.header, &doubled), "client_id twice").await;
}

#[tokio::test]
async fn sec_16_time_has_no_leeway_at_its_end_and_ten_seconds_at_its_begin() {
    let hub = Hub::with_manual_clock().await;
    let application = hub.application(&["Operator"]).await;
    let forge = Forge::new(&hub, &application.token).await;
    let now = forge.claims["iat"].as_i64().expect("a number");
    let dated = |iat: i64, exp: i64| {
        let mut claims = forge.claims.clone();
        claims["iat"] = json!(iat);
        claims["exp"] = json!(exp);
        claims["jti"] = json!(format!("{iat}-{exp}"));
        forge.sign(&forge.header, &claims)
    };
    let ask = async |token: &str| hub.site.ask(Request::get("/api/v1/whoami").bearer(token)).await;
    ask(&dated(now, now + 1)).await.expect(200);
    invalid_token(&ask(&dated(now - 600, now)).await, "exp is now");
    invalid_token(&ask(&dated(now - 600, now - 1)).await, "exp a second ago");
    ask(&dated(now + 10, now + 600)).await.expect(200);
    invalid_token(&ask(&dated(now + 11, now + 600)).await, "11 s in the future");
    invalid_token(&ask(&dated(now + 3_600, now + 7_200)).await, "an hour in the future");
    for absurd in [i64::MAX, i64::MIN, 1 << 53] {
        invalid_token(&ask(&dated(absurd, absurd)).await, "absurd times");
    }
    // A real token ends at its second, the one that was just used (and may be cached) too.
    application.get("/api/v1/whoami").await.expect(200);
    let end = forge.claims["exp"].as_i64().expect("a number");
    hub.advance(u64::try_from(end - now - 1).expect("positive")).await;
    application.get("/api/v1/whoami").await.expect(200);
    hub.advance(1).await;
    invalid_token(&application.get("/api/v1/whoami").await, "the end");
}

#[tokio::test]
async fn sec_18_a_token_comes_in_one_authorization_header_only() {
    let hub = Hub::start().await;
    let application = hub.application(&["Administrator"]).await;
    let token = &application.token;
    let query = Request::get(&format!("/api/v1/whoami?access_token={token}"));
    let form = Request::post("/api/v1/whoami").form(&[("access_token", token)]);
    let cookie =
        Request::get("/api/v1/whoami").header("Cookie", &format!("access_token={token}; Authorization=Bearer {token}"));
    for (request, what) in [(query.clone(), "query"), (cookie, "cookie")] {
        let answer = hub.site.ask(request).await;
        assert!(matches!(answer.status, 400 | 401), "{what}: {answer:?}");
        assert!(!answer.everything().contains(token), "{what}");
    }
    assert_ne!(hub.site.ask(form).await.status, 200);
    // A good header does not excuse a token in the address, which every log on the way keeps.
    let both = hub.site.ask(query.bearer(token)).await;
    assert_eq!(both.status, 400, "{both:?}");
    let twice = hub.site.ask(Request::get("/api/v1/whoami").bearer(token).bearer(token)).await;
    assert_eq!(twice.status, 400, "{twice:?}");
    for value in [
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token} {token}"),
        "Bearer  ".to_owned(),
        "Bearer".to_owned(),
        format!("Token {token}"),
        format!("Basic {token}"),
        format!("DPoP {token}"),
        token.clone(),
        format!("\"Bearer {token}\""),
    ] {
        let answer = hub.site.ask(Request::get("/api/v1/whoami").header("Authorization", &value)).await;
        assert!(matches!(answer.status, 400 | 401), "{value}: {answer:?}");
    }
    for name in ["Proxy-Authorization", "X-Authorization", "X-Forwarded-Authorization", "authorization_"] {
        let request = Request::get("/api/v1/whoami").header(name, &format!("Bearer {token}"));
        assert_eq!(hub.site.ask(request).await.status, 401, "{name}");
    }
    // The scheme's name is case-insensitive (RFC 9110 §11.1).
    let lower = Request::get("/api/v1/whoami").header("Authorization", &format!("bearer {token}"));
    hub.site.ask(lower).await.expect(200);
}

#[tokio::test]
async fn sec_19_refusals_say_what_oauth_says() {
    let hub = Hub::start().await;
    let metadata = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource\"", hub.site.issuer);
    let html = |request: Request| {
        request.header("Accept", "text/html,application/xhtml+xml").header("Sec-Fetch-Mode", "navigate")
    };
    for (method, target) in guarded() {
        let bare = hub.site.ask(html(Request::new(method, &target))).await;
        assert_eq!(bare.status, 401, "{method} {target}: {}", bare.everything());
        if method != "HEAD" {
            assert_eq!(bare.header("content-type"), Some("application/problem+json"), "never a login page");
        }
        let challenge = bare.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer ") && challenge.contains(&metadata), "{challenge}");
        // RFC 6750 §3.1: who sent no token is told no error.
        assert!(!challenge.contains("error="), "{challenge}");
        let wrong = hub.site.ask(html(Request::new(method, &target)).bearer("abc.def.ghi")).await;
        invalid_token(&wrong, &target);
        let challenge = wrong.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains(&metadata) && challenge.contains("error_description="), "{challenge}");
    }
    hub.role("Nothing here", &["gateway/none:view"], None).await;
    let poor = hub.application(&["Nothing here"]).await;
    for (method, target, needed) in [
        ("GET", "/api/v1/entities", "entities:view"),
        ("GET", "/api/v1/entities/a", "entities:view"),
        ("PUT", "/api/v1/entities/a", "entities:edit"),
        ("PATCH", "/api/v1/entities/a", "entities:edit"),
        ("DELETE", "/api/v1/entities/a", "entities:edit"),
        ("GET", "/api/v1/applications", "applications:view"),
        ("GET", "/api/v1/roles", "roles:view"),
        ("GET", "/api/v1/audit", "audit:view"),
        ("GET", "/metrics", "metrics:view"),
    ] {
        let answer = poor.ask(html(Request::new(method, target))).await;
        assert_eq!(answer.status, 403, "{method} {target}: {}", answer.everything());
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains(r#"error="insufficient_scope""#), "{method} {target}: {challenge}");
        assert!(challenge.contains(&format!("scope=\"{needed}\"")), "{method} {target}: {challenge}");
        assert_eq!(answer.problem(), "insufficient-scope");
    }
}

#[tokio::test]
async fn sec_22_one_verifier_stands_before_every_route() {
    let hub = Hub::with_manual_clock().await;
    let application = hub.application(&["Administrator"]).await;
    let forge = Forge::new(&hub, &application.token).await;
    let mut bad: Vec<(&str, String)> = Vec::new();
    for (what, claim, wrong) in [
        ("another audience", "aud", json!("https://elsewhere.example")),
        ("expired", "exp", json!(1)),
        ("unknown credential", "cred", json!("none")),
        ("unknown client", "client_id", json!("gh_0000000000000000000000")),
    ] {
        let mut claims = forge.claims.clone();
        claims[claim] = wrong;
        bad.push((what, forge.sign(&forge.header, &claims)));
    }
    let mut jwt = forge.header.clone();
    jwt["typ"] = json!("JWT");
    bad.push(("another typ", forge.sign(&jwt, &forge.claims)));
    let deleted = hub.application(&["Administrator"]).await;
    hub.delete(&deleted.client_id).await;
    bad.push(("deleted", deleted.token));
    let disabled = hub.application(&["Administrator"]).await;
    hub.disable(&disabled.client_id).await;
    bad.push(("disabled", disabled.token));
    let regenerated = hub.application(&["Administrator"]).await;
    hub.regenerate(&regenerated.client_id, None).await;
    bad.push(("regenerated", regenerated.token));
    let revoked = hub.application(&["Administrator"]).await;
    revoked.client_post("/oauth2/revoke", &[("token", &revoked.token)]).await.expect(200);
    bad.push(("revoked", revoked.token));
    bad.push(("network", hub.token_from_elsewhere().await));

    let guarded = guarded();
    assert!(guarded.len() >= 10, "the route table is walked: {guarded:?}");
    for (method, target) in &guarded {
        for (what, token) in &bad {
            let answer = hub.site.ask(Request::new(method, target).bearer(token)).await;
            invalid_token(&answer, &format!("{what}: {method} {target}"));
        }
    }
    // Introspection asks about a token without using it: from where its bearer comes is not known then.
    for (what, token) in bad.iter().filter(|(what, _)| *what != "network") {
        assert_eq!(hub.introspect(token).await, json!({"active": false}), "{what}");
    }
}

#[tokio::test]
async fn whoami_tells_what_the_application_is_and_may_do() {
    let hub = Hub::start().await;
    let application: Application = hub.application(&["Operator"]).await;
    let told = application.get("/api/v1/whoami").await.expect(200).json();
    assert_eq!(told["client_id"], json!(application.client_id));
    assert_eq!(told["name"], json!(application.name));
    assert!(told["roles"].to_string().contains("Operator"), "{told}");
}
