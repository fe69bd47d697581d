//! Who is let in to a gateway with what: tokens for one gateway (RFC 8707, RFC 9728), HTTP Basic, and the assertion of who
//! calls.

use gateway_hub::{
    actions::gateway::{GatewayInput, LabelsInput},
    domain::gateway::GatewayId,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::Value;

use crate::support::{Hub, Request, Upstream};

#[tokio::test]
async fn sec_15_a_token_for_one_gateway_is_good_there_only() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway("shop", &upstream).await;
    hub.gateway("other", &upstream).await;
    let mut application = hub.application(&["Operator"]).await;
    let everywhere = application.token.clone();
    let resource = format!("{}/gateways/shop", hub.site.issuer);
    application.token = application.ask_token(&[("resource", &resource)]).await.expect(200).member("access_token");
    application.get("/gateways/shop/x").await.expect(200);
    let elsewhere = application.get("/gateways/other/x").await.expect(401);
    let challenge = elsewhere.header("www-authenticate").expect("a challenge").to_owned();
    assert!(challenge.contains("/.well-known/oauth-protected-resource/gateways/other\""), "{challenge}");
    application.get("/api/v1/whoami").await.expect(401);
    let seen = application.client_post("/oauth2/introspect", &[("token", &application.token)]).await.expect(200).json();
    assert_eq!((&seen["active"], &seen["aud"]), (&Value::Bool(true), &Value::String(resource.clone())));
    application.token = everywhere;
    for target in ["/gateways/shop/x", "/gateways/other/x", "/api/v1/whoami"] {
        application.get(target).await.expect(200);
    }
    let nothing = format!("{}/gateways/nothing", hub.site.issuer);
    for wrong in [nothing.as_str(), "https://elsewhere.example/gateways/shop", &format!("{resource}/"), "shop"] {
        let answer = application.ask_token(&[("resource", wrong)]).await.expect(400);
        assert_eq!(answer.json()["error"], "invalid_target", "{wrong}");
    }
    let two = application.ask_token(&[("resource", &resource), ("resource", &hub.site.issuer)]).await.expect(400);
    assert_eq!(two.json()["error"], "invalid_target");
    hub.role("Stranger", &["entities:view"], None).await;
    let stranger = hub.application(&["Stranger"]).await;
    let refused = stranger.ask_token(&[("resource", &resource)]).await.expect(400);
    assert_eq!(refused.text(), stranger.ask_token(&[("resource", &nothing)]).await.text());
}

#[tokio::test]
async fn each_gateway_describes_itself_as_a_resource() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway("shop", &upstream).await;
    let metadata = hub.site.get("/.well-known/oauth-protected-resource/gateways/shop").await.expect(200).json();
    assert_eq!(metadata["resource"], format!("{}/gateways/shop", hub.site.issuer));
    assert_eq!(metadata["authorization_servers"][0], hub.site.issuer);
    assert_eq!(metadata["scopes_supported"], serde_json::json!(["gateway/shop:view", "gateway/shop:edit"]));
    hub.site.get("/.well-known/oauth-protected-resource/gateways/nothing").await.expect(404);
    let challenge = hub.site.get("/gateways/shop/x").await.expect(401);
    let challenge = challenge.header("www-authenticate").expect("a challenge");
    assert!(challenge.contains("/.well-known/oauth-protected-resource/gateways/shop\""), "{challenge}");
}

#[tokio::test]
async fn scopes_of_gateways_narrow() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway("shop", &upstream).await;
    let mut application = hub.application(&["Administrator"]).await;
    application.token = application.token_for("gateway/shop:view").await;
    application.get("/gateways/shop/x").await.expect(200);
    let refused = application.ask(Request::new("DELETE", "/gateways/shop/x")).await.expect(403);
    assert!(refused.header("www-authenticate").expect("a challenge").contains("scope=\"gateway/shop:edit\""));
}

