//! The flows of the Application keys page beside the life of one key: finding among many, overlaps, leaks, secrets that
//! were found, snippets.

use super::browser::{Browser, story};
use super::hub::Hub;
use gateway_hub::actions::application::NewApplication;
use gateway_hub::actions::{self, Actor};
use gateway_hub::domain::role::RoleId;
use serde_json::json;
use thirtyfour::prelude::*;

pub(crate) async fn make(hub: &Hub, name: &str, role: &str) -> (String, String) {
    let roles = vec![RoleId::new(role)];
    let new = NewApplication { name: name.to_owned(), roles, ..NewApplication::default() };
    let made = actions::application::create(&hub.app, &Actor::operator(), &new).await.expect("an application");
    (made.client_id.to_string(), made.client_secret.expose().to_owned())
}

/// A role with a filter: its name and its id.
pub(crate) async fn make_role(hub: &Hub, name: &str) -> (String, String) {
    let grants = vec!["entities:view".to_owned()];
    let filter = "user.department = fx".to_owned();
    let new = actions::role::RoleInput { name: name.to_owned(), grants, filter };
    let role = actions::role::create(&hub.app, &Actor::operator(), &new).await.expect("a role");
    (name.to_owned(), role.id.as_str().to_owned())
}

/// The names in the list, from above.
async fn names(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('tbody .name')].map(cell => cell.textContent.trim())";
    let answer = browser.driver.execute(script, Vec::new()).await.expect("a script");
    let list = answer.json().as_array().expect("names").iter().filter_map(|name| name.as_str().map(str::to_owned));
    list.collect()
}

pub(crate) async fn lists(browser: &Browser, wanted: &[&str]) {
    browser.until(&format!("{wanted:?}"), async || names(browser).await == wanted).await;
}

#[test]
fn a_key_is_found_among_many() {
    story(async |browser, hub| {
        hub.administrator().await;
        let (_, _) = make(hub, "Grafana FX", RoleId::OPERATOR).await;
        let (second, _) = make(hub, "grafana emea", RoleId::ADMINISTRATOR).await;
        let (disabled, _) = make(hub, "Partner Acme", RoleId::OPERATOR).await;
        let id = gateway_hub::domain::application::ClientId::parse(&disabled).expect("an id");
        actions::application::disable(&hub.app, &Actor::operator(), &id).await.expect("disabled");
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        lists(browser, &["grafana emea", "Grafana FX", "Partner Acme"]).await;
        // The scripts run once the copy buttons are there.
        browser.has(3, "tbody button[data-copy]:not([hidden])").await;
        // As one types, without leaving the field.
        browser.fill("Search by name or client_id", "GRAF").await;
        lists(browser, &["grafana emea", "Grafana FX"]).await;
        browser.says("2 ").await;
        browser.is_accessible("a searched list").await;
        browser.fill("Search by name or client_id", &second).await;
        lists(browser, &["grafana emea"]).await;
        browser.fill("Search by name or client_id", "zzz").await;
        browser.says("Nothing found").await;
        browser.follow("Show all").await;
        lists(browser, &["grafana emea", "Grafana FX", "Partner Acme"]).await;
        // The scripts run once the copy buttons are there.
        browser.has(3, "tbody button[data-copy]:not([hidden])").await;
        browser.choose("Status", "Disabled").await;
        lists(browser, &["Partner Acme"]).await;
        browser.choose("Status", "Any status").await;
        browser.choose("Role", "Administrator").await;
        lists(browser, &["grafana emea"]).await;
        // What was found is an address, to hand on and to come back to.
        let address = browser.driver.current_url().await.expect("an address");
        browser.go(address.as_str()).await;
        lists(browser, &["grafana emea"]).await;
        browser.go(&hub.url("/console/applications")).await;
        browser.follow("Made").await;
        browser.until("an order by age", async || names(browser).await.len() == 3).await;
        browser.has(1, "th[aria-sort=ascending], th[aria-sort=descending]").await;

        // Pages: nobody is left out and nobody comes twice.
        for number in 0..60 {
            make(hub, &format!("Bulk {number:02}"), RoleId::OPERATOR).await;
        }
        browser.go(&hub.url("/console/applications?q=bulk")).await;
        let mut seen = names(browser).await;
        browser.is_accessible("a list of many pages").await;
        while browser.count("a[rel=next]").await > 0 {
            let last = seen.last().cloned().expect("a name");
            browser.follow("Next page").await;
            browser.until("the next page", async || !names(browser).await.contains(&last)).await;
            seen.extend(names(browser).await);
        }
        let wanted: Vec<String> = (0..60).map(|number| format!("Bulk {number:02}")).collect();
        assert_eq!(seen, wanted);
        browser.follow("Previous page").await;
        browser.until("the page before", async || names(browser).await.first() == wanted.first()).await;
    });
}

