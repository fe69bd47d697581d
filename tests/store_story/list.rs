//! The list of applications, and whose a secret is.

use super::support::chance::Chance;
use super::{Place, new};
use gateway_hub::actions::api_key::{FoundSecret, Regeneration, find_by_secret, regenerate};
use gateway_hub::actions::application::{self, ApplicationUpdate, NewApplication};
use gateway_hub::actions::{ActionError, Actor, console_user};
use gateway_hub::app::App;
use gateway_hub::domain::application::ClientId;
use gateway_hub::domain::role::RoleId;
use gateway_hub::store;
use gateway_hub::store::application_list::{Order, Page, Search, Standing, page};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

async fn make(app: &App, new: &NewApplication) -> ClientId {
    application::create(app, &Actor::operator(), new).await.expect("a key").client_id
}

async fn turn(app: &App, search: &Search, limit: usize) -> Page {
    let mut tx = app.store.read().await.expect("a transaction");
    page(&mut tx, search, limit, app.clock.now()).await.expect("a page")
}

async fn names(app: &App, search: &Search) -> Vec<String> {
    turn(app, search, 100).await.items.iter().map(|item| item.application.name.to_string()).collect()
}

pub(super) async fn the_list_is_searched_and_filtered(place: Place) {
    let app = place.node().await;
    let operator = Actor::operator();
    let soon = Some(app.clock.now().plus(Duration::from_hours(48)));
    let plain = make(&app, &new("Grafana", &[RoleId::OPERATOR])).await;
    place.hands.advance(Duration::from_secs(1));
    make(&app, &new("grafana Berlin", &[RoleId::ADMINISTRATOR])).await;
    place.hands.advance(Duration::from_secs(1));
    let off = make(&app, &new("\u{c4}rger_%", &[RoleId::OPERATOR, RoleId::ADMINISTRATOR])).await;
    application::disable(&app, &operator, &off).await.expect("disabled");
    make(&app, &NewApplication { expires_at: soon, ..new("Sync", &[RoleId::OPERATOR]) }).await;
    let twice = make(&app, &new("gh_", &[RoleId::OPERATOR])).await;
    let overlap = Regeneration::Overlap(Duration::from_hours(96));
    regenerate(&app, &operator, &twice, overlap, None).await.expect("a key");

    let all = ["gh_", "Grafana", "grafana Berlin", "Sync", "\u{c4}rger_%"];
    let words = |words: &str| Search { words: words.to_owned(), ..Search::default() };
    assert_eq!(names(&app, &words("")).await, all);
    assert_eq!(names(&app, &words(" gRAF ")).await, all[1..3]);
    assert_eq!(names(&app, &words("grafana ber")).await, all[2..3]);
    assert_eq!(names(&app, &words("\u{e4}RGER_")).await, all[4..]);
    assert_eq!(names(&app, &words("_")).await, [""; 0], "nothing stands for another character");
    assert_eq!(names(&app, &words("gh_")).await, all, "the beginning of every client_id");
    for length in [4, 5, 6, 10, 25] {
        let found = names(&app, &words(&plain.as_str()[..length])).await;
        assert!(found.contains(&all[1].to_owned()), "{length}: {found:?}");
    }
    assert_eq!(names(&app, &words(plain.as_str())).await, all[1..2]);
    assert_eq!(names(&app, &words("\0")).await, all, "no text holds NUL");

    let descending = Search { descending: true, ..Search::default() };
    assert_eq!(names(&app, &descending).await, all.iter().rev().copied().collect::<Vec<_>>());
    let made = Search { order: Order::Created, ..Search::default() };
    assert_eq!(names(&app, &made).await[..2], ["Grafana", "grafana Berlin"]);
    assert_eq!(
        names(&app, &Search { words: "gr".to_owned(), descending: true, ..made }).await,
        ["grafana Berlin", "Grafana"]
    );

    let role = Search { role: Some(RoleId::new(RoleId::ADMINISTRATOR)), ..Search::default() };
    assert_eq!(names(&app, &role).await, [all[2], all[4]]);
    assert_eq!(names(&app, &Search { words: "g".to_owned(), ..role }).await, all[2..3]);
    let standing = async |standing| names(&app, &Search { standing: Some(standing), ..Search::default() }).await;
    assert_eq!(standing(Standing::Active).await, all[..4]);
    assert_eq!(standing(Standing::Overlap).await, all[..1]);
    assert_eq!(standing(Standing::Expiring).await, all[3..4]);
    assert_eq!(standing(Standing::Disabled).await, all[4..]);
    assert_eq!(standing(Standing::Expired).await, [""; 0]);
    place.hands.advance(Duration::from_hours(48));
    assert_eq!(standing(Standing::Expired).await, all[3..4]);
    assert_eq!(standing(Standing::Expiring).await, [""; 0]);
    assert_eq!(standing(Standing::Active).await, all[..3]);
    place.hands.advance(Duration::from_hours(48));
    assert_eq!(standing(Standing::Overlap).await, [""; 0], "dead from the stated second on");
    // What is listed is whole.
    let found = turn(&app, &words("gh_"), 10).await.items;
    assert_eq!(found[0].application.secrets.len(), 2);
    assert_eq!(found[4].application.roles.len(), 2);
}

