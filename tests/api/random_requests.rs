//! 100,000 requests, generated from the route tables and mutated: whatever comes, no 5xx and no panic. Some more on
//! PostgreSQL, which refuses texts that SQLite takes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tokio::time::timeout;

use crate::{
    routes::{self, Route},
    support::{Application, Connection, ConsoleUser, Hub, MACHINE, Request, chance::Chance, html, hub::PASSWORD},
};

const REQUESTS: usize = 100_000;
const CONNECTIONS: usize = 6;
/// After so many requests the tokens are renewed: some requests revoke them.
const RENEW: usize = 400;

#[derive(Default)]
struct Tally {
    requests: usize,
    authenticated: usize,
    good: usize,
    unanswered: usize,
    by_route: BTreeMap<String, BTreeMap<u16, usize>>,
    failures: Vec<String>,
}

/// What a caller can show; renewed now and then.
struct Callers {
    applications: Vec<Application>,
    person: ConsoleUser,
    csrf: Option<(String, String)>,
    /// Keys that the console may do anything to; not those that the requests are sent with.
    disposable: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_random_requests_break_nothing() {
    storm(Hub::start().await, REQUESTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_requests_break_nothing_on_postgresql() {
    storm(Hub::start_on_postgres().await, REQUESTS / 5).await;
}

async fn storm(hub: Hub, requests: usize) {
    let _machine = MACHINE.lock().await;
    let panics = count_panics();
    let seed = Chance::seed();
    println!("GATEWAY_HUB_TEST_SEED={seed}");
    hub.role("Fx", &["entities:view", "entities:edit"], Some("user.department = fx OR user.region LIKE \"e*\"")).await;
    let mut applications = Vec::new();
    for roles in [&["Administrator"][..], &["Operator"], &["Fx"], &["Fx", "Operator"]] {
        applications.push(hub.application(roles).await);
    }
    for number in 0..50 {
        let body = json!({"attributes": {"user.department": "fx", "number": number.to_string()}});
        applications[0].send("PUT", &format!("/api/v1/entities/host-{number}"), &body).await;
    }
    let routes = Arc::new(routes::all());
    let mut tasks = Vec::new();
    for task in 0..CONNECTIONS {
        let person = hub.console_user("Administrator").await;
        let callers = Callers { applications: applications.clone(), person, csrf: None, disposable: Vec::new() };
        let chance = Chance::new(seed.wrapping_add(task as u64));
        let count = requests.div_ceil(CONNECTIONS);
        tasks.push(tokio::spawn(run(hub.site.clone(), Arc::clone(&routes), callers, chance, count)));
    }
    let mut all = Tally::default();
    for task in tasks {
        let tally = task.await.expect("the task ends");
        all.requests += tally.requests;
        all.authenticated += tally.authenticated;
        all.good += tally.good;
        all.unanswered += tally.unanswered;
        all.failures.extend(tally.failures);
        for (route, statuses) in tally.by_route {
            for (status, count) in statuses {
                *all.by_route.entry(route.clone()).or_default().entry(status).or_default() += count;
            }
        }
    }
    for (route, statuses) in &all.by_route {
        let counts: Vec<_> = statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        println!("{route:60} {}", counts.join(", "));
    }
    let share = |count: usize| 100.0 * count as f64 / all.requests as f64;
    println!(
        "{} requests, {:.1} % authenticated, {:.1} % answered 2xx, {} closed without an answer",
        all.requests,
        share(all.authenticated),
        share(all.good),
        all.unanswered
    );
    assert!(all.failures.is_empty(), "seed {seed}: {:#?}", &all.failures[..all.failures.len().min(5)]);
    assert_eq!(panics.load(Ordering::Relaxed), 0, "seed {seed}");
    assert!(all.requests >= requests);
    assert!(share(all.authenticated) >= 30.0 && share(all.good) >= 5.0);
    let unasked: Vec<_> = routes.iter().filter(|route| !all.by_route.contains_key(&name(route))).collect();
    assert!(unasked.is_empty(), "{unasked:?}");
    hub.site.get("/readyz").await.expect(200);
}

/// Counts the panics of the program's own code; a test's failed assertion is not one.
fn count_panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.location().is_some_and(|location| !location.file().starts_with("tests/")) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        usual(info);
    }));
    count
}