#[tokio::test]
async fn basic_works_on_gateways_for_applications_that_may() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway("shop", &upstream).await;
    hub.role("Viewer", &["gateway/shop:view", "entities:view"], None).await;
    let application = hub.application(&["Viewer"]).await;
    let (id, secret) = (application.client_id.as_str(), application.client_secret.as_str());
    let ask = async |method: &str, target: &str, secret: &str| {
        hub.site.ask(Request::new(method, target).basic(id, secret)).await
    };
    // Off until somebody switches it on.
    let off = ask("GET", "/gateways/shop/x", secret).await.expect(401);
    assert!(off.header("www-authenticate").expect("a challenge").starts_with("Basic "), "{off:?}");
    hub.allow_basic(id, true).await;
    ask("GET", "/gateways/shop/x", secret).await.expect(200);
    let arrived = upstream.last();
    assert_eq!((arrived.header("authorization"), arrived.header("x-gateway-hub-client-id")), (None, Some(id)));
    ask("DELETE", "/gateways/shop/x", secret).await.expect(403);
    ask("GET", "/gateways/other/x", secret).await.expect(403);
    ask("GET", "/api/v1/whoami", secret).await.expect(401);
    ask("GET", "/api/v1/entities", secret).await.expect(401);
    let wrong = ask("GET", "/gateways/shop/x", &secret.replace("ghs_", "ghs_x")).await.expect(401);
    assert_eq!(wrong.text(), off.text());
    for header in ["Basic", "Basic !", "Basic eA==", "Digest x"] {
        let request = Request::get("/gateways/shop/x").header("Authorization", header);
        assert_eq!(hub.site.ask(request).await.status, 401, "{header}");
    }
    // The same checks as for a token, at every request.
    hub.set_networks(id, &["192.0.2.0/24"]).await;
    ask("GET", "/gateways/shop/x", secret).await.expect(401);
    hub.set_networks(id, &[]).await;
    hub.disable(id).await;
    ask("GET", "/gateways/shop/x", secret).await.expect(401);
    hub.enable(id).await;
    ask("GET", "/gateways/shop/x", secret).await.expect(200);
    let new = hub.regenerate(id, None).await;
    ask("GET", "/gateways/shop/x", secret).await.expect(401);
    ask("GET", "/gateways/shop/x", &new).await.expect(200);
    hub.delete(id).await;
    ask("GET", "/gateways/shop/x", &new).await.expect(401);
}

#[tokio::test]
async fn sec_07_basic_on_gateways_is_throttled_after_the_compare() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Operator"]).await;
    hub.allow_basic(&application.client_id, true).await;
    let ask =
        async |secret: &str| hub.site.ask(Request::get("/gateways/shop/x").basic(&application.client_id, secret)).await;
    let mut last = 401;
    for _ in 0..70 {
        last = ask("ghs_wrong").await.status;
    }
    assert_eq!(last, 429);
    ask(&application.client_secret).await.expect(200);
}

/// An assertion as an upstream verifies it: the id of the key and what it claims.
pub(crate) async fn assertion(hub: &Hub, id: &GatewayId, token: &str) -> (String, Value) {
    let keys = hub.site.get("/.well-known/gateway-assertion-jwks").await.expect(200).text();
    let keys: JwkSet = serde_json::from_str(&keys).expect("a JWK set");
    let header = jsonwebtoken::decode_header(token).expect("a header");
    assert_eq!(header.typ.as_deref(), Some("gateway-assertion+jwt"));
    let kid = header.kid.expect("a kid");
    let key = DecodingKey::from_jwk(keys.find(&kid).expect("the key")).expect("a key");
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&[id.as_str()]);
    validation.set_issuer(&[&hub.site.issuer]);
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).expect("it verifies").claims;
    (kid, claims)
}

