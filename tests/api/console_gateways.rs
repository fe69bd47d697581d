//! Gateways in the Web Console, as a browser without JavaScript sees them.

use crate::support::{Answer, ConsoleUser, Hub, html};

const GATEWAYS: &str = "/console/gateways";
const SECRET: &str = "canary-upstream-secret";

/// Where the list leads for this gateway.
async fn page_of(person: &mut ConsoleUser, name: &str) -> String {
    let list = person.get(GATEWAYS).await.expect(200).text();
    let (before, _) = list.split_once(&format!("\">{name}</a>")).unwrap_or_else(|| panic!("no {name}: {list}"));
    before.rsplit_once("href=\"").expect("a link").1.to_owned()
}

/// A form parser without choices sends none: this is what a browser sends.
fn choose(form: html::Form, authentication: &str) -> html::Form {
    form.set("authentication", authentication)
}

async fn save(person: &mut ConsoleUser, page: &str, edit: impl Fn(html::Form) -> html::Form) -> Answer {
    let answer = person.get(page).await.expect(200);
    let form = choose(html::form_with(&answer, "Save changes"), "keep");
    person.go(edit(form).press("Save changes", page)).await
}

#[tokio::test]
async fn the_life_of_a_gateway() {
    let hub = Hub::start().await;
    hub.role("Named", &["gateway/search:view"], None).await;
    let mut person = hub.console_user("Administrator").await;
    let empty = person.get(GATEWAYS).await.expect(200);
    assert!(empty.text().contains("No gateway yet"));
    let window = person.press(GATEWAYS, "New gateway").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "search").fill("Address", "search.example");
    let form = choose(form.fill("Password", SECRET).fill("User name", "hub"), "basic");
    let refused = person.go(form.press("Create gateway", GATEWAYS)).await.expect(422);
    assert!(refused.text().contains("starts with http://"), "{}", refused.text());
    assert!(!refused.text().contains(SECRET), "a secret is not shown again");
    let form = html::form_with(&refused, "Create gateway");
    assert!(form.fields.iter().any(|field| field.name == "basic_user" && field.value == "hub"), "the rest stays");
    let form =
        choose(form.fill("Address", "http://10.0.0.5:9090\n\nhttp://10.0.0.6:9090").fill("Password", SECRET), "basic");
    let form = form.fill("Path rules", "POST /q/** = view\nGET /secret = look");
    let refused = person.go(form.press("Create gateway", GATEWAYS)).await.expect(422);
    assert!(
        refused.text().contains("Line 2: ") && refused.text().contains("neither view, edit nor refused"),
        "{}",
        refused.text()
    );
    let form = html::form_with(&refused, "Create gateway").fill("Password", SECRET);
    let form = choose(form.fill("Path rules", "POST /q/** = view"), "basic");
    let made = person.go(form.press("Create gateway", GATEWAYS)).await.expect(200);
    for words in [
        "The gateway was made",
        "HTTP Basic as hub",
        "http://10.0.0.6:9090",
        "POST /q/** = view",
        "Named",
        "/gateways/search/",
    ] {
        assert!(made.text().contains(words), "{words}: {}", made.text());
    }
    assert!(!made.text().contains(SECRET));
    let live = hub.app.snapshot.gateway("search").expect("live");
    assert_eq!(live.credentials.secret.as_ref().map(|secret| secret.as_str()), Some(SECRET));

    let page = page_of(&mut person, "search").await;
    let saved = save(&mut person, &page, |form| form.fill("Description", "For <b>search</b>").tick("Sign who calls"))
        .await
        .expect(200);
    assert!(saved.text().contains("Saved. It is in effect") && !saved.text().contains("<b>search"), "{}", saved.text());
    let live = hub.app.snapshot.gateway("search").expect("live");
    assert!(live.gateway.assertion && live.credentials.secret.is_some(), "what is not named stays");
    // Another place: the credentials are gone, and the page says so.
    let moved = save(&mut person, &page, |form| form.fill("Address", "http://10.9.9.9:9090")).await.expect(200);
    assert!(moved.text().contains("credentials were erased"), "{}", moved.text());
    assert!(hub.app.snapshot.gateway("search").expect("live").credentials.secret.is_none());
    // Somebody else was faster.
    let open = person.get(&page).await.expect(200);
    let mine = choose(html::form_with(&open, "Save changes").fill("Description", "mine"), "none");
    save(&mut person, &page, |form| choose(form.fill("Description", "theirs"), "none")).await.expect(200);
    let conflict = person.go(mine.press("Save changes", &page)).await.expect(409);
    assert!(conflict.text().contains("Somebody changed this gateway meanwhile") && conflict.text().contains("mine"));

    let window = person.get(&format!("{page}/delete")).await.expect(200);
    assert!(
        window.text().contains("gateway/search:view") && window.text().contains("allows nothing"),
        "{}",
        window.text()
    );
    let gone = person.go(html::form_with(&window, "Delete gateway").press("Delete gateway", &page)).await.expect(200);
    assert!(gone.text().contains("The gateway was deleted") && gone.text().contains("No gateway yet"));
    assert!(hub.app.snapshot.gateway("search").is_none());
    person.get(&page).await.expect(404);
    let roles = person.get("/console/roles").await.expect(200);
    assert!(roles.text().contains("Named"), "a role without grants stays");
    assert!(!hub.rows().await.everything().contains(SECRET));
}