#[test]
fn a_secret_is_replaced_with_an_overlap_and_after_a_leak() {
    story(async |browser, hub| {
        hub.administrator().await;
        let (client_id, first) = make(hub, "Nightly", RoleId::OPERATOR).await;
        let token = hub.token(&client_id, &first).await.expect("a token");
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        browser.press_in_row("Nightly", "Regenerate").await;
        browser.window_titled("Regenerate API key").await;
        browser.field("Overlap of 24 hours").await.click().await.expect("a choice");
        browser.is_accessible("regenerate, with an overlap").await;
        browser.press("Regenerate API key").await;
        let second = browser.value("client_secret").await;
        assert!(hub.token(&client_id, &second).await.is_some());
        assert!(hub.token(&client_id, &first).await.is_some() && hub.accepts(&token).await, "the overlap runs");
        browser.press("Close").await;
        browser.no_window().await;
        browser.says("overlap until").await;
        browser.is_accessible("a list with an overlap").await;
        // It leaked: everything ends.
        browser.press_in_row("Nightly", "Regenerate").await;
        browser.window_titled("Regenerate API key").await;
        browser.says("An overlap is running until").await;
        browser.field("It leaked").await.click().await.expect("a choice");
        browser.press("Regenerate API key").await;
        let third = browser.value("client_secret").await;
        for old in [&first, &second] {
            assert!(hub.token(&client_id, old).await.is_none(), "an old secret works");
        }
        assert!(!hub.accepts(&token).await);
        assert!(hub.token(&client_id, &third).await.is_some());
    });
}

#[test]
fn a_found_secret_tells_whose_it_is() {
    story(async |browser, hub| {
        hub.administrator().await;
        let (client_id, secret) = make(hub, "Lost <b>", RoleId::OPERATOR).await;
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        browser.press("Find by secret").await;
        browser.window_titled("Find by secret").await;
        browser.is_accessible("find by secret").await;
        browser.fill("Secret", "no secret at all").await;
        browser.press("Find").await;
        browser.says("There is no client_secret in this text.").await;
        assert_eq!(browser.value("Secret").await, "", "what was pasted is gone");
        browser.is_accessible("find by secret: not one").await;
        browser.fill("Secret", &secret[..secret.len() - 1]).await;
        browser.press("Find").await;
        browser.says("mistyped or cut short").await;
        browser.fill("Secret", &format!("export CLIENT_SECRET={secret} # oops")).await;
        browser.press("Find").await;
        browser.says("This secret works.").await;
        browser.says(&client_id).await;
        browser.says("Lost <b>").await;
        browser.is_accessible("find by secret: found").await;
        let page = browser.driver.source().await.expect("a page");
        let address = browser.driver.current_url().await.expect("an address");
        assert!(!page.contains(&secret) && !address.as_str().contains(&secret[4..]), "the secret is repeated");
        browser.press("Regenerate").await;
        browser.window_titled("Regenerate API key").await;
    });
}

#[test]
fn a_shown_key_is_downloaded_and_pasted() {
    story(async |browser, hub| {
        hub.administrator().await;
        let folder = tempfile::tempdir().expect("a folder");
        let to = json!({ "behavior": "allow", "downloadPath": folder.path() });
        browser.driver.cdp().send_raw("Browser.setDownloadBehavior", to).await.expect("a place for downloads");
        browser.sign_in(hub).await;
        browser.go(&hub.url("/console/applications/new")).await;
        browser.fill("Name", "Snippets").await;
        browser.press("Next").await;
        browser.says("Step 2 of 2").await;
        browser.field("Operator").await.click().await.expect("a checkbox");
        browser.press("Generate API Key").await;
        let (client_id, secret) = (browser.value("client_id").await, browser.value("client_secret").await);
        browser.press("Download .env").await;
        let file = folder.path().join(format!("{client_id}.env"));
        browser.until("the download", async || file.exists()).await;
        let text = std::fs::read_to_string(&file).expect("a file");
        assert!(text.contains(&client_id) && text.contains(&secret), "{text}");
        // Each snippet has the key in it; the tabs are walked with the arrow keys.
        let tabs = browser.driver.find_all(By::Css("dialog [role=tab]")).await.expect("tabs");
        assert!(tabs.len() >= 6, "{}", tabs.len());
        tabs[0].click().await.expect("a tab");
        for _ in 0..tabs.len() {
            let script = "const panel = [...document.querySelectorAll('dialog [role=tabpanel]')].filter(p => !p.hidden); \
                          return [panel.length, panel[0].textContent, document.activeElement.getAttribute('role')]";
            let answer = browser.driver.execute(script, Vec::new()).await.expect("a script");
            assert_eq!((&answer.json()[0], &answer.json()[2]), (&json!(1), &json!("tab")));
            let words = answer.json()[1].as_str().unwrap_or_default();
            assert!(words.contains(&client_id), "{words}");
            browser.driver.action_chain().send_keys(Key::Right).perform().await.expect("a key");
        }
        browser.is_accessible("snippets").await;
        browser.press("Close").await;
        browser.no_window().await;
        let page = browser.driver.source().await.expect("a page");
        assert!(!page.contains(&secret));
    });
}
