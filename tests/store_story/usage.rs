//! What applications do, stored beside the changes of security state.

use super::{Place, audit, new, rewrite};
use gateway_hub::actions::usage::{DAYS_KEPT, DENIALS_KEPT, Pace, flush, prune};
use gateway_hub::actions::{Actor, application};
use gateway_hub::app::App;
use gateway_hub::app::usage::Refused;
use gateway_hub::domain::application::{ClientId, CredentialId};
use gateway_hub::domain::denial::DenialReason;
use gateway_hub::domain::grant::Action;
use gateway_hub::domain::resource::Resource;
use gateway_hub::domain::role::RoleId;
use gateway_hub::domain::time::Timestamp;
use gateway_hub::store::{self, StoreSettings};
use std::sync::Arc;
use std::time::Duration;

fn credential(app: &App, id: &ClientId) -> CredentialId {
    let current = |live: &gateway_hub::app::LiveApplication| live.secrets()[0].expect("a secret").id;
    app.snapshot.with_application(id.as_str(), current).expect("alive")
}

fn wrong_secret<'a>(app: &App, client_id: &'a str, source: &str) -> Refused<'a> {
    let (credential, reason) = (None, DenialReason::WrongSecret);
    Refused { client_id, credential, reason, source: source.parse().expect("an address"), now: app.clock.now() }
}

pub(super) async fn usage_is_stored_beside_the_changes(place: Place) {
    let (one, other) = (place.node().await, place.node().await);
    let operator = Actor::operator();
    let key = application::create(&one, &operator, &new("Busy", &[RoleId::OPERATOR])).await.expect("a key");
    let idle = application::create(&one, &operator, &new("Idle", &[RoleId::OPERATOR])).await.expect("a key");
    other.poll().await.expect("a poll");
    let (seq, events) = (one.snapshot.seq(), audit(&one).await.len());
    let (client_id, secret) = (key.client_id.as_str(), credential(&one, &key.client_id));
    let now = one.clock.now();
    let today = store::usage::day_of(now);
    for app in [&one, &other] {
        app.usage.token_issued(client_id, secret, now);
        app.usage.request(client_id, secret, Some((&Resource::Entities, Action::View)), now);
        app.usage.refused(&wrong_secret(app, client_id, "192.0.2.1"));
    }
    one.usage.request(client_id, secret, Some((&Resource::Entities, Action::Edit)), now);
    other.usage.refused(&wrong_secret(&other, "", "192.0.2.1"));
    for app in [&one, &other] {
        flush(app, Pace::Gentle).await.expect("stored");
        assert_eq!(flush(app, Pace::Gentle).await.expect("stored"), 0, "once");
    }

    let mut tx = one.store.read().await.expect("a transaction");
    let days = store::usage::of_application(&mut tx, &key.client_id, today - 29).await.expect("usage");
    assert_eq!(days.len(), 1, "one row for application and day, whatever the nodes");
    assert_eq!((days[0].day, days[0].tokens, days[0].requests, days[0].refusals), (today, 2, 3, 2));
    let grants: Vec<&str> = days[0].grants.iter().map(String::as_str).collect();
    assert_eq!(grants, ["entities:edit", "entities:view"]);
    let minute = Timestamp::from_seconds(now.seconds() / 60 * 60);
    let ids = [key.client_id.clone(), idle.client_id.clone()];
    let used = store::usage::last_used(&mut tx, &ids).await.expect("last uses");
    assert_eq!(used, [Some(minute), None]);
    let secrets = store::usage::secrets_last_used(&mut tx, &key.client_id).await.expect("last uses");
    assert_eq!(secrets, [(secret, Some(minute))]);
    let denials = store::denial::recent(&mut tx, client_id, minute, 10).await.expect("refusals");
    assert_eq!(denials.len(), 1, "of both nodes together");
    let denial = &denials[0];
    assert_eq!(
        (denial.reason, denial.source.as_str(), denial.times),
        (Some(DenialReason::WrongSecret), "192.0.2.1", 2)
    );
    assert_eq!(store::denial::recent(&mut tx, "", minute, 10).await.expect("refusals").len(), 1);
    drop(tx);
    one.poll().await.expect("a poll");
    assert_eq!((one.snapshot.seq(), audit(&one).await.len()), (seq, events), "no change, no event");

    // A second day, a late count of an application that is gone, and the end of what is kept.
    place.hands.advance(Duration::from_hours(24));
    one.usage.token_issued(client_id, secret, one.clock.now());
    one.usage.token_issued(idle.client_id.as_str(), CredentialId::new(1), one.clock.now());
    application::delete(&one, &operator, &idle.client_id).await.expect("deleted");
    flush(&one, Pace::AtOnce).await.expect("what is left of a deleted application hinders nobody");
    let count = async || {
        let mut tx = one.store.read().await.expect("a transaction");
        let days = store::usage::of_application(&mut tx, &key.client_id, 0).await.expect("usage").len();
        let denials =
            store::denial::recent(&mut tx, client_id, Timestamp::default(), 10).await.expect("refusals").len();
        (days, denials)
    };
    prune(&one).await.expect("pruned");
    assert_eq!(count().await, (2, 1));
    place.hands.advance(DENIALS_KEPT);
    prune(&one).await.expect("pruned");
    assert_eq!(count().await, (2, 0));
    place.hands.advance(Duration::from_secs(86_400 * u64::try_from(DAYS_KEPT).expect("days")));
    prune(&one).await.expect("pruned");
    assert_eq!(count().await, (0, 0));
    one.usage.token_issued(client_id, secret, one.clock.now());
    flush(&one, Pace::AtOnce).await.expect("stored");
    application::delete(&one, &operator, &key.client_id).await.expect("deleted with its usage");
    assert_eq!(count().await, (0, 0));
}

