//! A command answers once the nodes that serve obey it: nobody has to wait after it.

use std::time::{Duration, Instant};

use super::support::{
    postgres::PostgresDatabase,
    process::{HubProcess, Installation},
    wire::Request,
};

async fn token_status(node: &HubProcess<'_>, id: &str, secret: &str) -> u16 {
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    node.site.ask(Request::post("/oauth2/token").form(&form)).await.status
}

/// A key's whole life, asked about at every node right after each command, which says nothing but its answer.
async fn obeyed_at_once(hub: &Installation, nodes: &[&HubProcess<'_>], rounds: usize) {
    for round in 0..rounds {
        let name = format!("application {round}");
        let made = hub.run(&["keys", "create", &name, "--role", "Operator", "--json"]).good();
        let text = |member: &str| made.json()[member].as_str().expect(member).to_owned();
        let (id, secret) = (text("client_id"), text("client_secret"));
        assert_eq!(made.stderr, "");
        for node in nodes {
            assert_eq!(token_status(node, &id, &secret).await, 200, "round {round}");
        }
        for (command, status) in [("disable", 401), ("enable", 200), ("delete", 401)] {
            assert_eq!(hub.run(&["keys", command, &name]).good().stderr, "");
            for node in nodes {
                assert_eq!(token_status(node, &id, &secret).await, status, "round {round}: {command}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_obeyed_when_it_answers() {
    let hub = Installation::new();
    let serve = hub.serve(&[]);
    obeyed_at_once(&hub, &[&serve], 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_03_a_command_is_obeyed_by_every_node_when_it_answers() {
    let database = PostgresDatabase::create();
    let mut hub = Installation::new();
    hub.database_url = Some(database.url.clone());
    // Without notifications too: each node sees the change at its next poll.
    let nodes = [hub.serve(&[]), hub.serve(&["--database-notify", "false"])];
    obeyed_at_once(&hub, &[&nodes[0], &nodes[1]], 10).await;
}

#[test]
fn a_node_that_does_not_answer_is_named_with_its_last_second() {
    let database = PostgresDatabase::create();
    let mut hub = Installation::new();
    hub.database_url = Some(database.url.clone());
    let serve = hub.serve(&["--node-name", "node-a"]);
    // Another one that was heard of this moment and reads nothing more; and one that was last heard of too long ago.
    let node = |name: &str, ago: u32| {
        let at = format!("CAST(EXTRACT(EPOCH FROM now() - INTERVAL '{ago} s') * 1000000 AS BIGINT)");
        database.sql(&format!(
            "INSERT INTO node (id, name, version, started_at, applied, applied_at, polled_at, staleness_limit, seen_at) \
             VALUES ('{name}', '{name}', '1.0.0', {at}, 1, {at}, {at}, 30000000, {at})"
        ));
    };
    node("node-b", 0);
    node("node-c", 100);
    let start = Instant::now();
    let made = hub.run(&["keys", "create", "Grafana", "--role", "Operator", "--json"]).good();
    assert!(start.elapsed() >= Duration::from_secs(2), "it did not wait");
    assert!(made.json()["client_secret"].is_string(), "{made:?}");
    let warned = "warning: the change is made. In effect on 1 of 2 nodes; node-b by ";
    assert!(made.stderr.starts_with(warned) && made.stderr.contains(" UTC. Until then"), "{made:?}");
    assert_eq!(made.stderr.lines().count(), 1);
    // Who only looks, and who is refused, waits for nobody.
    assert_eq!(hub.run(&["keys", "list"]).good().stderr, "");
    assert!(!hub.run(&["keys", "disable", "Other"]).code(1).stderr.contains("node-b"));
    database.sql("DELETE FROM node WHERE id = 'node-b'");
    assert_eq!(hub.run(&["keys", "disable", "Grafana"]).good().stderr, "");
    assert!(serve.stop().success());
}

#[test]
fn where_nobody_serves_a_command_waits_for_nobody() {
    let hub = Installation::new();
    assert!(hub.serve(&[]).stop().success());
    // A busy machine may make one of them slow.
    let quickest = (0..5).map(|number| {
        let start = Instant::now();
        let made = hub.run(&["keys", "create", &format!("application {number}"), "--role", "Operator"]).good();
        assert_eq!(made.stderr, "");
        start.elapsed()
    });
    let quickest = quickest.min().expect("several");
    assert!(quickest < Duration::from_secs(2), "{quickest:?}");
}

#[test]
fn a_node_that_was_killed_and_started_again_is_one_node() {
    let hub = Installation::new();
    let mut serve = hub.serve(&[]);
    serve.kill();
    let again = hub.serve_at(&[], serve.site.clone());
    let made = hub.run(&["keys", "create", "Grafana", "--role", "Operator"]).good();
    assert_eq!(made.stderr, "", "it waited for the node that is gone");
    drop(again);
}
