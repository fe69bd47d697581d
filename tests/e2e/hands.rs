//! The same by keyboard alone, and by touch on a telephone.

use super::browser::{Browser, story};
use serde_json::json;
use thirtyfour::prelude::*;

/// The words of the element that has the focus: its text, or its label.
async fn focused(browser: &Browser) -> String {
    let script = "const e = document.activeElement; \
                  return (e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent || '').trim()";
    let answer = browser.driver.execute(script, Vec::new()).await.expect("a script");
    answer.json().as_str().unwrap_or_default().to_owned()
}

async fn key(browser: &Browser, key: impl Into<TypingData>) {
    browser.driver.action_chain().send_keys(key).perform().await.expect("a key to press");
}

/// Waits until the focus is there of itself.
async fn focus_is(browser: &Browser, words: &str) {
    browser.until(&format!("the focus on {words}"), async || focused(browser).await == words).await;
}

/// Whether a person sees where the focus is.
async fn is_seen(browser: &Browser) -> bool {
    let script = "const e = document.activeElement; const s = getComputedStyle(e); \
                  return s.outlineStyle !== 'none' && s.outlineWidth !== '0px' \
                  && e.checkVisibility({ opacityProperty: true })";
    browser.driver.execute(script, Vec::new()).await.expect("a script").json().as_bool() == Some(true)
}

/// Presses Tab until the focus is on this.
async fn tab_to(browser: &Browser, words: &str) {
    let mut passed = Vec::new();
    for _ in 0..60 {
        let now = focused(browser).await;
        if now == words {
            browser.until(&format!("the focus on {words} to be seen"), async || is_seen(browser).await).await;
            return;
        }
        passed.push(now);
        key(browser, Key::Tab).await;
    }
    panic!("Tab does not lead to {words}, only to {passed:?}");
}

#[test]
fn a_key_is_made_and_deleted_with_the_keyboard_alone() {
    story(async |browser, hub| {
        hub.administrator().await;
        browser.go(&hub.url("/console/applications")).await;
        browser.heading("Sign in").await;
        tab_to(browser, "Username").await;
        key(browser, super::hub::ADMINISTRATOR).await;
        tab_to(browser, "Password").await;
        key(browser, super::hub::PASSWORD).await;
        key(browser, Key::Enter).await;
        browser.heading("Application keys").await;
        // The first stop skips the menu.
        key(browser, Key::Tab).await;
        assert_eq!(focused(browser).await, "Skip to the content");
        key(browser, Key::Enter).await;
        tab_to(browser, "New API Key").await;
        key(browser, Key::Enter).await;
        browser.window_titled("New API Key").await;
        // The window begins where one types.
        focus_is(browser, "Name").await;
        key(browser, "Typed").await;
        key(browser, Key::Enter).await;
        browser.says("Step 2 of 2").await;
        tab_to(browser, "Operator").await;
        key(browser, " ").await;
        tab_to(browser, "Generate API Key").await;
        key(browser, Key::Enter).await;
        let client_id = browser.value("client_id").await;
        let secret = browser.value("client_secret").await;
        assert!(hub.token(&client_id, &secret).await.is_some());
        // The focus stays in the window.
        for _ in 0..12 {
            key(browser, Key::Tab).await;
            let outside = "const e = document.activeElement; return e !== document.body && !e.closest('dialog')";
            let outside = browser.driver.execute(outside, Vec::new()).await.expect("a script");
            assert_eq!(outside.json().as_bool(), Some(false), "{}", focused(browser).await);
        }
        tab_to(browser, "Close").await;
        key(browser, Key::Enter).await;
        browser.no_window().await;
        browser.row("Typed").await;
        let ready = "return document.readyState === 'complete'";
        let is_ready = async || browser.driver.execute(ready, Vec::new()).await.is_ok_and(|it| it.json() == true);
        browser.until("the whole page", is_ready).await;
        tab_to(browser, "Delete").await;
        // The space bar and not Enter, of which the driver sends a second half that would press Cancel in the window.
        key(browser, " ").await;
        browser.window_titled("Delete API key").await;
        // Enter on what has the focus first does no harm.
        focus_is(browser, "Cancel").await;
        tab_to(browser, "Delete API key").await;
        key(browser, Key::Enter).await;
        browser.no_window().await;
        assert!(hub.token(&client_id, &secret).await.is_none());
    });
}

