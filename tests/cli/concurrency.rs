//! Several commands at once, and commands beside a busy server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

use super::support::{process::Installation, wire::Request};

#[test]
fn several_first_commands_at_once_prepare_one_folder() {
    let hub = Installation::new();
    thread::scope(|scope| {
        for number in 0..6 {
            let hub = &hub;
            scope.spawn(move || hub.key(&format!("application {number}"), &["Operator"]));
        }
    });
    assert_eq!(hub.run(&["keys", "list", "--json"]).good().json().as_array().map(Vec::len), Some(6));
}

#[test]
fn of_several_commands_with_one_name_exactly_one_wins() {
    let hub = Installation::new();
    hub.run(&["migrate"]).good();
    let won = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let done = hub.run(&["keys", "create", "Grafana", "--role", "Operator"]);
                match done.status.code() {
                    Some(0) => {
                        won.fetch_add(1, Ordering::Relaxed);
                    }
                    _ => assert!(done.stderr.contains("Grafana"), "{done:?}"),
                }
            });
        }
    });
    assert_eq!(won.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commands_work_while_the_server_is_under_write_load() {
    let hub = Installation::new();
    let (id, secret) = hub.key("writer", &["Operator"]);
    let serve = hub.serve(&[]);
    let form = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
    let token = serve.site.ask(Request::post("/oauth2/token").form(&form)).await.expect(200).member("access_token");
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (site, token, stop) = (serve.site.clone(), token.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut number: u32 = 0;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    let entity = serde_json::json!({"attributes": {"user.writer": writer.to_string()}});
                    let target = format!("/api/v1/entities/load%2F{writer}-{number}");
                    let answer = site.ask(Request::new("PUT", &target).bearer(&token).json(&entity)).await;
                    assert!(matches!(answer.status, 200 | 201), "{}", answer.everything());
                }
                number
            })
        })
        .collect();
    tokio::task::block_in_place(|| {
        for number in 0..8 {
            let name = format!("application {number}");
            hub.key(&name, &["Operator"]);
            hub.run(&["keys", "regenerate", &name]).good();
            hub.run(&["keys", "delete", &name]).good();
        }
    });
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.expect("no refusal") > 5);
    }
    assert_eq!(hub.run(&["keys", "list", "--json"]).good().json().as_array().map(Vec::len), Some(1));
}
