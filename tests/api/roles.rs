//! Roles in the Web Console, as a browser without JavaScript sees them.

use crate::support::{Answer, ConsoleUser, Hub, Request, html};

const ROLES: &str = "/console/roles";

async fn role_page(person: &mut ConsoleUser, name: &str) -> String {
    let list = person.get(ROLES).await.expect(200).text();
    let (before, _) = list.split_once(&format!("\">{name}</a>")).unwrap_or_else(|| panic!("no role {name}: {list}"));
    before.rsplit_once("href=\"").expect("a link").1.to_owned()
}

async fn save(person: &mut ConsoleUser, page: &str, edit: impl Fn(html::Form) -> html::Form) -> Answer {
    let answer = person.get(page).await.expect(200);
    let request = edit(html::form_with(&answer, "Save role")).press("Save role", page);
    person.go(request).await
}

#[tokio::test]
async fn the_life_of_a_role() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    // Made, after a mistake in the filter that is shown with its place; what was typed stays.
    let editor = person.press(ROLES, "New role").await;
    let form = html::form_with(&editor, "Create role").fill("Name", "FX <desk>").tick("entities: view");
    let form = form.fill("Gateways, row 1", "prom-*").tick("Gateways, row 1: view").fill("Data filter", "a == b");
    let refused = person.go(form.press("Create role", ROLES)).await.expect(422);
    assert!(
        refused.text().contains("Column 4: ") && refused.text().contains("a =<mark>=</mark> b"),
        "{}",
        refused.text()
    );
    assert!(!refused.text().contains("FX <desk>"));
    let mended = html::form_with(&refused, "Create role").fill("Data filter", "user.department = fx");
    let list = person.go(mended.press("Create role", ROLES)).await.expect(200);
    assert!(list.text().contains("The role was made") && list.text().contains("gateway/prom-*"), "{}", list.text());
    let hidden = serde_json::json!({ "attributes": { "user.department": "hr" } });
    let operator = hub.application(&["Operator"]).await;
    operator.send("PUT", "/api/v1/entities/hr", &hidden).await.expect(201);
    let mut key = person.new_key("Grafana", &["FX <desk>"]).await;
    key.sign_in().await.get("/api/v1/entities/hr").await.expect(404);

    // Changed: it holds for the token that is there.
    let page = role_page(&mut person, "FX &#60;desk&#62;").await;
    let saved = save(&mut person, &page, |form| form.fill("Name", "Desk").fill("Data filter", "")).await.expect(200);
    assert!(saved.text().contains("The role was saved") && saved.text().contains("1 application"), "{}", saved.text());
    key.get("/api/v1/entities/hr").await.expect(200);
    // A name that is taken, no grant, a row that is not complete: refused beside the field, and nothing is changed.
    let before = hub.rows().await;
    for (change, words) in [
        (("name", "operator"), "There is already a role named"),
        (("gateway-0", ""), "Name the gateways"),
        (("gateway-0", "A b"), "names no gateways"),
    ] {
        let answer = save(&mut person, &page, |form| form.set(change.0, change.1)).await.expect(422);
        assert!(answer.text().contains(words), "{change:?}: {}", answer.text());
    }
    let answer = save(&mut person, &page, |form| form.without("grant").without("gateway-0").set("gateway-0-view", ""));
    assert!(answer.await.expect(422).text().contains("at least one grant"));
    let secured = save(&mut person, &page, |form| form.tick("audit: view").fill("Data filter", "a = b"));
    assert!(secured.await.expect(422).text().contains("security resource audit"));
    assert_eq!(before.security_state(), hub.rows().await.security_state());

    // Deleted, once it has been said who loses what; a new role of the name gives nothing back.
    let window = person.get(&format!("{page}/delete")).await.expect(200);
    assert!(window.text().contains("Grafana: has no other role"), "{}", window.text());
    key.get("/api/v1/entities/hr").await.expect(200);
    let gone = person.go(html::form_with(&window, "Delete role").press("Delete role", &page)).await.expect(200);
    assert!(gone.text().contains("The role was deleted"));
    key.get("/api/v1/entities/hr").await.expect(403);
    hub.role("Desk", &["entities:view"], None).await;
    key.get("/api/v1/entities/hr").await.expect(403);
    person.get(&page).await.expect(404);
    let log = hub.rows().await.everything();
    for action in ["role.create", "role.update", "role.delete"] {
        assert!(log.contains(action), "{action}");
    }
}

#[tokio::test]
async fn a_filter_is_read_as_it_is_typed() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let before = hub.rows().await;
    let editor = person.get("/console/roles/new").await.expect(200);
    let form = html::form_with(&editor, "Create role");
    let csrf = form.fields.iter().find(|field| field.name == "csrf").expect("a token").value.clone();
    let mut read = async |filter: &str| {
        let request = Request::post("/console/roles/filter").form(&[("csrf", &csrf), ("filter", filter)]);
        person.go(request).await.expect(200).text()
    };
    assert!(read("a = b and").await.contains("Column 10: "));
    assert!(read("a=b").await.contains("<code>a = b</code>"));
    assert!(read(" ").await.contains("every row"));
    assert!(!read("\"<script>\" = = ").await.contains("<script>"));
    assert_eq!(before.security_state(), hub.rows().await.security_state());
}

