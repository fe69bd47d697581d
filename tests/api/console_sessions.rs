//! Sessions of the console: cookies, time limits, recent sign-in, lost rights, and guessing of passwords.

use crate::support::{Answer, ConsoleUser, Hub, Request, html};

const LIST: &str = "/console/applications";

async fn is_signed_in(person: &mut ConsoleUser) -> bool {
    let answer = person.get(LIST).await;
    assert!(matches!(answer.status, 200 | 303), "{answer:?}");
    answer.status == 200
}

#[tokio::test]
async fn sec_32_cookies_and_pages_are_locked_down() {
    let hub = Hub::start().await;
    let person = hub.console_user("Administrator").await;
    let (name, password) = (person.name.clone(), hub.password(&person.name));
    let (mut again, answer) = ConsoleUser::try_sign_in(&hub.site, &name, &password).await;
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    for part in ["gateway-hub-session=", "; HttpOnly", "; SameSite=", "; Path=/"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    assert!(!cookie.contains("Domain") && !cookie.contains("Expires"), "{cookie}");
    assert_ne!(person.cookies, again.cookies, "every sign-in has a new session");

    for page in [LIST, "/console/sign-in", "/console/nothing", "/console/applications/new", "/console/first-run"] {
        let answer = again.get(page).await;
        let csp = if answer.status == 303 { continue } else { answer.header("content-security-policy") };
        let csp = csp.expect("a policy");
        for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
            assert!(csp.contains(part), "{page}: {csp}");
        }
        assert!(!csp.contains("unsafe"), "{page}: {csp}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{page}");
        let text = answer.text();
        assert!(!text.contains("<script>") && !text.contains(" style=") && !text.contains(" onclick="), "{page}");
    }
}

#[tokio::test]
async fn sec_33_sessions_end_unused_and_used() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    hub.advance(29 * 60).await;
    assert!(is_signed_in(&mut person).await, "used within half an hour");
    hub.advance(30 * 60).await;
    assert!(!is_signed_in(&mut person).await, "unused for half an hour");

    let mut busy = hub.console_user("Administrator").await;
    for _ in 0..35 {
        hub.advance(20 * 60).await;
        assert!(is_signed_in(&mut busy).await);
    }
    hub.advance(20 * 60).await;
    assert!(!is_signed_in(&mut busy).await, "twelve hours are the end, used or not");
}

#[tokio::test]
async fn sec_33_signing_out_and_lost_rights_count_at_once() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let mut copy = person.clone();
    person.press(LIST, "Sign out").await;
    assert!(!is_signed_in(&mut copy).await, "a copied cookie outlives signing out");

    let _last = hub.console_user("Administrator").await;
    let mut removed = hub.console_user("Administrator").await;
    assert!(is_signed_in(&mut removed).await);
    hub.try_delete_user(&removed.name.clone()).await.expect("not the last administrator");
    assert!(!is_signed_in(&mut removed).await);
}

#[tokio::test]
async fn sec_34_key_writes_need_a_recent_sign_in() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let key = person.new_key("Grafana", &["Operator"]).await;
    let make = person.new_key_request("Late", &["Operator"]).await;
    let window = format!("{LIST}/{}/regenerate", key.client_id);
    let regenerate =
        html::form_with(&person.get(&window).await, "Regenerate API key").press("Regenerate API key", &window);
    let window = format!("{LIST}/{}/delete", key.client_id);
    let delete = html::form_with(&person.get(&window).await, "Delete API key").press("Delete API key", &window);
    for _ in 0..3 {
        hub.advance(20 * 60).await;
        assert!(is_signed_in(&mut person).await);
    }
    for request in [make, regenerate, delete] {
        let answer = person.send(request).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.text().contains("Sign in again"), "{}", answer.text());
    }
    assert!(key.key_works().await, "nothing was changed");
    assert_eq!(hub.rows().await.table("application").len(), 1);
    // A window leads to sign-in and back.
    let answer = person.get(&window).await.expect(303);
    let to = answer.header("location").expect("a location").to_owned();
    assert!(to.starts_with("/console/sign-in?next=%2Fconsole%2Fapplications%2F"), "{to}");
    let page = person.get(&to).await.expect(200);
    let name = person.name.clone();
    let form = html::form_with(&page, "Sign in").fill("Username", &name).fill("Password", &hub.password(&name));
    let answer = person.send(form.press("Sign in", &to)).await.expect(303);
    assert_eq!(answer.header("location"), Some(window.as_str()));
    html::form_with(&person.get(&window).await.expect(200), "Delete API key");
}

