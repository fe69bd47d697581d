//! Keys are made, regenerated and deleted and roles are changed at random nodes, while every node is asked. No node accepts
//! what is dead for longer than its bound: 1 s after the acknowledgement, or the staleness limit if it can't reach the
//! store.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    fleet::{Fleet, Key, Person, Places},
    support::{MACHINE, Request, chance::Chance, postgres::PostgresDatabase},
    wire::{Client, Way},
};

/// Rule 3; and something more for a busy test machine unless the figures are wanted.
fn bound() -> Duration {
    Duration::from_millis(if at_length() { 1_000 } else { 1_500 })
}

/// Set by `just nodes`.
fn at_length() -> bool {
    std::env::var_os("NODES_CHANGES").is_some()
}

/// How many changes a story makes: a share of 2,000 that keeps the suite short.
fn changes(short: usize) -> usize {
    std::env::var("NODES_CHANGES").ok().and_then(|text| text.parse().ok()).unwrap_or(short)
}

/// The staleness limit of nodes in stories that lose the store.
const LIMIT: Duration = Duration::from_secs(3);
const LIMIT_FLAG: [&str; 2] = ["--staleness-limit", "3s"];

/// What every task shares.
struct Storm {
    addresses: Vec<SocketAddr>,
    person: Person,
    /// How long each node may take, in milliseconds.
    bounds: Vec<AtomicU64>,
    /// The nodes at which people work.
    staffed: Vec<usize>,
    /// Secrets and tokens that no node may accept any more.
    dead: Mutex<Vec<(Key, String)>>,
    /// From acknowledgement to effect on another node.
    took: Mutex<Vec<Duration>>,
    done: AtomicUsize,
    unknown: AtomicUsize,
    asked: AtomicUsize,
    unavailable: AtomicUsize,
    /// What happened meanwhile is over.
    over: AtomicBool,
    stop: AtomicBool,
}

/// What a worker has.
struct Hand {
    chance: Chance,
    clients: Vec<Client>,
    live: Vec<(Key, String)>,
    role: (String, String),
    /// A key with that role, and its token.
    member: (Key, String),
    wide: bool,
}

const NARROW: &[&str] = &["entities:view"];
const WIDE: &[&str] = &["entities:view", "audit:view"];

impl Storm {
    async fn over(fleet: &Fleet<'_>) -> Arc<Self> {
        Arc::new(Self::new(fleet).await)
    }

    /// The same, with people at these nodes alone.
    async fn at(fleet: &Fleet<'_>, staffed: &[usize]) -> Arc<Self> {
        Arc::new(Self { staffed: staffed.to_vec(), ..Self::new(fleet).await })
    }

    async fn new(fleet: &Fleet<'_>) -> Self {
        let bounds = fleet.nodes.iter().map(|_| AtomicU64::new(u64::try_from(bound().as_millis()).expect("short")));
        Self {
            addresses: fleet.addresses(),
            person: fleet.person().await,
            bounds: bounds.collect(),
            staffed: (0..fleet.nodes.len()).collect(),
            dead: Mutex::default(),
            took: Mutex::default(),
            done: AtomicUsize::new(0),
            unknown: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            unavailable: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }
    }

    fn allow(&self, node: usize, time: Duration) {
        self.bounds[node].store(u64::try_from(time.as_millis()).expect("short"), Ordering::Relaxed);
    }

    fn clients(&self) -> Vec<Client> {
        self.addresses.iter().map(|address| Client::new(*address)).collect()
    }

    fn node(&self, chance: &mut Chance) -> usize {
        self.staffed[chance.below(self.staffed.len())]
    }

    /// A new key and a token of it.
    async fn new_key(&self, hand: (&mut Chance, &mut [Client]), role: &str) -> Option<(Key, String)> {
        let (chance, clients) = hand;
        let node = self.node(chance);
        let key = self.person.create(node, chance, role).await?;
        let token = clients[node].token(&key.id, &key.secret).await.filter(|answer| answer.status == 200)?;
        Some((key, token.member("access_token")))
    }

