//! `POST /oauth2/token` (RFC 6749 §4.4): what it grants, and all that it refuses.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::support::{Answer, Application, Hub, Request};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn error(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.everything());
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    assert!(answer.json().get("access_token").is_none());
    answer.member("error")
}

#[tokio::test]
async fn sec_01_only_the_announced_grants() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let metadata = hub.site.get("/.well-known/oauth-authorization-server").await.expect(200).json();
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));
    assert_eq!(metadata["response_types_supported"], json!([]));
    let others = [
        "password",
        "authorization_code",
        "refresh_token",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "CLIENT_CREDENTIALS",
        "client_credentials ",
        "client_credentials\0",
    ];
    for grant in others {
        let fields =
            [("grant_type", grant), ("username", "u"), ("password", "p"), ("code", "c"), ("refresh_token", "r")];
        let answer = application.client_post("/oauth2/token", &fields).await;
        assert_eq!(error(&answer, 400), "unsupported_grant_type", "{grant}");
    }
    for fields in [&[][..], &[("grant_type", "")], &[("scope", "entities:view")]] {
        let answer = application.client_post("/oauth2/token", fields).await;
        assert_eq!(error(&answer, 400), "invalid_request", "{fields:?}");
    }
    let granted = application.client_post("/oauth2/token", &[GRANT]).await.expect(200).json();
    let members: Vec<_> = granted.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut sorted = members.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["access_token", "expires_in", "scope", "token_type"], "nothing else, no refresh token");
    assert_eq!(granted["token_type"], "Bearer");
    assert_eq!(granted["expires_in"], 600);
}

#[tokio::test]
async fn sec_02_get_query_repeats_and_two_credentials_are_refused() {
    let hub = Hub::start().await;
    let one = hub.application(&["Operator"]).await;
    let two = hub.application(&["Operator"]).await;
    let (id, secret) = (one.client_id.as_str(), one.client_secret.as_str());
    let query = format!("/oauth2/token?grant_type=client_credentials&client_id={id}&client_secret={secret}");

    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
        let answer = hub.site.ask(Request::new(method, &query).basic(id, secret)).await;
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.header("allow").is_some_and(|allow| allow.contains("POST")), "{answer:?}");
        assert!(!answer.everything().contains(secret));
    }

    // Credentials in the query, complete or in part, also beside good ones in the right place.
    for target in [
        query.clone(),
        format!("/oauth2/token?client_secret={secret}"),
        format!("/oauth2/token?client_id={id}"),
        format!("/oauth2/token?client%5Fsecret={secret}"),
    ] {
        let bare = hub.site.ask(Request::post(&target).form(&[GRANT])).await;
        assert_eq!(error(&bare, 400), "invalid_request", "{target}");
        let beside = hub.site.ask(Request::post(&target).basic(id, secret).form(&[GRANT])).await;
        assert_eq!(error(&beside, 400), "invalid_request", "{target}");
        assert!(!bare.everything().contains(secret) && !beside.everything().contains(secret));
    }

    // A parameter twice, the known and the unknown, equal or not.
    let credentials = [("client_id", id), ("client_secret", secret)];
    for (name, first, second) in [
        ("grant_type", "client_credentials", "client_credentials"),
        ("client_id", id, id),
        ("client_id", id, &two.client_id),
        ("client_secret", secret, secret),
        ("client_secret", secret, &two.client_secret),
        ("scope", "entities:view", "entities:edit"),
        ("scope", "entities:view", "entities:view"),
        ("scope", "", "entities:view"),
    ] {
        let mut fields: Vec<_> = [GRANT].into_iter().chain(credentials).filter(|(known, _)| *known != name).collect();
        fields.extend([(name, first), (name, second)]);
        let answer = hub.site.ask(Request::post("/oauth2/token").form(&fields)).await;
        assert_eq!(error(&answer, 400), "invalid_request", "{name}");
        assert!(!answer.text().contains(secret));
    }

    // Two ways to authenticate at once.
    let both = Request::post("/oauth2/token").basic(id, secret);
    let twice = hub.site.ask(both.clone().form(&[GRANT, credentials[0], credentials[1]])).await;
    assert_eq!(error(&twice, 400), "invalid_request");
    let mixed = hub.site.ask(both.clone().form(&[GRANT, ("client_secret", &two.client_secret)])).await;
    assert_eq!(error(&mixed, 400), "invalid_request");
    let other = hub.site.ask(both.clone().form(&[GRANT, ("client_id", &two.client_id)])).await;
    assert_eq!(error(&other, 400), "invalid_request");
    both_headers(&hub, &one).await;

    // An equal client_id alone is fine (RFC 6749 §3.2.1), and an empty parameter is an absent one.
    hub.site.ask(both.clone().form(&[GRANT, ("client_id", id)])).await.expect(200);
    hub.site.ask(both.form(&[GRANT, ("client_id", ""), ("client_secret", ""), ("scope", "")])).await.expect(200);
}

