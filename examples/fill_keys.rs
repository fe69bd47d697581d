//! Fills a hub with applications through SQL, for sizing (`docs/sizing.md`), and measures its start, its memory and pages of
//! the list:
//!
//! ```text
//! cargo run --release --example fill_keys -- 1000000 FOLDER
//! cargo run --release --example fill_keys -- 1000000 FOLDER 10000
//! cargo run --release --example fill_keys -- 1000000 postgres://user:password@host/database 10000
//! ```
//!
//! The last number is how many roles with filters to make; each application gets one of them.
//!
//! A hub that has applications already is measured as it is; one that was just filled is measured by a process of its own,
//! so that what the filling took is not counted. The secrets are no secrets: nothing hashes to what is filled in.

mod outcome;
mod turns;

use gateway_hub::actions::hub;
use gateway_hub::ambient::{Clock, Randomness};
use gateway_hub::app::App;
use gateway_hub::config::{Config, Database, DatabaseUrl};
use gateway_hub::domain::application::ClientId;
use gateway_hub::domain::role::RoleId;
use gateway_hub::store::application_list::{Order, Position, Search, Standing, page};
use gateway_hub::store::{self, Store, StoreSettings};
use outcome::{Fault, exit_code};
use sqlx::{AssertSqlSafe, Connection as _};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

const DAY: i64 = 86_400_000_000;
const BATCH: u64 = 1_000;

#[tokio::main]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (count, place, roles) = match arguments.as_slice() {
        [count, place] => (count, place, 0),
        [count, place, roles] => (count, place, roles.parse()?),
        _ => return Err("expected: COUNT FOLDER|postgres://… [ROLES]".into()),
    };
    let count: u64 = count.parse()?;
    let postgres = place.starts_with("postgres");
    let folder = if postgres { PathBuf::from("target/sizing-postgres") } else { PathBuf::from(place) };
    std::fs::create_dir_all(&folder)?;
    let mut config = Config::local(&folder);
    let mut settings = StoreSettings::Folder(folder.clone());
    if postgres {
        let url = DatabaseUrl::parse(place)?;
        config.database = Database::Postgres(url.clone());
        settings = StoreSettings::Postgres(url);
    }
    let app = hub::open(config, Clock::system(), Randomness::system()).await?;
    let there = store::application::count(&mut app.store.read().await?).await?;
    if there == 0 {
        let pepper = store::keys::peppers(&mut app.store.read().await?).await?.pop().ok_or("no pepper")?.id;
        let began = Instant::now();
        let now = app.clock.now().micros();
        let statements = (0..roles).map(|number| role(number, now));
        let batches = (0..count.div_ceil(BATCH)).map(|batch| inserts(batch, count, roles, &pepper, now));
        let statements = statements.chain(batches);
        if postgres {
            fill_postgres(place, statements).await?;
        } else {
            fill_sqlite(&folder, statements).await?;
        }
        println!("filled in {count} applications in {:.0?}", began.elapsed());
        return measure_anew(&arguments);
    }
    measure_start(&app).await?;
    measure(&Store::open(&settings).await?, app.clock.now()).await
}

/// Starts this program again, on a hub that is full now.
fn measure_anew(arguments: &[String]) -> Result<(), Fault> {
    let status = std::process::Command::new(std::env::current_exe()?).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err("the measuring failed".into()) }
}

/// How long it takes until the node can decide, and what it keeps in memory for that.
async fn measure_start(app: &App) -> Result<(), Fault> {
    let before = memory("VmRSS:")?;
    let began = Instant::now();
    app.bootstrap().await?;
    let elapsed = began.elapsed();
    let (count, after) = (app.snapshot.application_count(), memory("VmRSS:")?);
    let each = (after.saturating_sub(before) * 1024).checked_div(count).unwrap_or_default();
    println!(
        "ready with {count} applications and {} roles after {elapsed:.2?}; {} MiB, at most {} MiB; {each} bytes for each",
        app.snapshot.all_roles().len(),
        after / 1024,
        memory("VmHWM:")? / 1024,
    );
    Ok(())
}

/// A figure of this process in KiB.
fn memory(name: &str) -> Result<usize, Fault> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such figure")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The statements that add one role with a data filter.
fn role(number: u64, now: i64) -> String {
    format!(
        "INSERT INTO role (id, name, name_key, filter, built_in, created_at) VALUES ('role_fill{number}', 'role {number}', \
         'role {number}', 'user.department = \"department {number}\" AND user.environment IN (production, uat)', FALSE, {now}); \
         INSERT INTO role_grant (role_id, grant_text) VALUES ('role_fill{number}', 'entities:view'), \
         ('role_fill{number}', 'gateway/prometheus:view');"
    )
}

