//! The same commands on PostgreSQL: two nodes, and a command line beside them.

use super::support::{postgres::PostgresDatabase, process::Installation, wire::Request};

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_of_one_store_obey_one_command_line() {
    let database = PostgresDatabase::create();
    let mut first = Installation::new();
    first.database_url = Some(database.url.clone());
    let (id, secret) = first.key("Grafana", &["Operator"]);

    // Another node has the store but not the key: it must not make one of its own.
    let mut second = Installation::new();
    second.database_url = Some(database.url.clone());
    let refused = second.run(&["keys", "list"]).code(1);
    assert!(refused.stderr.contains("hub.key") && refused.stderr.contains("copy"), "{refused:?}");
    std::fs::create_dir_all(second.data()).expect("a folder");
    std::fs::copy(first.data().join("hub.key"), second.data().join("hub.key")).expect("copied");

    let url = ["--public-url", "https://hub.example.com"];
    let (one, two) = (first.serve(&url), second.serve(&url));
    let form = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
    let token = one.site.ask(Request::post("/oauth2/token").form(&form)).await.expect(200).member("access_token");
    for node in [&one, &two] {
        node.site.ask(Request::get("/api/v1/whoami").bearer(&token)).await.expect(200);
    }
    second.run(&["keys", "delete", "Grafana"]).good();
    for node in [&one, &two] {
        node.site.ask(Request::get("/api/v1/whoami").bearer(&token)).await.expect(401);
    }
    assert!(one.stop().success() && two.stop().success());
}

#[test]
fn several_nodes_may_meet_on_an_empty_database() {
    let database = PostgresDatabase::create();
    let nodes: Vec<Installation> = (0..4)
        .map(|_| {
            let mut node = Installation::new();
            node.database_url = Some(database.url.clone());
            let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
            node.environment.push(("GATEWAY_HUB_KEY".to_owned(), key.to_owned()));
            node
        })
        .collect();
    std::thread::scope(|scope| {
        for (number, node) in nodes.iter().enumerate() {
            scope.spawn(move || node.key(&format!("application {number}"), &["Operator"]));
        }
    });
    assert_eq!(nodes[0].run(&["keys", "list", "--json"]).good().json().as_array().map(Vec::len), Some(4));
    assert!(!nodes[0].data().exists(), "nothing is needed beside the database and the key");
}
