//! The Application keys page: the life of an API key, as an administrator and the application see it.

use super::browser::{Browser, story};
use super::hub::Hub;
use gateway_hub::domain::role::RoleId;
use thirtyfour::prelude::*;

/// Makes a key with the window and reads what it shows.
async fn new_key(browser: &Browser, name: &str, role: &str) -> (String, String) {
    browser.press("New API Key").await;
    browser.fill("Name", name).await;
    browser.press("Next").await;
    browser.field(role).await.click().await.expect("a checkbox");
    browser.press("Generate API Key").await;
    shown(browser).await
}

async fn shown(browser: &Browser) -> (String, String) {
    (browser.value("client_id").await, browser.value("client_secret").await)
}

async fn escape(browser: &Browser) {
    browser.driver.action_chain().send_keys(Key::Escape).perform().await.expect("a key to press");
}

async fn open_list(browser: &Browser, hub: &Hub) {
    browser.go(&hub.url("/console/applications")).await;
    browser.heading("Application keys").await;
}

#[test]
fn a_key_is_made_used_regenerated_and_deleted() {
    story(async |browser, hub| {
        hub.administrator().await;
        // Signed out, the page leads to sign-in and back.
        browser.go(&hub.url("/console/applications")).await;
        browser.fill("Username", super::hub::ADMINISTRATOR).await;
        browser.fill("Password", "wrong password").await;
        browser.press("Sign in").await;
        browser.says("password is wrong").await;
        browser.fill("Password", super::hub::PASSWORD).await;
        browser.press("Sign in").await;
        browser.heading("Application keys").await;

        // The window keeps its title, and what was typed, through its steps.
        browser.press("New API Key").await;
        browser.window_titled("New API Key").await;
        browser.fill("Name", "Grafana").await;
        browser.press("Next").await;
        browser.window_titled("New API Key").await;
        browser.press("Generate API Key").await;
        browser.says("Choose at least one role.").await;
        browser.field("Operator").await.click().await.expect("a checkbox");
        browser.press("Generate API Key").await;
        browser.window_titled("New API Key").await;
        let (client_id, secret) = shown(browser).await;
        assert!(client_id.starts_with("gh_") && secret.starts_with("ghs_"), "{client_id}");
        for label in ["client_id", "client_secret"] {
            assert!(browser.field(label).await.attr("readonly").await.expect("an answer").is_some(), "{label}");
        }
        // Escape does not close a window that shows a secret, however often it is pressed.
        for _ in 0..3 {
            escape(browser).await;
        }
        browser.window_titled("New API Key").await;
        assert_eq!(shown(browser).await, (client_id.clone(), secret.clone()));
        let token = hub.token(&client_id, &secret).await.expect("the shown key works");
        assert!(hub.accepts(&token).await);
        browser.press("Close").await;
        browser.no_window().await;
        assert!(!browser.driver.source().await.expect("a page").contains(&secret));

        // A row shows its buttons to the pointer only.
        let elsewhere = browser.driver.find(By::Css("h1")).await.expect("a heading");
        browser.driver.action_chain().move_to_element_center(&elsewhere).perform().await.expect("a pointer");
        let row = browser.row("Grafana").await;
        let hidden = row.find(By::XPath(".//button[normalize-space(.)='Delete']")).await.expect("a button");
        assert!(!hidden.is_displayed().await.expect("an answer"), "a button is shown before the row is pointed at");

        // Regenerate: the client_id stays, the old secret and its tokens are dead.
        browser.press_in_row("Grafana", "Regenerate").await;
        browser.window_titled("Regenerate API key").await;
        browser.says("The client_id stays the same.").await;
        browser.press("Regenerate API key").await;
        browser.window_titled("Regenerate API key").await;
        let (same_id, new_secret) = shown(browser).await;
        assert_eq!(same_id, client_id);
        assert_ne!(new_secret, secret);
        assert!(hub.token(&client_id, &secret).await.is_none(), "the old secret still works");
        assert!(!hub.accepts(&token).await, "a token of the old secret still works");
        let token = hub.token(&client_id, &new_secret).await.expect("the new secret works");
        browser.press("Close").await;
        browser.no_window().await;

        // Delete: asked once more, then it is so.
        browser.press_in_row("Grafana", "Delete").await;
        browser.says("permanent").await;
        browser.press("Cancel").await;
        browser.no_window().await;
        browser.press_in_row("Grafana", "Delete").await;
        browser.press("Delete API key").await;
        browser.no_window().await;
        browser.has(0, "tbody tr").await;
        assert!(hub.token(&client_id, &new_secret).await.is_none());
        assert!(!hub.accepts(&token).await);
    });
}

