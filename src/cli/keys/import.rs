//! `keys import`: many API keys from a file, a line for each.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use clap::Args;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{secrets_file::SecretsFile, user_id};
use crate::{
    actions::{
        Actor,
        application::{MAX_DESCRIPTION, NewApplication},
        key_import::{ImportError, create_batch},
    },
    app::App,
    cli::{
        failure::Failure,
        output::{Answer, Output},
        progress::Progress,
        roles::role_ids,
    },
    config::{Span, parse_network},
    domain::{json, name::Name, role::RoleId},
    store::{self, Tx},
};

/// Keys made in one transaction.
const BATCH: usize = 1_000;

/// Make many applications with their API keys
///
/// Each line of FILE is a JSON object: name and roles, and as wanted description, owner, expires, networks, allow_basic.
/// All lines are checked before the first key is made. Keys are made 1,000 at a time; the secrets of each thousand are on
/// disk before the keys exist, and stand nowhere else.
#[derive(Args)]
#[command(after_help = "\
Examples:
  {\"name\": \"Grafana Berlin\", \"roles\": [\"Operator\"]}
  {\"name\": \"sync\", \"roles\": [\"FX hosts\"], \"expires\": \"90d\", \"networks\": [\"10.2.0.0/16\"], \"owner\": \"ada\"}

  gateway-hub keys import keys.ndjson --secrets-out /run/secrets/keys.ndjson")]
pub(in crate::cli) struct Import {
    /// The file with a line for each key
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The new file for the secrets, readable by its owner alone [default: FILE.secrets]
    #[arg(long, value_name = "FILE")]
    secrets_out: Option<PathBuf>,
    /// Begin at this line, to go on after an import that was cut short
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    from_line: u64,
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    roles: Vec<String>,
    #[serde(default)]
    description: String,
    owner: Option<String>,
    expires: Option<String>,
    #[serde(default)]
    networks: Vec<String>,
    #[serde(default)]
    allow_basic: bool,
}

/// What was done.
#[derive(Serialize)]
struct Imported {
    made: usize,
    secrets: Option<PathBuf>,
}

/// A line's place in the text: its number, and its bytes.
type Place<'a> = (usize, &'a [u8]);

/// The ids behind the names that lines use.
#[derive(Default)]
struct Names {
    roles: BTreeMap<String, RoleId>,
    owners: BTreeMap<String, String>,
}

impl Import {
    pub(super) async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let text =
            std::fs::read(&self.file).map_err(|error| Failure::refused(format!("{}: {error}", self.file.display())))?;
        let first = usize::try_from(self.from_line).unwrap_or(usize::MAX);
        let places: Vec<Place<'_>> = (1..)
            .zip(text.split(|byte| *byte == b'\n'))
            .filter(|(number, line)| *number >= first && !line.trim_ascii().is_empty())
            .collect();
        let names = check(app, &places).await?;
        if places.is_empty() {
            return output.answer(&Imported { made: 0, secrets: None }, || "There is no line to import.\n".to_owned());
        }
        let path = self.secrets_out.clone().unwrap_or_else(|| {
            let mut path = self.file.clone().into_os_string();
            path.push(".secrets");
            path.into()
        });
        let mut secrets = SecretsFile::create(&path)?;
        let mut progress = Progress::new(&app.clock, places.len(), "keys");
        let mut made = 0;
        for batch in places.chunks(BATCH) {
            progress.at(made);
            if let Err(failure) = import(app, batch, &names, &mut secrets).await {
                secrets.close();
                return Err(failure.after(made, batch[0].0, &path));
            }
            made += batch.len();
        }
        let seconds = progress.elapsed().as_secs_f32();
        drop(progress);
        secrets.close();
        output.answer(&Imported { made, secrets: Some(path.clone()) }, || {
            let path = path.display();
            format!(
                "{made} API keys are made, in {seconds:.1} s.\nTheir secrets stand in {path} and nowhere else: only their \
                 hashes are kept, and they can't be shown again.\n"
            )
        })
    }
}

