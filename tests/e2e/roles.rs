//! The editor of roles, and the snippets, as a person uses them.

use super::browser::story;
use gateway_hub::actions::Actor;
use gateway_hub::actions::role::{RoleInput, create};
use serde_json::json;
use thirtyfour::prelude::*;

#[test]
fn a_role_is_edited_with_help_while_typing() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        browser.follow("Roles").await;
        browser.is_accessible("roles").await;
        browser.press("New role").await;
        browser.heading("New role").await;
        browser.is_accessible("new role").await;
        browser.fill("Name", "FX desk").await;
        // The place of the mistake is shown as it is typed, and goes when it is mended.
        browser.fill("Data filter", "user.department == fx").await;
        browser.says("Column 18: ").await;
        browser.has(1, ".filter-place mark").await;
        browser.is_accessible("new role, with a filter that can't be read").await;
        browser.fill("Data filter", "user.department=fx").await;
        browser.says("Selects the rows where user.department = fx").await;
        browser.has(0, ".filter-place mark").await;
        let tick = async |name: &str| {
            let found = browser.driver.find(By::Css(format!("input[aria-label='{name}']"))).await.expect("a box");
            found.click().await.expect("a box to tick");
        };
        tick("entities: view").await;
        browser.press("Add a row").await;
        let added = browser.driver.active_element().await.expect("the new row is ready to type in");
        added.send_keys("prom-*").await.expect("a field");
        tick("Gateways, row 3: view").await;
        browser.press("Create role").await;
        browser.says("The role was made").await;
        browser.says("gateway/prom-*").await;
        browser.follow("FX desk").await;
        browser.heading("FX desk").await;
        browser.is_accessible("a role").await;
        // Edited; in a second tab somebody else was faster.
        let first = browser.driver.window().await.expect("a tab");
        let second = browser.driver.new_tab().await.expect("a second tab");
        let address = browser.driver.current_url().await.expect("an address");
        browser.driver.switch_to_window(second).await.expect("the other tab");
        browser.go(address.as_str()).await;
        browser.fill("Data filter", "user.department = rates").await;
        browser.says("Selects the rows where user.department = rates").await;
        browser.press("Save role").await;
        browser.says("The role was saved").await;
        browser.says("user.department = rates").await;
        browser.driver.switch_to_window(first).await.expect("the first tab");
        tick("entities: edit").await;
        browser.press("Save role").await;
        browser.says("Somebody else saved this role meanwhile").await;
        browser.says("user.department = rates").await;
        browser.is_accessible("a role that somebody else saved").await;
        assert_eq!(browser.value("Data filter").await, "user.department = fx", "what was typed is still there");
        browser.press("Save role").await;
        browser.says("The role was saved").await;
        browser.follow("FX desk").await;
        browser.follow("Delete").await;
        browser.window_titled("Delete role").await;
        browser.is_accessible("delete role").await;
        browser.press("Delete role").await;
        browser.says("The role was deleted").await;
        browser.follow("Operator").await;
        browser.heading("Operator").await;
        browser.is_accessible("a built-in role").await;
    });
}

#[test]
fn snippets_are_chosen_by_keyboard() {
    story(async |browser, hub| {
        hub.administrator().await;
        let role = RoleInput { name: "FX desk".into(), grants: vec!["entities:view".into()], filter: String::new() };
        create(&hub.app, &Actor::operator(), &role).await.expect("a role");
        browser.sign_in(hub).await;
        browser.follow("OAuth documentation").await;
        browser.heading("OAuth documentation").await;
        let shown = async || {
            let script =
                "return [...document.querySelectorAll('[role=tabpanel]')].filter(p => !p.hidden).map(p => p.id)";
            browser.driver.execute(script, Vec::new()).await.expect("a script").json().to_string()
        };
        assert_eq!(shown().await, "[\"panel-curl\"]");
        let tab = browser.driver.find(By::Id("tab-curl")).await.expect("a tab");
        tab.click().await.expect("a tab to click");
        for (key, panel) in [(Key::Right, "python"), (Key::End, "env"), (Key::Right, "curl"), (Key::Left, "env")] {
            browser.driver.action_chain().send_keys(key).perform().await.expect("a key");
            assert_eq!(shown().await, format!("[\"panel-{panel}\"]"));
        }
        browser.is_accessible("documentation, another snippet").await;
    });
}

#[test]
fn a_new_key_comes_as_a_file_and_in_snippets() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        let downloads = tempfile::tempdir().expect("a folder");
        let folder = json!({ "behavior": "allow", "downloadPath": downloads.path().display().to_string() });
        browser.driver.cdp().send_raw("Browser.setDownloadBehavior", folder).await.expect("a place for downloads");
        browser.follow("Application keys").await;
        browser.press("New API Key").await;
        browser.fill("Name", "Grafana").await;
        browser.press("Next").await;
        browser.field("Operator").await.click().await.expect("a checkbox");
        browser.press("Generate API Key").await;
        let (id, secret) = (browser.value("client_id").await, browser.value("client_secret").await);
        // The server says the secret once; the snippets are filled in here.
        for snippet in ["curl", "python", "go", "javascript", "prometheus", "otel-collector", "env"] {
            let script = format!("return document.getElementById('snippet-{snippet}').textContent");
            let text = browser.driver.execute(script, Vec::new()).await.expect("a script").json().to_string();
            assert!(text.contains(&id) && text.contains(&secret) && !text.contains("YOUR_"), "{snippet}: {text}");
        }
        browser.press("Download .env").await;
        let file = downloads.path().join(format!("{id}.env"));
        browser.until("the file", async || file.exists()).await;
        let text = std::fs::read_to_string(&file).expect("a file");
        assert!(text.contains(&format!("OAUTH_CLIENT_ID={id}\nOAUTH_CLIENT_SECRET={secret}\n")), "{text}");
        browser.window_titled("New API Key").await;
        browser.press("Close").await;
        browser.no_window().await;
        browser.driver.back().await.expect("a way back");
        assert!(!browser.driver.source().await.expect("a page").contains(&secret));
    });
}
