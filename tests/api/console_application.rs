//! One application in the Web Console: its secret replaced in the ways that there are, its page, its settings, its history.

use gateway_hub::actions::{Actor, console_user};
use gateway_hub::domain::application::ClientId;
use gateway_hub::domain::denial::DenialReason;
use gateway_hub::domain::role::RoleId;
use gateway_hub::store;
use gateway_hub::store::denial::Denial;
use gateway_hub::store::usage::{DayUsage, day_of};

use crate::support::{Answer, Application, ConsoleUser, Hub, html, hub::PASSWORD};

/// Regenerates with what is chosen in the window; gives the window with the new key.
async fn regenerate(person: &mut ConsoleUser, key: &Application, way: &str) -> Answer {
    let path = format!("/console/applications/{}/regenerate", key.client_id);
    let window = person.get(&path).await.expect(200);
    let form = choose(html::form_with(&window, "Regenerate API key"), way);
    person.go(form.press("Regenerate API key", &path)).await.expect(200)
}

/// Chooses one of a row of buttons, and with it none of the others.
fn choose(form: html::Form, label: &str) -> html::Form {
    let mut chosen = form.tick(label);
    let value = chosen.fields.iter().find(|field| field.label == label).expect("the choice").value.clone();
    chosen.fields.retain(|field| field.kind != "radio" || field.value == value);
    chosen
}

#[tokio::test]
async fn rule_02_an_overlap_ends_at_the_stated_second() {
    let hub = Hub::with_manual_clock().await;
    let name = hub.console_user("Administrator").await.name;
    for (way, seconds) in
        [("Overlap of 1 hour", 3_600), ("Overlap of 24 hours", 86_400), ("Overlap of 7 days", 604_800)]
    {
        let mut person = ConsoleUser::sign_in(&hub.site, &name, &hub.password(&name)).await;
        let mut old = person.new_key(way, &["Operator"]).await;
        old.sign_in().await;
        let window = regenerate(&mut person, &old, way).await;
        let new = person.shown_key(way, &window);
        assert!(window.text().contains("The old client_secret and its tokens work until "), "{}", window.text());
        assert_eq!(new.client_id, old.client_id);
        assert!(old.is_in().await && old.key_works().await && new.key_works().await, "both work");
        hub.advance(seconds - 1).await;
        assert!(old.key_works().await, "{way}: until its end");
        hub.advance(2).await;
        assert!(!old.key_works().await && new.key_works().await, "{way}: not beyond it");
    }
}

#[tokio::test]
async fn rule_02_what_leaked_ends_all_secrets_and_all_tokens() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let mut first = person.new_key("Grafana", &["Operator"]).await;
    first.sign_in().await;
    let window = regenerate(&mut person, &first, "Overlap of 1 hour").await;
    let mut second = person.shown_key("Grafana", &window);
    second.sign_in().await;
    assert!(first.is_in().await && second.is_in().await);
    let asked = person.get(&format!("/console/applications/{}/regenerate?how=leaked", first.client_id)).await;
    assert!(asked.text().contains("An overlap is running until"), "{}", asked.text());
    assert!(asked.text().contains("value=\"leaked\" checked"), "an address can choose, and changes nothing");
    let window = regenerate(&mut person, &first, "It leaked").await;
    let third = person.shown_key("Grafana", &window);
    assert!(!first.is_in().await && !first.key_works().await, "the overlap's secret");
    assert!(!second.is_in().await && !second.key_works().await, "the present one");
    assert!(third.key_works().await);
}

#[tokio::test]
async fn a_way_that_there_is_not_replaces_nothing() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("Grafana", &["Operator"]).await;
    let path = format!("/console/applications/{}/regenerate", key.client_id);
    let form = html::form_with(&person.get(&path).await, "Regenerate API key").set("how", "later");
    let answer = person.go(form.press("Regenerate API key", &path)).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains("Choose what becomes"), "{}", answer.text());
    assert!(key.key_works().await);
}

fn page_of(key: &Application) -> String {
    format!("/console/applications/{}", key.client_id)
}

