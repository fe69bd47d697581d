//! The one-time link makes the first administrator (SECURITY 36).

use super::browser::story;
use super::hub::PASSWORD;
use gateway_hub::actions;

#[test]
fn sec_36_the_first_run_link_makes_the_first_administrator() {
    story(async |browser, hub| {
        let token =
            actions::console_user::make_first_run_token(&hub.app).await.expect("a store").expect("no administrator");
        browser.go(&hub.url("/")).await;
        browser.says("There is no administrator yet.").await;
        // Without the link's token nothing is made.
        browser.go(&hub.url("/console/first-run")).await;
        browser.fill("First-run token", "guessed").await;
        browser.fill("Username", "mallory").await;
        browser.fill("Password", PASSWORD).await;
        browser.press("Create administrator").await;
        browser.says("one-time link is wrong").await;
        // Opening the link does not consume it; its token does not stay in the address.
        for _ in 0..2 {
            browser.go("about:blank").await;
            browser.go(&hub.url(&format!("/console/first-run#{token}"))).await;
            browser.heading("First administrator").await;
            let address = browser.driver.current_url().await.expect("an address");
            assert_eq!(address.as_str(), hub.url("/console/first-run"));
        }
        browser.fill("Username", "maria").await;
        browser.fill("Password", PASSWORD).await;
        browser.press("Create administrator").await;
        browser.heading("Overview").await;
        browser.says("maria").await;
        // It is used up.
        browser.press("Sign out").await;
        browser.heading("Sign in").await;
        browser.go(&hub.url(&format!("/console/first-run#{token}"))).await;
        browser.heading("Sign in").await;
        browser.fill("Username", "maria").await;
        browser.fill("Password", PASSWORD).await;
        browser.press("Sign in").await;
        browser.heading("Overview").await;
    });
}
