//! Introspection (RFC 7662) and revocation (RFC 7009): each about one's own tokens, unless a role says more.

use serde_json::{Value, json};

use crate::support::{Application, Hub, Request, forge::Forge};

async fn introspect(asker: &Application, token: &str) -> Value {
    asker.client_post("/oauth2/introspect", &[("token", token)]).await.expect(200).json()
}

#[tokio::test]
async fn sec_21_introspection_tells_of_ones_own_tokens_only() {
    let hub = Hub::start().await;
    hub.role("Reader", &["entities:view", "entities:edit"], None).await;
    hub.role("Introspector", &["introspection:view"], None).await;
    let one = hub.application(&["Reader"]).await;
    let two = hub.application(&["Reader"]).await;
    let trusted = hub.application(&["Introspector"]).await;
    let own = introspect(&one, &one.token).await;
    assert_eq!(own["active"], true);
    assert_eq!(own["client_id"], json!(one.client_id));
    assert_eq!(own["scope"], "entities:view entities:edit");
    for member in ["sub", "iss", "aud", "exp", "iat", "jti", "token_type"] {
        assert!(own.get(member).is_some(), "{member}: {own}");
    }
    assert_eq!(introspect(&trusted, &one.token).await["active"], true);
    // What is not for the asker looks exactly like what does not exist.
    let forge = Forge::new(&hub, &one.token).await;
    let mut expired = forge.claims.clone();
    expired["exp"] = json!(1);
    let nothing = json!({"active": false});
    let unknown = two.client_post("/oauth2/introspect", &[("token", "nonsense")]).await.comparable();
    for token in [one.token.clone(), forge.sign(&forge.header, &expired), one.client_secret.clone(), "a.b.c".to_owned()]
    {
        let answer = two.client_post("/oauth2/introspect", &[("token", &token)]).await.expect(200);
        assert_eq!(answer.json(), nothing);
        assert_eq!(answer.comparable(), unknown);
    }
    // The hint changes nothing (RFC 7662 §2.1).
    for hint in ["access_token", "refresh_token", "nonsense"] {
        let fields = [("token", one.token.as_str()), ("token_type_hint", hint)];
        assert_eq!(one.client_post("/oauth2/introspect", &fields).await.expect(200).json()["active"], true);
    }
    // The effective scope: what the roles give now.
    hub.set_role("Reader", &["entities:view"], None).await;
    assert_eq!(introspect(&one, &one.token).await["scope"], "entities:view");
}

#[tokio::test]
async fn sec_21_introspection_and_revocation_want_a_client() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let token = application.token.as_str();
    let mut wrong = application.clone();
    wrong.client_secret = hub.application(&["Operator"]).await.client_secret;
    for path in ["/oauth2/introspect", "/oauth2/revoke"] {
        let bare = hub.site.ask(Request::post(path).form(&[("token", token)])).await;
        assert_eq!(bare.status, 401, "{path}");
        let bearer = hub.site.ask(Request::post(path).bearer(token).form(&[("token", token)])).await;
        assert_eq!(bearer.status, 401, "{path}: a token is no client authentication");
        let failed = wrong.client_post(path, &[("token", token)]).await;
        assert_eq!((failed.status, failed.member("error").as_str()), (401, "invalid_client"), "{path}");
        for method in ["GET", "PUT", "DELETE"] {
            let target = format!("{path}?token={token}");
            let request = Request::new(method, &target).basic(&application.client_id, &application.client_secret);
            assert_eq!(hub.site.ask(request).await.status, 405, "{method} {path}");
        }
        let missing = application.client_post(path, &[]).await;
        assert_eq!((missing.status, missing.member("error").as_str()), (400, "invalid_request"), "{path}");
        let twice = application.client_post(path, &[("token", token), ("token", token)]).await;
        assert_eq!(twice.status, 400, "{path}");
        let query = format!("{path}?token={token}");
        let moved = application.client_post(&query, &[]).await;
        assert_eq!(moved.status, 400, "{path}: the token in the query is not read");
    }
    assert!(application.is_in().await);
}

#[tokio::test]
async fn sec_21_revocation_ends_ones_own_token_and_nobody_elses() {
    let mut hub = Hub::start().await;
    let one = hub.application(&["Operator"]).await;
    let administrator = hub.application(&["Administrator"]).await;
    let mut second = one.clone();
    second.sign_in().await;
    // Another's token, whatever the revoker's roles: 200 as RFC 7009 §2.2 has it, and nothing happens.
    let foreign = administrator.client_post("/oauth2/revoke", &[("token", &one.token)]).await.expect(200);
    let unknown = administrator.client_post("/oauth2/revoke", &[("token", "nonsense")]).await.expect(200);
    assert_eq!(foreign.comparable(), unknown.comparable(), "nobody learns whether a token is good");
    assert!(one.is_in().await);
    one.client_post("/oauth2/revoke", &[("token", &one.token)]).await.expect(200);
    assert!(!one.is_in().await && second.is_in().await, "this one and no other");
    assert_eq!(introspect(&one, &one.token).await, json!({"active": false}));
    one.client_post("/oauth2/revoke", &[("token", &one.token)]).await.expect(200);
    assert!(one.key_works().await);
    hub = hub.restart().await;
    let moved = |key: &Application| Application { site: hub.site.clone(), ..key.clone() };
    assert!(!moved(&one).is_in().await && moved(&second).is_in().await, "after a restart");
}

#[tokio::test]
async fn sec_21_revoking_one_token_again_and_again_writes_one_row() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    application.client_post("/oauth2/revoke", &[("token", &application.token)]).await.expect(200);
    let before = hub.rows().await;
    for _ in 0..5 {
        application.client_post("/oauth2/revoke", &[("token", &application.token)]).await.expect(200);
        application.client_post("/oauth2/revoke", &[("token", "nonsense")]).await.expect(200);
    }
    assert_eq!(before.counts(), hub.rows().await.counts());
}
