//! Several nodes on one store: a key that is dead on one is dead on all, and a node that cannot know refuses.

use std::time::{Duration, Instant};

use crate::support::{Application, Hub, MACHINE, postgres::PostgresDatabase};

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