pub(super) async fn turning_pages_of_a_changing_list_skips_and_repeats_nothing(place: Place) {
    let app = place.node().await;
    let seed = Chance::seed();
    println!("seed {seed}");
    let mut chance = Chance::new(seed);
    let roles = [RoleId::OPERATOR, RoleId::ADMINISTRATOR];
    let mut alive: BTreeMap<ClientId, String> = BTreeMap::new();
    let mut made = 0;
    let mut grow = async |chance: &mut Chance, alive: &mut BTreeMap<ClientId, String>| {
        made += 1;
        // Several of one instant, so that ties happen.
        if chance.percent(30) {
            place.hands.advance(Duration::from_micros(1));
        }
        let role = *chance.pick(&[&roles[0], &roles[1]]);
        let name = format!("{}{made}", chance.pick(&["a", "B", "ab", "\u{e4}", "z "]));
        let id = make(&app, &new(&name, &[role])).await;
        if chance.percent(25) {
            application::disable(&app, &Actor::operator(), &id).await.expect("disabled");
        }
        alive.insert(id, name.to_lowercase());
    };
    for _ in 0..18 {
        grow(&mut chance, &mut alive).await;
    }
    for round in 0..10 {
        let search = Search {
            words: (*chance.pick(&["", "", "a", "gh_"])).to_owned(),
            role: chance.percent(30).then(|| RoleId::new(roles[chance.below(2)])),
            standing: chance.percent(30).then_some(Standing::Active),
            order: [Order::Name, Order::Created, Order::LastUsed][chance.below(3)],
            descending: chance.percent(50),
            from: None,
        };
        let backwards = chance.percent(40);
        let before: BTreeSet<ClientId> = all(&app, &search).await;
        let turned = if backwards {
            // To the end first, while nothing changes.
            let mut here = turn(&app, &search, 3).await;
            while let Some(next) = here.next.clone() {
                here = turn(&app, &Search { from: Some(next), ..search.clone() }, 3).await;
            }
            let tail = here.items.into_iter().map(|item| item.application.client_id).collect();
            match here.previous {
                Some(previous) => walk(&app, &search, Some(previous), tail, &mut chance, &mut alive).await,
                None => tail,
            }
        } else {
            walk(&app, &search, None, Vec::new(), &mut chance, &mut alive).await
        };
        check(&before, &all(&app, &search).await, &turned, round);
        grow(&mut chance, &mut alive).await;
        grow(&mut chance, &mut alive).await;
    }
}

async fn all(app: &App, search: &Search) -> BTreeSet<ClientId> {
    turn(app, search, 1_000).await.items.into_iter().map(|item| item.application.client_id).collect()
}

