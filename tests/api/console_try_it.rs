//! *Try it* on the page of a gateway: one GET in the name of the person who looks, and its answer as text.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gateway_hub::actions::gateway::{CredentialInput, GatewayInput};
use gateway_hub::domain::gateway::GatewayId;
use serde_json::{Value, json};

use super::console_gateways::{GATEWAYS, SECRET, store};
use super::gateways_access::assertion;
use crate::support::{Hub, Upstream, html};

#[tokio::test]
async fn sec_24_try_it_shows_text_and_never_the_hubs_credential() {
    let hub = Hub::start().await;
    let upstream = store("<script>alert(1)</script>").await;
    let secret = CredentialInput::Basic { user: "hub".to_owned(), password: SECRET.to_owned().into() };
    let rules = Some(vec!["GET /admin/** = refused".to_owned(), "GET /run/** = edit".to_owned()]);
    let input = GatewayInput { credential: Some(secret), path_rules: rules, ..GatewayInput::default() };
    let id = hub.gateway_with("echo", &upstream.url(), input).await;
    let page = format!("{GATEWAYS}/{}/try", id.as_str());
    hub.role("Viewer", &["gateway/echo:view"], None).await;
    let mut person = hub.console_user("Viewer").await;
    let opened = person.get(&page).await.expect(200);
    let send = |path: &str| html::form_with(&opened, "Send").fill("Path", path).press("Send", &page);
    let answer = person.send(send("/a/b?c=%20d")).await.expect(200);
    let text = answer.text();
    assert!(text.contains("200 OK") && text.contains("GET /a/b?c=%20d"), "{text}");
    assert!(text.contains("[the hub") && !text.contains("<script>alert"), "{text}");
    for form in [SECRET.to_owned(), STANDARD.encode(format!("hub:{SECRET}"))] {
        assert!(!answer.everything().contains(&form), "{form}: {text}");
    }
    assert!(!text.contains("a=b"), "cookies of the service are not shown");
    // A credential that goes up as it is.
    let bearer = Some(CredentialInput::Bearer(SECRET.to_owned().into()));
    let id_of_bearer = hub
        .gateway_with("bearer", &upstream.url(), GatewayInput { credential: bearer, ..GatewayInput::default() })
        .await;
    hub.role("Bearer", &["gateway/bearer:view"], None).await;
    let page_of_bearer = format!("{GATEWAYS}/{}/try", id_of_bearer.as_str());
    let told = hub.console_user("Bearer").await.press(&page_of_bearer, "Send").await.expect(200);
    assert!(told.text().contains("[the hub") && !told.everything().contains(SECRET), "{}", told.text());
    let before = upstream.seen().len();
    for path in ["/admin/x", "/admin/", "/run/x", "//a", "/a/../b", "/a%2fb", "a", "", "/a?b c", "/a\\b"] {
        let refused = person.send(send(path)).await.expect(422);
        assert!(refused.text().contains("role=\"alert\""), "{path}");
    }
    assert_eq!(upstream.seen().len(), before, "nothing was sent");
    // Who may edit only, or nothing of it, looks at nothing; a view of some rows is none of the whole.
    hub.role("Editor", &["gateway/echo:edit", "gateways:view", "gateways:edit"], None).await;
    hub.change_gateway(&id, GatewayInput { forward_filter: Some(true), ..GatewayInput::default() }).await;
    hub.role("Fx", &["gateway/echo:view"], Some("user.department = fx")).await;
    hub.console_user("Editor").await.get(&page).await.expect(403);
    let mut some = hub.console_user("Fx").await;
    let form = html::form_with(&some.get(&page).await.expect(200), "Send");
    let refused = some.send(form.fill("Path", "/a").press("Send", &page)).await.expect(422);
    assert!(refused.text().contains("only some rows"), "{}", refused.text());
    assert_eq!(upstream.seen().len(), before, "nothing was sent");
    person
        .send(html::form_with(&opened, "Send").fill("Path", "/a").without("csrf").press("Send", &page))
        .await
        .expect(403);
}

/// A service that insists on the assertion can be tried, and is told that no application calls, whatever people are called.
#[tokio::test]
async fn sec_24_try_it_asserts_a_test_of_the_consoles_and_no_application() {
    let hub = Hub::start().await;
    let upstream = store("ok").await;
    let asserts = |on| GatewayInput { assertion: Some(on), ..GatewayInput::default() };
    let id = hub.gateway_with("shop", &upstream.url(), asserts(true)).await;
    hub.role("Viewer", &["gateway/shop:view"], None).await;
    let application = hub.application(&["Viewer"]).await;
    application.get("/gateways/shop/items/7").await.expect(200);
    let of_application = claims_of(&hub, &id, &upstream).await;
    let mut person = hub.console_user("Viewer").await;
    let page = format!("{GATEWAYS}/{}/try", id.as_str());
    let form = html::form_with(&person.get(&page).await.expect(200), "Send").fill("Path", "/items/7?x=1");
    let answer = person.send(form.press("Send", &page)).await.expect(200);
    let claims = claims_of(&hub, &id, &upstream).await;
    assert_eq!(claims["sub"], "console-test");
    assert!(claims["console_user"].is_string(), "{claims}");
    for absent in ["client_id", "name", "filter"] {
        assert!(claims.get(absent).is_none(), "{absent}: {claims}");
    }
    assert_eq!(claims["roles"], json!([]));
    for same in ["iss", "aud", "action", "method", "path"] {
        assert_eq!(claims[same], of_application[same], "{same}");
    }
    assert_eq!(of_application["sub"], application.client_id);
    // The service repeats its headers, and the page is no place to take an assertion from.
    let sent = upstream.last().header("x-gateway-hub-assertion").expect("an assertion").to_owned();
    assert!(answer.text().contains("[the hub&#39;s assertion]") && !answer.everything().contains(&sent), "{answer:?}");
    hub.change_gateway(&id, asserts(false)).await;
    person.press(&page, "Send").await.expect(200);
    assert_eq!(upstream.last().count("x-gateway-hub-assertion"), 0, "it was not asked for");
}

/// What the assertion of the last request claims, as a service verifies it.
async fn claims_of(hub: &Hub, id: &GatewayId, upstream: &Upstream) -> Value {
    let token = upstream.last().header("x-gateway-hub-assertion").expect("an assertion").to_owned();
    assertion(hub, id, &token).await.1
}

#[tokio::test]
async fn sec_34_try_it_takes_a_recent_sign_in() {
    let hub = Hub::with_manual_clock().await;
    let upstream = store("x").await;
    let id = hub.gateway("echo", &upstream).await;
    let page = format!("{GATEWAYS}/{}/try", id.as_str());
    let mut person = hub.console_user("Administrator").await;
    let opened = person.get(&page).await.expect(200);
    for _ in 0..3 {
        hub.advance(20 * 60).await;
        person.get(GATEWAYS).await.expect(200);
    }
    hub.advance(60).await;
    let late =
        person.send(html::form_with(&opened, "Send").fill("Path", "/kept").press("Send", &page)).await.expect(303);
    assert!(late.header("location").is_some_and(|to| to.contains("sign-in") && to.contains("kept")), "{late:?}");
    person.get(&page).await.expect(303);
    assert!(upstream.seen().is_empty());
}
