//! Pictures of every page and window, for the documentation and for looking at them with care. `just pictures` takes them.

use super::browser::{Browser, story};
use super::hub::Hub;
use gateway_hub::actions::api_key::{Regeneration, regenerate};
use gateway_hub::actions::application::NewApplication;
use gateway_hub::actions::role::RoleInput;
use gateway_hub::actions::{self, Actor};
use gateway_hub::domain::application::ClientId;
use gateway_hub::domain::denial::DenialReason;
use gateway_hub::domain::name::Name;
use gateway_hub::domain::role::RoleId;
use gateway_hub::store;
use gateway_hub::store::denial::Denial;
use gateway_hub::store::usage::{DayUsage, day_of};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thirtyfour::prelude::*;

const SIZES: [(u32, u32); 3] = [(1280, 800), (900, 700), (390, 844)];

/// The pictures that the documentation shows.
const SHOWN: [&str; 6] =
    ["application-keys", "new-api-key-roles", "new-api-key-shown", "application", "role-editor", "gateway"];

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
            if all {
                // The whole page, or the whole window.
                let script = "const window = document.querySelector('dialog[open]'); \
                              const inside = window?.querySelector('form, .window-body'); \
                              return window ? window.offsetHeight + inside.scrollHeight - inside.clientHeight + 60 : document.documentElement.scrollHeight";
                let whole = browser.driver.execute(script, Vec::new()).await.expect("a script").json().as_u64();
                let height = whole.map_or(height, |whole| height.max(u32::try_from(whole).unwrap_or(height)));
                let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
                cdp.send_raw("Emulation.setDeviceMetricsOverride", size).await.expect("a size");
            }
            let file = if all { format!("{name}-{width}-{scheme}.png") } else { format!("{name}.png") };
            browser.driver.screenshot(&folder.join(file)).await.expect("a picture");
        }
    }
    let cdp = browser.driver.cdp();
    cdp.send_raw("Emulation.setTouchEmulationEnabled", json!({ "enabled": false })).await.expect("no finger");
    cdp.send_raw("Emulation.clearDeviceMetricsOverride", json!({})).await.expect("the old size");
}

/// A month of use of an application, with some refusals, and an overlap.
async fn use_it(hub: &Hub, name: &str) -> ClientId {
    let mut tx = hub.app.store.write().await.expect("a store");
    let name = Name::parse(name).expect("a name");
    let id = store::application::by_name(&mut tx, &name).await.expect("a read").expect("the application").client_id;
    let now = hub.app.clock.now();
    let day = |ago: i32| {
        let wave = u64::try_from((ago * 37 + 11) % 23).unwrap_or_default();
        DayUsage {
            client_id: id.to_string(),
            day: day_of(now) - ago,
            tokens: 120 + wave * 3,
            requests: 5_200 + wave * 410,
            refusals: if ago % 5 == 2 { wave } else { 0 },
            grants: ["entities:view".to_owned()].into(),
        }
    };
    let days: Vec<DayUsage> = (0..27).map(day).collect();
    store::usage::add(&mut tx, &days).await.expect("counted");
    let used = now.minus(Duration::from_mins(4));
    store::usage::touch(&mut tx, &[(id.to_string(), used)]).await.expect("noted");
    let denial = |reason, minutes, source: &str, times| Denial {
        client_id: id.to_string(),
        at: now.minus(Duration::from_mins(minutes)),
        reason: Some(reason),
        source: source.to_owned(),
        times,
    };
    let denials =
        [denial(DenialReason::WrongSecret, 50, "192.0.2.7", 3), denial(DenialReason::Scope, 2_900, "192.0.2.19", 1)];
    store::denial::add(&mut tx, &denials).await.expect("counted");
    tx.commit().await.expect("kept");
    let overlap = Regeneration::Overlap(Duration::from_hours(24));
    regenerate(&hub.app, &Actor::operator(), &id, overlap, None).await.expect("a new secret");
    id
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
        let id = use_it(hub, "Grafana FX").await;
        browser.go(&hub.url("/console/overview")).await;
        take(browser, "overview").await;
        browser.follow("Application keys").await;
        browser.point_at("Grafana FX").await;
        take(browser, "application-keys").await;
        browser.press("New API Key").await;
        browser.fill("Name", "Grafana EMEA").await;
        take(browser, "new-api-key-name").await;
        let more = browser.driver.find(By::Css("dialog summary")).await.expect("More options");
        more.click().await.expect("a click");
        browser.choose("Expires", "On a date").await;
        take(browser, "new-api-key-more-options").await;
        browser.choose("Expires", "Never").await;
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
        browser.go(&hub.url("/console/applications/find")).await;
        take(browser, "find-by-secret").await;
        let application = format!("applications/{id}");
        let name = Name::parse("Inventory editor").expect("a name");
        let mut tx = hub.app.store.read().await.expect("a store");
        let role = store::role::by_name(&mut tx, &name).await.expect("a read").expect("the role");
        drop(tx);
        let role = format!("roles/{}", role.id.as_str());
        let delete_role = format!("{role}/delete");
        let long = format!("{application}/regenerate?back=page");
        for (page, name) in [
            (application.as_str(), "application"),
            (&long, "regenerate-api-key-in-overlap"),
            ("applications?q=zzz&status=expired", "application-keys-nothing"),
            ("roles", "roles"),
            ("roles/new", "role-new"),
            (&role, "role-editor"),
            (&delete_role, "delete-role"),
            ("roles/role_operator", "role-built-in"),
            ("documentation", "oauth-documentation"),
            ("nothing-here", "not-found"),
        ] {
            browser.go(&hub.url(&format!("/console/{page}"))).await;
            take(browser, name).await;
        }
    });
}