/// Two `Authorization` headers are refused before anything is read from them.
async fn both_headers(hub: &Hub, application: &Application) {
    let request = Request::post("/oauth2/token")
        .basic(&application.client_id, &application.client_secret)
        .basic(&application.client_id, &application.client_secret)
        .form(&[GRANT]);
    let answer = hub.site.ask(request).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(!answer.everything().contains(&application.client_secret));
}

#[tokio::test]
async fn sec_03_every_failure_of_a_client_looks_the_same() {
    let hub = Hub::with_manual_clock().await;
    let failures = failures(&hub).await;
    for basic in [false, true] {
        let mut answers = Vec::new();
        for (kind, id, secret) in &failures {
            let request = Request::post("/oauth2/token");
            let request = if basic {
                request.basic(id, secret).form(&[GRANT])
            } else {
                request.form(&[GRANT, ("client_id", id), ("client_secret", secret)])
            };
            let answer = hub.site.ask(request).await;
            assert_eq!(error(&answer, 401), "invalid_client", "{kind}");
            assert_eq!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Basic")), basic);
            answers.push((kind, answer.comparable()));
        }
        for (kind, answer) in &answers {
            assert_eq!(answer, &answers[0].1, "{kind} differs from {}", answers[0].0);
        }
    }
    // What is only mistyped may be told apart, since the secret itself says so: a wrong checksum.
    let application = hub.application(&["Operator"]).await;
    let secret = &application.client_secret;
    let last = if secret.ends_with('0') { "1" } else { "0" };
    for mistyped in [format!("{}{last}", &secret[..secret.len() - 1]), secret[..30].to_owned(), format!("{secret}0")] {
        let mut typed = application.clone();
        typed.client_secret = mistyped;
        let answer = typed.ask_token(&[]).await;
        assert_eq!(error(&answer, 401), "invalid_client");
        assert!(!answer.member("error_description").is_empty());
        // Whether the client exists makes no difference to it.
        typed.client_id = format!("gh_{}", "7".repeat(22));
        assert_eq!(typed.ask_token(&[]).await.comparable(), answer.comparable());
    }
}

/// One key of each kind that must not work, with the kind's name.
pub(crate) async fn failures(hub: &Hub) -> Vec<(&'static str, String, String)> {
    let foreign = hub.application(&["Operator"]).await;
    let mut found = vec![("unknown client", format!("gh_{}", "A".repeat(22)), foreign.client_secret.clone())];
    let wrong = hub.application(&["Operator"]).await;
    found.push(("another's secret", wrong.client_id.clone(), foreign.client_secret.clone()));
    let expired = hub.application_until(&["Operator"], 60).await;
    hub.advance(61).await;
    found.push(("expired", expired.client_id, expired.client_secret));
    let deleted = hub.application(&["Operator"]).await;
    hub.delete(&deleted.client_id).await;
    found.push(("deleted", deleted.client_id, deleted.client_secret));
    let regenerated = hub.application(&["Operator"]).await;
    hub.regenerate(&regenerated.client_id, None).await;
    found.push(("replaced secret", regenerated.client_id, regenerated.client_secret));
    let disabled = hub.application(&["Operator"]).await;
    hub.disable(&disabled.client_id).await;
    found.push(("disabled", disabled.client_id, disabled.client_secret));
    let elsewhere = hub.application_in(&["Operator"], &["192.0.2.0/24"]).await;
    found.push(("network not allowed", elsewhere.client_id, elsewhere.client_secret));
    found
}

