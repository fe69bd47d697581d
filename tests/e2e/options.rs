//! What the New API Key window offers beyond a name: more options, each in effect from the first second, and the words
//! about roles.

use super::browser::{Browser, story};
use super::hub::{ADMINISTRATOR, Hub};
use gateway_hub::domain::application::{Application, ClientId};
use gateway_hub::store;
use thirtyfour::prelude::*;

/// The application as it is stored.
async fn stored(hub: &Hub, client_id: &str) -> Application {
    let id = ClientId::parse(client_id).expect("an id");
    let mut tx = hub.app.store.read().await.expect("a store");
    store::application::get(&mut tx, &id).await.expect("a read").expect("the application")
}

/// Opens the window's first step with its options.
async fn open_options(browser: &Browser, hub: &Hub, name: &str) {
    browser.go(&hub.url("/console/applications/new")).await;
    browser.window_titled("New API Key").await;
    browser.fill("Name", name).await;
    let summary = browser.driver.find(By::XPath("//summary[normalize-space(.)='More options']")).await;
    summary.expect("More options").click().await.expect("a click");
}

/// The second step, and the key.
async fn generate(browser: &Browser) -> (String, String) {
    browser.press("Next").await;
    browser.says("Step 2 of 2").await;
    browser.field("Operator").await.click().await.expect("a checkbox");
    browser.press("Generate API Key").await;
    (browser.value("client_id").await, browser.value("client_secret").await)
}

#[test]
fn more_options_are_in_effect_from_the_first_second() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        open_options(browser, hub, "Everything").await;
        browser.is_accessible("new key: more options").await;
        browser.fill("Description", "Nightly report\nfor the FX desk").await;
        browser.choose("Owner", ADMINISTRATOR).await;
        browser.choose("Expires", "In 90 days").await;
        browser.fill("Allowed networks", "192.0.2.0/24\n2001:db8::/32").await;
        browser.field("Allow Basic on gateways").await.click().await.expect("a checkbox");
        // The way back and forth keeps all of it, and the roles too.
        browser.press("Next").await;
        browser.says("Step 2 of 2").await;
        browser.field("Operator").await.click().await.expect("a checkbox");
        browser.press("Back").await;
        browser.says("Step 1 of 2").await;
        assert_eq!(browser.value("Allowed networks").await, "192.0.2.0/24\n2001:db8::/32");
        browser.press("Next").await;
        browser.says("Step 2 of 2").await;
        assert!(browser.field("Operator").await.is_selected().await.expect("an answer"), "the ticked role is lost");
        browser.press("Generate API Key").await;
        let (client_id, secret) = (browser.value("client_id").await, browser.value("client_secret").await);
        let made = stored(hub, &client_id).await;
        assert_eq!(made.description, "Nightly report\nfor the FX desk");
        assert_eq!(
            made.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["192.0.2.0/24", "2001:db8::/32"]
        );
        assert!(made.allow_basic && made.owner.is_some());
        assert!(hub.token(&client_id, &secret).await.is_none(), "from here it may not come");
        browser.go(&hub.url(&format!("/console/applications/{client_id}"))).await;
        browser.heading("Everything").await;
        assert_eq!(browser.value("Description").await, "Nightly report\nfor the FX desk");
        browser.set("Allowed networks", "").await;
        browser.press("Save changes").await;
        browser.says("Saved.").await;
        assert!(hub.token(&client_id, &secret).await.is_some());
    });
}

#[test]
fn a_key_expires_when_it_was_said() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.sign_in(hub).await;
        for (choice, days) in
            [("Never", None), ("In 30 days", Some(30)), ("In 90 days", Some(90)), ("In 365 days", Some(365))]
        {
            open_options(browser, hub, choice).await;
            browser.choose("Expires", choice).await;
            let (client_id, _) = generate(browser).await;
            let left = stored(hub, &client_id).await.expires_at.map(|end| end.since(hub.app.clock.now()).as_secs());
            match days {
                None => assert_eq!(left, None),
                Some(days) => {
                    let full = days * 86_400;
                    assert!(left.is_some_and(|left| (full - 120..=full).contains(&left)), "{choice}: {left:?}");
                }
            }
        }
        // A date: its field shows once it is asked for, and a day that is over is refused beside it.
        open_options(browser, hub, "Dated").await;
        let day = browser.driver.find(By::Id("expires_on")).await.expect("the field");
        assert!(!day.is_displayed().await.expect("an answer"));
        browser.choose("Expires", "On a date").await;
        browser.until("the field of the date", async || day.is_displayed().await.expect("an answer")).await;
        browser.press("Next").await;
        browser.says("Choose the last day on which the key works.").await;
        browser.is_accessible("new key: no date").await;
        browser.set("Last day (UTC)", "2001-01-01").await;
        browser.press("Next").await;
        browser.says("This day is over.").await;
        browser.set("Last day (UTC)", "2099-12-31").await;
        let (client_id, secret) = generate(browser).await;
        let end = stored(hub, &client_id).await.expires_at.expect("an end");
        assert_eq!(end.to_string(), "2100-01-01T00:00:00Z");
        assert!(hub.token(&client_id, &secret).await.is_some());
    });
}

#[test]
fn the_role_step_says_what_is_ticked() {
    story(async |browser, hub| {
        hub.administrator().await;
        super::flows::make_role(hub, "FX desk").await;
        browser.sign_in(hub).await;
        browser.go(&hub.url("/console/applications/new")).await;
        browser.fill("Name", "Words").await;
        browser.press("Next").await;
        browser.says("Several roles add up").await;
        let tick = async |role: &str| browser.field(role).await.click().await.expect("a checkbox");
        let may = async || {
            let part = browser.driver.find(By::Id("may")).await.expect("the words");
            part.text().await.expect("a text")
        };
        tick("FX desk").await;
        let fx = "View entities, only rows where user.department = fx.";
        browser.until(fx, async || may().await.contains(fx)).await;
        tick("Operator").await;
        let operator = "View and edit on all data";
        browser.until(operator, async || may().await.contains(operator) && may().await.contains(fx)).await;
        browser.is_accessible("new key: what the roles allow").await;
        tick("FX desk").await;
        browser.until("the words to go", async || !may().await.contains(fx)).await;
        assert!(may().await.contains(operator));
        tick("Operator").await;
        browser.says("Several roles add up").await;
    });
}