#[tokio::test]
async fn rule_10_roles_are_edited_by_administrators_alone() {
    let hub = Hub::start().await;
    let mut administrator = hub.console_user("Administrator").await;
    hub.role("Desk", &["entities:view"], None).await;
    let page = role_page(&mut administrator, "Desk").await;
    // A person whose role names roles:edit is still no Administrator.
    hub.role("Deputy", &["roles:view", "roles:edit", "applications:view"], None).await;
    for role in ["Operator", "Deputy"] {
        let mut other = hub.console_user(role).await;
        let list = other.get(ROLES).await.expect(200);
        assert!(!list.text().contains("New role") && !list.text().contains(">Edit<"), "{role}: {}", list.text());
        let shown = other.get(&page).await.expect(200);
        assert!(shown.text().contains("Only an Administrator edits roles") && !shown.text().contains("Save role"));
        other.get("/console/roles/new").await.expect(403);
        let csrf = html::form_with(&list, "Sign out").fields.first().expect("a token").value.clone();
        let before = hub.rows().await;
        for target in [ROLES, &page, &format!("{page}/delete")] {
            let fields = [("csrf", &*csrf), ("name", "Mine"), ("grant", "entities:view"), ("grant", "entities:edit")];
            let answer = other.go(Request::post(target).form(&fields)).await;
            assert!(matches!(answer.status, 403 | 422), "{role} {target}: {}", answer.status);
        }
        assert_eq!(before.security_state(), hub.rows().await.security_state(), "{role}");
    }
    // Built-in roles are for nobody to change.
    let built_in = "/console/roles/role_operator";
    let shown = administrator.get(built_in).await.expect(200);
    assert!(shown.text().contains("built in") && !shown.text().contains("Save role"));
    let before = hub.rows().await;
    let csrf = html::form_with(&shown, "Sign out").fields.first().expect("a token").value.clone();
    for target in [built_in, "/console/roles/role_operator/delete"] {
        let fields = [("csrf", &*csrf), ("name", "Op"), ("grant", "entities:view")];
        let answer = administrator.go(Request::post(target).form(&fields)).await;
        assert!(matches!(answer.status, 403 | 422), "{target}: {}", answer.status);
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());
}

#[tokio::test]
async fn sec_34_editing_roles_needs_a_recent_sign_in_and_keeps_what_was_typed() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    hub.role("Desk", &["entities:view"], None).await;
    let page = role_page(&mut person, "Desk").await;
    let editor = person.get(&page).await.expect(200);
    let form = html::form_with(&editor, "Save role").tick("entities: edit").fill("Data filter", "a = b & c");
    let form = form.fill("Gateways, row 1", "prom-*").tick("Gateways, row 1: view");
    for _ in 0..4 {
        hub.advance(20 * 60).await;
        person.get(&page).await.expect(200);
    }
    let before = hub.rows().await;
    let held_up = person.go(form.press("Save role", &page)).await.expect(403);
    assert!(held_up.text().contains("what you typed is kept"), "{}", held_up.text());
    assert_eq!(before.security_state(), hub.rows().await.security_state());
    let (name, password) = (person.name.clone(), hub.password(&person.name));
    let sign_in = html::form_with(&held_up, "Sign in").fill("Username", &name).fill("Password", &password);
    let back = person.go(sign_in.press("Sign in", "/console/sign-in")).await.expect(200);
    assert!(back.text().contains("not saved yet"), "{}", back.text());
    let request = html::form_with(&back, "Save role").fill("Data filter", "a = b").press("Save role", &page);
    let saved = person.go(request).await.expect(200);
    for words in ["view and edit", "gateway/prom-*", "a = b"] {
        assert!(saved.text().contains(words), "{words}: {}", saved.text());
    }
}

#[tokio::test]
async fn nobody_overwrites_a_role_that_they_have_not_seen() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    hub.role("Desk", &["entities:view"], Some("user.department = fx")).await;
    let page = role_page(&mut person, "Desk").await;
    let stale = html::form_with(&person.get(&page).await.expect(200), "Save role").tick("entities: edit");
    let same = html::form_with(&person.get(&page).await.expect(200), "Save role").fill("Data filter", "a = theirs");
    save(&mut person, &page, |form| form.fill("Data filter", "a = theirs")).await.expect(200);
    // Somebody else saved the very same: there is nothing to say.
    person.go(same.press("Save role", &page)).await.expect(200);
    let before = hub.rows().await.table("role_grant");
    let answer = person.go(stale.press("Save role", &page)).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    let text = html::unescape(&answer.text());
    assert!(text.contains("Somebody else saved this role meanwhile") && text.contains("a = theirs"), "{text}");
    assert_eq!(before, hub.rows().await.table("role_grant"), "nothing was saved");
    // What was typed still stands there; in view of what the page told, it is saved.
    person.go(html::form_with(&answer, "Save role").press("Save role", &page)).await.expect(200);
    let role = hub.rows().await.table("role").into_iter().find(|role| role["name"] == "Desk").expect("the role");
    assert_eq!(role["filter"], "user.department = fx");
    assert_eq!(hub.rows().await.table("role_grant").len(), before.len() + 1);
}
