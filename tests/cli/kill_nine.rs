//! `kill -9` in the middle of writes: nothing acknowledged is lost, nothing is half there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Application, ConsoleUser, Installation, Request, Site, chance::Chance, html, rows::Rows};

const PASSWORD: &str = "correct horse battery staple";

/// Rounds: 5 here, more as `KILL_NINE_ROUNDS` says (`just kill-nine`: 100).
fn rounds() -> usize {
    std::env::var("KILL_NINE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

/// What a writer knows of a thing that it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    /// The hub said that it is so.
    Acknowledged(String),
    /// A write was under way when the hub died: either the old state or the new one.
    Either(Option<String>, Option<String>),
    /// The hub said that it is gone.
    Gone,
}

#[derive(Default)]
struct Ledger {
    /// Entities: id, then the value of their attribute.
    entities: BTreeMap<String, Known>,
    /// Keys: client id, then the secret.
    keys: BTreeMap<String, Known>,
    acknowledged: BTreeMap<&'static str, usize>,
    /// What was written since the last check.
    touched: BTreeSet<String>,
}

impl Ledger {
    fn note_entity(&mut self, id: &str, known: Known) {
        self.touched.insert(id.to_owned());
        self.entities.insert(id.to_owned(), known);
    }

    fn note_key(&mut self, id: &str, known: Known) {
        self.touched.insert(id.to_owned());
        self.keys.insert(id.to_owned(), known);
    }

    fn count(&mut self, what: &'static str) {
        *self.acknowledged.entry(what).or_default() += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_nine_loses_nothing_that_was_acknowledged() {
    let seed = Chance::seed();
    println!("GATEWAY_HUB_TEST_SEED={seed}");
    let mut chance = Chance::new(seed);
    let installation = Installation::new();
    installation.user("admin", "Administrator", PASSWORD);
    let (id, secret) = installation.key("Writer", &["Administrator"]);
    let mut process = installation.serve(&[]);
    let site = process.site.clone();
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let mut interrupted = 0;
    let rounds = rounds();
    for round in 0..rounds {
        let writer = Application::with_key(&site, "Writer", &id, &secret);
        let stop = Arc::new(AtomicBool::new(false));
        let under_way = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for number in 0..2 {
            let (writer, ledger, stop) = (writer.clone(), Arc::clone(&ledger), Arc::clone(&stop));
            let under_way = Arc::clone(&under_way);
            tasks.push(tokio::spawn(write_entities(writer, ledger, stop, under_way, format!("{round}-{number}"))));
        }
        for number in 0..3 {
            let (site, ledger, stop) = (site.clone(), Arc::clone(&ledger), Arc::clone(&stop));
            let under_way = Arc::clone(&under_way);
            let name = format!("{round}-{number}");
            tasks.push(tokio::spawn(write_keys(site, ledger, stop, under_way, name)));
        }
        let moment = Duration::from_millis(900 + chance.number() % 900);
        tokio::time::sleep(moment).await;
        let in_flight = under_way.load(Ordering::SeqCst);
        process.kill();
        interrupted += usize::from(in_flight > 0);
        stop.store(true, Ordering::SeqCst);
        for task in tasks {
            task.await.expect("the writer ends");
        }
        nothing_is_half_there(&Rows::of_folder(&installation.data()).await);
        process = installation.serve_at(&[], site.clone());
        // All that was ever written now and then and at the end; in between what this round wrote.
        check(&writer, &ledger, round % 10 == 9 || round + 1 == rounds).await;
        println!(
            "round {round}: killed after {moment:?} with {in_flight} requests under way; acknowledged so far: {:?}",
            ledger.lock().unwrap().acknowledged
        );
    }
    drop(process);
    let ledger = ledger.lock().unwrap();
    for what in ["entity written", "entity deleted", "key created", "key regenerated", "key deleted"] {
        assert!(ledger.acknowledged.get(what).is_some_and(|count| *count > 0), "no {what}: {:?}", ledger.acknowledged);
    }
    assert!(interrupted * 5 >= rounds, "a request was under way in only {interrupted} of {rounds} rounds");
}

/// Counts a request as under way from before it is sent until its answer is complete.
async fn ask(site: &Site, request: Request, under_way: &AtomicUsize) -> Option<crate::support::Answer> {
    under_way.fetch_add(1, Ordering::SeqCst);
    let answer = site.try_ask(request).await.ok();
    under_way.fetch_sub(1, Ordering::SeqCst);
    answer
}

async fn write_entities(
    mut writer: Application,
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    under_way: Arc<AtomicUsize>,
    name: String,
) {
    writer.sign_in().await;
    let site = writer.site.clone();
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        let id = format!("{name}-{}", number % 40);
        let old = current(&ledger.lock().unwrap().entities, &id);
        let delete = number % 5 == 0 && old.is_some();
        let value = (!delete).then(|| format!("{name}-{number}"));
        let target = format!("/api/v1/entities/{id}");
        let request = match &value {
            Some(value) => {
                Request::new("PUT", &target).json(&json!({"attributes": {"user.value": value, "user.twin": value}}))
            }
            None => Request::new("DELETE", &target),
        };
        // Noted before it is sent: from here on either state may be the true one.
        ledger.lock().unwrap().note_entity(&id, Known::Either(old, value.clone()));
        let answer = ask(&site, request.bearer(&writer.token), &under_way).await;
        let Some(answer) = answer else { return };
        assert!((200..300).contains(&answer.status), "{answer:?}");
        let mut ledger = ledger.lock().unwrap();
        ledger.count(if delete { "entity deleted" } else { "entity written" });
        ledger.note_entity(&id, value.map_or(Known::Gone, Known::Acknowledged));
    }
}

/// What is there now, as far as it is certain.
fn current(known: &BTreeMap<String, Known>, id: &str) -> Option<String> {
    match known.get(id) {
        Some(Known::Acknowledged(value)) => Some(value.clone()),
        _ => None,
    }
}

async fn write_keys(
    site: Site,
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    under_way: Arc<AtomicUsize>,
    name: String,
) {
    let Some(mut person) = try_sign_in(&site).await else { return };
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        number += 1;
        let result = one_key(&mut person, &ledger, &under_way, &format!("{name}-{number}"), number).await;
        if result.is_none() {
            return;
        }
    }
}

async fn try_sign_in(site: &Site) -> Option<ConsoleUser> {
    let task = tokio::spawn({
        let site = site.clone();
        async move { ConsoleUser::sign_in(&site, "admin", PASSWORD).await }
    });
    task.await.ok()
}

/// Creates a key in the console, then by turns regenerates or deletes it. `None` when the hub died.
async fn one_key(
    person: &mut ConsoleUser,
    ledger: &Mutex<Ledger>,
    under_way: &AtomicUsize,
    name: &str,
    number: usize,
) -> Option<()> {
    let window = page(person, Request::get("/console/applications")).await?;
    let window =
        page(person, html::form_with(&window, "New API Key").press("New API Key", "/console/applications")).await?;
    let next = html::form_with(&window, "Next").fill("Name", name).press("Next", "/console/applications");
    let window = page(person, next).await?;
    let form = html::form_with(&window, "Generate API Key").tick("Operator");
    let answer = write(person, form.press("Generate API Key", "/console/applications"), under_way).await?;
    let made = person.shown_key(name, &answer);
    {
        let mut ledger = ledger.lock().unwrap();
        ledger.count("key created");
        ledger.note_key(&made.client_id, Known::Acknowledged(made.client_secret.clone()));
    }
    let (open, button) = match number % 3 {
        0 => ("Delete", "Delete API key"),
        1 => ("Regenerate", "Regenerate API key"),
        _ => return Some(()),
    };
    let window =
        page(person, Request::get(&format!("/console/applications/{}/{}", made.client_id, open.to_lowercase())))
            .await?;
    let request = html::form_with(&window, button).press(button, "/console/applications");
    let old = Some(made.client_secret.clone());
    ledger.lock().unwrap().note_key(&made.client_id, Known::Either(old, None));
    let answer = write(person, request, under_way).await?;
    let mut ledger = ledger.lock().unwrap();
    if open == "Delete" {
        assert!(matches!(answer.status, 200 | 303), "{answer:?}");
        ledger.count("key deleted");
        ledger.note_key(&made.client_id, Known::Gone);
    } else {
        let new = person.shown_key(name, &answer);
        ledger.count("key regenerated");
        ledger.note_key(&made.client_id, Known::Acknowledged(new.client_secret));
    }
    Some(())
}

/// A page on the way; `None` when the hub died.
async fn page(person: &mut ConsoleUser, request: Request) -> Option<crate::support::Answer> {
    let answer = person.try_go(request).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Some(answer)
}

/// A write; its redirect is not followed, since the write is acknowledged by then.
async fn write(person: &mut ConsoleUser, request: Request, under_way: &AtomicUsize) -> Option<crate::support::Answer> {
    under_way.fetch_add(1, Ordering::SeqCst);
    let answer = person.try_send(request).await;
    under_way.fetch_sub(1, Ordering::SeqCst);
    let answer = answer?;
    assert!(answer.status < 400, "{}", answer.text());
    Some(answer)
}

/// Everything acknowledged is so; everything under way is one of its two states, and from now on a known one.
async fn check(writer: &Application, ledger: &Mutex<Ledger>, all: bool) {
    let mut writer = writer.clone();
    let start = Instant::now();
    writer.sign_in().await;
    let touched = std::mem::take(&mut ledger.lock().unwrap().touched);
    let wanted = |known: &BTreeMap<String, Known>| {
        let mut known = known.clone();
        known.retain(|id, _| all || touched.contains(id));
        known
    };
    let entities = wanted(&ledger.lock().unwrap().entities);
    for (id, known) in entities {
        let answer = writer.get(&format!("/api/v1/entities/{id}")).await;
        let found = match answer.status {
            200 => {
                let attributes = answer.json()["attributes"].clone();
                assert_eq!(attributes["user.value"], attributes["user.twin"], "{id} is half there");
                attributes["user.value"].as_str().map(str::to_owned)
            }
            404 => None,
            _ => panic!("{answer:?}"),
        };
        match &known {
            Known::Acknowledged(value) => assert_eq!(found.as_ref(), Some(value), "entity {id}"),
            Known::Gone => assert_eq!(found, None, "entity {id}"),
            Known::Either(old, new) => assert!(found == *old || found == *new, "entity {id}: {found:?}, {known:?}"),
        }
        let settled = found.map_or(Known::Gone, Known::Acknowledged);
        ledger.lock().unwrap().entities.insert(id, settled);
    }
    let keys = wanted(&ledger.lock().unwrap().keys);
    for (id, known) in keys {
        let works = async |secret: &str| Application::with_key(&writer.site, "", &id, secret).key_works().await;
        match &known {
            Known::Acknowledged(secret) => assert!(works(secret).await, "the key {id} is lost"),
            // Regenerated or deleted or neither, unseen: what became of it is checked as a whole in the tables.
            Known::Either(..) => drop(ledger.lock().unwrap().keys.remove(&id)),
            Known::Gone => {
                let answer = writer.get(&format!("/api/v1/applications/{id}")).await;
                assert_eq!(answer.status, 404, "the key {id} is back");
            }
        }
    }
    assert!(start.elapsed() < Duration::from_mins(2));
}

/// What belongs together is there together: key with secret, role, change and audit event.
fn nothing_is_half_there(rows: &Rows) {
    let column = |table: &str, name: &str| -> Vec<String> {
        rows.table(table).iter().map(|row| row[name].as_str().unwrap_or_default().to_owned()).collect()
    };
    let (secrets, roles) = (column("api_secret", "client_id"), column("application_role", "client_id"));
    let created: Vec<_> = rows.table("audit_event");
    for id in column("application", "client_id") {
        assert!(secrets.contains(&id), "{id} has no secret");
        assert!(roles.contains(&id), "{id} has no role");
        assert!(created.iter().any(|event| event["target_id"] == id.as_str()), "{id} has no audit event");
    }
    let alive = column("application", "client_id");
    for id in column("deleted_application", "client_id") {
        assert!(!alive.contains(&id) && !secrets.contains(&id), "{id} is deleted in part");
        assert!(created.iter().filter(|event| event["target_id"] == id.as_str()).count() >= 2, "{id} lacks an event");
    }
    let numbers: Vec<i64> = rows.table("change").iter().filter_map(|row| row["seq"].as_i64()).collect();
    let highest = numbers.iter().max().copied().unwrap_or(0);
    assert!(
        rows.table("change_counter").iter().any(|row| row["seq"].as_i64() == Some(highest)),
        "the counter is the last change"
    );
    let sequence: Vec<i64> = created.iter().filter_map(|event| event["sequence"].as_i64()).collect();
    assert_eq!(
        sequence.iter().max().copied().unwrap_or(0),
        i64::try_from(sequence.len()).unwrap_or(0),
        "no gap in the audit log"
    );
    // Entities: the rows for filters say what the answered JSON says.
    let mut indexed: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    for row in rows.table("entity_attribute") {
        indexed.entry(text(&row, "entity_id")).or_default().insert(text(&row, "key"), text(&row, "value"));
    }
    for row in rows.table("entity") {
        let attributes: BTreeMap<String, String> = serde_json::from_str(&text(&row, "attributes")).expect("a map");
        assert_eq!(attributes, indexed.remove(&text(&row, "id")).unwrap_or_default(), "{}", row["id"]);
    }
    assert!(indexed.is_empty(), "attributes without their entity: {indexed:?}");
}