#[tokio::test]
async fn sec_35_guessing_is_slowed_and_tells_nothing() {
    let hub = Hub::start().await;
    let person = hub.console_user("Administrator").await;
    let fail = async |name: &str, password: &str| {
        let (_, answer) = ConsoleUser::try_sign_in(&hub.site, name, password).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert!(answer.header("set-cookie").is_none());
        // The page holds what was typed; all else is the same.
        answer.text().replace(name, "NAME")
    };
    let wrong = fail(&person.name, "wrong password").await;
    assert_eq!(fail("nobody-of-that-name", "wrong password").await, wrong);
    assert_eq!(fail(&person.name, "").await, wrong);
    for attempt in 0..3 {
        fail(&person.name, &format!("guess {attempt}")).await;
    }
    let begun = std::time::Instant::now();
    fail(&person.name, "one more guess").await;
    assert!(begun.elapsed() >= std::time::Duration::from_millis(400), "the sixth wrong answer is held back");
    // The right password is let in at once all the same.
    let begun = std::time::Instant::now();
    ConsoleUser::sign_in(&hub.site, &person.name, &hub.password(&person.name)).await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(3), "the person waits for the guesses of others");
}

#[tokio::test]
async fn rule_10_an_operator_writes_nothing() {
    let hub = Hub::start().await;
    let mut administrator = hub.console_user("Administrator").await;
    let key = administrator.new_key("Grafana", &["Operator"]).await;
    let mut operator = hub.console_user("Operator").await;
    let page = operator.get(LIST).await.expect(200);
    assert!(page.text().contains("Grafana") && !page.text().contains("New API Key"));
    let csrf = page.text();
    let csrf = csrf.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let submission = format!("submission_{:032x}", 7);
    let fields = [("csrf", csrf), ("submission", &*submission), ("name", "Mine"), ("role", "Operator")];
    let targets =
        [LIST.to_owned(), format!("{LIST}/{}/regenerate", key.client_id), format!("{LIST}/{}/delete", key.client_id)];
    for target in targets {
        let answer = operator.send(Request::post(&target).form(&fields)).await;
        assert_eq!(answer.status, 403, "{target}: {}", answer.text());
    }
    assert!(key.key_works().await);
    assert_eq!(hub.rows().await.table("application").len(), 1);
}

#[tokio::test]
async fn after_signing_in_only_pages_of_this_console_are_shown() {
    let hub = Hub::start().await;
    let person = hub.console_user("Administrator").await;
    let password = hub.password(&person.name);
    let land = async |next: &str| -> Answer {
        let mut browser = ConsoleUser::nobody(&hub.site);
        let page = browser.get("/console/sign-in").await.expect(200);
        let form = html::form_with(&page, "Sign in").fill("Username", &person.name).fill("Password", &password);
        browser.send(form.set("next", next).press("Sign in", "/console/sign-in")).await.expect(303)
    };
    assert_eq!(land("/console/roles").await.header("location"), Some("/console/roles"));
    for foreign in ["https://evil.example/console/", "//evil.example", "/\\evil.example", "/console/\r\nA: b", ""] {
        assert_eq!(land(foreign).await.header("location"), Some("/console/overview"), "{foreign:?}");
    }
}