/// The form of the page as it is now.
async fn settings(person: &mut ConsoleUser, key: &Application) -> html::Form {
    html::form_with(&person.get(&page_of(key)).await.expect(200), "Save changes")
}

#[tokio::test]
async fn the_page_changes_an_application_and_its_history_tells_how() {
    let hub = Hub::start().await;
    hub.role("Reader", &["entities:view"], Some("user.department = fx")).await;
    let mut person = hub.console_user("Administrator").await;
    let mut key = person.new_key("Grafana", &["Operator"]).await;
    key.sign_in().await;
    let page = person.get(&page_of(&key)).await.expect(200);
    let text = page.text();
    for part in [&*key.client_id, "What it may view and edit", "Nothing was refused", "It asked for nothing", "History"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let users = hub.rows().await.table("console_user");
    let owner = users[0]["id"].to_string().trim_matches('"').to_owned();
    let form = settings(&mut person, &key).await.fill("Name", "Grafana Cloud").fill("Description", "Dashboards of fx");
    let form = form.fill("Last day", "2999-12-31").fill("Allowed networks", "127.0.0.0/8, ::1").set("owner", &owner);
    let mut form = form.tick("Allow Basic on gateways").tick("Reader");
    form.fields.retain(|field| field.label != "Operator");
    let request = form.press("Save changes", &page_of(&key));
    let saved = person.go(request.clone()).await.expect(200);
    assert!(saved.text().contains("Saved."), "{}", saved.text());
    for part in ["Grafana Cloud", "Dashboards of fx", "2999-12-31", "127.0.0.0/8", "user.department"] {
        assert!(saved.text().contains(part), "{part}: {}", saved.text());
    }
    let row = hub.rows().await.table("application").remove(0);
    assert_eq!(
        (row["name"].to_string(), row["owner"].to_string()),
        ("\"Grafana Cloud\"".into(), format!("\"{owner}\""))
    );
    // The Hub API tells the owner by name.
    let watcher = hub.application(&["Administrator"]).await;
    for target in [format!("/api/v1/applications/{}", key.client_id), "/api/v1/applications?limit=100".to_owned()] {
        let answer = watcher.get(&target).await.expect(200);
        assert!(answer.text().contains(&format!("\"owner\":\"{}\"", person.name)), "{}", answer.text());
    }
    // In effect at once: the role's filter, and what the old one gave is gone.
    assert_eq!(key.send("PUT", "/api/v1/entities/x", &serde_json::json!({ "attributes": {} })).await.status, 403);
    let history = saved.text();
    for part in [
        "Changed the settings",
        "name: “Grafana” → “Grafana Cloud”",
        "roles: Operator → Reader",
        "networks: any → 127.0.0.0/8, ::1/128",
    ] {
        assert!(html::unescape(&history).contains(part), "{part}: {history}");
    }
    // Sent again, it finds everything as it should be.
    let again = person.go(request).await.expect(200);
    assert!(again.text().contains("Nothing was changed"), "{}", again.text());
    // And back to nothing.
    let mut form = settings(&mut person, &key).await.fill("Last day", "").fill("Allowed networks", "").set("owner", "");
    form.fields.retain(|field| field.name != "allow_basic");
    person.go(form.press("Save changes", &page_of(&key))).await.expect(200);
    let row = hub.rows().await.table("application").remove(0);
    assert!(row["expires_at"].is_null() && row["owner"].is_null(), "{row:?}");
    assert!(key.is_in().await, "none of it ended a token");
}

#[tokio::test]
async fn networks_and_expiry_that_are_set_on_the_page_are_enforced_at_once() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let mut key = person.new_key("Grafana", &["Operator"]).await;
    key.sign_in().await;
    let form = settings(&mut person, &key).await.fill("Allowed networks", "192.0.2.0/24");
    person.go(form.press("Save changes", &page_of(&key))).await.expect(200);
    assert!(!key.is_in().await && !key.key_works().await, "from elsewhere");
    let form = settings(&mut person, &key).await.fill("Allowed networks", "");
    person.go(form.press("Save changes", &page_of(&key))).await.expect(200);
    assert!(key.is_in().await && key.key_works().await);
    let today = hub.app.clock.now().to_string().split('T').next().unwrap_or_default().to_owned();
    let form = settings(&mut person, &key).await.fill("Last day", &today);
    person.go(form.press("Save changes", &page_of(&key))).await.expect(200);
    assert!(key.key_works().await, "through the last day");
    hub.advance(86_400).await;
    assert!(!key.key_works().await, "and not beyond it");
}

