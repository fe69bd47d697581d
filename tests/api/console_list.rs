//! The Application keys page as a browser without JavaScript sees it: search, filters, sorting, pages, and whose a secret is.

use crate::support::{Answer, ConsoleUser, Hub, Request, html};
use std::collections::BTreeSet;

const PAGE: &str = "/console/applications";

/// The names in the table, in its order.
fn names(page: &Answer) -> Vec<String> {
    let text = page.text();
    let cells = text.split("<td class=\"name\"").skip(1);
    let name = |cell: &str| {
        let inner = cell.split("<bdi>").nth(1).expect("a name").split("</bdi>").next().expect("its end");
        html::unescape(inner)
    };
    cells.map(name).collect()
}

/// Where the link with that text leads.
fn link(page: &Answer, words: &str) -> Option<String> {
    let text = page.text();
    let before = text.split(&format!(">{words}</a>")).next().filter(|before| before.len() < text.len())?;
    let tag = &before[before.rfind("<a ")?..];
    tag.split("href=\"").nth(1)?.split('"').next().map(html::unescape)
}

async fn list(person: &mut ConsoleUser, query: &str) -> Answer {
    person.get(&format!("{PAGE}?{query}")).await.expect(200)
}

#[tokio::test]
async fn the_list_is_searched_filtered_and_sorted_by_its_address() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let grafana = hub.application_named("Grafana", &["Operator"]).await;
    hub.application_named("grafana <Berlin>", &["Administrator"]).await;
    hub.application_named("ServiceNow", &["Operator"]).await;
    let page = list(&mut person, "").await;
    assert_eq!(names(&page), ["Grafana", "grafana <Berlin>", "ServiceNow"]);
    assert!(page.text().contains("3 applications"));
    // As a person does it: the form, then the headings.
    let form = html::form_with(&page, "Search").fill("Search by name or client_id", " GRAF");
    let found = person.go(form.press("Search", PAGE)).await.expect(200);
    assert_eq!(names(&found), ["Grafana", "grafana <Berlin>"]);
    assert!(found.text().contains("2 of 3 applications"), "{}", found.text());
    let turned = person.get(&link(&found, "Name").expect("a heading")).await.expect(200);
    assert_eq!(names(&turned), ["grafana <Berlin>", "Grafana"]);
    let made = person.get(&link(&turned, "Made").expect("a heading")).await.expect(200);
    assert_eq!(names(&made), ["grafana <Berlin>", "Grafana"], "the newest first");
    assert_eq!(names(&list(&mut person, &format!("q={}", &grafana.client_id[..12])).await), ["Grafana"]);
    let operator = hub.role_id("Operator");
    assert_eq!(names(&list(&mut person, &format!("role={}", operator.as_str())).await), ["Grafana", "ServiceNow"]);
    hub.disable(&grafana.client_id).await;
    let disabled = list(&mut person, "status=disabled").await;
    assert_eq!(names(&disabled), ["Grafana"]);
    assert!(disabled.text().contains(">disabled</li>"));
    // Nothing found says how to widen, and repeats what was typed as text.
    let nothing = list(&mut person, "q=%3Cscript%3E&status=expired").await;
    assert!(nothing.text().contains("Nothing found") && nothing.text().contains("Show all"));
    assert!(!nothing.text().contains("<script>\u{201d}"), "{}", nothing.text());
    // What can't be read asks for nothing.
    for odd in ["cursor=x", "sort=size", "status=on", "cursor=agh_%F0%9F%99%82"] {
        assert_eq!(names(&list(&mut person, odd).await).len(), 3, "{odd}");
    }
    assert!(names(&list(&mut person, "role=role_nobody").await).is_empty());
}

#[tokio::test]
async fn pages_lead_forward_and_back_through_all() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let mut all = BTreeSet::new();
    for number in 0..103 {
        let name = format!("app {number:03}");
        hub.application_named(&name, &["Operator"]).await;
        all.insert(name);
    }
    for query in ["", "sort=-name", "sort=created", "sort=-used", "q=app", "status=active"] {
        let mut page = list(&mut person, query).await;
        assert!(link(&page, "Previous page").is_none(), "{query}");
        let mut shown = names(&page);
        while let Some(next) = link(&page, "Next page") {
            page = person.get(&next).await.expect(200);
            shown.extend(names(&page));
        }
        assert_eq!(shown.len(), 103, "{query}");
        assert_eq!(shown.iter().cloned().collect::<BTreeSet<_>>(), all, "{query}");
        let mut back = Vec::new();
        while let Some(previous) = link(&page, "Previous page") {
            page = person.get(&previous).await.expect(200);
            let mut names = names(&page);
            names.extend(std::mem::take(&mut back));
            back = names;
        }
        assert_eq!(back, shown[..100], "{query}");
    }
    let first = list(&mut person, "").await;
    assert!(first.body.len() < 100_000, "{} bytes", first.body.len());
}

