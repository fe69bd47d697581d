//! What goes wrong in the middle: the session ends, a second tab, no network, going back. Nothing is lost but the secret.

use super::browser::{Browser, story};
use super::hub::{ADMINISTRATOR, Hub, PASSWORD};
use gateway_hub::actions::{self, Actor};
use gateway_hub::store;
use serde_json::json;

/// Opens New API Key up to the choice of roles, and ticks one.
async fn half_way(browser: &Browser, hub: &Hub, name: &str) {
    browser.go(&hub.url("/console/applications")).await;
    browser.press("New API Key").await;
    browser.fill("Name", name).await;
    browser.press("Next").await;
    browser.says("Step 2 of 2").await;
    browser.field("Operator").await.click().await.expect("a checkbox");
}

/// Finishes it as it stands, and gives what is shown.
async fn finish(browser: &Browser) -> (String, String) {
    assert!(browser.field("Operator").await.is_selected().await.expect("an answer"), "the role is not ticked any more");
    browser.press("Generate API Key").await;
    (browser.value("client_id").await, browser.value("client_secret").await)
}

/// Ends all sessions of the administrator, as another administrator may.
async fn end_sessions(hub: &Hub) {
    let mut tx = hub.app.store.read().await.expect("a store");
    let users = store::console_user::all(&mut tx).await.expect("the users");
    drop(tx);
    let user = users.iter().find(|user| user.name.as_str() == ADMINISTRATOR).expect("the administrator");
    actions::console_user::end_sessions(&hub.app, &Actor::operator(), &user.id).await.expect("ended");
}

async fn offline(browser: &Browser, offline: bool) {
    let conditions = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    let cdp = browser.driver.cdp();
    cdp.send_raw("Network.enable", json!({})).await.expect("the network's settings");
    cdp.send_raw("Network.emulateNetworkConditions", conditions).await.expect("a network");
}

#[test]
fn a_session_that_ends_in_the_middle_loses_nothing_but_the_secret() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        let name = "Überwachung <b> 🦀 & Co";
        half_way(browser, hub, name).await;
        end_sessions(hub).await;
        browser.press("Generate API Key").await;
        browser.says("what you typed is kept").await;
        browser.is_accessible("signing in again").await;
        browser.fill("Username", ADMINISTRATOR).await;
        browser.fill("Password", "wrong password").await;
        browser.press("Sign in").await;
        browser.says("password is wrong").await;
        browser.fill("Password", PASSWORD).await;
        browser.press("Sign in").await;
        browser.window_titled("New API Key").await;
        browser.says(&format!("Roles of “{name}”")).await;
        let (client_id, secret) = finish(browser).await;
        assert!(hub.token(&client_id, &secret).await.is_some());
        browser.press("Close").await;
        browser.row(name).await;

        // It ends between the name and the roles.
        browser.press("New API Key").await;
        browser.fill("Name", "Second").await;
        end_sessions(hub).await;
        browser.press("Next").await;
        browser.fill("Username", ADMINISTRATOR).await;
        browser.fill("Password", PASSWORD).await;
        browser.press("Sign in").await;
        browser.says("Roles of “Second”").await;
    });
}