#[tokio::test]
async fn the_assertion_says_who_calls_for_this_request_only() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    let id = hub
        .gateway_with("shop", &upstream.url(), GatewayInput { forward_filter: Some(true), ..GatewayInput::default() })
        .await;
    hub.role("Some", &["gateway/shop:view"], Some("user.department = fx")).await;
    hub.role("More", &["gateway/shop:view"], Some("itrs.os-type IN (Linux, Windows)")).await;
    let mut application = hub.application(&["Some", "More"]).await;
    application
        .ask(Request::get("/gateways/shop/items/7?x=1").header("X-Gateway-Hub-Assertion", "forged"))
        .await
        .expect(200);
    let arrived = upstream.last();
    assert_eq!(arrived.count("x-gateway-hub-assertion"), 1);
    let token = arrived.header("x-gateway-hub-assertion").expect("an assertion").to_owned();
    let (kid, claims) = assertion(&hub, &id, &token).await;
    assert_eq!(claims["client_id"], application.client_id);
    assert_eq!((&claims["method"], &claims["path"]), (&"GET".into(), &"/items/7".into()));
    assert!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat") <= 60);
    let filter = claims["filter"].as_str().expect("a filter");
    assert!(filter.contains(" OR ") && filter.contains("user.department = fx"), "{filter}");
    assert!(!hub.site.get("/oauth2/jwks").await.text().contains(&kid));
    // The hub does not take it for a token.
    application.token = token;
    application.get("/gateways/shop/items/7").await.expect(401);
    application.get("/api/v1/whoami").await.expect(401);
}

/// SECURITY 24: a store behind the hub learns who calls, for the request that the hub made, and nothing of the filter.
#[tokio::test]
async fn sec_24_the_assertion_binds_what_goes_up_to_a_store() {
    let body = r#"{"status":"success","data":[]}"#;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let (hub, upstream) = (Hub::start().await, Upstream::answering(head + body).await);
    let labels = LabelsInput { set: vec!["app.team=team".to_owned()], ..LabelsInput::default() };
    let kind = Some("prometheus".to_owned());
    let input = GatewayInput { kind, labels, assertion: Some(true), ..GatewayInput::default() };
    let id = hub.gateway_with("prom", &format!("{}/prefix", upstream.url()), input).await;
    hub.role("Zebra", &["gateway/prom:view"], Some("app.team = zebra")).await;
    let application = hub.application(&["Zebra"]).await;
    // Asked in other letters, by GET and by a form; what is signed is what arrived.
    let get = Request::get("/gateways/prom/api/v1/%71uery?query=up").header("X-Gateway-Hub-Assertion", "forged");
    let form = Request::post("/gateways/prom/api/v1/series").form(&[("match[]", "up")]);
    for request in [get, form] {
        application.ask(request).await.expect(200);
        let arrived = upstream.last();
        assert_eq!(arrived.count("x-gateway-hub-assertion"), 1);
        let token = arrived.header("x-gateway-hub-assertion").expect("an assertion");
        let (_, claims) = assertion(&hub, &id, token).await;
        let path = arrived.target.strip_prefix("/prefix").expect("the gateway's own path");
        assert_eq!(claims["path"], path.split('?').next().expect("a path"));
        assert_eq!((&claims["method"], &claims["action"]), (&arrived.method.clone().into(), &"view".into()));
        assert_eq!((&claims["client_id"], claims.get("filter")), (&application.client_id.clone().into(), None));
        assert!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat") <= 60);
        assert!(!claims.to_string().contains("zebra"), "{claims}");
    }
}

#[tokio::test]
async fn basic_and_bearer_together_are_refused() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway("shop", &upstream).await;
    let application = hub.application(&["Operator"]).await;
    hub.allow_basic(&application.client_id, true).await;
    let both = Request::get("/gateways/shop/x")
        .basic(&application.client_id, &application.client_secret)
        .bearer(&application.token);
    assert_eq!(hub.site.ask(both).await.status, 400);
    assert!(upstream.seen().is_empty());
}