#[tokio::test]
async fn what_can_not_be_taken_stays_as_typed_beside_its_error() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("Grafana", &["Operator"]).await;
    person.new_key("Taken", &["Operator"]).await;
    let before = hub.rows().await.table("application");
    for (label, typed, message) in [
        ("Name", "tAKEN", "There is already an application"),
        ("Name", "   ", "name"),
        ("Allowed networks", "10.0.0.0/8 office", "“office” is not"),
        ("Last day", "tomorrow", "is not a day"),
        ("Last day", "2001-01-01", "past"),
        ("Description", &"é".repeat(1_001), "t most 1000"),
    ] {
        let form = settings(&mut person, &key).await.fill(label, typed);
        let answer = person.go(form.press("Save changes", &page_of(&key))).await;
        assert_eq!(answer.status, 422, "{label} {typed}: {}", answer.text());
        let text = html::unescape(&answer.text());
        assert!(text.contains(message) && text.contains(typed) && text.contains("aria-invalid"), "{label}: {text}");
    }
    let mut form = settings(&mut person, &key).await;
    form.fields.retain(|field| field.name != "role");
    let answer = person.go(form.press("Save changes", &page_of(&key))).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("hoose at least one role"), "{}", answer.text());
    let form = settings(&mut person, &key).await.set("owner", "user_gone");
    assert_eq!(person.go(form.press("Save changes", &page_of(&key))).await.status, 422);
    assert_eq!(before, hub.rows().await.table("application"), "nothing was saved");
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("Grafana", &["Operator"]).await;
    let stale = settings(&mut person, &key).await.fill("Description", "mine");
    let form = settings(&mut person, &key).await.fill("Name", "Theirs");
    person.go(form.press("Save changes", &page_of(&key))).await.expect(200);
    let answer = person.go(stale.press("Save changes", &page_of(&key))).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("Somebody changed this application meanwhile"));
    let form = html::form_with(&answer, "Save changes").fill("Name", "Theirs");
    person.go(form.press("Save changes", &page_of(&key))).await.expect(200);
    let row = hub.rows().await.table("application").remove(0);
    assert_eq!((&row["name"], &row["description"]), (&"Theirs".into(), &"mine".into()));
}

#[tokio::test]
async fn disabling_enabling_and_ending_an_overlap_are_one_button_each() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let mut old = person.new_key("Grafana", &["Operator"]).await;
    old.sign_in().await;
    let page = page_of(&old);
    let disabled = person.press(&page, "Disable").await;
    assert!(disabled.text().contains("disabled") && !old.is_in().await && !old.key_works().await);
    let enabled = person.press(&page, "Enable").await;
    assert!(enabled.text().contains("Enabled."), "{}", enabled.text());
    assert!(!old.is_in().await && old.key_works().await, "the key again, no token");

    let window = regenerate(&mut person, &old, "Overlap of 24 hours").await;
    let mut new = person.shown_key("Grafana", &window);
    old.sign_in().await;
    new.sign_in().await;
    assert!(old.is_in().await && new.is_in().await);
    let running = person.get(&page).await.expect(200);
    assert!(running.text().contains("An overlap is running"), "{}", running.text());
    let request = html::form_with(&running, "End overlap now").press("End overlap now", &page);
    let ended = person.go(request.clone()).await.expect(200);
    assert!(ended.text().contains("The overlap is over"), "{}", ended.text());
    assert!(!old.is_in().await && !old.key_works().await, "the old secret and its tokens");
    assert!(new.is_in().await && new.key_works().await, "the new one goes on");
    let again = person.go(request).await;
    assert_eq!(again.status, 409);
    assert!(again.text().contains("No overlap is running"), "{}", again.text());
    let events = hub.rows().await.table("audit_event");
    for action in ["application.disable", "application.enable", "api_key.end_overlap"] {
        assert_eq!(events.iter().filter(|event| event["action"] == action).count(), 1, "{action}");
    }
}