fn name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

async fn run(
    site: crate::support::Site,
    routes: Arc<Vec<Route>>,
    mut callers: Callers,
    mut chance: Chance,
    count: usize,
) -> Tally {
    let mut tally = Tally::default();
    let mut connection = None;
    // Hashing a password takes thousands of times as long as anything else here, and who has signed out sees little.
    let weight = |route: &Route| if route.method == "POST" && is_slow(&route.path) { 1 } else { 30 };
    let weighted: Vec<usize> = (0..routes.len()).flat_map(|at| std::iter::repeat_n(at, weight(&routes[at]))).collect();
    for number in 0..count {
        if number % RENEW == 0 {
            for application in &mut callers.applications {
                let answer = application.ask_token(&[]).await;
                if answer.status == 200 {
                    application.token = answer.member("access_token");
                }
            }
            let mut page = callers.person.get("/console/applications").await;
            if page.status != 200 {
                callers.person = ConsoleUser::sign_in(&site, &callers.person.name, PASSWORD).await;
                page = callers.person.get("/console/applications").await;
            }
            callers.disposable = client_ids(&page.text());
            callers.disposable.retain(|id| callers.applications.iter().all(|own| own.client_id != *id));
            let mut fields = html::forms(&page).into_iter().flat_map(|form| form.fields);
            callers.csrf = fields.find(|field| field.name.contains("csrf")).map(|field| (field.name, field.value));
        }
        // The last ones ask each route once, so that none is left out by chance.
        let left = count - number;
        let at = if left <= routes.len() { left - 1 } else { weighted[chance.below(weighted.len())] };
        let route = &routes[at];
        let (request, authenticated) = generate(route, &callers, &mut chance);
        let mut raw = request.bytes(&site.host());
        let broken = chance.percent(3);
        if broken {
            damage(&mut raw, &mut chance);
            connection = None;
        }
        tally.requests += 1;
        let answer = ask(&site, &mut connection, &raw, request.method == "HEAD", broken).await;
        let Some(answer) = answer else {
            tally.unanswered += 1;
            continue;
        };
        // Only what was accepted counts as authenticated: a token that is refused proves nothing.
        if authenticated && !broken && answer.status != 401 {
            tally.authenticated += 1;
        }
        tally.good += usize::from((200..300).contains(&answer.status));
        *tally.by_route.entry(name(route)).or_default().entry(answer.status).or_default() += 1;
        if answer.status >= 500 {
            tally.failures.push(format!("{}\n---\n{}", String::from_utf8_lossy(&raw), answer.everything()));
        }
    }
    tally
}

/// Every `client_id` that a text names.
fn client_ids(text: &str) -> Vec<String> {
    let found = text.match_indices("gh_").filter_map(|(at, _)| text.get(at..at + 25));
    found.filter(|id| id[3..].bytes().all(|byte| byte.is_ascii_alphanumeric())).map(str::to_owned).collect()
}

fn is_slow(path: &str) -> bool {
    ["sign-in", "first-run", "sign-out"].iter().any(|word| path.contains(word))
}

async fn ask(
    site: &crate::support::Site,
    kept: &mut Option<Connection>,
    raw: &[u8],
    bodiless: bool,
    broken: bool,
) -> Option<crate::support::Answer> {
    for _ in 0..2 {
        let fresh = kept.is_none();
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => Connection::open(site.address).await.expect("the hub listens"),
        };
        let sent = connection.send(raw).await.is_ok();
        if broken {
            connection.end_of_input().await;
        }
        let patience = Duration::from_secs(if broken { 3 } else { 60 });
        match timeout(patience, connection.answer(bodiless)).await {
            Ok(Ok(answer)) => {
                if !connection.closed && !broken {
                    *kept = Some(connection);
                }
                return Some(answer);
            }
            // The server may close a kept connection at any time; a fresh one that gives no answer is its answer.
            _ if fresh || !sent && broken => return None,
            _ => {}
        }
    }
    None
}