#[tokio::test]
async fn sec_04_every_generated_secret_works_in_basic_and_in_the_body() {
    let hub = Hub::start().await;
    for _ in 0..20 {
        let application = hub.application(&["Operator"]).await;
        assert!(application.key_works().await);
        application.client_post("/oauth2/token", &[GRANT]).await.expect(200);
    }
    let application = hub.application(&["Operator"]).await;
    // RFC 6749 §2.3.1: both halves are form-encoded before Basic joins them, so any character may be %XX.
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let id = &application.client_id;
    let secret = &application.client_secret;
    let header = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    let ask = async |value: &str| {
        let request = Request::post("/oauth2/token").header("Authorization", value).form(&[GRANT]);
        hub.site.ask(request).await
    };
    let good = format!("{id}:{secret}");
    for pair in [
        good.clone(),
        format!("{}:{}", encoded(id), encoded(secret)),
        format!("{}:{secret}", id.replace('_', "%5F")),
        format!("{id}:{}", secret.replace('_', "%5f")),
    ] {
        ask(&header(&pair)).await.expect(200);
    }
    ask(&header(&good).replace("Basic", "basic")).await.expect(200);
    // What is not such a pair is refused, never guessed at.
    for pair in [
        format!("{id}{secret}"),
        format!("{id}:+{secret}"),
        format!("{secret}:{id}"),
        format!("{good}:"),
        String::new(),
    ] {
        let answer = ask(&header(&pair)).await;
        assert!(matches!(answer.status, 400 | 401), "{pair}: {answer:?}");
    }
    for value in ["Basic", "Basic !!!!", "Basic Zm9v\u{fc}", "Negotiate abc", "Bearer abc"] {
        let answer = ask(value).await;
        assert!(matches!(answer.status, 400 | 401), "{value}: {answer:?}");
    }
}

#[tokio::test]
async fn sec_05_answers_with_a_token_or_a_secret_are_never_stored() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let granted = application.ask_token(&[]).await.expect(200);
    assert_eq!(granted.header("cache-control"), Some("no-store"));
    assert!(granted.header("etag").is_none() && granted.header("last-modified").is_none());
    let introspected =
        application.client_post("/oauth2/introspect", &[("token", &application.token)]).await.expect(200);
    assert_eq!(introspected.header("cache-control"), Some("no-store"));
    let mut person = hub.console_user("Administrator").await;
    let request = person.new_key_request("Grafana", &["Operator"]).await;
    let window = person.go(request).await;
    let key = person.shown_key("Grafana", &window);
    assert!(window.header("cache-control").is_some_and(|value| value.contains("no-store")), "{:?}", window.headers);
    // And not only these: no answer in which either stands may be stored.
    for (line, answer) in hub.site.seen() {
        let all = answer.everything();
        if all.contains(&key.client_secret) || all.contains(&application.token) {
            let control = answer.header("cache-control").unwrap_or_default();
            assert!(control.contains("no-store"), "{line}: {control}");
        }
    }
}