/// Reads all lines and looks all names up, so that nothing is made if one can't be.
async fn check(app: &App, places: &[Place<'_>]) -> Result<Names, Failure> {
    let mut names = Names::default();
    let mut lines_by_name: HashMap<Box<str>, usize> = HashMap::with_capacity(places.len());
    let mut tx = app.store.read().await?;
    for chunk in places.chunks(BATCH) {
        let mut keys = Vec::with_capacity(chunk.len());
        for (number, text) in chunk {
            let refused = |why: String| Failure::refused(format!("line {number}: {why}"));
            let line = read(text).map_err(refused)?;
            let key = Name::parse(&line.name).map_err(|fault| refused(format!("name: {fault}")))?.key();
            names.look_up(&mut tx, &line).await.map_err(|failure| refused(failure.reason().to_owned()))?;
            let new = line.application(&names, app).map_err(refused)?;
            if let Some(other) = lines_by_name.insert(key.clone().into(), *number) {
                return Err(refused(format!("the name {:?} stands in line {other} too", new.name)));
            }
            keys.push(key);
        }
        let taken = store::application_bulk::taken(&mut tx, &keys).await?;
        if let Some(number) = taken.iter().filter_map(|key| lines_by_name.get(key.as_str())).min() {
            return Err(Failure::refused(format!(
                "line {number}: there is an application of this name already; names are unique whatever their capitals"
            )));
        }
    }
    Ok(names)
}

fn read(text: &[u8]) -> Result<Line, String> {
    let value = json::parse(text).map_err(|fault| format!("it can't be read: {}", json::reason(&fault)))?;
    let line: Line = serde_json::from_value(value).map_err(|fault| json::reason(&fault))?;
    if line.roles.is_empty() {
        return Err("roles: give at least one role".to_owned());
    }
    if line.description.chars().count() > MAX_DESCRIPTION || line.description.contains('\0') {
        return Err(format!("description: at most {MAX_DESCRIPTION} characters, none of them NUL"));
    }
    Ok(line)
}

impl Names {
    async fn look_up(&mut self, tx: &mut Tx, line: &Line) -> Result<(), Failure> {
        for role in line.roles.iter().filter(|role| !self.roles.contains_key(*role)).collect::<Vec<_>>() {
            let ids = role_ids(tx, std::slice::from_ref(role)).await?;
            self.roles.extend(ids.into_iter().map(|id| (role.clone(), id)));
        }
        if let Some(owner) = line.owner.as_ref().filter(|owner| !self.owners.contains_key(*owner)) {
            self.owners.insert(owner.clone(), user_id(tx, owner).await?);
        }
        Ok(())
    }
}

impl Line {
    /// The application that the line describes.
    fn application(self, names: &Names, app: &App) -> Result<NewApplication, String> {
        let network = |text: &String| -> Result<IpNet, String> {
            parse_network(text).map_err(|expected| format!("networks: {text:?} is not right: expected {expected}"))
        };
        let expires = self.expires.as_deref().map(|text| {
            let span: Result<Span, String> = text.parse();
            span.map_err(|expected| format!("expires: {text:?} is not right: expected {expected}"))
        });
        Ok(NewApplication {
            name: self.name,
            roles: self.roles.iter().filter_map(|role| names.roles.get(role).cloned()).collect(),
            description: self.description,
            owner: self.owner.and_then(|owner| names.owners.get(&owner).cloned()),
            expires_at: expires.transpose()?.map(|span| app.clock.now().plus(span.duration())),
            networks: self.networks.iter().map(network).collect::<Result<_, _>>()?,
            allow_basic: self.allow_basic,
            submission: None,
        })
    }
}

/// What stopped a batch.
enum Stopped {
    /// Nothing of the batch was made.
    Before(String),
    /// Nobody knows.
    Unknown(String),
}

async fn import(app: &App, batch: &[Place<'_>], names: &Names, secrets: &mut SecretsFile) -> Result<(), Stopped> {
    let read = |(number, text): &Place<'_>| {
        read(text)
            .and_then(|line| line.application(names, app))
            .map_err(|why| Stopped::Before(format!("line {number}: {why}")))
    };
    let applications = batch.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    create_batch(app, &Actor::operator(), &applications, secrets).await.map_err(|error| match error {
        ImportError::Application { position, error } => Stopped::Before(format!("line {}: {error}", batch[position].0)),
        ImportError::Unknown(_) => Stopped::Unknown(error.to_string()),
        error => Stopped::Before(error.to_string()),
    })
}

impl Stopped {
    /// The failure after so many keys were made, with the line at which to go on.
    fn after(self, made: usize, line: usize, secrets: &std::path::Path) -> Failure {
        let secrets = secrets.display();
        Failure::refused(match self {
            Self::Before(why) if made == 0 => format!("{why}\nno key was made"),
            Self::Before(why) => format!(
                "{why}\n{made} keys are made, with their secrets in {secrets}; go on with --from-line {line} and another \
                 --secrets-out"
            ),
            Self::Unknown(why) => format!(
                "{why}\n{made} keys before line {line} are made; whether those of the thousand lines from there are, `keys show` \
                 tells. All their secrets are in {secrets}"
            ),
        })
    }
}