/// One request to the route, sensible in most of its parts.
fn generate(route: &Route, callers: &Callers, chance: &mut Chance) -> (Request, bool) {
    let method = if chance.percent(6) {
        chance.pick(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
    } else {
        route.method
    };
    let application = &callers.applications[chance.below(callers.applications.len())];
    let console = route.path.starts_with("/console");
    let id = if console && !callers.disposable.is_empty() {
        &callers.disposable[chance.below(callers.disposable.len())]
    } else {
        &application.client_id
    };
    // The keys that the requests are sent with stay out of the console's reach.
    let id = if console && callers.disposable.is_empty() { "gh_0000000000000000000000" } else { id };
    let mut target = fill(&route.path, id, chance);
    if chance.percent(45) {
        target.push('?');
        target.push_str(&query(chance));
    }
    let mut request = Request::new(method, &target);
    let mut authenticated = false;
    let oauth = route.path.starts_with("/oauth2") && route.method == "POST";
    if console {
        if chance.percent(75) {
            let cookies: Vec<_> =
                callers.person.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("Cookie", &cookies.join("; ")).header("Sec-Fetch-Site", "same-origin");
            request = request.header("Origin", &callers.person.site.issuer);
            authenticated = true;
        }
    } else if oauth {
        if chance.percent(75) {
            request = request.basic(&application.client_id, &application.client_secret);
            authenticated = true;
        }
    } else if chance.percent(80) {
        request = request.bearer(&application.token);
        authenticated = true;
    }
    if chance.percent(10) {
        authenticated = false;
        request = request.header("Authorization", &text(chance));
    }
    if chance.percent(20) {
        let name = chance.pick(&[
            "If-Match",
            "If-None-Match",
            "Accept",
            "Content-Encoding",
            "Range",
            "Expect",
            "X-Forwarded-For",
            "Cookie",
            "Origin",
            "TE",
            "Accept-Language",
        ]);
        // A request that expects 100-continue is answered before its body is read; that is tested elsewhere.
        let value = text(chance);
        if !(name == "Expect" && value.contains("100")) {
            request = request.header(name, &value);
        }
    }
    if method != "GET" && method != "HEAD" && chance.percent(90) {
        let (kind, body) = body(console || oauth, application, callers, chance);
        request = request.body(&kind, &body);
    }
    (request, authenticated)
}

/// A target for the path's template, with ids that exist and ids that never could.
fn fill(template: &str, client_id: &str, chance: &mut Chance) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or(("", after));
        filled.push_str(&match (name, chance.below(10)) {
            (_, 0) => segment(chance),
            ("slug", _) => chance.pick(&["not-found", "console-only", "insufficient-scope"]).to_owned(),
            ("client_id", 1..=7) | (_, 1 | 2) => client_id.to_owned(),
            (_, 3) => chance.pick(&["role_administrator", "role_operator", "Operator"]).to_owned(),
            _ => format!("host-{}", chance.below(60)),
        });
        rest = after;
    }
    filled.push_str(rest);
    if chance.percent(3) {
        filled.push_str(&segment(chance));
    }
    filled
}

fn segment(chance: &mut Chance) -> String {
    let long = "a".repeat(chance.below(3_000));
    let choices = [
        "%2F",
        "%00",
        "%ff%fe",
        "..",
        "%2e%2e",
        "%",
        "%zz",
        "a%2Fb%2Fc",
        "%F0%9F%98%80",
        "//",
        ";a=b",
        "a b".trim_end_matches(" b"),
        "'\"",
        "%0d%0aX:y",
        "{id}",
        "*",
        &long,
    ];
    chance.pick(&choices).to_owned()
}

fn query(chance: &mut Chance) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for _ in 0..=chance.below(3) {
        let name = chance.pick(&[
            "filter",
            "limit",
            "cursor",
            "by",
            "next",
            "access_token",
            "token",
            "_method",
            "application",
            "x",
        ]);
        let value = match name {
            "filter" => filter(chance),
            "limit" => chance.pick(&["1", "10", "100", "0", "-1", "99999999999999999999", "x", ""]).to_owned(),
            _ => text(chance),
        };
        pairs.append_pair(name, &value);
    }
    let mut query = pairs.finish();
    if chance.percent(5) {
        query.push_str(chance.pick(&["&", "&&=", "%", "&a=%zz", "&filter=%ff", "=", "&limit"]));
    }
    query
}