/// So many applications are active at once in a story; `ACTIVE_APPLICATIONS` measures others.
const ACTIVE: u32 = 10_000;

pub(super) async fn usage_lets_a_deletion_go_first(place: Place) {
    let app = place.node().await;
    let operator = Actor::operator();
    let active = std::env::var("ACTIVE_APPLICATIONS").map_or(ACTIVE, |text| text.parse().expect("a number"));
    let template = application::create(&app, &operator, &new("Template", &[RoleId::OPERATOR])).await.expect("a key");
    let mut doomed = Vec::new();
    for number in 0..8 {
        let name = format!("Doomed {number}");
        doomed.push(application::create(&app, &operator, &new(&name, &[RoleId::OPERATOR])).await.expect("a key"));
    }
    multiply(&place, active, template.client_id.as_str()).await;
    for round in 0..2 {
        for number in 0..active {
            let client_id = format!("gh_{number:022}");
            app.usage.token_issued(&client_id, CredentialId::new(u128::from(number) + 1), app.clock.now());
            app.usage.refused(&wrong_secret(&app, &client_id, "192.0.2.1"));
        }
        let flushing = tokio::spawn({
            let app = Arc::clone(&app);
            async move {
                let began = std::time::Instant::now();
                flush(&app, Pace::Gentle).await.expect("stored");
                began.elapsed()
            }
        });
        let mut slowest = Duration::ZERO;
        for key in doomed.drain(..4) {
            let began = std::time::Instant::now();
            application::delete(&app, &operator, &key.client_id).await.expect("deleted");
            slowest = slowest.max(began.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let flushed = flushing.await.expect("the flush ends");
        println!("round {round}: {active} applications flushed in {flushed:?}, deletions within {slowest:?}");
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    }
    let last = ClientId::parse(&format!("gh_{:022}", active - 1)).expect("a client_id");
    let mut tx = app.store.read().await.expect("a transaction");
    let days = store::usage::of_application(&mut tx, &last, 0).await.expect("usage");
    assert_eq!(days.iter().map(|day| (day.tokens, day.refusals)).collect::<Vec<_>>(), [(2, 2)]);
    assert!(store::usage::last_used(&mut tx, &[last]).await.expect("last uses")[0].is_some());
}

/// Adds so many applications with a secret each, as the template has them.
async fn multiply(place: &Place, count: u32, template: &str) {
    let digits = match place.settings {
        StoreSettings::Folder(_) => ["printf('%022d', n)", "printf('%032x', n)"],
        StoreSettings::Postgres(_) => ["lpad(n::text, 22, '0')", "lpad(to_hex(n), 32, '0')"],
    };
    let numbers = |from| {
        format!("WITH RECURSIVE c (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM c WHERE n < {})", from + count - 1)
    };
    rewrite(place, &format!("INSERT INTO application (client_id, name, name_key, description, enabled, networks, \
        allow_basic, min_seq, created_at, created_by) {} SELECT 'gh_' || {}, 'Many ' || n, 'many ' || n, '', enabled, '', \
        allow_basic, 0, created_at, created_by FROM c, application WHERE client_id = '{template}'", numbers(0), digits[0])).await;
    rewrite(
        place,
        &format!(
            "INSERT INTO api_secret (id, client_id, hash, pepper, created_at) {} SELECT {}, 'gh_' || {}, \
        hash, pepper, created_at FROM c, api_secret WHERE client_id = '{template}'",
            numbers(1),
            digits[1],
            digits[0].replace("n)", "n - 1)").replace("n::", "(n - 1)::")
        ),
    )
    .await;
    // As PostgreSQL does by itself within a minute; until then it checks references by reading whole tables.
    rewrite(place, "ANALYZE").await;
}