/// Turns all pages from a place on, and changes the list in between.
async fn walk(
    app: &App,
    search: &Search,
    mut from: Option<store::application_list::Position>,
    mut seen: Vec<ClientId>,
    chance: &mut Chance,
    alive: &mut BTreeMap<ClientId, String>,
) -> Vec<ClientId> {
    let backwards = from.as_ref().is_some_and(|from| from.backwards);
    loop {
        let here = turn(app, &Search { from: from.clone(), ..search.clone() }, 3).await;
        let first = backwards && here.previous.is_none();
        // The first page is filled up from its beginning, so it may show again what was on the second.
        let known: BTreeSet<ClientId> = seen.iter().cloned().collect();
        let items = here.items.into_iter().map(|item| item.application.client_id);
        seen.extend(items.filter(|id| !(first && known.contains(id))));
        from = if backwards { here.previous } else { here.next };
        if from.is_none() {
            return seen;
        }
        if chance.percent(40) {
            let ids: Vec<&ClientId> = alive.keys().collect();
            let gone = chance.pick(&ids).clone();
            application::delete(app, &Actor::operator(), &gone).await.expect("deleted");
            alive.remove(&gone);
        }
        if chance.percent(60) {
            let name = format!("{}x{}", chance.pick(&["a", "ab", "b", "z "]), chance.number());
            let id = make(app, &new(&name, &[RoleId::OPERATOR])).await;
            alive.insert(id, name);
        }
    }
}

#[track_caller]
fn check(before: &BTreeSet<ClientId>, after: &BTreeSet<ClientId>, seen: &[ClientId], round: usize) {
    let once: BTreeSet<ClientId> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "round {round}: one was shown twice");
    let missing: Vec<_> = before.intersection(after).filter(|id| !once.contains(id)).collect();
    assert!(missing.is_empty(), "round {round}: left out {missing:?}");
}

pub(super) async fn a_secret_leads_to_its_application(place: Place) {
    let app = place.node().await;
    let operator = Actor::operator();
    let old = application::create(&app, &operator, &new("Grafana", &[RoleId::OPERATOR])).await.expect("a key");
    make(&app, &new("Another", &[RoleId::OPERATOR])).await;
    let find = async |text: &str| find_by_secret(&app, &operator, text).await.expect("an answer");
    let secret = old.client_secret.expose();
    for text in [secret.to_owned(), format!("  {secret}\n"), format!("client_secret={secret}&grant_type=x")] {
        let found = find(&text).await;
        assert!(matches!(&found, FoundSecret::Of(found) if found.client_id == old.client_id), "{found:?}");
    }
    assert_eq!(find(&secret[..40]).await, FoundSecret::Mistyped);
    for text in ["", "hunter2", old.client_id.as_str()] {
        assert_eq!(find(text).await, FoundSecret::Foreign, "{text}");
    }
    let overlap = Regeneration::Overlap(Duration::from_mins(1));
    let new = regenerate(&app, &operator, &old.client_id, overlap, None).await.expect("a key");
    assert!(matches!(find(secret).await, FoundSecret::Of(_)), "both work during an overlap");
    place.hands.advance(Duration::from_secs(61));
    assert_eq!(find(secret).await, FoundSecret::Nobodys);
    assert!(matches!(find(&format!("{secret} {}", new.client_secret.expose())).await, FoundSecret::Of(_)));
}

pub(super) async fn an_owner_is_a_console_user(place: Place) {
    let app = place.node().await;
    let operator = Actor::operator();
    let password = "correct horse battery staple";
    let administrator = [RoleId::new(RoleId::ADMINISTRATOR)];
    console_user::create(&app, &operator, "first", &administrator, password).await.expect("a user");
    let person = console_user::create(&app, &operator, "ada", &administrator, password).await.expect("a user");
    let owned = |owner: &str| NewApplication { owner: Some(owner.to_owned()), ..new("Grafana", &[RoleId::OPERATOR]) };
    let refused = application::create(&app, &operator, &owned("user_nobody")).await;
    assert!(matches!(refused, Err(ActionError::Invalid { field: "owner", .. })), "{refused:?}");
    let id = make(&app, &owned(&person.id)).await;
    let owned_by = async || {
        let mut tx = app.store.read().await.expect("a transaction");
        store::application::get(&mut tx, &id).await.expect("read").expect("there").owner
    };
    assert_eq!(owned_by().await, Some(person.id.clone()));
    let update = async |owner: Option<String>| {
        let update = ApplicationUpdate { owner: Some(owner), ..ApplicationUpdate::default() };
        application::update(&app, &operator, &id, &update).await
    };
    update(None).await.expect("updated");
    assert_eq!(owned_by().await, None);
    assert!(update(Some("user_nobody".to_owned())).await.is_err());
    update(Some(person.id.clone())).await.expect("updated");
    // The person goes, the application stays.
    console_user::delete(&app, &operator, &person.id).await.expect("deleted");
    assert_eq!(owned_by().await, None);
}