#[tokio::test]
async fn a_found_secret_leads_to_its_application_and_is_kept_nowhere() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Operator").await;
    let key = hub.application_named("Grafana <b>", &["Operator"]).await;
    let question = person.get(PAGE).await.expect(200);
    let window = html::form_with(&question, "Find by secret").press("Find by secret", PAGE);
    let window = person.go(window).await.expect(200);
    let before = hub.rows().await;
    let find = async |person: &mut ConsoleUser, text: &str| {
        let request = html::form_with(&window, "Find").fill("Secret", text).press("Find", PAGE);
        assert!(!request.target.contains("ghs_"), "never in an address");
        let answer = person.go(request).await.expect(200);
        assert!(!answer.everything().contains(&key.client_secret), "never on a page");
        answer.text()
    };
    let line = format!("POST /oauth2/token client_secret={}&scope=x", key.client_secret);
    for text in [key.client_secret.clone(), line] {
        let answer = find(&mut person, &text).await;
        assert!(answer.contains(&key.client_id) && answer.contains("Grafana &#60;b&#62;"), "{answer}");
        assert!(answer.contains("This secret works."));
    }
    let cut = find(&mut person, &key.client_secret[..30]).await;
    assert!(cut.contains("checksum"), "{cut}");
    assert!(find(&mut person, "hunter2").await.contains("begin with ghs_"));
    let gone = hub.application_named("Gone", &["Operator"]).await;
    hub.delete(&gone.client_id).await;
    assert!(find(&mut person, &gone.client_secret).await.contains("No application has this secret now"));
    let after = hub.rows().await;
    assert!(!after.everything().contains(&key.client_secret[8..]));
    assert_eq!(before.table("api_secret").len(), after.table("api_secret").len());
    // Only with the session's own form.
    let bare = Request::post("/console/applications/find").form(&[("secret", key.client_secret.as_str())]);
    assert_eq!(person.send(bare).await.status, 403);
}

/// Step 1 of the New API Key window, filled in.
async fn first_step(person: &mut ConsoleUser, options: &[(&str, &str)]) -> Answer {
    let page = person.get(PAGE).await.expect(200);
    let window = person.go(html::form_with(&page, "New API Key").press("New API Key", PAGE)).await.expect(200);
    let mut form = html::form_with(&window, "Next").fill("Name", "Grafana <b>");
    for (label, value) in options {
        form = match *value {
            "tick" => form.tick(label),
            value => form.fill(label, value),
        };
    }
    person.go(form.press("Next", PAGE)).await
}

#[tokio::test]
async fn more_options_are_kept_through_the_steps_and_enforced_from_the_first_second() {
    let hub = Hub::with_manual_clock().await;
    let mut person = hub.console_user("Administrator").await;
    let owner = hub.rows().await.table("console_user")[0]["id"].as_str().expect("an id").to_owned();
    let options = [
        ("Description", "for the \"NOC\"\nand <i>"),
        ("Owner", owner.as_str()),
        ("Expires", "30"),
        ("Allowed networks", "192.0.2.0/24\n2001:db8::/32"),
        ("Allow Basic on gateways", "tick"),
    ];
    let roles = first_step(&mut person, &options).await.expect(200);
    // Back to the first step: all of it still stands there.
    let back = person.go(html::form_with(&roles, "Back").press("Back", PAGE)).await.expect(200);
    assert!(!back.text().contains("<i>") && back.text().contains("<details class=\"more-options\" open>"));
    let again = html::form_with(&back, "Next").fill("Owner", &owner).fill("Expires", "30");
    let roles = person.go(again.press("Next", PAGE)).await.expect(200);
    // No role is refused, and nothing is lost.
    let refused = person.go(html::form_with(&roles, "Generate API Key").press("Generate API Key", PAGE)).await;
    assert_eq!(refused.status, 422);
    let form = html::form_with(&refused, "Generate API Key").tick("Operator");
    let window = person.go(form.press("Generate API Key", PAGE)).await.expect(200);
    let key = person.shown_key("Grafana <b>", &window);
    let rows = hub.rows().await.table("application");
    assert_eq!(rows[0]["description"], "for the \"NOC\"\nand <i>");
    assert_eq!(rows[0]["owner"], owner);
    assert_eq!(rows[0]["networks"], "192.0.2.0/24 2001:db8::/32");
    assert!(!key.key_works().await, "from another network it is worth nothing");
    hub.set_networks(&key.client_id, &[]).await;
    assert!(key.key_works().await);
    hub.advance(30 * 86_400).await;
    assert!(!key.key_works().await, "it has expired");
    let page = person.get("/console/sign-in").await;
    assert_eq!(page.status, 200, "and so has the session");
}

