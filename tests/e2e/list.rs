//! The list as hands use it: filters chosen with mouse and keyboard, sorting on a telephone, an overlap ended in its row,
//! times in the reader's zone, and all of it without scripts.

use super::browser::{Browser, story};
use super::flows::{lists, make};
use gateway_hub::actions::api_key::{Regeneration, regenerate};
use gateway_hub::actions::usage::{self, Pace};
use gateway_hub::actions::{self, Actor};
use gateway_hub::domain::application::ClientId;
use gateway_hub::domain::role::RoleId;
use serde_json::json;
use std::time::Duration;
use thirtyfour::prelude::*;

fn id(client_id: &str) -> ClientId {
    ClientId::parse(client_id).expect("an id")
}

#[test]
fn filters_are_chosen_with_the_mouse_and_with_the_keyboard() {
    story(async |browser, hub| {
        hub.administrator().await;
        make(hub, "Grafana", RoleId::OPERATOR).await;
        make(hub, "Root", RoleId::ADMINISTRATOR).await;
        let (disabled, _) = make(hub, "Partner", RoleId::OPERATOR).await;
        actions::application::disable(&hub.app, &Actor::operator(), &id(&disabled)).await.expect("disabled");
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        lists(browser, &["Grafana", "Partner", "Root"]).await;
        browser.choose("Status", "Disabled").await;
        lists(browser, &["Partner"]).await;
        browser.choose("Status", "Any status").await;
        lists(browser, &["Grafana", "Partner", "Root"]).await;
        browser.choose("Role", "Administrator").await;
        lists(browser, &["Root"]).await;
        browser.choose("Role", "All roles").await;
        lists(browser, &["Grafana", "Partner", "Root"]).await;
        // A closed list of choices answers to what is typed and to the arrow keys.
        let status = browser.field("Status").await;
        status.send_keys("Dis").await.expect("keys");
        lists(browser, &["Partner"]).await;
        let shown = browser.driver.active_element().await.expect("the focus").attr("id").await.expect("an answer");
        assert_eq!(shown.as_deref(), Some("filter-status"), "the focus stays where one chooses");
        browser.field("Status").await.send_keys(Key::Home).await.expect("a key");
        lists(browser, &["Grafana", "Partner", "Root"]).await;
        // What is chosen is an address; what a browser puts back after a reload counts as chosen.
        browser.choose("Status", "Disabled").await;
        lists(browser, &["Partner"]).await;
        browser.driver.refresh().await.expect("a reload");
        lists(browser, &["Partner"]).await;
    });
}

#[test]
fn an_overlap_is_ended_in_its_row() {
    story(async |browser, hub| {
        hub.administrator().await;
        let (client_id, first) = make(hub, "Nightly", RoleId::OPERATOR).await;
        make(hub, "Other", RoleId::OPERATOR).await;
        assert!(hub.token(&client_id, &first).await.is_some());
        usage::flush(&hub.app, Pace::AtOnce).await.expect("what was counted is stored");
        let overlap = Regeneration::Overlap(Duration::from_hours(24));
        let new = regenerate(&hub.app, &Actor::operator(), &id(&client_id), overlap, None).await.expect("a new secret");
        browser.sign_in(hub).await;
        browser.go(&hub.url("/console/applications")).await;
        browser.choose("Status", "In overlap").await;
        lists(browser, &["Nightly"]).await;
        browser.says("old secret last used less than a minute ago").await;
        browser.point_at("Nightly").await;
        browser.is_accessible("a list with an overlap, pointed at").await;
        // From the searched list to the window and back to the searched list.
        browser.press_in_row("Nightly", "Regenerate").await;
        browser.window_titled("Regenerate API key").await;
        browser.press("Cancel").await;
        browser.no_window().await;
        lists(browser, &["Nightly"]).await;
        assert!(hub.token(&client_id, &first).await.is_some());
        browser.press_in_row("Nightly", "End overlap").await;
        browser.says("The overlap is over.").await;
        browser.says("Nothing found").await;
        assert!(hub.token(&client_id, &first).await.is_none(), "the old secret works");
        assert!(hub.token(&client_id, new.client_secret.expose()).await.is_some());
        browser.is_accessible("an overlap was ended").await;
    });
}

async fn zone(browser: &Browser, zone: &str) {
    let zone = json!({ "timezoneId": zone });
    browser.driver.cdp().send_raw("Emulation.setTimezoneOverride", zone).await.expect("a zone");
}

/// Text and title of each time on the page.
async fn times(browser: &Browser, css: &str) -> Vec<(String, String)> {
    let script = format!("return [...document.querySelectorAll({css:?})].map(time => [time.textContent, time.title])");
    let answer = browser.driver.execute(script, Vec::new()).await.expect("a script");
    serde_json::from_value(answer.json().clone()).expect("pairs of texts")
}