#[tokio::test]
async fn rule_10_who_has_less_than_an_application_changes_nothing_of_it() {
    let hub = Hub::start().await;
    hub.role("Key desk", &["applications:view", "applications:edit", "entities:view"], None).await;
    hub.role("Reader", &["entities:view"], None).await;
    let mut admin = hub.console_user("Administrator").await;
    let big = admin.new_key("Big", &["Operator"]).await;
    let small = admin.new_key("Small", &["Reader"]).await;
    console_user::create(&hub.app, &Actor::operator(), "desk", &[hub.role_id("Key desk")], PASSWORD)
        .await
        .expect("a user");
    let mut desk = ConsoleUser::sign_in(&hub.site, "desk", PASSWORD).await;

    let page = desk.get(&page_of(&big)).await.expect(200);
    assert!(page.text().contains("an administrator has to change it"), "{}", page.text());
    for absent in ["Save changes", ">Disable<", ">Regenerate<"] {
        assert!(!page.text().contains(absent), "{absent}");
    }
    assert!(page.text().contains("your roles do not let you view"), "no audit:view, no history");
    // The form of one application, sent to another: the action refuses what the page did not offer.
    let form = settings(&mut desk, &small).await.fill("Name", "Mine");
    let mut request = form.press("Save changes", &page_of(&small));
    request.target = page_of(&big);
    let refused = desk.go(request).await;
    assert!(matches!(refused.status, 403 | 409), "{}: {}", refused.status, refused.text());
    let disable = html::form_with(&desk.get(&page_of(&small)).await, "Disable");
    let mut request = disable.press("Disable", "");
    request.target = format!("{}/disable", page_of(&big));
    let refused = desk.go(request).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("allows more than your own roles do"), "{}", refused.text());
    assert!(big.key_works().await);
    // What they have themselves they may give, and no more.
    let form = settings(&mut desk, &small).await;
    assert!(!form.fields.iter().any(|field| field.label == "Operator"), "not offered");
    let operator = RoleId::OPERATOR;
    let refused = desk.go(form.tick("Reader").set("role", operator).press("Save changes", &page_of(&small))).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let form = settings(&mut desk, &small).await.fill("Description", "ours");
    desk.go(form.press("Save changes", &page_of(&small))).await.expect(200);
}

#[tokio::test]
async fn who_may_only_view_sees_the_page_without_its_forms() {
    let hub = Hub::start().await;
    let key = hub.application(&["Operator"]).await;
    let mut viewer = hub.console_user("Operator").await;
    let page = viewer.get(&page_of(&key)).await.expect(200);
    assert!(page.text().contains("Made the application"), "the history: {}", page.text());
    for absent in ["Save changes", ">Disable<", ">Regenerate<", ">Delete<"] {
        assert!(!page.text().contains(absent), "{absent}");
    }
    let mut admin = hub.console_user("Administrator").await;
    let request = settings(&mut admin, &key).await.press("Save changes", &page_of(&key));
    assert_eq!(viewer.send(request).await.status, 403);
    viewer.get("/console/applications/gh_0000000000000000000000").await.expect(404);
    viewer.get("/console/applications/nonsense").await.expect(404);
}

