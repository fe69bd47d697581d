//! The Web Console as a browser without JavaScript sees it: the first administrator, and secrets shown once.

use crate::support::{Application, ConsoleUser, Hub, Request, html};

const PASSWORD: &str = "correct horse battery staple";

async fn first_run(hub: &Hub, token: &str, name: &str) -> (ConsoleUser, crate::support::Answer) {
    let mut browser = ConsoleUser::nobody(&hub.site);
    let page = browser.get("/console/first-run").await;
    if page.status != 200 {
        return (browser, page);
    }
    let form = html::forms(&page).into_iter().find(|form| form.fields.iter().any(|field| field.kind == "password"));
    let mut form = form.unwrap_or_else(|| panic!("no form: {}", page.text()));
    let password = form.fields.iter_mut().filter(|field| field.kind == "password");
    for field in password {
        PASSWORD.clone_into(&mut field.value);
    }
    for field in &mut form.fields {
        if field.name == "token" {
            token.clone_into(&mut field.value);
        }
        if field.label == "Username" || field.name == "username" {
            name.clone_into(&mut field.value);
        }
    }
    let button = form.buttons[0].0.clone();
    let answer = browser.send(form.press(&button, "/console/first-run")).await;
    (browser, answer)
}

#[tokio::test]
async fn sec_36_the_first_administrator_needs_the_one_time_link() {
    let hub = Hub::with_manual_clock().await;
    let before = hub.rows().await;
    // Nobody signs in to an empty hub.
    let (_, answer) = ConsoleUser::try_sign_in(&hub.site, "admin", "").await;
    assert_ne!(answer.status, 303);
    for guess in ["", "0", "first-run", &"A".repeat(43), &"A".repeat(22), &"0".repeat(64)] {
        let (_, answer) = first_run(&hub, guess, "mallory").await;
        assert!((400..500).contains(&answer.status), "{guess:?}: {}", answer.status);
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());

    let link = hub.first_run_link().await;
    let (address, token) = link.split_once('#').expect("the token stands in the fragment");
    assert!(address.starts_with(&hub.site.issuer) && !address.contains(token) && token.len() >= 22, "{link}");
    assert!(!hub.rows().await.everything().contains(token), "only its hash is stored");
    // Opening it does not consume it.
    hub.site.get("/console/first-run").await.expect(200);
    hub.site.get("/console/first-run").await.expect(200);
    // After its hour it is worth nothing.
    hub.advance(3_600).await;
    let (_, late) = first_run(&hub, token, "mallory").await;
    assert!((400..500).contains(&late.status), "{}", late.status);

    let link = hub.first_run_link().await;
    let token = link.split_once('#').expect("a fragment").1.to_owned();
    // A link made earlier ends when a new one is made.
    let (mut person, answer) = first_run(&hub, &token, "root").await;
    assert!(matches!(answer.status, 200 | 303), "{}", answer.text());
    if person.get("/console/applications").await.status != 200 {
        person = ConsoleUser::sign_in(&hub.site, "root", PASSWORD).await;
    }
    person.get("/console/applications").await.expect(200);
    // Setting the password consumed it, and an administrator ends all others.
    let (_, again) = first_run(&hub, &token, "mallory").await;
    assert!((400..500).contains(&again.status) || again.status == 303, "{}", again.status);
    let (_, answer) = ConsoleUser::try_sign_in(&hub.site, "mallory", PASSWORD).await;
    assert_ne!(answer.status, 303);
    assert_eq!(hub.rows().await.table("console_user").len(), 1);
}

#[tokio::test]
async fn sec_36_two_people_with_one_link_make_one_administrator() {
    let hub = Hub::start().await;
    let link = hub.first_run_link().await;
    let token = link.split_once('#').expect("a fragment").1;
    let (first, second) = tokio::join!(first_run(&hub, token, "first"), first_run(&hub, token, "second"));
    let made = hub.rows().await.table("console_user").len();
    assert_eq!(made, 1, "{} {}", first.1.status, second.1.status);
}

#[tokio::test]
async fn sec_36_a_link_is_worth_nothing_once_the_operator_made_an_administrator() {
    let hub = Hub::start().await;
    let link = hub.first_run_link().await;
    hub.console_user("Administrator").await;
    let (_, answer) = first_run(&hub, link.split_once('#').expect("a fragment").1, "mallory").await;
    assert!((400..500).contains(&answer.status) || answer.status == 303, "{}", answer.status);
    assert_eq!(hub.rows().await.table("console_user").len(), 1);
}

#[tokio::test]
async fn rule_01_a_secret_is_shown_once() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let request = person.new_key_request("Grafana", &["Operator"]).await;
    let window = person.go(request.clone()).await.expect(200);
    let key = person.shown_key("Grafana", &window);
    assert!(key.key_works().await);
    assert!(window.text().contains("cannot be recovered"), "the caution");
    // A repeated submit makes no second key and shows no secret.
    for _ in 0..2 {
        let again = person.go(request.clone()).await;
        assert!(html::shown(&again, "client_secret").is_none());
        assert!(!again.everything().contains(&key.client_secret));
    }
    assert_eq!(hub.rows().await.table("application").len(), 1);
    assert!(key.key_works().await, "the repeat changed nothing");
    // No page shows it again.
    for page in ["/console/applications", "/console", "/console/roles", "/console/documentation", "/console/audit"] {
        let answer = person.get(page).await;
        assert!(!answer.everything().contains(&key.client_secret), "{page}");
    }
}