#[tokio::test]
async fn what_cannot_be_taken_is_said_beside_its_field_and_stays_as_typed() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    for (label, value, words) in [
        ("Allowed networks", "10.0.0.0/8 the office", "\u{201c}the\u{201d} is not a network such as 10.0.0.0/8"),
        ("Expires", "date", "Choose the last day on which the key works."),
        ("Last day (UTC)", "2001-01-01", "This day is over."),
        ("Last day (UTC)", "soon", "\u{201c}soon\u{201d} is not a day."),
    ] {
        let answer = first_step(&mut person, &[(label, value)]).await;
        assert_eq!(answer.status, 422, "{label}");
        let text = html::unescape(&answer.text());
        assert!(text.contains(words), "{label}: {text}");
        let form = html::form_with(&answer, "Next");
        let typed =
            |label: &str| form.fields.iter().find(|field| field.label == label).map(|field| field.value.clone());
        assert_eq!(typed("Name").as_deref(), Some("Grafana <b>"));
        if label != "Expires" {
            assert_eq!(typed(label).as_deref(), Some(value));
        }
    }
    // Found out at the end only: back to the first step with all that was typed.
    let roles = first_step(&mut person, &[("Description", "kept")]).await.expect(200);
    let form = html::form_with(&roles, "Generate API Key").tick("Operator").set("description", &"x".repeat(1_001));
    let answer = person.go(form.press("Generate API Key", PAGE)).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("1000 characters") && answer.text().contains("Step 1 of 2"), "{}", answer.text());
    assert!(hub.rows().await.table("application").is_empty());
}

#[tokio::test]
async fn the_role_step_says_in_words_what_the_application_may_do() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    hub.role("FX hosts", &["entities:view", "entities:edit"], Some("user.department = fx")).await;
    let step = |roles: &str| format!("{PAGE}/new/roles?name=x{roles}");
    let none = person.get(&step("")).await.expect(200);
    assert!(!none.text().contains("What the application may do"));
    let page = person.get(&step("&role=FX+hosts&role=Operator")).await.expect(200);
    let text = html::unescape(&page.text());
    let words = text.split("What the application may do").nth(1).expect("the words");
    assert!(words.contains("View and edit entities, only rows where user.department = fx."), "{words}");
    assert!(words.contains("View and edit on all data"), "{words}");
}

#[tokio::test]
async fn a_name_that_was_taken_meanwhile_loses_nothing_that_was_chosen() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    hub.role("FX hosts", &["entities:view"], None).await;
    let roles = first_step(&mut person, &[("Description", "kept")]).await.expect(200);
    let form = html::form_with(&roles, "Generate API Key").tick("Operator").tick("FX hosts");
    hub.application_named("GRAFANA <B>", &["Operator"]).await;
    let answer = person.go(form.press("Generate API Key", PAGE)).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("There is already an application named") && answer.text().contains("Step 1 of 2"));
    let again = html::form_with(&answer, "Next").fill("Name", "Grafana 2").press("Next", PAGE);
    let roles = person.go(again).await.expect(200);
    // Both are still ticked: nothing is left to do but to generate.
    let window =
        person.go(html::form_with(&roles, "Generate API Key").press("Generate API Key", PAGE)).await.expect(200);
    let key = person.shown_key("Grafana 2", &window);
    assert!(key.key_works().await);
    let made = hub.rows().await.table("application_role");
    assert_eq!(made.iter().filter(|row| row["client_id"] == key.client_id.as_str()).count(), 2);
    let rows = hub.rows().await.table("application");
    assert!(rows.iter().any(|row| row["name"] == "Grafana 2" && row["description"] == "kept"));
}
