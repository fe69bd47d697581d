//! The start of a node: it reads all tables, side by side if they are large, and sees one state of them.

use super::{Place, new, rewrite};
use gateway_hub::actions::api_key::{Regeneration, regenerate};
use gateway_hub::actions::application::{self, ApplicationUpdate, NewApplication};
use gateway_hub::actions::{Actor, role};
use gateway_hub::app::{App, LiveApplication};
use gateway_hub::domain::application::ClientId;
use gateway_hub::domain::role::RoleId;
use gateway_hub::domain::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Enough that the tables are read side by side.
const MANY: usize = 10_100;

/// Adds applications without secrets, behind the back of every node.
async fn fill(place: &Place) {
    let numbers = format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})");
    rewrite(
        place,
        &format!(
            "INSERT INTO application (client_id, name, name_key, description, enabled, networks, allow_basic, min_seq, \
             created_at, created_by) {numbers} SELECT 'gh_aaaaaaaaaaaaaaaaa' || CAST(10000 + i AS TEXT), 'fill ' || \
             CAST(i AS TEXT), 'fill ' || CAST(i AS TEXT), '', TRUE, '', FALSE, 0, 0, 'test' FROM n"
        ),
    )
    .await;
    rewrite(
        place,
        &format!("INSERT INTO application_role (client_id, role_id) SELECT client_id, '{}' FROM application WHERE created_by = 'test'", RoleId::OPERATOR),
    )
    .await;
}

/// All that decisions read of an application; roles by their scope, because nodes number their sets by themselves.
fn live(app: &App, id: &ClientId) -> Option<String> {
    let show = |live: &LiveApplication| {
        let roles = app.snapshot.role_set(live.role_set).full_scope_text.clone();
        let (secrets, networks, expires_at) = (live.secrets(), live.networks(), live.expires_at());
        let LiveApplication { name, enabled, allow_basic, min_seq, .. } = live;
        format!("{name} {roles} {enabled} {allow_basic} {min_seq} {networks:?} {expires_at:?} {secrets:?}")
    };
    app.snapshot.with_application(id.as_str(), show)
}

async fn followed_and_read_anew(place: &Place, node: &App, ids: &[ClientId]) {
    node.poll().await.expect("the changes");
    let fresh = place.node().await;
    for id in ids {
        let followed = live(node, id).expect("it is there");
        assert_eq!(Some(&followed), live(&fresh, id).as_ref());
    }
}

pub(super) async fn a_start_reads_what_following_tells(place: Place) {
    let app = place.node().await;
    let operator = Actor::operator();
    let end = Timestamp::from_seconds(2_000_000_000);
    let mut ids = Vec::new();
    for made in [
        new("plain", &[RoleId::OPERATOR]),
        NewApplication { expires_at: Some(end), allow_basic: true, ..new("a | b", &[RoleId::OPERATOR]) },
        NewApplication {
            networks: vec!["10.0.0.0/8".parse().expect("a network"), "::1/128".parse().expect("a network")],
            ..new("\u{c4}rger", &[RoleId::OPERATOR, RoleId::ADMINISTRATOR])
        },
    ] {
        ids.push(application::create(&app, &operator, &made).await.expect("a key").client_id);
    }
    let overlap = Regeneration::Overlap(Duration::from_hours(24));
    regenerate(&app, &operator, &ids[1], overlap, None).await.expect("two secrets");
    place.hands.advance(Duration::from_secs(1));
    regenerate(&app, &operator, &ids[2], Regeneration::Leaked, None).await.expect("a higher min_seq");
    application::disable(&app, &operator, &ids[0]).await.expect("disabled");
    followed_and_read_anew(&place, &app, &ids).await;
    fill(&place).await;
    followed_and_read_anew(&place, &app, &ids).await;
    assert_eq!(place.node().await.snapshot.application_count(), MANY + ids.len());
}

pub(super) async fn a_start_among_changes_sees_one_state(place: Place) {
    let app = place.node().await;
    let operator = Actor::operator();
    fill(&place).await;
    let narrow =
        role::RoleInput { name: "narrow".to_owned(), grants: vec!["entities:view".to_owned()], ..Default::default() };
    let narrow = role::create(&app, &operator, &narrow).await.expect("a role").id;
    let id = application::create(&app, &operator, &new("busy", &[RoleId::OPERATOR])).await.expect("a key").client_id;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (app, id, stop) = (Arc::clone(&app), id.clone(), Arc::clone(&stop));
        async move {
            // What was so from which change on: its secret and its roles are in different tables.
            let mut states = Vec::new();
            for turn in 0.. {
                if turn % 2 == 0 {
                    regenerate(&app, &operator, &id, Regeneration::AtOnce, None).await.expect("another secret");
                } else {
                    let roles = if turn % 4 == 1 { vec![narrow.clone()] } else { vec![RoleId::new(RoleId::OPERATOR)] };
                    let update = ApplicationUpdate { roles: Some(roles), ..ApplicationUpdate::default() };
                    application::update(&app, &operator, &id, &update).await.expect("other roles");
                }
                states.push((app.snapshot.seq(), live(&app, &id)));
                if stop.load(Ordering::Relaxed) && states.len() > 20 {
                    return states;
                }
            }
            unreachable!("it ends when it is told to")
        }
    });
    let fresh = place.node().await;
    let mut seen = Vec::new();
    for _ in 0..15 {
        fresh.bootstrap().await.expect("everything again");
        seen.push((fresh.snapshot.seq(), live(&fresh, &id)));
    }
    stop.store(true, Ordering::Relaxed);
    let known = writer.await.expect("the writer ends");
    for (seq, read) in seen {
        let before = known.iter().rev().find(|(at, _)| *at <= seq);
        if let Some((_, state)) = before {
            assert_eq!(state, &read, "at change {seq}");
        }
    }
}
