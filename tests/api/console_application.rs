//! One application in the Web Console: its secret replaced in the ways that there are.

use crate::support::{Answer, Application, ConsoleUser, Hub, html};

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