#[test]
fn a_second_tab_confuses_nothing() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        half_way(browser, hub, "Twice").await;
        let first = browser.driver.window().await.expect("a tab");
        let second = browser.driver.new_tab().await.expect("a second tab");
        // The other tab signs in again, and so has another session.
        browser.driver.switch_to_window(second.clone()).await.expect("the other tab");
        end_sessions(hub).await;
        browser.sign_in(hub).await;
        browser.driver.switch_to_window(first.clone()).await.expect("the first tab");
        browser.press("Generate API Key").await;
        browser.says("This form is not from your session").await;
        browser.is_accessible("a form of another session").await;
        browser.follow("Open it again with what you typed").await;
        browser.says("Roles of “Twice”").await;
        // The other tab takes the name meanwhile.
        browser.driver.switch_to_window(second.clone()).await.expect("the other tab");
        half_way(browser, hub, "TWICE").await;
        let (client_id, secret) = finish(browser).await;
        browser.driver.switch_to_window(first.clone()).await.expect("the first tab");
        browser.press("Generate API Key").await;
        browser.says("named “Twice”").await;
        assert_eq!(browser.value("Name").await, "Twice");
        assert!(hub.token(&client_id, &secret).await.is_some(), "the other tab's key is as it was");
        // The window of a key that the other tab deletes.
        browser.go(&hub.url(&format!("/console/applications/{client_id}/regenerate"))).await;
        browser.driver.switch_to_window(second).await.expect("the other tab");
        browser.press("Close").await;
        browser.no_window().await;
        browser.press_in_row("TWICE", "Delete").await;
        browser.press("Delete API key").await;
        browser.no_window().await;
        browser.driver.switch_to_window(first).await.expect("the first tab");
        browser.press("Regenerate API key").await;
        browser.says("Back to Application keys").await;
        browser.is_accessible("an application that is gone").await;
    });
}

#[test]
fn without_a_network_nothing_is_lost() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        half_way(browser, hub, "Tunnel").await;
        offline(browser, true).await;
        browser.press("Generate API Key").await;
        browser.says("The hub can't be reached.").await;
        offline(browser, false).await;
        browser.is_accessible("the hub can't be reached").await;
        let (client_id, secret) = finish(browser).await;
        assert!(hub.token(&client_id, &secret).await.is_some());
        // What is shown stays when the network goes; Close leads nowhere then, but the key was read.
        offline(browser, true).await;
        assert_eq!(browser.value("client_secret").await, secret);
        offline(browser, false).await;
        browser.press("Close").await;
        browser.no_window().await;
        browser.press_in_row("Tunnel", "Delete").await;
        offline(browser, true).await;
        browser.press("Delete API key").await;
        browser.says("The hub can't be reached.").await;
        assert!(hub.token(&client_id, &secret).await.is_some(), "nothing was sent");
        offline(browser, false).await;
        browser.press("Delete API key").await;
        browser.no_window().await;
        assert!(hub.token(&client_id, &secret).await.is_none());
    });
}

#[test]
fn names_of_every_kind_are_shown_as_they_are() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        let long = "W".repeat(200);
        let names = [
            "<script>document.title='gone'</script>",
            "<img src=x onerror=\"document.title='gone'\">",
            "👩‍👩‍👧‍👦 Familie 🦀🇪🇺",
            "שירות ניטור (גיבוי)",
            "خدمة المراقبة 42",
            "=HYPERLINK(\"http://evil.example\")",
            long.as_str(),
            "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u v w x y z",
        ];
        for name in names {
            browser.go(&hub.url("/console/applications/new")).await;
            browser.set("Name", name).await;
            browser.press("Next").await;
            browser.says("Step 2 of 2").await;
            browser.field("Operator").await.click().await.expect("a checkbox");
            let (client_id, secret) = finish(browser).await;
            if name == long {
                browser.is_accessible("the key of a long name").await;
            }
            assert!(hub.token(&client_id, &secret).await.is_some());
            browser.press("Close").await;
            browser.no_window().await;
            for window in ["regenerate", "delete"] {
                browser.go(&hub.url(&format!("/console/applications/{client_id}/{window}"))).await;
                browser.says(name).await;
            }
        }
        browser.go(&hub.url("/console/applications")).await;
        let text = browser.text().await;
        for name in names {
            assert!(text.contains(name), "{name}");
        }
        browser.is_accessible("a list of odd names").await;
        let title = browser.driver.title().await.expect("a title");
        assert!(title.starts_with("Application keys"), "{title}");
        // One character more is refused where it stands.
        browser.go(&hub.url(&format!("/console/applications/new/roles?name={}", "W".repeat(201)))).await;
        browser.says("A name has at most 200 characters").await;
        assert_eq!(browser.value("Name").await.len(), 201);
    });
}
