//! Pictures of the pages about gateways.

use super::browser::{Browser, story};
use super::gateways::{open_more, service_at};
use super::hub::Hub;
use super::pictures::take;
use gateway_hub::actions::application::NewApplication;
use gateway_hub::actions::gateway::{CredentialInput, GatewayInput, LabelsInput};
use gateway_hub::actions::role::RoleInput;
use gateway_hub::actions::{self, Actor};
use gateway_hub::domain::gateway::GatewayId;
use gateway_hub::domain::role::RoleId;
use std::time::Duration;
use thirtyfour::prelude::*;

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

async fn gateway(hub: &Hub, name: &str, address: &str, input: GatewayInput) -> GatewayId {
    let mut input = input;
    input.addresses.get_or_insert_with(|| vec![address.to_owned()]);
    actions::gateway::create(&hub.app, &Actor::operator(), name, &input).await.expect("a gateway").gateway.id
}

/// Three gateways: a store, an API with rules, and one that nobody answers for.
async fn fill(hub: &Hub, store: &str, api: &str) -> [GatewayId; 3] {
    let kind = |kind: &str, description: &str| GatewayInput {
        kind: Some(kind.to_owned()),
        description: Some(description.to_owned()),
        ..GatewayInput::default()
    };
    let labels = LabelsInput {
        reported: texts(&["instance", "job", "region"]),
        set: texts(&["user.department=department", "user.region=region"]),
        ..LabelsInput::default()
    };
    let metrics = GatewayInput { labels, ..kind("prometheus", "Prometheus of the trading floor") };
    let search = GatewayInput {
        path_rules: Some(texts(&["POST /search/** = view", "GET /export = edit", "* /admin/** = refused"])),
        credential: Some(CredentialInput::Basic { user: "hub".to_owned(), password: "canary".to_owned().into() }),
        ..kind("http", "Full-text search over tickets and runbooks")
    };
    let billing = GatewayInput {
        addresses: Some(texts(&["http://127.0.0.1:9/v2", "http://127.0.0.1:10/v2"])),
        ..kind("http", "")
    };
    let ids = [
        gateway(hub, "metrics", store, metrics).await,
        gateway(hub, "search", api, search).await,
        gateway(hub, "billing", "", billing).await,
    ];
    let grants: [(&str, &[&str], &str); 3] = [
        ("FX metrics", &["gateway/metrics:view"], "user.department = fx"),
        ("Searching", &["gateway/search:view"], ""),
        ("Ticket writer", &["gateway/search:view", "gateway/search:edit"], ""),
    ];
    for (name, grants, filter) in grants {
        let new = RoleInput { name: name.to_owned(), grants: texts(grants), filter: filter.to_owned() };
        actions::role::create(&hub.app, &Actor::operator(), &new).await.expect("a role");
    }
    ids
}

/// Some changes, and some requests, one of which is not answered.
async fn use_it(hub: &Hub, id: &GatewayId, api: &str) {
    let operator = Actor::operator();
    let away = GatewayInput { addresses: Some(texts(&["http://127.0.0.1:9"])), ..GatewayInput::default() };
    let back = GatewayInput {
        addresses: Some(texts(&[api, "http://127.0.0.1:10"])),
        credential: Some(CredentialInput::Basic { user: "hub".to_owned(), password: "canary".to_owned().into() }),
        answer_timeout: Some(Duration::from_secs(20)),
        ..GatewayInput::default()
    };
    let roles = vec![RoleId::new(RoleId::ADMINISTRATOR)];
    let new = NewApplication { name: "Ticket sync".to_owned(), roles, ..NewApplication::default() };
    let made = actions::application::create(&hub.app, &operator, &new).await.expect("an application");
    let token = hub.token(made.client_id.as_str(), made.client_secret.expose()).await.expect("a token");
    let ask = async || {
        let request = reqwest::Client::new().get(hub.url("/gateways/search/tickets/7")).bearer_auth(&token);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(ask().await, 200);
    actions::gateway::update(&hub.app, &operator, id, &away).await.expect("changed");
    assert_eq!(ask().await, 502);
    actions::gateway::update(&hub.app, &operator, id, &back).await.expect("changed");
    assert_eq!(ask().await, 200);
}

async fn look(browser: &Browser, hub: &Hub, page: &str, name: &str) {
    browser.go(&hub.url(&format!("/console/gateways{page}"))).await;
    take(browser, name).await;
}

#[test]
#[ignore = "takes pictures; run by `just pictures`"]
fn gateways() {
    story(async |browser, hub| {
        let (store, api) = (service_at(9090).await, service_at(9200).await);
        hub.administrator().await;
        browser.sign_in(hub).await;
        look(browser, hub, "", "gateways-empty").await;
        look(browser, hub, "/new", "gateway-new").await;
        browser.choose("Authentication", "HTTP Basic: user name and password").await;
        open_more(browser).await;
        browser.fill("Name", "Search").await;
        browser.fill("Address", "search.example").await;
        browser.press("Create gateway").await;
        browser.says("Give ").await;
        take(browser, "gateway-new-with-a-fault").await;

        let [metrics, search, billing] = fill(hub, &store, &api).await.map(|id| id.as_str().to_owned());
        use_it(hub, &GatewayId::new(search.as_str()), &api).await;
        for id in [&metrics, &billing, &search] {
            browser.go(&hub.url(&format!("/console/gateways/{id}"))).await;
            browser.press("Check now").await;
            browser.says("The upstream was asked").await;
        }
        look(browser, hub, "", "gateways").await;
        look(browser, hub, &format!("/{search}"), "gateway").await;
        let before = browser.driver.find(By::Css("section[aria-labelledby='health-title'] summary")).await;
        before.expect("What was before").click().await.expect("a click");
        open_more(browser).await;
        take(browser, "gateway-opened").await;
        look(browser, hub, &format!("/{metrics}"), "gateway-prometheus").await;
        look(browser, hub, &format!("/{billing}"), "gateway-down").await;
        look(browser, hub, &format!("/{search}/try"), "gateway-try").await;
        browser.fill("Path", "/tickets/7?fields=title").await;
        browser.press("Send").await;
        browser.says("200 OK").await;
        take(browser, "gateway-tried").await;
        browser.fill("Path", "/admin/x").await;
        browser.press("Send").await;
        browser.says("A path rule of the gateway refuses this path").await;
        take(browser, "gateway-try-refused").await;
        look(browser, hub, &format!("/{search}/delete"), "gateway-delete").await;
        browser.go(&hub.url("/console/documentation")).await;
        take(browser, "oauth-documentation-with-gateways").await;
    });
}
