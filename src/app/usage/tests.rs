use super::*;
use crate::domain::resource::{GatewayName, SecurityResource};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NEW: CredentialId = CredentialId::new(2);
const OLD: CredentialId = CredentialId::new(1);

fn id(letter: char) -> String {
    format!("gh_{}", letter.to_string().repeat(22))
}

/// 2027-01-15, so many seconds before midnight.
fn before_midnight(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_057_600 - seconds)
}

fn texts(grants: &[&str]) -> BTreeSet<String> {
    grants.iter().map(|grant| (*grant).to_owned()).collect()
}

#[tokio::test]
async fn counts_belong_to_application_day_and_secret() {
    let usage = Usage::default();
    let gateway = Resource::Gateway(GatewayName::parse("prom").expect("a name"));
    let audit = Resource::Security(SecurityResource::Audit);
    usage.token_issued(&id('b'), OLD, before_midnight(90));
    usage.request(&id('b'), OLD, Some((&Resource::Entities, Action::View)), before_midnight(70));
    usage.request(&id('b'), NEW, Some((&gateway, Action::Edit)), before_midnight(1));
    usage.request(&id('b'), NEW, Some((&audit, Action::View)), before_midnight(0));
    usage.request(&id('a'), CredentialId::new(3), None, before_midnight(0));
    let wrong = Refused {
        client_id: &id('a'),
        credential: None,
        reason: DenialReason::WrongSecret,
        source: SOURCE,
        now: before_midnight(-600),
    };
    usage.refused(&wrong);
    usage.refused(&Refused { client_id: "", reason: DenialReason::UnknownClient, ..wrong });

    let mut pending = usage.collect().await;
    let chunk = pending.chunk(0, 64).expect("something was counted");
    assert_eq!(chunk.days.len(), 3, "{chunk:#?}");
    let [a, first, second] = [&chunk.days[0], &chunk.days[1], &chunk.days[2]];
    assert_eq!((a.client_id.as_str(), a.requests, a.refusals), (id('a').as_str(), 1, 1));
    assert_eq!((first.tokens, first.requests, &first.grants), (1, 2, &texts(&["entities:view", "gateway/prom:edit"])));
    assert_eq!((second.tokens, second.requests, &second.grants), (0, 1, &texts(&["audit:view"])));
    assert_eq!(second.day, first.day + 1, "a day ends at midnight UTC");
    let uses = [(id('a'), before_midnight(0)), (id('b'), before_midnight(0))];
    assert_eq!(chunk.applications, uses, "a wrong secret is no use");
    let secrets: Vec<Timestamp> = chunk.secrets.iter().map(|(_, at)| *at).collect();
    assert_eq!(secrets, [before_midnight(120), before_midnight(0), before_midnight(0)], "to the minute");

    let denials = pending.denials(10);
    assert_eq!(denials.len(), 2);
    assert!(denials.iter().any(|denial| denial.client_id.is_empty() && denial.source == "127.0.0.1"), "{denials:?}");
    assert!(pending.chunk(chunk.tallies(), 64).is_none());
    pending.stored(&[chunk]);
    pending.denials_stored(2);
    assert!(pending.chunk(0, 64).is_none());
    assert!(pending.denials(10).is_empty());
}

#[tokio::test]
async fn what_could_not_be_stored_waits() {
    let usage = Usage::default();
    let now = before_midnight(0);
    for letter in 'a'..='z' {
        usage.token_issued(&id(letter), NEW, now);
    }
    let first = usage.collect().await.chunk(0, 10).expect("a chunk");
    assert_eq!((first.tallies(), first.days[0].client_id.as_str()), (10, id('a').as_str()));
    usage.collect().await.stored(&[first]);
    usage.token_issued(&id('k'), NEW, now);
    let pending = usage.collect().await;
    let next = pending.chunk(0, 10).expect("a chunk");
    assert_eq!((next.days[0].client_id.as_str(), next.days[0].tokens), (id('k').as_str(), 2), "added to what waited");
    let last = pending.chunk(10, 10).expect("a chunk");
    assert_eq!((last.tallies(), last.days[5].client_id.as_str()), (6, id('z').as_str()));
}

#[tokio::test]
async fn a_use_is_noted_once_a_minute() {
    let usage = Usage::default();
    for (seconds, noted) in [(50, true), (40, false), (5, false), (-1, true), (-2, false)] {
        usage.token_issued(&id('a'), NEW, before_midnight(seconds));
        let mut pending = usage.collect().await;
        let chunk = pending.chunk(0, 64).expect("a chunk");
        assert_eq!(
            (chunk.secrets.len(), chunk.applications.len()),
            (usize::from(noted), usize::from(noted)),
            "{seconds}"
        );
        pending.stored(&[chunk]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_count_is_lost_while_rounds_change() {
    const EACH: u64 = 20_000;
    let usage = Arc::new(Usage::default());
    let counting: Vec<_> = (0..3)
        .map(|_| {
            let usage = Arc::clone(&usage);
            tokio::task::spawn_blocking(move || {
                let seat = Seat::default();
                for _ in 0..EACH {
                    usage.token_issued(&id('a'), NEW, before_midnight(0));
                    usage.request_at(&seat, &id('a'), NEW, None, before_midnight(0));
                }
            })
        })
        .collect();
    let mut counted = 0;
    let mut take = async || {
        let mut pending = usage.collect().await;
        while let Some(chunk) = pending.chunk(0, 64) {
            counted += chunk.days[0].tokens + chunk.days[0].requests;
            pending.stored(&[chunk]);
        }
    };
    while !counting.iter().all(tokio::task::JoinHandle::is_finished) {
        take().await;
        tokio::task::yield_now().await;
    }
    take().await;
    take().await;
    assert_eq!(counted, 2 * 3 * EACH);
}

#[tokio::test]
async fn a_remembered_place_is_of_one_round_and_day() {
    let usage = Usage::default();
    let (seat, other) = (Seat::default(), Seat::default());
    let ask = |seat: &Seat, seconds| usage.request_at(seat, &id('a'), NEW, None, before_midnight(seconds));
    let collect = async || {
        let mut pending = usage.collect().await;
        let chunk = pending.chunk(0, 64).expect("a chunk");
        let counts: Vec<u64> = chunk.days.iter().map(|day| day.requests).collect();
        let used = chunk.applications.clone();
        pending.stored(&[chunk]);
        (counts, used)
    };
    // Two tokens of one secret; the one from yesterday was checked just before midnight and is counted just after another.
    for (seat, seconds) in [(&seat, 2), (&other, 1), (&seat, 0), (&seat, 1), (&other, -1)] {
        ask(seat, seconds);
    }
    assert_eq!(collect().await, (vec![3, 2], vec![(id('a'), before_midnight(0))]));
    ask(&seat, -61);
    assert_eq!(collect().await, (vec![1], vec![(id('a'), before_midnight(-60))]), "not into the round before");
}