#[test]
fn times_are_in_the_readers_zone_and_exact_on_hover() {
    story(async |browser, hub| {
        hub.administrator().await;
        let (client_id, _) = make(hub, "Nightly", RoleId::OPERATOR).await;
        let overlap = Regeneration::Overlap(Duration::from_hours(24));
        regenerate(&hub.app, &Actor::operator(), &id(&client_id), overlap, None).await.expect("a new secret");
        let width = "return document.querySelector('.overlap time').getBoundingClientRect().width";
        let width = async || browser.driver.execute(width, Vec::new()).await.expect("a script").json().as_f64();
        browser.sign_in(hub).await;
        zone(browser, "Etc/UTC").await;
        browser.go(&hub.url("/console/applications")).await;
        browser.row("Nightly").await;
        let utc = times(browser, ".overlap p:not(.hint) time").await;
        assert!(utc[0].0.ends_with(" UTC") && utc[0].0 == utc[0].1, "{utc:?}");
        let wide = width().await;
        for (name, offset) in [("Asia/Tokyo", "+09"), ("America/Phoenix", "-07")] {
            zone(browser, name).await;
            browser.go(&hub.url("/console/applications")).await;
            let local = async || times(browser, ".overlap p:not(.hint) time").await;
            browser.until(offset, async || local().await.iter().all(|(text, _)| text.ends_with(offset))).await;
            let shown = local().await;
            assert_eq!(shown[0].1, utc[0].1, "the exact instant stays");
            assert_ne!(shown[0].0[..16], utc[0].0[..16]);
            assert_eq!(shown[0].0.len(), utc[0].0.len());
            let now = width().await;
            assert!(wide.zip(now).is_some_and(|(before, now)| (before - now).abs() < 8.0), "{wide:?} {now:?}");
            // After a part of the page was fetched anew, too.
            browser.fill("Search by name or client_id", "night").await;
            browser.says("1 of 1 applications").await;
            browser.until(offset, async || local().await.iter().all(|(text, _)| text.ends_with(offset))).await;
            for page in ["", "/regenerate", "/delete"] {
                browser.go(&hub.url(&format!("/console/applications/{client_id}{page}"))).await;
                let all = async || times(browser, "time").await;
                let full = |text: &str| text.len() > 10 && text.starts_with("20");
                let done = async || all().await.iter().all(|(text, _)| !full(text) || text.ends_with(offset));
                browser.until(&format!("{page} in the zone {name}"), done).await;
                let all = all().await;
                assert!(all.iter().any(|(text, _)| full(text)), "{page}: {all:?}");
                assert!(all.iter().all(|(_, title)| title.ends_with(" UTC")), "{page}: {all:?}");
            }
        }
    });
}

#[test]
fn a_telephone_sorts_the_list_with_what_is_seen() {
    story(async |browser, hub| {
        hub.administrator().await;
        make(hub, "Alpha", RoleId::OPERATOR).await;
        make(hub, "Omega", RoleId::OPERATOR).await;
        let size = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
        browser.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await.expect("a telephone");
        browser.sign_in(hub).await;
        browser.go(&hub.url("/console/applications")).await;
        lists(browser, &["Alpha", "Omega"]).await;
        // Everything that takes the focus is seen, and large enough to be touched.
        let script = "const done = arguments[0]; \
                      const all = [...document.querySelectorAll('main a, main button, main input, main select')]; \
                      const frame = () => new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next))); \
                      (async () => { const unseen = []; \
                          for (const e of all.filter(e => e.type !== 'hidden' && !e.hidden)) { \
                              e.focus(); await frame(); \
                              if (document.activeElement !== e) continue; \
                              const b = e.getBoundingClientRect(); \
                              const there = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2); \
                              if (b.width < 16 || b.height < 16 || !e.contains(there)) unseen.push([e.outerHTML, there?.outerHTML]); \
                          } done(unseen); })()";
        let unseen = browser.driver.execute_async(script, Vec::new()).await.expect("a script");
        assert_eq!(unseen.json(), &json!([]), "has the focus unseen");
        browser.follow("Name").await;
        lists(browser, &["Omega", "Alpha"]).await;
    });
}

#[test]
fn the_list_works_without_scripts() {
    story(async |browser, hub| {
        hub.administrator().await;
        let (client_id, first) = make(hub, "Nightly", RoleId::OPERATOR).await;
        make(hub, "Other", RoleId::OPERATOR).await;
        let none = json!({ "value": true });
        browser.driver.cdp().send_raw("Emulation.setScriptExecutionDisabled", none).await.expect("no scripts");
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        browser.fill("Search by name or client_id", "night").await;
        browser.press("Search").await;
        lists(browser, &["Nightly"]).await;
        browser.press_in_row("Nightly", "Regenerate").await;
        browser.field("Overlap of 1 hour").await.click().await.expect("a choice");
        browser.press("Regenerate API key").await;
        let second = browser.value("client_secret").await;
        assert!(hub.token(&client_id, &first).await.is_some() && hub.token(&client_id, &second).await.is_some());
        browser.press("Close").await;
        // Still the searched list.
        browser.no_window().await;
        lists(browser, &["Nightly"]).await;
        browser.choose("Status", "In overlap").await;
        browser.press("Search").await;
        lists(browser, &["Nightly"]).await;
        browser.press_in_row("Nightly", "End overlap").await;
        browser.says("The overlap is over.").await;
        assert!(hub.token(&client_id, &first).await.is_none() && hub.token(&client_id, &second).await.is_some());
        browser.go(&hub.url("/console/applications")).await;
        browser.follow("Made").await;
        lists(browser, &["Other", "Nightly"]).await;
        browser.press("Find by secret").await;
        browser.fill("Secret", &second).await;
        browser.press("Find").await;
        browser.says("This secret works.").await;
        browser.says(&client_id).await;
        browser.press("Close").await;
        browser.no_window().await;
        // An application's page and a role's editor, too.
        browser.follow("Nightly").await;
        browser.heading("Nightly").await;
        browser.fill("Name", "Nightly report").await;
        browser.press("Save changes").await;
        browser.says("Saved.").await;
        browser.follow("Roles").await;
        browser.press("New role").await;
        browser.fill("Name", "Plain").await;
        browser.fill("Data filter", "a == b").await;
        let tick = browser.driver.find(By::Css("input[aria-label='entities: view']")).await.expect("a box");
        tick.click().await.expect("a box to tick");
        browser.press("Create role").await;
        browser.says("Column 4").await;
        browser.fill("Data filter", "a = b").await;
        browser.press("Create role").await;
        browser.says("The role was made").await;
    });
}
