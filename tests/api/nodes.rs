//! Several nodes on one store: a key that is dead on one is dead on all, and a node that cannot know refuses.

use std::time::{Duration, Instant};

use crate::support::{Answer, Application, ConsoleUser, Hub, MACHINE, Request, html, postgres::PostgresDatabase};

/// How long another node may take (DESIGN rule 3), with something for a busy test machine.
const BOUND: Duration = Duration::from_millis(1_500);

async fn dead_within_bound(application: &Application) -> Duration {
    let start = Instant::now();
    while application.is_in().await || application.key_works().await {
        assert!(start.elapsed() < BOUND, "it is still alive elsewhere");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

async fn every_end_reaches_the_other_node(hub: &Hub) {
    let _machine = MACHINE.lock().await;
    let other = hub.second_node().await;
    let elsewhere = |application: &Application| Application { site: other.site.clone(), ..application.clone() };
    for end in ["delete", "disable", "regenerate", "leaked", "revoke"] {
        let application = hub.application(&["Operator"]).await;
        // The other node reads the feed before it judges a token that is newer than what it knows.
        assert!(elsewhere(&application).is_in().await, "{end}: a new token is good on every node at once");
        match end {
            "delete" => hub.delete(&application.client_id).await,
            "disable" => hub.disable(&application.client_id).await,
            "regenerate" => drop(hub.regenerate(&application.client_id, None).await),
            "leaked" => drop(hub.leaked(&application.client_id).await),
            _ => drop(application.client_post("/oauth2/revoke", &[("token", &application.token)]).await.expect(200)),
        }
        assert!(!application.is_in().await, "{end}: here at once");
        let mut gone = elsewhere(&application);
        if end == "revoke" {
            "ghs_none".clone_into(&mut gone.client_secret);
        }
        let took = dead_within_bound(&gone).await;
        println!("{end}: seen on the other node after {took:?}");
    }
    other.stop().await;
}

#[tokio::test]
async fn rule_03_every_node_obeys_within_a_second_on_postgresql() {
    let hub = Hub::start_on_postgres().await;
    every_end_reaches_the_other_node(&hub).await;
}

#[tokio::test]
async fn rule_03_another_process_on_the_same_files_obeys_within_a_second() {
    let hub = Hub::start().await;
    every_end_reaches_the_other_node(&hub).await;
}

#[tokio::test]
async fn rule_03_a_node_cut_off_from_the_store_refuses_everything() {
    let database = PostgresDatabase::create();
    let hub = Hub::on_postgres_with_manual_clock(&database).await;
    let application = hub.application(&["Operator"]).await;
    database.cut_off();
    tokio::time::sleep(Duration::from_millis(600)).await;
    // Within the staleness limit it goes on deciding from memory.
    assert!(application.is_in().await && application.key_works().await);
    hub.advance(31).await;
    let refused = application.get("/api/v1/whoami").await;
    assert!(matches!(refused.status, 401 | 503), "{refused:?}");
    let refused = application.ask_token(&[]).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(hub.site.get("/readyz").await.status, 503);
    assert_eq!(hub.site.get("/healthz").await.status, 200);
    database.reconnect();
    let start = Instant::now();
    while hub.site.get("/readyz").await.status != 200 {
        assert!(start.elapsed() < Duration::from_secs(10), "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let answer = application.ask_token(&[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The same person at another node: the browser's cookies, sent there.
fn at(node: &Hub, person: &ConsoleUser) -> ConsoleUser {
    ConsoleUser { site: node.site.clone(), ..person.clone() }
}

/// Where the page says the change is in effect, and the page that tells it anew.
#[track_caller]
fn effect(page: &Answer) -> (String, String) {
    let text = page.text();
    let line = text.split("data-effect=\"").nth(1).unwrap_or_else(|| panic!("nothing of nodes: {text}"));
    let path = line.split('"').next().unwrap_or_default().to_owned();
    let words = line.split("data-words>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
    (html::unescape(words), path)
}

/// Asks until the change is in effect everywhere, and gives what is said then.
async fn everywhere(person: &mut ConsoleUser, path: &str) -> String {
    let start = Instant::now();
    loop {
        let (words, _) = effect(&person.get(path).await.expect(200));
        if !words.contains(';') {
            return words;
        }
        assert!(start.elapsed() < BOUND, "{words}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_console_says_on_how_many_nodes_a_change_is_in_effect() {
    let hub = Hub::start_on_postgres().await;
    let other = hub.second_node().await;
    let mut person = hub.console_user("Administrator").await;
    let application = hub.application(&["Operator"]).await;
    let page = format!("/console/applications/{}", application.client_id);

    let window = person.press(&format!("{page}/regenerate"), "Regenerate API key").await.expect(200);
    let (_, path) = effect(&window);
    let words = everywhere(&mut person, &path).await;
    assert!(words.starts_with("In effect on 2 of 2 nodes after ") && words.ends_with(" ms."), "{words}");
    for (page, button) in
        [(page.clone(), "Disable"), (page.clone(), "Enable"), (format!("{page}/delete"), "Delete API key")]
    {
        let answer = person.press(&page, button).await.expect(200);
        let (_, path) = effect(&answer);
        let words = everywhere(&mut person, &path).await;
        println!("{button}: {words}");
        assert!(words.starts_with("In effect on 2 of 2 nodes "), "{button}: {words}");
        // Any node can tell it.
        assert!(everywhere(&mut at(&other, &person), &path).await.starts_with("In effect on 2 of 2 nodes"));
    }
    for unknown in ["/console/changes/99999999", "/console/changes/x", "/console/changes/-1"] {
        person.get(unknown).await.expect(404);
    }
    assert!(
        !person.get("/console/applications?notice=deleted&change=99999999").await.expect(200).text().contains("node")
    );

    let nodes = person.get("/console/nodes").await.expect(200).text();
    assert!(nodes.contains("up to date"), "{nodes}");
    assert_eq!(nodes.matches("role=\"row\"").count(), 3, "a head and two nodes: {nodes}");
    assert_eq!(nodes.matches("this node").count(), 1, "{nodes}");
    let mut operator = hub.console_user("Operator").await;
    operator.get("/console/nodes").await.expect(200);
    let mut nobody = ConsoleUser::nobody(&hub.site);
    for page in ["/console/nodes", "/console/changes/1"] {
        nobody.get(page).await.expect(303);
    }
    other.stop().await;
    assert_eq!(hub.rows().await.table("node").len(), 1, "a node that stops says so");
    let person = &mut at(&hub, &person);
    let (words, _) = effect(&person.get(&path).await.expect(200));
    assert_eq!(words, "In effect on the only node.");
    hub.stop().await;
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_named_with_the_second_from_which_it_refuses() {
    let database = PostgresDatabase::create();
    let hub = Hub::on_postgres_with_manual_clock(&database).await;
    let person = &mut hub.console_user("Administrator").await;
    let application = hub.application(&["Operator"]).await;
    database.sql(
        "INSERT INTO node (id, name, version, started_at, applied, applied_at, polled_at, staleness_limit, seen_at) \
         SELECT 'node_c', 'node-c', '0.9.0', started_at, 0, started_at, seen_at, 60000000, seen_at FROM node",
    );
    hub.advance(10).await;
    let page = format!("/console/applications/{}/delete", application.client_id);
    let (words, path) = effect(&person.press(&page, "Delete API key").await.expect(200));
    assert_eq!(words, "In effect on 1 of 2 nodes; node-c by 00:01:10 UTC.");
    hub.advance(50).await;
    assert_eq!(effect(&person.get(&path).await.expect(200)).0, words, "it stays the same second");
    assert!(person.get("/console/nodes").await.expect(200).text().contains("refuses everything by 00:01:05 UTC"));
    hub.advance(11).await;
    let (words, _) = effect(&person.get(&path).await.expect(200));
    assert!(words.contains("node-c was not heard of and has refused everything since 00:01:10 UTC"), "{words}");
    let nodes = person.get("/console/nodes").await.expect(200).text();
    assert!(nodes.contains("refuses everything since 2026-01-01 00:01:05 UTC"), "{nodes}");
    hub.stop().await;
}

#[tokio::test]
async fn one_node_with_its_own_files_says_nothing_of_nodes() {
    let hub = Hub::start().await;
    let mut person = hub.console_user("Administrator").await;
    let application = hub.application(&["Operator"]).await;
    let page = person.press(&format!("/console/applications/{}/delete", application.client_id), "Delete API key").await;
    assert!(!page.expect(200).text().contains("data-effect"));
    assert!(person.get("/console/nodes").await.expect(200).text().contains("up to date"));
    hub.stop().await;
}

#[tokio::test]
async fn sessions_links_and_counts_are_shared() {
    let hub = Hub::start_on_postgres().await;
    let other = hub.second_node().await;
    // The one-time link that one node printed is good at the other, once.
    let link = hub.first_run_link().await;
    let token = link.split('#').nth(1).expect("a token").to_owned();
    let first = async |node: &Hub, name: &str| {
        let mut browser = ConsoleUser::nobody(&node.site);
        let page = browser.get("/console/first-run").await;
        if page.status != 200 {
            return (browser, page.status);
        }
        let form = html::forms(&page).remove(0).set("token", &token);
        let form = form.fill("Username", name).fill("Password", "correct horse battery staple");
        let button = form.buttons[0].0.clone();
        let answer = browser.send(form.press(&button, "/console/first-run")).await;
        (browser, answer.status)
    };
    let (person, status) = first(&other, "root").await;
    assert_eq!(status, 303);
    let (_, status) = first(&hub, "mallory").await;
    assert_eq!(status, 303, "there is an administrator: sign in");
    assert_eq!(hub.rows().await.table("console_user").len(), 1);
    // A session holds at every node, and ends at every node.
    at(&hub, &person).get("/console/overview").await.expect(200);
    let out = at(&hub, &person).press("/console/overview", "Sign out").await;
    assert!(matches!(out.status, 200 | 303));
    at(&other, &person).get("/console/overview").await.expect(303);
    // Keys sign at one and verify at the other; what both counted is added.
    let keys = |answer: Answer| answer.expect(200).body;
    assert_eq!(keys(hub.site.get("/oauth2/jwks").await), keys(other.site.get("/oauth2/jwks").await));
    let application = hub.application(&["Operator"]).await;
    for site in [&hub.site, &other.site] {
        site.ask(Request::get("/api/v1/whoami").bearer(&application.token)).await.expect(200);
    }
    hub.flush_usage().await;
    other.flush_usage().await;
    let days = hub.rows().await.table("usage_day");
    assert_eq!(days.iter().map(|day| day["requests"].as_u64().unwrap_or(0)).sum::<u64>(), 2, "{days:?}");
    other.stop().await;
    hub.stop().await;
}

#[tokio::test]
async fn without_its_store_a_node_says_at_once_that_nothing_can_be_changed() {
    let database = PostgresDatabase::create();
    let hub = Hub::on_postgres_with_manual_clock(&database).await;
    let mut person = hub.console_user("Administrator").await;
    let application = hub.application(&["Operator"]).await;
    let page = format!("/console/applications/{}/delete", application.client_id);
    let window = person.get(&page).await.expect(200);
    let delete = html::form_with(&window, "Delete API key").press("Delete API key", &page);
    database.cut_off();
    hub.advance(2).await;
    for request in [delete, Request::get("/console/applications")] {
        let start = Instant::now();
        let answer = person.send(request).await.expect(503);
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        assert!(answer.header("retry-after").is_some());
        let text = answer.text();
        assert!(text.contains("nothing can be changed") && text.contains("from 00:00:3"), "{text}");
    }
    assert!(application.is_in().await, "applications are served");
    hub.advance(31).await;
    for (target, status) in
        [("/oauth2/jwks", 200), ("/.well-known/oauth-authorization-server", 200), ("/healthz", 200), ("/readyz", 503)]
    {
        assert_eq!(hub.site.get(target).await.status, status, "{target}");
    }
    let refused = application.get("/api/v1/whoami").await.expect(503);
    assert!(refused.header("retry-after").is_some());
    assert!(application.ask_token(&[]).await.expect(503).header("retry-after").is_some());
    let text = person.send(Request::get("/console/applications")).await.expect(503).text();
    assert!(text.contains("this node refuses every application"), "{text}");
    database.reconnect();
    hub.stop().await;
}