#[tokio::test]
async fn sec_06_a_scope_is_given_exactly_or_refused() {
    let hub = Hub::start().await;
    hub.role("Reader", &["entities:view"], None).await;
    hub.role("Fx reader", &["entities:view", "gateway/fx-*:view"], None).await;
    hub.role("Fx row", &["entities:edit"], Some("user.department = fx")).await;
    let reader = hub.application(&["Reader"]).await;
    let administrator = hub.application(&["Administrator"]).await;

    assert_eq!(reader.ask_token(&[]).await.expect(200).member("scope"), "entities:view");
    assert_eq!(reader.ask_token(&[("scope", "entities:view")]).await.expect(200).member("scope"), "entities:view");
    for (beyond, named) in [
        ("entities:edit", "entities:edit"),
        ("entities:view entities:edit", "entities:edit"),
        ("entities:edit entities:view", "entities:edit"),
        ("gateway/prom:view", "gateway/prom:view"),
        ("gateway/*:view", "gateway/*:view"),
        ("audit:view", "audit:view"),
        ("entities", "entities"),
        ("entities:*", "entities:*"),
        ("*", "*"),
        ("ENTITIES:VIEW", "ENTITIES:VIEW"),
        ("entities:view,entities:edit", "entities:view,entities:edit"),
        ("openid", "openid"),
    ] {
        let answer = reader.ask_token(&[("scope", beyond)]).await;
        assert_eq!(error(&answer, 400), "invalid_scope", "{beyond}");
        assert!(answer.member("error_description").contains(named), "{beyond}: {}", answer.text());
    }

    // Edit on a security resource is never a scope, not for the Administrator either.
    for resource in ["applications", "roles", "users", "gateways", "settings", "audit", "metrics", "introspection"] {
        let answer = administrator.ask_token(&[("scope", &format!("{resource}:edit"))]).await;
        assert_eq!(error(&answer, 400), "invalid_scope", "{resource}:edit");
        administrator.ask_token(&[("scope", &format!("{resource}:view"))]).await.expect(200);
    }
    let everything = administrator.ask_token(&[]).await.expect(200).member("scope");
    for value in everything.split(' ') {
        let (resource, action) = value.rsplit_once(':').expect("a grant");
        assert!(action == "view" || resource == "entities" || resource.starts_with("gateway/"), "{value}");
    }
    assert!(everything.split(' ').any(|value| value == "entities:edit"), "{everything}");

    // Patterns are scopes as patterns; a part of one can be asked for; more than it cannot.
    let fx = hub.application(&["Fx reader"]).await;
    let scope = fx.ask_token(&[]).await.expect(200).member("scope");
    assert_eq!(scope, "entities:view gateway/fx-*:view");
    fx.ask_token(&[("scope", "gateway/fx-prices:view")]).await.expect(200);
    fx.ask_token(&[("scope", "gateway/fx-a*:view")]).await.expect(200);
    for beyond in ["gateway/f*:view", "gateway/fx-*:edit", "gateway/*:view", "gateway/other:view"] {
        assert_eq!(error(&fx.ask_token(&[("scope", beyond)]).await, 400), "invalid_scope", "{beyond}");
    }

    // A token of a narrow scope cannot do what the roles would allow.
    let mut narrow = administrator.clone();
    narrow.token = administrator.token_for("entities:view").await;
    narrow.get("/api/v1/entities").await.expect(200);
    let refused = narrow.send("PUT", "/api/v1/entities/a", &json!({"attributes": {"a": "b"}})).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let challenge = refused.header("www-authenticate").unwrap_or_default();
    assert!(challenge.contains("insufficient_scope") && challenge.contains("entities:edit"), "{challenge}");
    assert_eq!(narrow.get("/api/v1/applications").await.status, 403);
}

#[tokio::test]
async fn a_token_is_for_a_resource_that_exists() {
    let hub = Hub::start().await;
    let application = hub.application(&["Administrator"]).await;
    for resource in ["https://elsewhere.example/", "urn:x", "", "x", &format!("{}/gateways/none", hub.site.issuer)] {
        let answer = application.ask_token(&[("resource", resource)]).await;
        if resource.is_empty() {
            answer.expect(200);
        } else {
            assert_eq!(error(&answer, 400), "invalid_target", "{resource}");
        }
    }
    let twice = [("resource", hub.site.issuer.as_str()), ("resource", &hub.site.issuer)];
    assert_eq!(error(&application.ask_token(&twice).await, 400), "invalid_target");
}

#[tokio::test]
async fn an_application_without_anything_grantable_gets_no_token() {
    let hub = Hub::start().await;
    hub.role("Keeper", &["applications:edit"], None).await;
    let application = hub.application_without_token(&["Keeper"]).await;
    assert_eq!(error(&application.ask_token(&[]).await, 400), "invalid_scope");
}

#[tokio::test]
async fn a_form_is_read_strictly() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let base = Request::post("/oauth2/token").basic(&application.client_id, &application.client_secret);
    let form = b"grant_type=client_credentials";
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let answer = hub.site.ask(base.clone().body(kind, form)).await;
        assert!(matches!(answer.status, 400 | 415), "{kind}: {answer:?}");
    }
    hub.site.ask(base.clone().body("application/x-www-form-urlencoded;charset=UTF-8", form)).await.expect(200);
    let mut long = form.to_vec();
    long.extend_from_slice(b"&scope=");
    long.extend(std::iter::repeat_n(b'a', 70_000));
    let answer = hub.site.ask(base.clone().body("application/x-www-form-urlencoded", &long)).await;
    assert!(matches!(answer.status, 400 | 413), "{answer:?}");
    // Unknown parameters are ignored (RFC 6749 §3.2).
    hub.site.ask(base.form(&[GRANT, ("audience", "x"), ("nonsense", "é\u{1F600}")])).await.expect(200);
}
