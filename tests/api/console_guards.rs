//! What guards the console beside its sessions: who may hand out what, names that are text wherever they surface, and forms
//! that come when the session is over.

use gateway_hub::actions::{Actor, console_user};
use gateway_hub::domain::role::RoleId;

use crate::support::{Answer, ConsoleUser, Hub, Request, html, hub::PASSWORD};

const LIST: &str = "/console/applications";

/// Signs in somebody with these roles.
async fn person_with(hub: &Hub, name: &str, roles: &[&str]) -> (ConsoleUser, String) {
    let roles: Vec<RoleId> = roles.iter().map(|role| hub.role_id(role)).collect();
    let user = console_user::create(&hub.app, &Actor::operator(), name, &roles, PASSWORD).await.expect("a user");
    (ConsoleUser::sign_in(&hub.site, name, PASSWORD).await, user.id)
}

/// Follows a held-up form: signs in on the page that came instead, and gives the page that it leads to.
async fn sign_in_there(person: &mut ConsoleUser, held_up: &Answer) -> Answer {
    let name = person.name.clone();
    let form = html::form_with(held_up, "Sign in").fill("Username", &name).fill("Password", PASSWORD);
    person.go(form.press("Sign in", "/console/sign-in")).await
}

#[tokio::test]
async fn sec_33_an_administrator_ends_sessions() {
    let hub = Hub::start().await;
    let (mut person, id) = person_with(&hub, "maria", &["Administrator"]).await;
    let mut elsewhere = ConsoleUser::sign_in(&hub.site, "maria", PASSWORD).await;
    let (mut other, _) = person_with(&hub, "otto", &["Operator"]).await;
    let refused = console_user::end_sessions(&hub.app, &hub.actor("Operator").await, &id).await;
    assert!(refused.is_err(), "only an administrator may");
    person.get(LIST).await.expect(200);
    console_user::end_sessions(&hub.app, &hub.actor("Administrator").await, &id).await.expect("ended");
    person.get(LIST).await.expect(303);
    elsewhere.get(LIST).await.expect(303);
    other.get(LIST).await.expect(200);
    let events = hub.rows().await.table("audit_event");
    assert!(events.iter().any(|event| event["action"] == "console_user.end_sessions" && event["target_id"] == *id));
    ConsoleUser::sign_in(&hub.site, "maria", PASSWORD).await.get(LIST).await.expect(200);
}

#[tokio::test]
async fn sec_33_rights_that_were_taken_away_count_at_the_next_request() {
    let hub = Hub::start().await;
    hub.role("Key desk", &["applications:view", "applications:edit", "entities:view"], None).await;
    hub.role("Reader", &["entities:view"], None).await;
    let (mut person, _) = person_with(&hub, "desk", &["Key desk"]).await;
    let request = person.new_key_request("Late", &["Reader"]).await;
    hub.set_role("Key desk", &["applications:view", "entities:view"], None).await;
    let answer = person.send(request).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    person.get(LIST).await.expect(200);
    hub.set_role("Key desk", &["entities:view"], None).await;
    person.get(LIST).await.expect(403);
    assert!(hub.rows().await.table("application").is_empty());
}

#[tokio::test]
async fn sec_34_a_form_that_came_too_late_loses_nothing_but_the_secret() {
    let hub = Hub::with_manual_clock().await;
    hub.role("Fx <desk>", &["entities:view"], Some("user.department = fx")).await;
    let name = "Grafana & “Sühne” <b> 🦀";
    for (minutes, status) in [(31, 401), (61, 403)] {
        let mut person = hub.console_user("Administrator").await;
        let request = person.new_key_request(name, &["Fx <desk>", "Operator"]).await;
        if status == 403 {
            // In use all the time, so that only the sign-in is old.
            for _ in 0..minutes / 20 {
                hub.advance(20 * 60).await;
                person.get(LIST).await.expect(200);
            }
        }
        hub.advance(if status == 403 { 60 } else { minutes * 60 }).await;
        let held_up = person.send(request.clone()).await;
        assert_eq!(held_up.status, status, "{}", held_up.text());
        assert!(held_up.text().contains("what you typed is kept"), "{}", held_up.text());
        assert!(hub.rows().await.table("application").is_empty(), "nothing was made");
        let window = sign_in_there(&mut person, &held_up).await.expect(200);
        let form = html::form_with(&window, "Generate API Key");
        let made = person.go(form.press("Generate API Key", LIST)).await;
        let key = person.shown_key(name, &made);
        assert!(key.key_works().await);
        let application = hub.rows().await.table("application").remove(0);
        assert_eq!(application["name"], name);
        let roles = hub.rows().await.table("application_role");
        assert_eq!(roles.len(), 2, "{roles:?}");
        // The form of the ended session is worth nothing, in the new one either.
        person.send(request).await.expect(403);
        hub.delete(&key.client_id).await;
    }
}