/// Touches the middle of what has these words.
async fn touch(browser: &Browser, xpath: &str) {
    let element = browser.driver.find(By::XPath(xpath)).await.unwrap_or_else(|error| panic!("{xpath}: {error}"));
    element.scroll_into_view().await.expect("a page that scrolls");
    let script = "const box = arguments[0].getBoundingClientRect(); \
                  return [box.x + box.width / 2, box.y + box.height / 2, box.width, box.height]";
    let answer = browser.driver.execute(script, vec![element.to_json().expect("an element")]).await.expect("a script");
    let number = |at: usize| answer.json()[at].as_f64().expect("a number");
    assert!(number(2) >= 24.0 && number(3) >= 17.0, "{xpath} is too small to touch: {} × {}", number(2), number(3));
    let point = json!([{ "x": number(0), "y": number(1) }]);
    let cdp = browser.driver.cdp();
    for (kind, points) in [("touchStart", point), ("touchEnd", json!([]))] {
        let event = json!({ "type": kind, "touchPoints": points });
        cdp.send_raw("Input.dispatchTouchEvent", event).await.expect("a touch");
    }
}

async fn touch_button(browser: &Browser, words: &str) {
    let inside = if browser.window().await.is_some() { "//dialog" } else { "" };
    touch(browser, &format!("{inside}//button[normalize-space(.)='{words}']")).await;
}

#[test]
fn a_key_is_made_regenerated_and_deleted_on_a_telephone() {
    story(async |browser, hub| {
        hub.administrator().await;
        let cdp = browser.driver.cdp();
        for (width, name) in [(390, "Small"), (360, "Smaller")] {
            let size = json!({ "width": width, "height": 780, "deviceScaleFactor": 2, "mobile": true });
            cdp.send_raw("Emulation.setDeviceMetricsOverride", size).await.expect("a telephone");
            let touching = json!({ "enabled": true, "maxTouchPoints": 1 });
            cdp.send_raw("Emulation.setTouchEmulationEnabled", touching).await.expect("a finger");
            if width == 390 {
                browser.sign_in(hub).await;
            }
            browser.go(&hub.url("/console/applications")).await;
            touch_button(browser, "New API Key").await;
            browser.window_titled("New API Key").await;
            browser.fill("Name", name).await;
            touch_button(browser, "Next").await;
            browser.says("Step 2 of 2").await;
            touch(browser, "//dialog//label[normalize-space(.)='Operator']").await;
            touch_button(browser, "Generate API Key").await;
            browser.field("client_secret").await;
            // A touch beside the window does not close it.
            let beside = json!({ "type": "touchStart", "touchPoints": [{ "x": 4, "y": 4 }] });
            cdp.send_raw("Input.dispatchTouchEvent", beside).await.expect("a touch");
            let up = json!({ "type": "touchEnd", "touchPoints": [] });
            cdp.send_raw("Input.dispatchTouchEvent", up).await.expect("a touch");
            browser.window_titled("New API Key").await;
            let (client_id, secret) = (browser.value("client_id").await, browser.value("client_secret").await);
            assert!(hub.token(&client_id, &secret).await.is_some());
            touch_button(browser, "Close").await;
            browser.no_window().await;
            // There is nothing to point with: the row's buttons are simply there.
            touch_button(browser, "Regenerate").await;
            browser.window_titled("Regenerate API key").await;
            touch_button(browser, "Regenerate API key").await;
            let secret = browser.value("client_secret").await;
            assert!(hub.token(&client_id, &secret).await.is_some());
            touch_button(browser, "Close").await;
            browser.no_window().await;
            touch_button(browser, "Delete").await;
            browser.window_titled("Delete API key").await;
            touch_button(browser, "Delete API key").await;
            browser.no_window().await;
            assert!(hub.token(&client_id, &secret).await.is_none());
        }
    });
}
