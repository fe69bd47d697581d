//! Overlaps on the Application keys page, and where windows and buttons lead back to.

use crate::support::{Answer, Application, ConsoleUser, Hub, html};

const LIST: &str = "/console/applications";

async fn overlapping(person: &mut ConsoleUser, name: &str) -> (Application, Application) {
    let old = person.new_key(name, &["Operator"]).await;
    let path = format!("{LIST}/{}/regenerate", old.client_id);
    let mut form = html::form_with(&person.get(&path).await.expect(200), "Regenerate API key");
    form = form.tick("Overlap of 24 hours");
    form.fields.retain(|field| field.kind != "radio" || field.value == "24h");
    let window = person.go(form.press("Regenerate API key", &path)).await.expect(200);
    let new = person.shown_key(name, &window);
    (old, new)
}

/// Presses a button that leads away; gives where it leads to, and the page there.
async fn leave(person: &mut ConsoleUser, page: &Answer, button: &str) -> (String, Answer) {
    let request = html::form_with(page, button).press(button, LIST);
    let answer = person.send(request.clone()).await;
    let to =
        if answer.status == 303 { answer.header("location").expect("a location").to_owned() } else { request.target };
    let page = person.get(&to).await.expect(200);
    (to, page)
}

#[tokio::test]
async fn the_list_shows_an_overlap_and_ends_it() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let (mut old, mut new) = overlapping(&mut person, "Grafana").await;
    person.new_key("Other", &["Operator"]).await;
    let shown = person.get(LIST).await.expect(200).text();
    assert!(shown.contains("old secret never used"), "{shown}");
    old.sign_in().await;
    new.sign_in().await;
    hub.flush_usage().await;
    hub.advance(3 * 3_600).await;
    let name = person.name.clone();
    let mut person = ConsoleUser::sign_in(&hub.site, &name, &hub.password(&name)).await;
    let query = "q=graf&status=overlap&sort=-used";
    let list = person.get(&format!("{LIST}?{query}")).await.expect(200);
    let text = list.text();
    assert!(text.contains("overlap until <time datetime=") && text.contains("old secret last used"), "{text}");
    assert!(text.contains(">3 hours ago</time>"), "{text}");
    assert!(old.key_works().await && new.key_works().await);
    // Ended where it is seen, and the list is as it was.
    let (to, list) = leave(&mut person, &list, "End overlap").await;
    assert_eq!(to, format!("{LIST}?{query}&notice=overlap-ended"));
    assert!(list.text().contains("The overlap is over."), "{}", list.text());
    assert!(!old.key_works().await && new.key_works().await);
    assert!(!person.get(LIST).await.expect(200).text().contains(">End overlap<"));
    let events = hub.rows().await.table("audit_event");
    assert_eq!(events.iter().filter(|event| event["action"] == "api_key.end_overlap").count(), 1);
}

#[tokio::test]
async fn rule_10_and_sec_34_hold_for_the_button_in_the_row() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let (old, _) = overlapping(&mut person, "Grafana").await;
    let list = person.get(LIST).await.expect(200);
    let request = html::form_with(&list, "End overlap").press("End overlap", LIST);
    let mut viewer = hub.console_user("Operator").await;
    assert!(!viewer.get(LIST).await.expect(200).text().contains(">End overlap<"));
    assert_eq!(viewer.send(request.clone()).await.status, 403);
    // The session lives; the password was given too long ago.
    for _ in 0..3 {
        hub.advance(20 * 60).await;
        person.get(LIST).await.expect(200);
    }
    let late = person.send(request).await;
    assert_eq!(late.status, 403, "{}", late.text());
    assert!(late.text().contains("Sign in again"), "{}", late.text());
    assert!(old.key_works().await, "nothing was ended");
}

#[tokio::test]
async fn windows_lead_back_to_where_they_were_opened() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("Grafana", &["Operator"]).await;
    let page_path = format!("{LIST}/{}", key.client_id);
    let list_path = format!("{LIST}?q=graf&sort=-created");
    for (from, back) in [(page_path.clone(), page_path.clone()), (list_path.clone(), list_path.clone())] {
        for opener in ["Regenerate", "Delete"] {
            let opened = person.get(&from).await.expect(200);
            let (_, window) = leave(&mut person, &opened, opener).await;
            let leads = format!("data-leave=\"{}\"", back.replace('&', "&#38;"));
            assert!(window.text().contains(&leads), "{leads}: {}", window.text());
            let (to, _) = leave(&mut person, &window, "Cancel").await;
            assert_eq!(to, back, "{opener}");
        }
        let opened = person.get(&from).await.expect(200);
        let (path, window) = leave(&mut person, &opened, "Regenerate").await;
        let form = html::form_with(&window, "Regenerate API key").press("Regenerate API key", &path);
        let shown = person.go(form.clone()).await.expect(200);
        assert_eq!(leave(&mut person, &shown, "Close").await.0, back);
        let again = person.go(form).await;
        assert_eq!(again.status, 409);
        assert_eq!(leave(&mut person, &again, "Close").await.0, back);
    }
    // The page goes with its application; the list does not.
    let opened = person.get(&page_path).await.expect(200);
    let (_, window) = leave(&mut person, &opened, "Delete").await;
    let (to, list) = leave(&mut person, &window, "Delete API key").await;
    assert_eq!(to, format!("{LIST}?notice=deleted"));
    assert!(list.text().contains("The API key was deleted."));
    person.new_key("Grafana", &["Operator"]).await;
    let opened = person.get(&list_path).await.expect(200);
    let (_, window) = leave(&mut person, &opened, "Delete").await;
    let (to, list) = leave(&mut person, &window, "Delete API key").await;
    assert_eq!(to, format!("{list_path}&notice=deleted"));
    assert!(list.text().contains("The API key was deleted."));
}

#[tokio::test]
async fn a_window_leads_to_no_other_page() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("Grafana", &["Operator"]).await;
    for foreign in
        ["https://evil.example/", "//evil.example", "/console/sign-out", "javascript:alert(1)", "\"><script>"]
    {
        let back: String = form_urlencoded::byte_serialize(foreign.as_bytes()).collect();
        let window = person.get(&format!("{LIST}/{}/delete?back={back}", key.client_id)).await.expect(200);
        assert!(window.text().contains("data-leave=\"/console/applications\""), "{foreign}: {}", window.text());
        assert!(!window.text().contains("evil") && !window.text().contains("\"><script>"), "{foreign}");
    }
}