fn filter(chance: &mut Chance) -> String {
    let mut text = chance
        .pick(&[
            "user.department = fx",
            "user.department IN (fx, rates) AND NOT number >= 20",
            "itrs.os-type EXISTS OR user.region LIKE \"e*\"",
            "id MATCHES \"host-[0-9]+\"",
            "((((a = b))))",
            "NOT NOT NOT a != \"\"",
            "",
            "a",
        ])
        .to_owned();
    if chance.percent(30) {
        text = "(".repeat(chance.below(200)) + &text;
    }
    if chance.percent(40) {
        let at = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).nth(chance.below(text.len())).unwrap_or(0);
        text.insert_str(
            at,
            chance.pick(&["(", ")", "\"", "\\", "é", "\u{0}", " AND ", "[", "*", "=", ",", "\u{202e}"]),
        );
    }
    text
}

/// A value for anything.
fn text(chance: &mut Chance) -> String {
    let choices = [
        "",
        "x",
        "*",
        "\"abc\"",
        "W/\"1\"",
        "gzip",
        "text/html",
        "Bearer x",
        "Basic Zm9vOmJhcg==",
        "bytes=0-",
        "'; DROP TABLE entity; --",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "%00",
        "entities:view",
        "client_credentials",
        "é",
        "0",
        "-1",
        "1e999",
        "NaN",
        "null",
        "aG9zdC0x",
        "{}",
        "=cmd|' /C calc'!A0",
    ];
    let text = chance.pick(&choices);
    if chance.percent(5) { text.repeat(chance.below(500)) } else { text.to_owned() }
}

fn body(form: bool, application: &Application, callers: &Callers, chance: &mut Chance) -> (String, Vec<u8>) {
    let slip = chance.percent(5);
    let (kind, mut body) = if form ^ slip {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        for name in [
            "grant_type",
            "token",
            "name",
            "role",
            "roles",
            "scope",
            "resource",
            "token_type_hint",
            "username",
            "password",
            "next",
        ] {
            if chance.percent(45) {
                let value = match name {
                    "grant_type" if chance.percent(90) => "client_credentials".to_owned(),
                    "token" if chance.percent(60) => application.token.clone(),
                    "scope" => chance.pick(&["entities:view", "entities:edit", "audit:view", "", "openid"]).to_owned(),
                    "resource" if chance.percent(60) => application.site.issuer.clone(),
                    "role" | "roles" => "role_operator".to_owned(),
                    _ => text(chance),
                };
                pairs.append_pair(name, &value);
            }
        }
        if let Some((name, value)) = &callers.csrf
            && chance.percent(85)
        {
            pairs.append_pair(name, value);
        }
        ("application/x-www-form-urlencoded", pairs.finish().into_bytes())
    } else {
        let value = match chance.below(8) {
            0 => json!({"attributes": {"user.department": "fx", "a": text(chance)}}),
            1 => json!({"attributes": {"user.department": chance.pick(&["fx", "rates"]), "user.region": "emea"}}),
            2 => json!({"attributes": {"user.department": null, "b": "c"}}),
            3 => json!({"id": format!("host-{}", chance.below(60)), "attributes": {"user.department": "fx"}}),
            4 => json!({"attributes": {text(chance): text(chance)}}),
            5 => json!({"attributes": [1, {"a": null}], "id": 5}),
            6 => json!([[[[[[[[]]]]]]]]),
            _ => json!({"attributes": {"user.department": "fx"}}),
        };
        ("application/json", value.to_string().into_bytes())
    };
    let kind = if chance.percent(5) {
        chance.pick(&["text/plain", "application/merge-patch+json", "", "multipart/form-data"])
    } else {
        kind
    };
    if chance.percent(8) {
        damage(&mut body, chance);
    }
    (kind.to_owned(), body)
}

/// Changes, removes or adds a few bytes.
fn damage(bytes: &mut Vec<u8>, chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        let byte = u8::try_from(chance.below(256)).unwrap_or(0);
        match chance.below(4) {
            0 if !bytes.is_empty() => bytes[at] = byte,
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            2 => bytes.insert(at, byte),
            _ => bytes.truncate(bytes.len() - bytes.len().min(chance.below(20))),
        }
    }
}
