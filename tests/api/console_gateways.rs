//! Gateways in the Web Console, as a browser without JavaScript sees them.

use tokio::io::AsyncWriteExt as _;

use crate::support::{Answer, ConsoleUser, Hub, Upstream, html};

pub(crate) const GATEWAYS: &str = "/console/gateways";
pub(crate) const SECRET: &str = "canary-upstream-secret";

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
        choose(form.fill("Address", "http://127.0.0.1:9\n\nhttp://127.0.0.1:10").fill("Password", SECRET), "basic");
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
        "http://127.0.0.1:10",
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
    let moved = save(&mut person, &page, |form| form.fill("Address", "http://127.0.0.1:11")).await.expect(200);
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
    let form = html::form_with(&window, "Create gateway").fill("Name", "a").fill("Address", "http://127.0.0.1:9");
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
    let form = html::form_with(&window, "Create gateway").fill("Name", "b").fill("Address", "http://127.0.0.1:9");
    let refused = half.go(choose(form, "none").press("Create gateway", GATEWAYS)).await.expect(403);
    assert!(refused.text().contains("gateway/b:view"), "{}", refused.text());
    assert_eq!(before, hub.rows().await.table("gateway"));
}

#[tokio::test]
async fn the_page_tells_its_history_and_how_the_service_was() {
    let hub = Hub::start().await;
    hub.role("Settings only", &["gateways:view"], None).await;
    let mut person = hub.console_user("Administrator").await;
    let upstream = Upstream::scripted(|mut stream, arrived| async move {
        if arrived.target.ends_with("/away") {
            return None;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.ok()?;
        Some(stream)
    })
    .await;
    let window = person.get("/console/gateways/new").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "search").fill("Address", &upstream.url());
    let form = choose(form.fill("Token", SECRET), "bearer");
    person.go(form.press("Create gateway", GATEWAYS)).await.expect(200);
    let page = page_of(&mut person, "search").await;
    save(&mut person, &page, |form| form.fill("Path rules", "GET /x = edit").fill("Answer timeout", "5s"))
        .await
        .expect(200);
    let saved = save(&mut person, &page, |form| form.fill("Address", "http://127.0.0.1:9")).await.expect(200);
    let text = html::unescape(&saved.text());
    let address = upstream.url();
    for words in [
        "Made the gateway".to_owned(),
        format!("address: {address}"),
        "Changed the settings".to_owned(),
        "path rules: none → GET /x = edit".to_owned(),
        "answer timeout: 1m → 5s".to_owned(),
        format!("address: {address} → http://127.0.0.1:9"),
        "authentication: bearer → none".to_owned(),
        "the stored credentials were erased".to_owned(),
        format!("· {} ·", person.name),
    ] {
        assert!(text.contains(&words), "{words}: {text}");
    }
    assert!(!text.contains(SECRET));
    // Who may see the settings and not the audit log.
    let mut watcher = hub.console_user("Settings only").await;
    let seen = watcher.get(&page).await.expect(200).text();
    assert!(seen.contains("your roles do not let you view") && !seen.contains("Made the gateway"), "{seen}");
    // Page by page.
    for number in 0..20 {
        save(&mut person, &page, |form| form.fill("Description", &format!("Number {number}"))).await.expect(200);
    }
    let first = person.get(&page).await.expect(200).text();
    assert!(!first.contains("Made the gateway"), "{first}");
    let older = first.split("?before=").nth(1).and_then(|rest| rest.split(['#', '"']).next()).expect("a link");
    let second = person.get(&format!("{page}?before={older}")).await.expect(200).text();
    assert!(second.contains("Made the gateway") && second.contains(">Newest<"), "{second}");
    // How the service was.
    save(&mut person, &page, |form| form.fill("Address", &address)).await.expect(200);
    let application = hub.application(&["Operator"]).await;
    for (path, status) in [("y", 200), ("away", 502), ("y", 200)] {
        application.get(&format!("/gateways/search/{path}")).await.expect(status);
    }
    let text = person.get(&page).await.expect(200).text();
    let (_, history) = text.split_once("What was before").expect("changes of health");
    let history = history.split("</ul>").next().expect("a list");
    assert!(history.matches(": up").count() >= 2 && history.contains(": down, "), "{history}");
}