#[tokio::test]
async fn a_window_of_an_application_is_led_back_to() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("Grafana", &["Operator"]).await;
    for (word, button) in [("regenerate", "Regenerate API key"), ("delete", "Delete API key")] {
        let window = format!("{LIST}/{}/{word}", key.client_id);
        let request = html::form_with(&person.get(&window).await.expect(200), button).press(button, &window);
        hub.advance(31 * 60).await;
        let held_up = person.send(request).await.expect(401);
        let again = sign_in_there(&mut person, &held_up).await.expect(200);
        html::form_with(&again, button);
        assert!(key.key_works().await, "{word} was not done");
    }
    // The form of another site is not worth keeping.
    let mut nobody = ConsoleUser::nobody(&hub.site);
    let evil = Request::post(LIST).form(&[("name", "Planted"), ("role", "Administrator")]);
    let answer = nobody.site.ask(evil.header("Sec-Fetch-Site", "cross-site")).await.expect(403);
    assert!(!answer.text().contains("Planted"), "{}", answer.text());
    nobody.get(LIST).await.expect(303);
}

#[tokio::test]
async fn sec_37_names_are_text_wherever_they_surface() {
    let hub = Hub::start().await;
    let names = [
        "<script>alert('1')</script>",
        "\"><img src=x onerror=alert(2)>",
        "'><svg onload=alert(3)>",
        "=HYPERLINK(\"http://evil.example\",\"x\")",
        "</title><script src=//evil.example></script>",
        "{{ 7*7 }} ${7*7} <%= 7*7 %>",
        "javascript:alert(4)//",
        "&lt;b&gt; &amp;",
    ];
    let mut ids = Vec::new();
    for name in names {
        hub.role(name, &["entities:view"], None).await;
        ids.push(hub.application_named(name, &[name]).await.client_id);
    }
    let (mut person, _) = person_with(&hub, names[0], &["Administrator"]).await;
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut targets = Vec::new();
    for route in crate::routes::all() {
        if route.method != "GET" || !(route.path.starts_with("/console") || route.path == "/") {
            continue;
        }
        for (name, id) in names.iter().zip(&ids) {
            let role = hub.role_id(name).as_str().to_owned();
            let path = route.path.replace("{client_id}", id).replace("{id}", &role).replace("{role}", &role);
            let name = encoded(name);
            targets.push(format!("{path}?q={name}&name={name}&role={name}&next={name}&notice={name}&after={name}&sort={name}&cursor={name}&status={name}&error={name}"));
            targets.push(path);
        }
        targets.push(format!("{}/{}", route.path.replace(['{', '}'], ""), encoded(names[0])));
    }
    let mut seen = 0;
    for target in targets {
        let answer = person.get(&target).await;
        if !answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            continue;
        }
        let page = answer.text();
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
        for markup in
            ["<script>", "<script src=//", "<img", "onload=alert(3)>", "onerror=alert(2)>", "href=\"javascript:"]
        {
            assert!(!page.contains(markup), "{target} holds {markup}: {page}");
        }
        seen += usize::from(page.contains("HYPERLINK"));
    }
    assert!(seen > 10, "the names do surface");
    // Where a name stands, it stands as it was given.
    let list = person.get(LIST).await.expect(200).text();
    assert!(list.contains("&#38;lt;b&#38;gt;") || list.contains("&amp;lt;b&amp;gt;"), "{list}");
    // Data for programs says what it is, so that no browser takes it for a page.
    let application = hub.application_named("<script>alert('5')</script>", &["Operator"]).await;
    let answer = application.get("/api/v1/whoami").await.expect(200);
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn rule_10_nobody_hands_out_more_than_they_have() {
    let hub = Hub::start().await;
    hub.role("Key desk", &["applications:view", "applications:edit"], None).await;
    hub.role("Fx", &["entities:view"], Some("user.department = fx")).await;
    hub.role("Fx editor", &["entities:view", "entities:edit"], Some("user.department = fx")).await;
    hub.role("Everything", &["entities:view"], None).await;
    let small = hub.application(&["Fx"]).await;
    let large = hub.application(&["Fx", "Everything"]).await;
    let (mut person, id) = person_with(&hub, "desk", &["Key desk", "Fx"]).await;

    // What they have, they can give; more is not offered.
    let window = person.name_new_key("Mine").await.expect(200);
    let boxes: Vec<_> =
        html::form_with(&window, "Generate API Key").fields.into_iter().filter(|f| f.kind == "checkbox").collect();
    let labels: Vec<_> = boxes.iter().filter_map(|field| field.label.split('\n').next()).collect();
    assert_eq!(labels, ["Fx", "Key desk"]);
    person.new_key("Mine", &["Fx"]).await;

    // A form that asks for more all the same.
    let before = hub.rows().await;
    for (at, role) in ["Everything", "Fx editor", "Operator", "Administrator"].into_iter().enumerate() {
        let csrf = html::form_with(&window, "Generate API Key");
        let csrf = csrf.fields.iter().find(|field| field.name == "csrf").expect("a token").value.clone();
        let submission = format!("submission_{at:032x}");
        let fields = [("csrf", &*csrf), ("submission", &submission), ("name", "More"), ("role", "Fx"), ("role", role)];
        let answer = person.send(Request::post(LIST).form(&fields)).await;
        assert!(matches!(answer.status, 403 | 422), "{role}: {}", answer.status);
        assert!(answer.text().contains("allows more than your own roles"), "{role}: {}", answer.text());
        assert!(html::shown(&answer, "client_secret").is_none());
    }
    for word in ["regenerate", "delete"] {
        let answer = person.get(&format!("{LIST}/{}/{word}", large.client_id)).await;
        let button = if word == "delete" { "Delete API key" } else { "Regenerate API key" };
        let offered = html::forms(&answer).iter().any(|form| form.buttons.iter().any(|(text, ..)| text == button));
        if offered {
            let page = format!("{LIST}/{}/{word}", large.client_id);
            let answer = person.send(html::form_with(&answer, button).press(button, &page)).await;
            assert!(matches!(answer.status, 403 | 422), "{word}: {}", answer.text());
            assert!(html::shown(&answer, "client_secret").is_none());
        }
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());
    assert!(large.key_works().await);

    // The same below the handlers, for everything that changes security state.
    let users = console_user_of(&hub, &id).await;
    let roles = [hub.app.snapshot.role(&hub.role_id("Key desk")), hub.app.snapshot.role(&hub.role_id("Fx"))];
    let actor = Actor::console_user(&users, roles.iter().flatten().map(|role| &**role), "127.0.0.1");
    for (action, result) in hub.every_action_as(&actor, &small.client_id, &large.client_id).await {
        let may = ["regenerate", "overlap", "leaked", "disable", "delete"].contains(&action);
        assert_eq!(result.is_ok(), may, "{action}: {result:?}");
    }
    assert!(large.key_works().await);
}

async fn console_user_of(hub: &Hub, id: &str) -> gateway_hub::domain::console_user::ConsoleUser {
    let mut tx = hub.app.store.read().await.expect("a transaction");
    gateway_hub::store::console_user::get(&mut tx, id).await.expect("a store").expect("the user")
}