    async fn hand(&self, seed: u64, number: u64) -> Hand {
        let mut chance = Chance::new(seed + number);
        let name = format!("role {seed} {number}");
        self.person.create_role(0, &name, WIDE).await.expect("a role");
        let page = self.person.role_page(&name).await;
        let mut clients = self.clients();
        let member = self.new_key((&mut chance, &mut clients), &name).await.expect("a key");
        Hand { chance, clients, live: Vec::new(), role: (page, name), member, wide: true }
    }

    /// One change at a random node, and until it is in effect on all.
    async fn change(&self, hand: &mut Hand) -> Option<()> {
        let node = self.node(&mut hand.chance);
        let which = hand.chance.below(hand.live.len().max(1));
        match hand.chance.below(4) {
            1 if !hand.live.is_empty() => {
                let (key, token) = hand.live.swap_remove(which);
                let new = self.person.regenerate(node, &mut hand.chance, &key).await?;
                let acknowledged = Instant::now();
                self.dies(hand, node, acknowledged, &key, &token).await;
                let answer =
                    hand.clients[node].token(&new.id, &new.secret).await.filter(|answer| answer.status == 200)?;
                hand.live.push((new, answer.member("access_token")));
            }
            2 if !hand.live.is_empty() => {
                let (key, token) = hand.live.swap_remove(which);
                self.person.delete(node, &key).await?;
                self.dies(hand, node, Instant::now(), &key, &token).await;
            }
            3 => {
                let wide = !hand.wide;
                let (page, name) = hand.role.clone();
                self.person.change_role(node, &page, &name, if wide { WIDE } else { NARROW }).await?;
                hand.wide = wide;
                if !wide {
                    self.loses(hand, node, Instant::now()).await;
                }
            }
            _ => {
                let made = self.new_key((&mut hand.chance, &mut hand.clients), "Operator").await?;
                hand.live.push(made);
            }
        }
        Some(())
    }

