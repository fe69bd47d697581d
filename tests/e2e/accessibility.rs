//! No page and no window breaks a rule of WCAG 2.2 (A and AA) that axe-core can see.

use super::browser::story;
use gateway_hub::actions::application::NewApplication;
use gateway_hub::actions::{self, Actor};
use gateway_hub::domain::entity::BulkDocument;
use gateway_hub::domain::role::RoleId;

#[test]
fn pages_for_anybody_are_accessible() {
    story(async |browser, hub| {
        browser.go(&hub.url("/console/first-run")).await;
        browser.is_accessible("first run").await;
        hub.administrator().await;
        browser.go(&hub.url("/console/sign-in")).await;
        browser.is_accessible("sign-in").await;
        browser.fill("Username", "somebody").await;
        browser.fill("Password", "wrong password").await;
        browser.press("Sign in").await;
        browser.says("password is wrong").await;
        browser.is_accessible("sign-in, refused").await;
        browser.go(&hub.url("/console/nothing-here")).await;
        browser.is_accessible("a page that does not exist").await;
    });
}

#[test]
fn pages_are_accessible() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        browser.is_accessible("overview").await;
        browser.follow("Application keys").await;
        browser.says("No application has a key yet").await;
        browser.is_accessible("no application").await;
        for (name, disabled) in [("Grafana", false), ("Partner Acme", true)] {
            let new = NewApplication {
                name: name.to_owned(),
                roles: vec![RoleId::new(RoleId::OPERATOR)],
                ..NewApplication::default()
            };
            let made = actions::application::create(&hub.app, &Actor::operator(), &new).await.expect("made");
            if disabled {
                actions::application::disable(&hub.app, &Actor::operator(), &made.client_id).await.expect("disabled");
            }
        }
        browser.go(&hub.url("/console/applications")).await;
        browser.row("Grafana").await;
        browser.is_accessible("list").await;
        browser.point_at("Grafana").await;
        browser.is_accessible("list, with a row pointed at").await;
        browser.go(&hub.url("/console/applications?q=zzz")).await;
        browser.is_accessible("nothing found").await;
        browser.go(&hub.url("/console/entities")).await;
        browser.says("No entity is here yet").await;
        browser.is_accessible("no entity").await;
        let lines = br#"{"id":"host/web-1","attributes":{"user.department":"fx","itrs.os-type":"Linux"}}"#;
        let access = actions::entity_bulk::operator_access();
        actions::entity_bulk::load(&hub.app, &access, BulkDocument::new(lines)).await.expect("loaded");
        for page in ["?by=user.department", "?filter=user.department%20%3D%20", "?filter=a%20%3D%20b"] {
            browser.go(&hub.url(&format!("/console/entities{page}"))).await;
            browser.is_accessible(&format!("entities {page}")).await;
        }
        let (_, id) = super::flows::make_role(hub, "FX desk").await;
        let roles =
            ["roles", "roles/new", "roles/role_operator", &format!("roles/{id}"), &format!("roles/{id}/delete")];
        for page in roles.into_iter().chain(["documentation"]) {
            browser.go(&hub.url(&format!("/console/{page}"))).await;
            browser.is_accessible(page).await;
        }
    });
}

#[test]
fn windows_are_accessible() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        browser.press("New API Key").await;
        browser.window_titled("New API Key").await;
        browser.is_accessible("new key: name").await;
        browser.fill("Name", "Grafana").await;
        browser.press("Next").await;
        browser.says("Step 2 of 2").await;
        browser.is_accessible("new key: roles").await;
        browser.press("Generate API Key").await;
        browser.says("Choose at least one role.").await;
        browser.is_accessible("new key: no role").await;
        browser.field("Operator").await.click().await.expect("a checkbox");
        browser.press("Generate API Key").await;
        browser.field("client_secret").await;
        browser.is_accessible("new key: shown").await;
        browser.driver.refresh().await.expect("a reload");
        browser.says("This was already done.").await;
        browser.is_accessible("new key: sent twice").await;
        browser.press("Close").await;
        browser.no_window().await;
        browser.press("New API Key").await;
        browser.fill("Name", "grafana").await;
        browser.press("Next").await;
        browser.says("There is already an application named").await;
        browser.is_accessible("new key: name is taken").await;
        browser.press("Cancel").await;
        browser.no_window().await;
        for (button, title) in [("Regenerate", "Regenerate API key"), ("Delete", "Delete API key")] {
            browser.press_in_row("Grafana", button).await;
            browser.window_titled(title).await;
            browser.is_accessible(title).await;
            browser.press("Cancel").await;
            browser.no_window().await;
        }
    });
}