#[tokio::test]
async fn the_documentation_lists_the_gateways_that_its_reader_may_view() {
    let (hub, upstream) = (Hub::start().await, Upstream::saying("ok").await);
    hub.gateway("shop", &upstream).await;
    hub.gateway("other", &upstream).await;
    hub.role("Shop", &["gateway/shop:view"], None).await;
    hub.role("Writer", &["gateway/other:edit"], None).await;
    hub.role("Settings only", &["gateways:view"], None).await;
    let line = |name: &str, what: &str| match what {
        "address" => format!("<code>{}/gateways/{name}/</code>", hub.site.issuer),
        "resource" => format!("<code>{}/gateways/{name}</code>", hub.site.issuer),
        _ => format!("<code>{}/.well-known/oauth-protected-resource/gateways/{name}</code>", hub.site.issuer),
    };
    for (role, shop, other) in
        [("Administrator", true, true), ("Settings only", true, true), ("Shop", true, false), ("Writer", false, false)]
    {
        let mut person = hub.console_user(role).await;
        let page = person.get("/console/documentation").await.expect(200).text().replace("<wbr>", "");
        for what in ["address", "resource", "metadata"] {
            assert_eq!(
                (page.contains(&line("shop", what)), page.contains(&line("other", what))),
                (shop, other),
                "{role}"
            );
        }
        assert_eq!(page.contains("none that you may view"), !shop, "{role}");
    }
    // They are what a caller needs.
    let metadata = hub.site.get("/.well-known/oauth-protected-resource/gateways/shop").await.expect(200);
    assert_eq!(metadata.member("resource"), format!("{}/gateways/shop", hub.site.issuer));
    let mut caller = hub.application(&["Shop"]).await;
    let asked = caller.ask_token(&[("resource", &metadata.member("resource"))]).await.expect(200);
    caller.token = asked.member("access_token");
    caller.get("/gateways/shop/").await.expect(200);
}

#[tokio::test]
async fn sec_34_a_form_that_came_too_late_keeps_what_was_typed_but_no_secret() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let window = person.get("/console/gateways/new").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "late").fill("Address", "http://127.0.0.1:9");
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
    assert!(back.text().contains("http://127.0.0.1:9") && back.text().contains("GET /a = view"), "{}", back.text());
    assert!(!back.text().contains(SECRET) && back.text().contains("given again"));
    assert!(hub.rows().await.table("gateway").is_empty());
}

#[tokio::test]
async fn sec_32_writes_take_the_sessions_csrf_token() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let window = person.get("/console/gateways/new").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "x").fill("Address", "http://127.0.0.1:9");
    person.send(choose(form.without("csrf"), "none").press("Create gateway", GATEWAYS)).await.expect(403);
    assert!(hub.rows().await.table("gateway").is_empty());
}

/// A store as the hub asks it; `echo` is what it answers to queries.
pub(crate) async fn store(echo: &'static str) -> Upstream {
    Upstream::scripted(move |mut stream, arrived| async move {
        let path = arrived.target.split('?').next().unwrap_or_default().to_owned();
        let body = match path.as_str() {
            "/api/v1/status/buildinfo" => r#"{"status":"success","data":{"version":"2.42.0"}}"#.to_owned(),
            "/api/v1/labels" => r#"{"status":"success","data":["__name__","job","bad-name"]}"#.to_owned(),
            _ => format!("{echo} {}", arrived.head),
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: a=b\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
        Some(stream)
    })
    .await
}

#[tokio::test]
async fn making_one_says_what_was_found_and_labels_are_read_again() {
    let hub = Hub::start().await;
    let upstream = store("x").await;
    let mut person = hub.console_user("Administrator").await;
    let window = person.get("/console/gateways/new").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "metrics").fill("Address", &upstream.url());
    let form = choose(form.fill("Label map", "user.department=job"), "none");
    let form = form.set("kind", "prometheus");
    let made = person.go(form.press("Create gateway", GATEWAYS)).await.expect(200);
    for words in ["Prometheus 2.42.0, 3 labels", "<code>user.department</code>", "<code>__name__</code>", ">up<"] {
        assert!(made.text().contains(words), "{words}: {}", made.text());
    }
    assert!(!made.text().contains("bad-name"), "a name that is none is passed over");
    let page = page_of(&mut person, "metrics").await;
    // Taken out by hand, and read again.
    let saved =
        save(&mut person, &page, |form| form.set("kind", "prometheus").fill("Label map", "user.department=job")).await;
    assert!(!saved.expect(200).text().contains("<code>__name__</code>"));
    let again = person.press(&page, "Read labels again").await.expect(200);
    assert!(again.text().contains("<code>__name__</code>") && again.text().contains("<code>user.department</code>"));
    // Gone: the check says why, the list too, and nothing is refused.
    drop(upstream);
    let down = person.press(&page, "Check now").await.expect(200);
    assert!(down.text().contains("does not answer as it should") && down.text().contains(">down<"), "{}", down.text());
    let list = person.get(GATEWAYS).await.expect(200);
    assert!(list.text().contains("no connection to"), "{}", list.text());
    let mut operator = hub.console_user("Operator").await;
    let seen = operator.get(&page).await.expect(200);
    assert!(!seen.text().contains("Check now") && !seen.text().contains("Read labels again"));
}
