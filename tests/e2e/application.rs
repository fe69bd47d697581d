//! An application's page: what it shows, its settings, an overlap from its beginning to its end.

use super::browser::story;
use gateway_hub::actions::usage::{self, Pace};
use thirtyfour::prelude::*;

#[test]
fn an_application_is_changed_on_its_page() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        browser.press("New API Key").await;
        browser.fill("Name", "Grafana").await;
        browser.press("Next").await;
        browser.field("Operator").await.click().await.expect("a checkbox");
        browser.press("Generate API Key").await;
        let client_id = browser.value("client_id").await;
        let old = browser.value("client_secret").await;
        browser.press("Close").await;
        browser.no_window().await;

        browser.press_in_row("Grafana", "Regenerate").await;
        browser.window_titled("Regenerate API key").await;
        browser.is_accessible("regenerate: the ways").await;
        browser.field("Overlap of 24 hours").await.click().await.expect("a choice");
        browser.press("Regenerate API key").await;
        let new = browser.value("client_secret").await;
        browser.press("Close").await;
        browser.no_window().await;
        assert!(hub.token(&client_id, &old).await.is_some() && hub.token(&client_id, &new).await.is_some());
        assert!(hub.token(&client_id, "wrong").await.is_none());
        let token = hub.token(&client_id, &new).await.expect("a token");
        assert!(hub.accepts(&token).await);
        usage::flush(&hub.app, Pace::AtOnce).await.expect("what was counted is stored");

        browser.go(&hub.url(&format!("/console/applications/{client_id}"))).await;
        browser.heading("Grafana").await;
        browser.says("An overlap is running").await;
        browser.says("Wrong client_secret").await;
        browser.has(3, "figure.chart svg rect").await;
        browser.is_accessible("an application's page").await;
        browser.fill("Name", "Grafana <b>").await;
        browser.fill("Allowed networks", "office").await;
        browser.press("Save changes").await;
        browser.says("“office” is not a network").await;
        browser.is_accessible("an application's page: a network that is none").await;
        browser.set("Allowed networks", "127.0.0.0/8").await;
        browser.press("Save changes").await;
        browser.says("Saved. It is in effect").await;
        browser.heading("Grafana <b>").await;

        browser.press("End overlap now").await;
        browser.says("The overlap is over.").await;
        assert!(hub.token(&client_id, &old).await.is_none() && hub.token(&client_id, &new).await.is_some());
        // Roles, owner and the last day; what it may do is said in words.
        browser.field("Administrator").await.click().await.expect("a checkbox");
        browser.field("Operator").await.click().await.expect("a checkbox");
        browser.choose("Owner", super::hub::ADMINISTRATOR).await;
        browser.set("Last day", "2099-12-31").await;
        browser.press("Save changes").await;
        browser.says("Saved. It is in effect").await;
        browser.says("expires in").await;
        browser.says("roles: Operator → Administrator").await;
        assert_eq!(browser.value("Last day").await, "2099-12-31");
        // Windows lead back to this page.
        for (window, title) in [("Regenerate", "Regenerate API key"), ("Delete", "Delete API key")] {
            browser.press(window).await;
            browser.window_titled(title).await;
            browser.press("Cancel").await;
            browser.heading("Grafana <b>").await;
        }
        browser.press("Disable").await;
        browser.says("Disabled. The API key").await;
        assert!(hub.token(&client_id, &new).await.is_none());
        browser.press("Enable").await;
        browser.says("Enabled. The API key works again").await;
        assert!(hub.token(&client_id, &new).await.is_some());

        // Delete says what stops.
        browser.press("Delete").await;
        browser.window_titled("Delete API key").await;
        browser.says("In the last 7 days").await;
        browser.says("1 request, with ").await;
        let used = browser.driver.find(By::Css("dialog dl time")).await.expect("when it was last used");
        assert!(used.text().await.expect("a text").starts_with("20"));
        browser.is_accessible("delete, with its use").await;
        browser.press("Delete API key").await;
        browser.says("The API key was deleted.").await;
        assert!(hub.token(&client_id, &new).await.is_none());
    });
}
