//! Authenticates a client so many times in one of the ways that fail, for counting instructions (SECURITY 3):
//!
//! ```text
//! cargo build --example client_authentication_cost
//! valgrind --tool=callgrind --toggle-collect='gateway_hub::oauth::client_auth::authenticate' \
//!     target/debug/examples/client_authentication_cost wrong 200
//! ```
//!
//! The kinds are `unknown`, `wrong`, `expired`, `overlap-ended`, `deleted`, `disabled`, `network`, and for comparison
//! `good`.

mod outcome;

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gateway_hub::actions::api_key::{self, Regeneration};
use gateway_hub::actions::application::{self, NewApplication};
use gateway_hub::actions::{Actor, hub};
use gateway_hub::ambient::{Clock, Randomness};
use gateway_hub::app::App;
use gateway_hub::config::Config;
use gateway_hub::crypto::secret::{ClientSecret, client_id};
use gateway_hub::domain::role::RoleId;
use gateway_hub::domain::time::Timestamp;
use gateway_hub::oauth::client_auth::authenticate;
use gateway_hub::oauth::form::Form;
use http::HeaderMap;
use outcome::{Fault, exit_code};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> Result<(), Fault> {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().ok_or("the kind of failure is missing")?;
    let count: usize = arguments.next().ok_or("the count is missing")?.parse()?;
    let folder = tempfile::tempdir()?;
    let start = Timestamp::from_seconds(1_800_000_000);
    let (clock, hand) = Clock::manual(start);
    let app = hub::open(Config::local(folder.path()), clock, Randomness::system()).await?;
    app.bootstrap().await?;
    let (id, secret) = prepare(&app, &kind, start).await?;
    hand.advance(Duration::from_mins(1));
    app.poll().await?;

    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let mut good = 0;
    for _ in 0..count {
        let form = Form::parse(body.as_bytes()).map_err(|_| "the form is not well-formed")?;
        let answer = authenticate(&app, &HeaderMap::new(), &form, IpAddr::V4(Ipv4Addr::LOCALHOST));
        good += usize::from(answer.is_ok());
    }
    println!("{kind}: {good} of {count} succeeded");
    if (kind == "good") == (good == count) { Ok(()) } else { Err("not the outcome that this kind must have".into()) }
}

/// Makes an application that fails in this way, and gives the credentials to offer.
async fn prepare(app: &Arc<App>, kind: &str, start: Timestamp) -> Result<(String, String), Fault> {
    let operator = Actor::operator();
    let new = NewApplication {
        name: "measured".to_owned(),
        roles: vec![RoleId::new(RoleId::OPERATOR)],
        expires_at: (kind == "expired").then(|| start.plus(Duration::from_secs(30))),
        networks: if kind == "network" { vec!["10.0.0.0/8".parse()?] } else { Vec::new() },
        ..NewApplication::default()
    };
    let key = application::create(app, &operator, &new).await?;
    let mut id = key.client_id.as_str().to_owned();
    let mut secret = key.client_secret.expose().to_owned();
    match kind {
        "good" | "expired" | "network" => {}
        "unknown" => id = client_id(&app.randomness),
        "wrong" => ClientSecret::generate(&app.randomness).expose().clone_into(&mut secret),
        "disabled" => application::disable(app, &operator, &key.client_id).await?,
        "deleted" => application::delete(app, &operator, &key.client_id).await?,
        "overlap-ended" => {
            let overlap = Regeneration::Overlap(Duration::from_secs(30));
            api_key::regenerate(app, &operator, &key.client_id, overlap, None).await?;
        }
        _ => return Err("unknown kind".into()),
    }
    Ok((id, secret))
}
