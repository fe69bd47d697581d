//! Rule 8: no request writes a row.

use crate::support::{Application, Connection, Hub, Request};

const REQUESTS: usize = 20_000;
const CONNECTIONS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_08_token_requests_add_no_row() {
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let other = hub.application(&["Operator"]).await;
    let before = hub.rows().await;
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        tasks.push(tokio::spawn(many(application.clone(), other.clone(), REQUESTS / CONNECTIONS)));
    }
    let mut good = 0;
    for task in tasks {
        good += task.await.expect("the task ends");
    }
    assert!(good > REQUESTS * 8 / 10, "{good}");
    // Usage is flushed at the end; that is the only thing that may appear.
    let hub = hub.restart().await;
    let after = hub.rows().await.counts();
    for (table, count) in before.counts() {
        let more = if table.starts_with("usage") { 2 } else { 0 };
        assert!(after[&table] <= count + more, "{table}: {count} rows before, {} after", after[&table]);
    }
}

/// Most ask for a token; some fail, read, introspect.
async fn many(application: Application, other: Application, count: usize) -> usize {
    let host = application.site.host();
    let (id, secret) = (application.client_id.as_str(), application.client_secret.as_str());
    let grant = Request::post("/oauth2/token").basic(id, secret).form(&[("grant_type", "client_credentials")]);
    let wrong =
        Request::post("/oauth2/token").basic(id, &other.client_secret).form(&[("grant_type", "client_credentials")]);
    let mixed = [
        wrong,
        Request::get("/api/v1/whoami").bearer(&application.token),
        Request::get("/api/v1/entities").bearer(&application.token),
        Request::get("/api/v1/whoami").bearer("nonsense"),
        Request::post("/oauth2/introspect").basic(id, secret).form(&[("token", &application.token)]),
        Request::post("/oauth2/token")
            .basic(id, secret)
            .form(&[("grant_type", "client_credentials"), ("scope", "no:thing")]),
    ];
    let grant = grant.bytes(&host);
    let mixed: Vec<_> = mixed.iter().map(|request| request.bytes(&host)).collect();
    let mut connection = Connection::open(application.site.address).await.expect("the hub listens");
    let mut good = 0;
    for number in 0..count {
        if connection.closed {
            connection = Connection::open(application.site.address).await.expect("the hub listens");
        }
        let raw = if number % 10 == 9 { &mixed[number / 10 % mixed.len()] } else { &grant };
        connection.send(raw).await.expect("sent");
        let answer = connection.answer(false).await.expect("an answer");
        good += usize::from(answer.status == 200);
    }
    good
}