    /// Every node refuses secret and token, in time.
    async fn dies(&self, hand: &mut Hand, here: usize, acknowledged: Instant, key: &Key, token: &str) {
        let end = async |node: usize, client: &mut Client| {
            loop {
                let begun = acknowledged.elapsed();
                let with_token = client.get("/api/v1/whoami", token).await;
                let with_secret = client.token(&key.id, &key.secret).await;
                let accepted = [with_token, with_secret].into_iter().flatten().any(|answer| answer.status == 200);
                if !accepted {
                    return self.in_effect(node, here, acknowledged);
                }
                self.judge(node, here, begun, &key.id);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        match &mut hand.clients[..] {
            [a, b, c] => drop(tokio::join!(end(0, a), end(1, b), end(2, c))),
            one => end(0, &mut one[0]).await,
        }
        self.dead.lock().unwrap().push((key.clone(), token.to_owned()));
    }

    /// Every node refuses what the role does not give any more, in time.
    async fn loses(&self, hand: &mut Hand, here: usize, acknowledged: Instant) {
        let token = &hand.member.1;
        let end = async |node: usize, client: &mut Client| {
            loop {
                let begun = acknowledged.elapsed();
                let answer = client.get("/api/v1/audit", token).await;
                if answer.is_none_or(|answer| answer.status != 200) {
                    return self.in_effect(node, here, acknowledged);
                }
                self.judge(node, here, begun, "the role");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        match &mut hand.clients[..] {
            [a, b, c] => drop(tokio::join!(end(0, a), end(1, b), end(2, c))),
            one => end(0, &mut one[0]).await,
        }
    }

    #[track_caller]
    fn judge(&self, node: usize, here: usize, begun: Duration, what: &str) {
        assert_ne!(node, here, "{what}: accepted where the change was made and acknowledged");
        let most = Duration::from_millis(self.bounds[node].load(Ordering::Relaxed));
        assert!(begun <= most, "{what}: node {node} accepts it {begun:?} after the acknowledgement, {most:?} allowed");
    }

    fn in_effect(&self, node: usize, here: usize, acknowledged: Instant) {
        if node != here && self.staffed.contains(&node) {
            self.took.lock().unwrap().push(acknowledged.elapsed());
        }
    }

    /// Asks one node over and over with what is dead for good, and with a key that always lives.
    async fn asker(self: Arc<Self>, node: usize, living: Key, seed: u64) {
        let mut chance = Chance::new(seed ^ 0xA5A5);
        let mut client = Client::new(self.addresses[node]);
        while !self.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let dead = {
                let dead = self.dead.lock().unwrap();
                (!dead.is_empty()).then(|| dead[chance.below(dead.len())].clone())
            };
            if let Some((key, token)) = dead {
                let with_token = client.get("/api/v1/whoami", &token).await;
                let with_secret = client.token(&key.id, &key.secret).await;
                for answer in [with_token, with_secret].into_iter().flatten() {
                    assert!(matches!(answer.status, 401 | 429 | 503), "node {node} revived {}: {answer:?}", key.id);
                }
            }
            let Some(answer) = client.token(&living.id, &living.secret).await else { continue };
            assert!(matches!(answer.status, 200 | 503), "node {node}: {answer:?}");
            self.asked.fetch_add(1, Ordering::Relaxed);
            if answer.status == 503 {
                assert!(answer.header("retry-after").is_some());
                self.unavailable.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// So many changes by four people, and more as long as `meanwhile` goes on.
    async fn rage(self: &Arc<Self>, count: usize, seed: u64, meanwhile: impl Future<Output = ()>) {
        println!("seed {seed}");
        let mut chance = Chance::new(seed);
        let living = self.person.create(0, &mut chance, "Operator").await.expect("a key");
        tokio::time::sleep(bound()).await;
        let askers: Vec<_> = (0..self.addresses.len())
            .map(|node| tokio::spawn(Arc::clone(self).asker(node, living.clone(), seed + node as u64)))
            .collect();
        let mut workers = Vec::new();
        for number in 0..4 {
            let mut hand = self.hand(seed, number).await;
            let storm = Arc::clone(self);
            workers.push(tokio::spawn(async move {
                while storm.done.load(Ordering::Relaxed) < count || !storm.over.load(Ordering::Relaxed) {
                    if storm.change(&mut hand).await.is_some() {
                        storm.done.fetch_add(1, Ordering::Relaxed);
                    } else {
                        // A store that is away: whoever asks again at once gains nothing.
                        storm.unknown.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }));
        }
        meanwhile.await;
        self.over.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.await.expect("every change was obeyed");
        }
        self.stop.store(true, Ordering::Relaxed);
        for asker in askers {
            asker.await.expect("no node answered wrongly");
        }
    }

    fn report(&self, story: &str) {
        let mut took = std::mem::take(&mut *self.took.lock().unwrap());
        took.sort();
        let at = |share: f64| took.get(((took.len() as f64 - 1.0) * share) as usize).copied().unwrap_or_default();
        println!(
            "{story}: {} changes, {} without an answer; {} requests in between, {} of them 503; \
             change to effect on another node: p50 {:.1?}, p99 {:.1?}, most {:.1?}",
            self.done.load(Ordering::Relaxed),
            self.unknown.load(Ordering::Relaxed),
            self.asked.load(Ordering::Relaxed),
            self.unavailable.load(Ordering::Relaxed),
            at(0.5),
            at(0.99),
            took.last().copied().unwrap_or_default(),
        );
    }
}

fn three(database: &PostgresDatabase) -> Vec<String> {
    vec![database.url.clone(); 3]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_03_no_dead_key_lives_on_at_any_of_three_nodes() {
    let _machine = MACHINE.lock().await;
    let database = PostgresDatabase::create();
    let places = Places::on(&three(&database));
    let fleet = places.start(&[]);
    let storm = Storm::over(&fleet).await;
    storm.rage(changes(120), Chance::seed(), async {}).await;
    assert_eq!((storm.unknown.load(Ordering::Relaxed), storm.unavailable.load(Ordering::Relaxed)), (0, 0));
    storm.report("all well");
    let pages = storm.person.send(1, Request::get("/console/nodes")).await.expect("an answer").expect(200).text();
    assert!(["node-a", "node-b", "node-c"].iter().all(|name| pages.contains(name)), "{pages}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_03_without_notifications_the_poll_is_enough() {
    let _machine = MACHINE.lock().await;
    let database = PostgresDatabase::create();
    let places = Places::on(&three(&database));
    let fleet = places.start(&["--database-notify", "false"]);
    assert_eq!(listeners(&database), 0);
    let storm = Storm::over(&fleet).await;
    storm.rage(changes(40), Chance::seed(), async {}).await;
    storm.report("without notifications");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_03_no_dead_key_lives_on_at_one_node_with_its_own_files() {
    let _machine = MACHINE.lock().await;
    let places = Places::embedded();
    let fleet = places.start(&[]);
    let storm = Storm::over(&fleet).await;
    storm.rage(changes(60), Chance::seed(), async {}).await;
    assert_eq!((storm.unknown.load(Ordering::Relaxed), storm.unavailable.load(Ordering::Relaxed)), (0, 0));
    storm.report("one node on SQLite");
}

fn listeners(database: &PostgresDatabase) -> usize {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()";
    database.sql(count).trim().parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_03_listeners_killed_and_the_database_restarted() {
    let _machine = MACHINE.lock().await;
    let database = PostgresDatabase::create();
    let places = Places::on(&three(&database));
    let fleet = places.start(&[]);
    let storm = Storm::over(&fleet).await;
    let seed = Chance::seed();
    let mut chance = Chance::new(seed);
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE query LIKE 'LISTEN%' AND datname = current_database() AND random() < 0.5";
    let count = changes(60);
    let killing = async {
        while storm.done.load(Ordering::Relaxed) < count {
            tokio::time::sleep(Duration::from_millis(200 + chance.number() % 600)).await;
            database.sql(kill);
        }
    };
    storm.rage(count, seed, killing).await;
    storm.report("listeners killed");

    // While nobody can reach the store, nobody can learn of a change: the staleness limit holds then.
    let storm = Storm::over(&fleet).await;
    for node in 0..3 {
        storm.allow(node, Duration::from_secs(30));
    }
    let count = changes(60);
    let restarting = async {
        while storm.done.load(Ordering::Relaxed) < count / 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::task::spawn_blocking(PostgresDatabase::restart_server).await.expect("restarted");
        tokio::time::sleep(Duration::from_secs(3)).await;
        for node in 0..3 {
            storm.allow(node, bound());
        }
    };
    storm.rage(count, seed + 100, restarting).await;
    storm.report("the database restarted");
    let start = Instant::now();
    while listeners(&database) < 3 {
        assert!(start.elapsed() < Duration::from_secs(10), "nodes do not listen again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_03_a_node_that_is_cut_off_obeys_its_staleness_limit() {
    let _machine = MACHINE.lock().await;
    let database = PostgresDatabase::create();
    let way = Way::to(PostgresDatabase::port()).await;
    let urls = [database.url.clone(), database.url.clone(), database.url_at(way.port)];
    let places = Places::on(&urls);
    let fleet = places.start(&LIMIT_FLAG);
    let storm = Storm::at(&fleet, &[0, 1]).await;
    let count = changes(40);
    storm.allow(2, LIMIT);
    let mut client = Client::new(fleet.addresses()[2]);
    let cut = async {
        way.set(false);
        let start = Instant::now();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let said = storm.person.send(2, Request::get("/console/applications")).await.expect("an answer");
        assert_eq!(said.status, 503, "the console says so");
        assert!(said.text().contains("nothing can be changed"));
        while client.ask(&Request::get("/readyz")).await.is_some_and(|answer| answer.status == 200) {
            assert!(start.elapsed() < LIMIT + bound(), "it goes on deciding");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("refuses after {:?}", start.elapsed());
    };
    storm.rage(count, Chance::seed(), cut).await;
    storm.report("one node cut off");
    // While it is away, the others' console says who is behind.
    let seq = database.sql("SELECT seq FROM change_counter WHERE id = 1").trim().to_owned();
    let asked = Instant::now();
    loop {
        let page =
            storm.person.send(0, Request::get(&format!("/console/changes/{seq}"))).await.expect("an answer").text();
        if page.contains("In effect on 2 of 3 nodes; node-c") {
            break;
        }
        // The other one reports ten times a second at most.
        assert!(asked.elapsed() < Duration::from_secs(1), "{page}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    way.set(true);
    let start = Instant::now();
    while client.ask(&Request::get("/readyz")).await.is_none_or(|answer| answer.status != 200) {
        assert!(start.elapsed() < Duration::from_secs(20), "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("back after {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_03_a_stopped_process_accepts_nothing_that_died_meanwhile() {
    let _machine = MACHINE.lock().await;
    let database = PostgresDatabase::create();
    let places = Places::on(&three(&database));
    let fleet = places.start(&LIMIT_FLAG);
    let storm = Storm::over(&fleet).await;
    let mut chance = Chance::new(Chance::seed());
    let mut clients = storm.clients();
    for round in 0..3 {
        let (key, token) = storm.new_key((&mut chance, &mut clients), "Operator").await.expect("a key");
        let mut node = Client::new(fleet.addresses()[2]);
        while node.get("/api/v1/whoami", &token).await.is_none_or(|answer| answer.status != 200) {}
        fleet.signal(2, "-STOP");
        storm.person.delete(0, &key).await.expect("deleted");
        tokio::time::sleep(LIMIT + Duration::from_millis(100)).await;
        // Whatever waited for it while it was stopped is answered by what it knew then, if anything is.
        let waiting = {
            let (address, token) = (fleet.addresses()[2], token.clone());
            tokio::spawn(async move { Client::new(address).get("/api/v1/whoami", &token).await })
        };
        tokio::time::sleep(Duration::from_millis(50)).await;
        fleet.signal(2, "-CONT");
        let first = waiting.await.expect("a task").expect("an answer");
        assert!(matches!(first.status, 401 | 503), "round {round}: {first:?}");
        let answer = node.token(&key.id, &key.secret).await;
        assert!(answer.is_none_or(|answer| answer.status != 200));
        while node.ask(&Request::get("/readyz")).await.is_none_or(|answer| answer.status != 200) {}
        assert_eq!(node.get("/api/v1/whoami", &token).await.expect("an answer").status, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_put_back_to_a_copy_is_read_anew_by_every_node() {
    let _machine = MACHINE.lock().await;
    let database = PostgresDatabase::create();
    let places = Places::on(&three(&database));
    let fleet = places.start(&LIMIT_FLAG);
    let seed = Chance::seed();
    let storm = Storm::over(&fleet).await;
    let mut chance = Chance::new(seed);
    let mut clients = storm.clients();
    let (before, _) = storm.new_key((&mut chance, &mut clients), "Operator").await.expect("a key");
    database.copy();
    settle(&mut clients).await;
    let (after, after_token) = storm.new_key((&mut chance, &mut clients), "Operator").await.expect("a key");
    let again = storm.person.regenerate(1, &mut chance, &before).await.expect("a secret");
    for _ in 0..5 {
        storm.new_key((&mut chance, &mut clients), "Operator").await.expect("a key");
    }
    database.put_back();
    // What the copy does not know is refused, and what it knows is as it was: on every node alike.
    let start = Instant::now();
    for (node, client) in clients.iter_mut().enumerate() {
        loop {
            let old = client.token(&before.id, &before.secret).await.map(|answer| answer.status);
            let gone = client.token(&after.id, &after.secret).await.map(|answer| answer.status);
            let lost = client.token(&again.id, &again.secret).await.map(|answer| answer.status);
            let token = client.get("/api/v1/whoami", &after_token).await.map(|answer| answer.status);
            if (old, gone, lost) == (Some(200), Some(401), Some(401)) && matches!(token, Some(401 | 503)) {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(15), "node {node}: {old:?} {gone:?} {lost:?} {token:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    println!("every node goes by the copy after {:?}", start.elapsed());
    // And the rule holds from there on, with numbers that were given before.
    let storm = Storm::over(&fleet).await;
    storm.rage(changes(20), seed + 7, async {}).await;
    storm.report("after the store was put back");
}

/// Waits until every node is ready.
async fn settle(clients: &mut [Client]) {
    for client in clients {
        let start = Instant::now();
        while client.ask(&Request::get("/readyz")).await.is_none_or(|answer| answer.status != 200) {
            assert!(start.elapsed() < Duration::from_secs(15));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
