//! Pictures of every page and window, for the documentation and for looking at them with care. `just pictures` takes them.

use super::browser::{Browser, story};
use super::hub::Hub;
use gateway_hub::actions::application::NewApplication;
use gateway_hub::actions::role::RoleInput;
use gateway_hub::actions::{self, Actor};
use gateway_hub::domain::role::RoleId;
use serde_json::json;
use std::path::{Path, PathBuf};

const SIZES: [(u32, u32); 3] = [(1280, 800), (900, 700), (390, 844)];

/// The pictures that the documentation shows.
const SHOWN: [&str; 3] = ["application-keys", "new-api-key-roles", "new-api-key-shown"];

/// Where the pictures go: `docs/images` for those of the documentation, or all, in every size and scheme, to the folder
/// named by `PICTURES`.
fn folder() -> (PathBuf, bool) {
    match std::env::var_os("PICTURES") {
        Some(folder) => (PathBuf::from(folder), true),
        None => (Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images"), false),
    }
}

pub(crate) async fn take(browser: &Browser, name: &str) {
    let (folder, all) = folder();
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    for (width, height) in SIZES {
        for scheme in ["light", "dark"] {
            if !all && ((width, scheme) != (1280, "light") || !SHOWN.contains(&name)) {
                continue;
            }
            let cdp = browser.driver.cdp();
            let media = json!({ "features": [
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ] });
            cdp.send_raw("Emulation.setEmulatedMedia", media).await.expect("a colour scheme");
            let touch = json!({ "enabled": width < 800 });
            cdp.send_raw("Emulation.setTouchEmulationEnabled", touch).await.expect("a finger, or none");
            let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            cdp.send_raw("Emulation.setDeviceMetricsOverride", size).await.expect("a size");
            let file = if all { format!("{name}-{width}-{scheme}.png") } else { format!("{name}.png") };
            browser.driver.screenshot(&folder.join(file)).await.expect("a picture");
        }
    }
    let cdp = browser.driver.cdp();
    cdp.send_raw("Emulation.setTouchEmulationEnabled", json!({ "enabled": false })).await.expect("no finger");
    cdp.send_raw("Emulation.clearDeviceMetricsOverride", json!({})).await.expect("the old size");
}

async fn fill(hub: &Hub) {
    let operator = Actor::operator();
    let roles = [
        ("FX desk", vec!["entities:view"], "user.department = fx"),
        ("Inventory editor", vec!["entities:view", "entities:edit"], "user.region IN (emea, apac)"),
        ("Metrics reader", vec!["metrics:view"], ""),
    ];
    let mut ids = vec![RoleId::new(RoleId::OPERATOR)];
    for (name, grants, filter) in roles {
        let new = RoleInput {
            name: name.to_owned(),
            grants: grants.into_iter().map(str::to_owned).collect(),
            filter: filter.to_owned(),
        };
        ids.push(actions::role::create(&hub.app, &operator, &new).await.expect("a role").id);
    }
    let applications: [(&str, &[usize]); 6] = [
        ("Capacity report", &[0]),
        ("Grafana FX", &[1]),
        ("Incident assistant", &[1, 3]),
        ("Partner Acme", &[1]),
        ("ServiceNow sync", &[2, 3]),
        ("Uptime checks", &[3]),
    ];
    for (name, chosen) in applications {
        let roles = chosen.iter().map(|index| ids[*index].clone()).collect();
        let new = NewApplication { name: name.to_owned(), roles, ..NewApplication::default() };
        let made = actions::application::create(&hub.app, &operator, &new).await.expect("an application");
        if name.starts_with("Partner") {
            actions::application::disable(&hub.app, &operator, &made.client_id).await.expect("disabled");
        }
    }
}

#[test]
#[ignore = "takes pictures; run by `just pictures`"]
fn pictures() {
    story(async |browser, hub| {
        browser.go(&hub.url("/console/first-run")).await;
        take(browser, "first-run").await;
        hub.administrator().await;
        browser.go(&hub.url("/console/applications")).await;
        take(browser, "sign-in").await;
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        take(browser, "application-keys-empty").await;
        fill(hub).await;
        browser.go(&hub.url("/console/overview")).await;
        take(browser, "overview").await;
        browser.follow("Application keys").await;
        browser.point_at("Grafana FX").await;
        take(browser, "application-keys").await;
        browser.press("New API Key").await;
        browser.fill("Name", "Grafana EMEA").await;
        take(browser, "new-api-key-name").await;
        browser.press("Next").await;
        browser.says("Step 2 of 2").await;
        browser.field("FX desk").await.click().await.expect("a checkbox");
        take(browser, "new-api-key-roles").await;
        browser.field("FX desk").await.click().await.expect("a checkbox");
        browser.press("Generate API Key").await;
        browser.says("Choose at least one role.").await;
        take(browser, "new-api-key-no-role").await;
        browser.field("FX desk").await.click().await.expect("a checkbox");
        browser.press("Generate API Key").await;
        browser.field("client_secret").await;
        take(browser, "new-api-key-shown").await;
        browser.press("Close").await;
        browser.no_window().await;
        browser.press_in_row("Grafana FX", "Regenerate").await;
        browser.window_titled("Regenerate API key").await;
        take(browser, "regenerate-api-key").await;
        browser.press("Cancel").await;
        browser.no_window().await;
        browser.press_in_row("Grafana FX", "Delete").await;
        browser.window_titled("Delete API key").await;
        take(browser, "delete-api-key").await;
        browser.press("Cancel").await;
        browser.no_window().await;
        for (page, name) in
            [("roles", "roles"), ("documentation", "oauth-documentation"), ("nothing-here", "not-found")]
        {
            browser.go(&hub.url(&format!("/console/{page}"))).await;
            take(browser, name).await;
        }
    });
}