/// The statements that add the applications of one batch. Names spread over the alphabet; every 10th application is an
/// Administrator, every 200th disabled, every 100th expires, every 5000th is in an overlap, every 4th was never used.
fn inserts(batch: u64, count: u64, made: u64, pepper: &str, now: i64) -> String {
    let mut applications = String::new();
    let mut roles = String::new();
    let mut secrets = String::new();
    for number in batch * BATCH..count.min((batch + 1) * BATCH) {
        let spread = mixed(number);
        let id = client_id(number);
        let letters: String = (0..4).map(|place| char::from(b'a' + ((spread >> (8 * place)) % 26) as u8)).collect();
        let name = format!("{letters} service {number}");
        let enabled = number % 200 != 0;
        let age = i64::try_from(spread % 1_000).unwrap_or(0) * DAY;
        let expires = if number % 100 == 7 {
            (now + (number.cast_signed() % 60 - 20) * DAY).to_string()
        } else {
            "NULL".to_owned()
        };
        let used = if number % 4 == 0 { "NULL".to_owned() } else { (now - age / 7).to_string() };
        let comma = if applications.is_empty() { "" } else { "," };
        let _ = write!(
            applications,
            "{comma}('{id}','{name}','{name}','',{enabled},'',FALSE,{expires},0,{},'fill',{used})",
            now - age
        );
        let role = match (number.checked_rem(made), number % 10) {
            (Some(number), _) => format!("role_fill{number}"),
            (None, 0) => RoleId::ADMINISTRATOR.to_owned(),
            (None, _) => RoleId::OPERATOR.to_owned(),
        };
        let _ = write!(roles, "{comma}('{id}','{role}')");
        let _ = write!(secrets, "{comma}('{spread:032x}','{id}','{:064x}','{pepper}',{now},NULL)", u128::from(spread));
        if number % 5_000 == 9 {
            let _ =
                write!(secrets, ",('{:032x}','{id}','{:064x}','{pepper}',{now},{})", !u128::from(spread), 1, now + DAY);
        }
    }
    format!(
        "INSERT INTO application (client_id, name, name_key, description, enabled, networks, allow_basic, expires_at, \
         min_seq, created_at, created_by, last_used_at) VALUES {applications}; INSERT INTO application_role (client_id, \
         role_id) VALUES {roles}; INSERT INTO api_secret (id, client_id, hash, pepper, created_at, ends_at) VALUES {secrets};"
    )
}

/// `SplitMix64`, so that every run fills in the same.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn client_id(number: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut bits = u128::from(mixed(number)) << 64 | u128::from(mixed(!number));
    let mut id = String::from("gh_");
    for _ in 0..22 {
        id.push(char::from(DIGITS[(bits % 62) as usize]));
        bits /= 62;
    }
    id
}

async fn fill_sqlite(folder: &Path, statements: impl Iterator<Item = String>) -> Result<(), Fault> {
    let url = format!("sqlite://{}", folder.join("gateway-hub.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await?;
    sqlx::raw_sql("PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; BEGIN").execute(&mut connection).await?;
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    sqlx::raw_sql("COMMIT").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

async fn fill_postgres(url: &str, statements: impl Iterator<Item = String>) -> Result<(), Fault> {
    let mut connection = sqlx::PgConnection::connect(url).await?;
    sqlx::raw_sql("BEGIN").execute(&mut connection).await?;
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    // As the database does by itself after a while.
    sqlx::raw_sql("COMMIT; ANALYZE").execute(&mut connection).await?;
    sqlx::raw_sql("VACUUM application").execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Pages of the list of applications.
async fn measure(store: &Store, now: gateway_hub::domain::time::Timestamp) -> Result<(), Fault> {
    let any = Search::default();
    let words = |words: &str| Search { words: words.to_owned(), ..Search::default() };
    let role = |role: &str| Search { role: Some(RoleId::new(role)), ..Search::default() };
    let standing = |standing| Search { standing: Some(standing), ..Search::default() };
    let newest = Search { order: Order::Created, descending: true, ..Search::default() };
    let used = Search { order: Order::LastUsed, descending: true, ..Search::default() };
    let middle = |value: String| {
        Some(Position { backwards: false, value, client_id: ClientId::parse(&client_id(5)).expect("an id") })
    };
    let id = client_id(4_711);
    let searches = [
        ("the first page", any.clone()),
        ("the last page", Search { descending: true, ..any.clone() }),
        ("a page in the middle", Search { from: middle("mm".to_owned()), ..any.clone() }),
        ("newest first", newest.clone()),
        (
            "newest first, in the middle",
            Search { from: middle((now.micros() - 500 * DAY).to_string()), ..newest.clone() },
        ),
        ("by last use", used.clone()),
        ("by last use, in the middle", Search { from: middle((now.micros() - 70 * DAY).to_string()), ..used.clone() }),
        ("disabled, by last use", Search { standing: Some(Standing::Disabled), ..used.clone() }),
        ("a name beginning with one letter", words("m")),
        ("… by last use", Search { words: "m".to_owned(), ..used.clone() }),
        ("a name beginning with four letters", words("mabc")),
        ("a name beginning with nothing there is", words("zzzzzzzz")),
        ("a client_id beginning with 4 characters", words(&id[..4])),
        ("a client_id beginning with 5 characters", words(&id[..5])),
        ("a client_id beginning with 8 characters", words(&id[..8])),
        ("a whole client_id", words(&id)),
        ("a role that most have", role(RoleId::OPERATOR)),
        (
            "a role that a tenth has, newest first",
            Search { role: Some(RoleId::new(RoleId::ADMINISTRATOR)), ..newest.clone() },
        ),
        ("a role that nobody has", role("role_nobody")),
        ("active", standing(Standing::Active)),
        ("disabled", standing(Standing::Disabled)),
        ("in overlap", standing(Standing::Overlap)),
        ("expiring", standing(Standing::Expiring)),
        ("expired, by last use", Search { standing: Some(Standing::Expired), ..used.clone() }),
        (
            "active Administrators beginning with m, by last use",
            Search {
                words: "m".to_owned(),
                role: Some(RoleId::new(RoleId::ADMINISTRATOR)),
                standing: Some(Standing::Active),
                ..used
            },
        ),
    ];
    for (what, search) in searches {
        turns::print(what, async || Ok(page(&mut store.read().await?, &search, 50, now).await?.items.len())).await?;
    }
    Ok(())
}