#[tokio::test]
async fn rule_01_two_submits_at_once_make_one_key() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let request = person.new_key_request("Grafana", &["Operator"]).await;
    let (mut left, mut right) = (person.clone(), person.clone());
    let (one, two) = tokio::join!(left.go(request.clone()), right.go(request));
    let shown = [&one, &two].into_iter().filter(|answer| html::shown(answer, "client_secret").is_some()).count();
    assert_eq!((shown, hub.rows().await.table("application").len()), (1, 1));
}

#[tokio::test]
async fn rule_02_regenerate_keeps_the_client_id_and_ends_the_old_secret() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let mut old = person.new_key("Grafana", &["Operator"]).await;
    assert!(old.sign_in().await.is_in().await);
    let request = regenerate_request(&mut person, &old).await;
    let window = person.go(request.clone()).await.expect(200);
    let mut new = person.shown_key("Grafana", &window);
    assert_eq!(new.client_id, old.client_id);
    assert_ne!(new.client_secret, old.client_secret);
    assert!(!old.is_in().await && !old.key_works().await);
    assert!(new.sign_in().await.is_in().await);
    // A repeated submit makes no third.
    let again = person.go(request).await;
    assert!(html::shown(&again, "client_secret").is_none());
    assert!(new.is_in().await && new.key_works().await);
}

async fn regenerate_request(person: &mut ConsoleUser, key: &Application) -> Request {
    let page = person.get("/console/applications").await.expect(200);
    let form = html::form_with(&page, "Regenerate");
    let window = person.go(form.press("Regenerate", "/console/applications")).await.expect(200);
    assert!(window.text().contains(&key.client_id), "the window says what stays");
    html::form_with(&window, "Regenerate API key").press("Regenerate API key", "/console/applications")
}

#[tokio::test]
async fn rule_03_delete_in_the_console_is_immediate() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let mut key = person.new_key("Grafana", &["Operator"]).await;
    assert!(key.sign_in().await.is_in().await);
    let page = person.get("/console/applications").await.expect(200);
    let window = person.go(html::form_with(&page, "Delete").press("Delete", "/console/applications")).await.expect(200);
    assert!(key.is_in().await, "asking deletes nothing");
    assert!(window.text().contains("permanent"), "{}", window.text());
    let request = html::form_with(&window, "Delete API key").press("Delete API key", "/console/applications");
    let answer = person.send(request).await;
    assert!(matches!(answer.status, 200 | 303), "{}", answer.text());
    assert!(!key.is_in().await && !key.key_works().await);
}

#[tokio::test]
async fn a_key_without_a_role_is_refused_and_what_was_typed_stays() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let request = person.new_key_request("Grafana <b>", &[]).await;
    let answer = person.go(request).await;
    assert!(html::shown(&answer, "client_secret").is_none());
    assert!(answer.text().contains("New API Key") && answer.text().contains("role"), "{}", answer.text());
    assert!(!answer.text().contains("Grafana <b>"), "names are text");
    assert!(hub.rows().await.table("application").is_empty());
    let form = html::form_with(&answer, "Generate API Key").tick("Operator");
    let made = person.go(form.press("Generate API Key", "/console/applications")).await;
    person.shown_key("Grafana <b>", &made);
}

#[tokio::test]
async fn console_writes_need_session_and_csrf_and_are_never_redirected() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let request = person.new_key_request("Grafana", &["Operator"]).await;
    let forms = String::from_utf8(request.body.clone()).expect("a form");
    let csrf = form_urlencoded::parse(forms.as_bytes()).find(|(name, _)| name.contains("csrf")).expect("a CSRF token");
    let encoded = csrf.1.to_string();
    let without = forms.replace(&encoded, "");
    let wrong = forms.replace(&encoded, &"A".repeat(encoded.len()));
    let mut other = hub.console_user("Administrator").await;
    let kind = "application/x-www-form-urlencoded";
    let target = request.target.clone();
    let post = |body: &str| Request::post(&target).body(kind, body.as_bytes());

    for answer in [
        hub.site.ask(request.clone()).await,
        person.send(post(&without)).await,
        person.send(post(&wrong)).await,
        other.send(request.clone()).await,
        hub.site.ask(post(&forms).header("Cookie", "gateway-hub-session=guess")).await,
    ] {
        assert!(matches!(answer.status, 401 | 403), "{}: {}", answer.status, answer.text());
        assert!(answer.header("location").is_none());
        assert!(html::shown(&answer, "client_secret").is_none());
    }
    // From another site: the browser says so, and that is enough.
    let cookies: Vec<_> = person.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for (name, value) in
        [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://evil.example")]
    {
        let answer = hub.site.ask(request.clone().header("Cookie", &cookies.join("; ")).header(name, value)).await;
        assert!(matches!(answer.status, 401 | 403), "{name}: {}", answer.status);
    }
    assert!(hub.rows().await.table("application").is_empty());
    // Only a GET is sent to the sign-in page.
    let page = hub.site.get("/console/applications").await.expect(303);
    assert!(page.header("location").is_some_and(|to| to.starts_with("/console/sign-in")), "{page:?}");
}