#[tokio::test]
async fn the_page_and_the_delete_window_tell_what_an_application_does() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("Grafana", &["Operator"]).await;
    let now = hub.app.clock.now();
    let client_id = key.client_id.clone();
    let day = |ago: i32, requests: u64| DayUsage {
        client_id: client_id.clone(),
        day: day_of(now) - ago,
        tokens: 3,
        requests,
        refusals: 0,
        grants: ["entities:view".to_owned()].into(),
    };
    let denial = Denial {
        client_id: client_id.clone(),
        at: now,
        reason: Some(DenialReason::WrongSecret),
        source: "192.0.2.7".to_owned(),
        times: 4,
    };
    let mut tx = hub.app.store.write().await.expect("a transaction");
    store::usage::add(&mut tx, &[day(0, 1_200), day(6, 34), day(7, 500), day(29, 1), day(30, 7_777)])
        .await
        .expect("counted");
    store::denial::add(&mut tx, &[denial]).await.expect("counted");
    tx.commit().await.expect("kept");
    let text = person.get(&page_of(&key)).await.expect(200).text();
    for part in ["1,735", "1,234", "Wrong client_secret", "192.0.2.7", "<rect"] {
        assert!(part == "1,234" || text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("7,777"), "beyond the 30 days");
    assert!(text.contains("<svg") && !text.contains("style="), "drawn without inline style");
    let used = text.matches(">used<").count();
    assert_eq!(used, 1, "entities:view and nothing else: {text}");
    assert!(text.len() < 100 * 1024, "{} bytes", text.len());
    let window = person.get(&format!("{}/delete", page_of(&key))).await.expect(200).text();
    assert!(window.contains("1,234 requests, with 6 access tokens"), "{window}");
    assert!(window.contains("never"), "not a minute was told of");
    assert!(ClientId::parse(&key.client_id).is_some());
}

#[tokio::test]
async fn the_history_is_read_page_by_page() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("Grafana", &["Operator"]).await;
    for _ in 0..12 {
        hub.disable(&key.client_id).await;
        hub.enable(&key.client_id).await;
    }
    hub.application(&["Operator"]).await;
    let first = person.get(&page_of(&key)).await.expect(200).text();
    assert_eq!(first.matches(">Disabled it<").count() + first.matches(">Enabled it<").count(), 20, "{first}");
    assert!(!first.contains("Made the application"));
    let older =
        first.split("?before=").nth(1).and_then(|rest| rest.split(['#', '"']).next()).expect("a link").to_owned();
    let second = person.get(&format!("{}?before={older}", page_of(&key))).await.expect(200).text();
    assert_eq!(second.matches(">Disabled it<").count() + second.matches(">Enabled it<").count(), 4, "{second}");
    assert_eq!(second.matches("Made the application").count(), 1, "and nobody else's");
}

#[tokio::test]
async fn sec_37_what_is_typed_is_text_on_the_page() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("<script>alert(1)</script>", &["Operator"]).await;
    let form = settings(&mut person, &key).await.fill("Description", "</textarea><script>alert(2)</script>");
    let saved = person.go(form.press("Save changes", &page_of(&key))).await.expect(200);
    assert!(!saved.text().contains("<script>alert"), "{}", saved.text());
    assert!(html::unescape(&saved.text()).contains("<script>alert(2)"));
    let noticed = person.get(&format!("{}?notice=%3Cb%3Eyou+won", page_of(&key))).await.expect(200);
    assert!(!noticed.text().contains("you won"), "a link puts no words onto the page");
}

#[tokio::test]
async fn sec_34_settings_that_came_too_late_are_kept() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let name = person.name.clone();
    let key = person.new_key("Grafana", &["Operator"]).await;
    let form = settings(&mut person, &key).await.fill("Description", "a long story").fill("Last day", "2999-12-31");
    hub.advance(3_700).await;
    let held = person.send(form.press("Save changes", &page_of(&key))).await;
    assert!(matches!(held.status, 401 | 403), "{}", held.text());
    let sign_in = html::form_with(&held, "Sign in").fill("Username", &name).fill("Password", &hub.password(&name));
    let page = person.go(sign_in.press("Sign in", "/console/sign-in")).await.expect(200);
    assert!(page.text().contains("a long story"), "{}", page.text());
    assert_eq!(hub.rows().await.table("application")[0]["description"], "", "not saved by itself");
    person.go(html::form_with(&page, "Save changes").press("Save changes", &page_of(&key))).await.expect(200);
    assert_eq!(hub.rows().await.table("application")[0]["description"], "a long story");
    // A button leads back to the page that has it.
    let disable = html::form_with(&person.get(&page_of(&key)).await, "Disable").press("Disable", "");
    hub.advance(3_700).await;
    let held = person.send(disable).await;
    let sign_in = html::form_with(&held, "Sign in").fill("Username", &name).fill("Password", &hub.password(&name));
    let page = person.go(sign_in.press("Sign in", "/console/sign-in")).await.expect(200);
    assert!(page.text().contains("Save changes") && key.key_works().await, "{}", page.text());
}
