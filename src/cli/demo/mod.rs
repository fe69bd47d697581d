//! `serve --demo`: sample data worth looking at, made through the same actions as everything else.

mod inventory;
mod sheet;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::{
    actions::{
        ActionError, Actor,
        application::{self, NewApplication},
        console_user, demo,
        role::{self, RoleInput},
    },
    ambient::Randomness,
    app::App,
    domain::{
        entity::{Attributes, EntityId},
        role::RoleId,
    },
};

const USER: &str = "admin";

/// What was made, with the secrets that are shown once.
#[derive(Serialize)]
pub(super) struct Demo {
    /// How many entities.
    pub(super) entities: usize,
    /// The console user's name.
    pub(super) user: &'static str,
    /// Their password.
    #[serde(serialize_with = "shown_once")]
    pub(super) password: Zeroizing<String>,
    /// Who reads, and who edits.
    pub(super) applications: [DemoApplication; 2],
}

/// A sample application with its key.
#[derive(Serialize)]
pub(super) struct DemoApplication {
    pub(super) name: &'static str,
    /// The name as a heading of the sheet.
    #[serde(skip)]
    pub(super) label: &'static str,
    /// What it may do, in words.
    pub(super) what: &'static str,
    pub(super) client_id: String,
    #[serde(serialize_with = "shown_once")]
    pub(super) client_secret: Zeroizing<String>,
}

const FX_VIEWER: (&str, &[&str], &str) = ("FX viewer", &["entities:view"], "user.department = fx");
const LONDON_EDITOR: (&str, &[&str], &str) = (
    "London production editor",
    &["entities:view", "entities:edit"],
    "user.region = london AND user.environment = production",
);
const DATABASE_VIEWER: (&str, &[&str], &str) =
    ("Database viewer", &["entities:view"], "itrs.type = database AND user.environment IN (production, uat)");

/// Who reads, as a heading, and what it may do.
const GRAFANA: (&str, &str) = ("  Grafana FX", "views user.department = fx");
/// Who edits.
const SERVICE_NOW: (&str, &str) = (
    "  ServiceNow sync",
    "edits user.region = london AND user.environment = production; views databases in production and uat everywhere",
);

/// Fills an empty store.
///
/// # Errors
/// The store is not empty, or can't be written.
pub(super) async fn fill(app: &App) -> Result<Demo, Failure> {
    let actor = Actor::operator();
    let samples = inventory::inventory()?;
    begin(app, &actor, &samples).await?;
    let viewer = make_role(app, &actor, FX_VIEWER).await?;
    let editor = make_role(app, &actor, LONDON_EDITOR).await?;
    let databases = make_role(app, &actor, DATABASE_VIEWER).await?;
    let password = random_password(&app.randomness);
    console_user::create(app, &actor, USER, &[RoleId::new(RoleId::ADMINISTRATOR)], &password).await?;
    let applications = [
        make_application(app, &actor, GRAFANA, vec![viewer]).await?,
        make_application(app, &actor, SERVICE_NOW, vec![editor, databases]).await?,
    ];
    Ok(Demo { entities: samples.len(), user: USER, password, applications })
}

/// The one place that writes these secrets as JSON: the answer of `serve --demo --json`.
fn shown_once<S: Serializer>(secret: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret)
}

impl Demo {
    /// What is printed: who is who, and commands to paste; `command` is how the command line is called for this hub.
    pub(super) fn sheet(&self, public_url: &str, command: &str) -> String {
        sheet::sheet(self, public_url, command)
    }
}

async fn begin(app: &App, actor: &Actor, samples: &[(EntityId, Attributes)]) -> Result<(), Failure> {
    demo::begin(app, actor, samples).await.map_err(|error| match error {
        ActionError::Conflict(reason) => Failure::refused(format!(
            "--demo: {reason}: choose another folder, for example --data-dir /tmp/gateway-hub-demo, or leave out --demo to go \
             on with this one"
        )),
        error => error.into(),
    })
}

async fn make_role(app: &App, actor: &Actor, role: (&str, &[&str], &str)) -> Result<RoleId, Failure> {
    let (name, grants, filter) = role;
    let grants = grants.iter().map(|grant| (*grant).to_owned()).collect();
    let input = RoleInput { name: name.to_owned(), grants, filter: filter.to_owned() };
    Ok(role::create(app, actor, &input).await?.id)
}

async fn make_application(
    app: &App,
    actor: &Actor,
    (label, what): (&'static str, &'static str),
    roles: Vec<RoleId>,
) -> Result<DemoApplication, Failure> {
    let name = label.trim();
    let new =
        NewApplication { name: name.to_owned(), description: what.to_owned(), roles, ..NewApplication::default() };
    let key = application::create(app, actor, &new).await?;
    let client_secret = Zeroizing::new(key.client_secret.expose().to_owned());
    Ok(DemoApplication { name, label, what, client_id: key.client_id.to_string(), client_secret })
}

/// Four groups of five characters that can't be mistaken for each other: 97 bits.
fn random_password(randomness: &Randomness) -> Zeroizing<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut password = Zeroizing::new(String::with_capacity(23));
    for (index, byte) in randomness.bytes::<20>().into_iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            password.push('-');
        }
        password.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    password
}
