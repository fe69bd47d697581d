//! Rule 8: no request writes a row.

use gateway_hub::domain::time::Timestamp;

use crate::support::{Application, Connection, Hub, MACHINE, Request};

const REQUESTS: usize = 20_000;
const CONNECTIONS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_08_token_requests_add_no_row() {
    let _machine = MACHINE.lock().await;
    let hub = Hub::start().await;
    let application = hub.application(&["Operator"]).await;
    let other = hub.application(&["Operator"]).await;
    hub.flush_usage().await;
    let (before, began) = (hub.rows().await, hub.app.clock.now());
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        tasks.push(tokio::spawn(many(application.clone(), other.clone(), REQUESTS / CONNECTIONS)));
    }
    let mut good = 0;
    for task in tasks {
        good += task.await.expect("the task ends");
    }
    assert!(good > REQUESTS * 8 / 10, "{good}");
    // Usage is flushed at the end, if not before; that is the only thing that may appear.
    let hub = hub.restart().await;
    let after = hub.rows().await;
    let minute = |at: Timestamp| usize::try_from(at.seconds() / 60).expect("after 1970");
    let minutes = minute(hub.app.clock.now()) - minute(began) + 1;
    for (table, count) in before.counts() {
        let more = match table.as_str() {
            // One row for each application and day, and midnight may pass.
            "usage_day" => 2 * 2,
            // Three reasons, one source, and each minute for itself.
            "denial" => 3 * minutes,
            _ => 0,
        };
        let now = after.counts()[&table];
        assert!(now <= count + more, "{table}: {count} rows before, {now} after");
    }
    let sum = |column: &str| -> u64 {
        let days = after.table("usage_day");
        let own = days.iter().filter(|day| day["client_id"] == application.client_id.as_str());
        own.map(|day| day[column].as_u64().expect("a count")).sum()
    };
    assert!(sum("tokens") > (REQUESTS as u64) * 8 / 10, "counted though no row was written for each");
    assert_eq!(sum("tokens") + sum("requests"), good as u64 + 1, "every good answer, and the harness's own token");
    assert_eq!(before.security_state(), after.security_state(), "and the use of a key changes no other table");
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
