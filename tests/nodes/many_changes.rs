//! No change is missed: several nodes write at once, and what each of them made is looked for at the others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use gateway_hub::{
    actions::{Actor, api_key, application, hub},
    ambient::{Clock, Randomness},
    app::App,
    config::{Config, Database, DatabaseUrl},
    domain::{application::ClientId, role::RoleId},
};

use super::support::{MACHINE, chance::Chance, postgres::PostgresDatabase};

/// What a node has of an application, to compare.
fn picture(app: &App, id: &ClientId) -> Option<String> {
    app.snapshot.with_application(id.as_str(), |application| {
        let secrets: Vec<_> = application.secrets().iter().flatten().map(|secret| (secret.id, secret.hash)).collect();
        format!("{} {} {} {secrets:?}", application.name, application.enabled, application.min_seq)
    })
}

async fn node(config: &Config) -> Arc<App> {
    let app = hub::open(config.clone(), Clock::system(), Randomness::system()).await.expect("a hub");
    app.bootstrap().await.expect("a snapshot");
    app
}

/// Makes changes to applications of its own at random nodes and compares another node as soon as it is as far.
async fn writer(nodes: Vec<Arc<App>>, seed: u64, count: usize, made: Arc<AtomicUsize>) -> Vec<ClientId> {
    let mut chance = Chance::new(seed);
    let actor = Actor::operator();
    let mut own: Vec<ClientId> = Vec::new();
    let mut gone = Vec::new();
    let mut last = 0;
    while made.fetch_add(1, Ordering::Relaxed) < count {
        let here = &nodes[chance.below(nodes.len())];
        here.catch_up(last).await.expect("it can read on");
        let id = if own.len() < 10 {
            let new = application::NewApplication {
                name: format!("application {seed} {}", chance.number()),
                roles: vec![RoleId::new(RoleId::OPERATOR)],
                ..application::NewApplication::default()
            };
            let made = application::create(here, &actor, &new).await.expect("a key");
            own.push(made.client_id.clone());
            made.client_id
        } else {
            let at = chance.below(own.len());
            let id = own[at].clone();
            let enabled = here.snapshot.with_application(id.as_str(), |application| application.enabled);
            match chance.below(8) {
                0 => {
                    own.swap_remove(at);
                    gone.push(id.clone());
                    application::delete(here, &actor, &id).await.expect("deleted");
                }
                1 | 2 => drop(
                    api_key::regenerate(here, &actor, &id, api_key::Regeneration::AtOnce, None)
                        .await
                        .expect("a secret"),
                ),
                _ if enabled == Some(true) => application::disable(here, &actor, &id).await.expect("disabled"),
                _ => application::enable(here, &actor, &id).await.expect("enabled"),
            }
            id
        };
        let there = &nodes[chance.below(nodes.len())];
        last = here.snapshot.seq();
        there.catch_up(last).await.expect("it can read on");
        // Nobody else changes this application, and both nodes are at least as far as the change.
        assert_eq!(picture(here, &id), picture(there, &id), "seed {seed}: missed {id}");
    }
    own.extend(gone);
    own
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_is_missed_under_concurrent_writers_of_three_nodes() {
    let _machine = MACHINE.lock().await;
    let count = std::env::var("NODES_MANY_CHANGES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500);
    let seed = Chance::seed();
    println!("seed {seed}");
    let database = PostgresDatabase::create();
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = Config::local(folder.path());
    config.database = Database::Postgres(DatabaseUrl::parse(&database.url).expect("an address"));
    let nodes = vec![node(&config).await, node(&config).await, node(&config).await];
    let stop = Arc::new(AtomicBool::new(false));
    let polls: Vec<_> = nodes
        .iter()
        .map(|app| {
            let (app, stop) = (Arc::clone(app), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    app.poll().await.expect("read");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
        })
        .collect();
    let start = Instant::now();
    let made = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> =
        (0..6).map(|number| tokio::spawn(writer(nodes.clone(), seed + number, count, Arc::clone(&made)))).collect();
    let mut all = Vec::new();
    for writer in writers {
        all.extend(writer.await.expect("nothing was missed"));
    }
    let took = start.elapsed();
    stop.store(true, Ordering::Relaxed);
    for poll in polls {
        poll.await.expect("every poll went well");
    }
    let fresh = node(&config).await;
    for app in &nodes {
        app.poll().await.expect("read");
        assert_eq!(app.snapshot.seq(), fresh.snapshot.seq());
        assert_eq!(app.snapshot.application_count(), fresh.snapshot.application_count());
        for id in &all {
            assert_eq!(picture(app, id), picture(&fresh, id), "seed {seed}: {id}");
        }
    }
    let (changes, last) = (fresh.snapshot.seq(), database.sql("SELECT count(*), max(seq) FROM change"));
    assert_eq!(last.trim(), format!("{changes}|{changes}"), "numbers without gaps");
    println!("{changes} changes by 6 writers at 3 nodes in {took:.1?}, none missed");
}