#[tokio::test]
async fn who_may_not_edit_sees_and_changes_nothing() {
    let hub = Hub::start().await;
    hub.role("Settings only", &["gateways:view", "gateways:edit"], None).await;
    let mut administrator = hub.console_user("Administrator").await;
    let window = administrator.get("/console/gateways/new").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "a").fill("Address", "http://10.0.0.5");
    let create = choose(form, "none").press("Create gateway", GATEWAYS);
    administrator.go(create.clone()).await.expect(200);
    let page = page_of(&mut administrator, "a").await;
    let before = hub.rows().await.table("gateway");
    let mut operator = hub.console_user("Operator").await;
    let seen = operator.get(&page).await.expect(200);
    assert!(!seen.text().contains("Save changes") && !seen.text().contains("Delete"), "{}", seen.text());
    for target in ["/console/gateways/new".to_owned(), format!("{page}/delete")] {
        operator.get(&target).await.expect(403);
    }
    // With the edit of settings, but without the gateway itself (rule 10).
    let mut half = hub.console_user("Settings only").await;
    assert!(!half.get(&page).await.expect(200).text().contains("Save changes"));
    let window = half.get("/console/gateways/new").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "b").fill("Address", "http://10.0.0.5");
    let refused = half.go(choose(form, "none").press("Create gateway", GATEWAYS)).await.expect(403);
    assert!(refused.text().contains("gateway/b:view"), "{}", refused.text());
    assert_eq!(before, hub.rows().await.table("gateway"));
}

#[tokio::test]
async fn sec_34_a_form_that_came_too_late_keeps_what_was_typed_but_no_secret() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let window = person.get("/console/gateways/new").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "late").fill("Address", "http://10.0.0.5");
    let form = choose(form.fill("Path rules", "GET /a = view").fill("Token", SECRET), "bearer");
    hub.advance(31 * 60).await;
    let held_up = person.send(form.press("Create gateway", GATEWAYS)).await.expect(401);
    assert!(
        held_up.text().contains("what you typed is kept") && !held_up.text().contains(SECRET),
        "{}",
        held_up.text()
    );
    let name = person.name.clone();
    let password = hub.password(&name);
    let sign_in = html::form_with(&held_up, "Sign in").fill("Username", &name).fill("Password", &password);
    let back = person.go(sign_in.press("Sign in", "/console/sign-in")).await.expect(200);
    assert!(back.text().contains("http://10.0.0.5") && back.text().contains("GET /a = view"), "{}", back.text());
    assert!(!back.text().contains(SECRET) && back.text().contains("given again"));
    assert!(hub.rows().await.table("gateway").is_empty());
}

#[tokio::test]
async fn sec_32_writes_take_the_sessions_csrf_token() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let window = person.get("/console/gateways/new").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "x").fill("Address", "http://10.0.0.5");
    person.send(choose(form.without("csrf"), "none").press("Create gateway", GATEWAYS)).await.expect(403);
    assert!(hub.rows().await.table("gateway").is_empty());
}