#[test]
fn the_way_back_shows_no_secret() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        let (client_id, secret) = new_key(browser, "Back button", "Operator").await;
        browser.press("Close").await;
        browser.no_window().await;
        for _ in 0..4 {
            browser.driver.back().await.expect("a way back");
            let source = browser.driver.source().await.expect("a page");
            assert!(!source.contains(&secret), "the way back shows the secret");
            let values = "return [...document.querySelectorAll('input')].map(field => field.value).join(' ')";
            let values = browser.driver.execute(values, Vec::new()).await.expect("a script");
            assert!(!values.json().to_string().contains(&secret), "the way back fills in the secret");
        }
        assert!(hub.token(&client_id, &secret).await.is_some());
    });
}

#[test]
fn a_form_that_is_sent_twice_makes_one_key() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        open_list(browser, hub).await;
        browser.press("New API Key").await;
        browser.fill("Name", "Twice").await;
        browser.press("Next").await;
        browser.field("Operator").await.click().await.expect("a checkbox");
        // A double click shows the key as one click does.
        let twice = "const button = [...document.querySelectorAll('dialog button')].find(b => b.textContent === \
                     'Generate API Key'); button.click(); button.click();";
        browser.driver.execute(twice, Vec::new()).await.expect("a script");
        let (client_id, secret) = shown(browser).await;
        assert!(hub.token(&client_id, &secret).await.is_some());
        // A reload sends the form again: no second key, and no secret.
        browser.driver.refresh().await.expect("a reload");
        browser.says("This was already done.").await;
        browser.window_titled("New API Key").await;
        assert!(!browser.driver.source().await.expect("a page").contains(&secret));
        browser.press("Close").await;
        browser.no_window().await;
        browser.has(1, "tbody tr").await;
        assert!(hub.token(&client_id, &secret).await.is_some(), "the first key was replaced");
    });
}

#[test]
fn names_are_refused_where_they_stand() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        open_list(browser, hub).await;
        let name = "<script>document.title='gone'</script>";
        new_key(browser, name, "Operator").await;
        browser.press("Close").await;
        browser.no_window().await;
        browser.row(name).await;
        // The same name in other capitals is taken; what was typed stays.
        browser.press("New API Key").await;
        browser.fill("Name", &name.to_uppercase()).await;
        browser.press("Next").await;
        browser.says("There is already an application named").await;
        assert_eq!(browser.value("Name").await, name.to_uppercase());
        // Escape leaves a window that shows no secret.
        escape(browser).await;
        browser.heading("Application keys").await;
        browser.no_window().await;
    });
}

#[test]
fn an_operator_sees_keys_and_edits_none() {
    story(async |browser, hub| {
        hub.administrator().await;
        hub.user("otto", RoleId::OPERATOR).await;
        browser.sign_in(hub).await;
        open_list(browser, hub).await;
        let (client_id, _) = new_key(browser, "Seen", "Operator").await;
        browser.press("Close").await;
        browser.no_window().await;
        browser.press("Sign out").await;
        browser.heading("Sign in").await;
        browser.sign_in_as(hub, "otto").await;
        open_list(browser, hub).await;
        browser.row("Seen").await;
        browser.has(0, "main .primary, main .acts button").await;
        for path in ["new", &format!("{client_id}/regenerate"), &format!("{client_id}/delete")] {
            browser.go(&hub.url(&format!("/console/applications/{path}"))).await;
            browser.heading("Your roles do not allow this").await;
        }
        // The pages that the list links.
        open_list(browser, hub).await;
        browser
            .driver
            .find(By::Css("main a[href='/console/roles']"))
            .await
            .expect("a link")
            .click()
            .await
            .expect("a click");
        browser.heading("Roles").await;
        browser.follow("OAuth documentation").await;
        browser.heading("OAuth documentation").await;
        browser.says(&hub.url("/oauth2/token")).await;
    });
}

#[test]
fn everything_works_without_scripts() {
    story(async |browser, hub| {
        hub.administrator().await;
        let disabled = serde_json::json!({ "value": true });
        browser.driver.cdp().send_raw("Emulation.setScriptExecutionDisabled", disabled).await.expect("no scripts");
        browser.sign_in(hub).await;
        browser.follow("Application keys").await;
        let (client_id, secret) = new_key(browser, "Plain", "Operator").await;
        browser.has(0, "button[data-copy]:not([hidden])").await;
        assert!(hub.token(&client_id, &secret).await.is_some());
        browser.press("Close").await;
        browser.no_window().await;
        browser.press_in_row("Plain", "Regenerate").await;
        browser.press("Regenerate API key").await;
        let (_, secret) = shown(browser).await;
        let token = hub.token(&client_id, &secret).await.expect("the new secret works");
        browser.press("Close").await;
        browser.no_window().await;
        browser.press_in_row("Plain", "Delete").await;
        browser.press("Delete API key").await;
        browser.no_window().await;
        assert!(!hub.accepts(&token).await);
        browser.says("No application has a key yet").await;
    });
}
