//! `gateways`: connected services.

mod arguments;
mod files;
mod view;

use std::net::SocketAddr;

use serde::Serialize;
use zeroize::Zeroizing;

pub(super) use arguments::Gateways;
use arguments::{Create, Settings, Update};
use view::{RoleReach, ShownGateway};

use super::{
    failure::Failure,
    global::Global,
    hub::with_hub,
    output::{Answer, Output},
};
use crate::{
    actions::{
        Actor,
        gateway::{self, ClientCertificateInput, CredentialInput, GatewayInput, LabelsInput, Saved},
    },
    api::gateway::GatewayView,
    app::{App, UpstreamCredentials, live_gateway},
    config::Span,
    domain::{gateway::Gateway, resource::GatewayName},
    store::{self, gateway::StoredGateway},
    upstream::{self, Found},
};

impl Gateways {
    pub(super) fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        if let Self::Update(update) = &self {
            update.check()?;
        }
        let config = global.config(|_| {})?;
        with_hub(config, async |app| match self {
            Self::Create(create) => create.run(app, output).await,
            Self::List => list(app, output).await,
            Self::Show(argument) => show(app, &argument.gateway, output).await,
            Self::Update(update) => update.run(app, output).await,
            Self::Test(argument) => test(app, &argument.gateway, output).await,
            Self::Delete(argument) => delete(app, &argument.gateway, output).await,
        })
    }
}

/// A gateway that was made or changed.
#[derive(Serialize)]
struct Done<'a> {
    #[serde(flatten)]
    gateway: ShownGateway<'a>,
    /// Whether the stored credentials were erased, because they would have gone to another place.
    credentials_erased: bool,
    /// What a test of the connection found; `null` if there was none, or it failed.
    found: Option<&'a str>,
    /// What is not as it should be with the upstream.
    warning: Option<&'a str>,
}

/// What a test of the connection found, if the upstream was asked.
#[derive(Default)]
struct Tested {
    found: Option<String>,
    warning: Option<String>,
    labels: Vec<String>,
}

/// An upstream that answers.
#[derive(Serialize)]
struct Answers<'a> {
    name: &'a str,
    found: &'a str,
    warning: Option<&'a str>,
    labels: &'a [String],
}

/// A gateway that was deleted, with what went with it.
#[derive(Serialize)]
struct Deleted<'a> {
    name: &'a str,
    done: &'static str,
    removed: Vec<Removed>,
}

/// Grants that a role lost.
#[derive(Serialize)]
struct Removed {
    role: String,
    grants: Vec<String>,
}

impl Create {
    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let mut input = self.settings.input()?;
        input.kind = Some(self.kind);
        input.addresses = Some(self.url);
        let draft = gateway::draft(app, &Actor::operator(), &self.name, &input)?;
        let tested = Tested::of(look(app, &draft.gateway, &draft.credentials).await);
        input.labels.reported.clone_from(&tested.labels);
        let saved = gateway::create(app, &Actor::operator(), &self.name, &input).await?;
        let reached = if saved.reached_by.is_empty() {
            format!("No role reaches it yet: grant gateway/{}:view or gateway/{0}:edit.", saved.gateway.name.as_str())
        } else {
            let grants = |reach: RoleReach| format!("  {}: {}\n", reach.role, reach.grants.join(", "));
            let lines: String = saved.reached_by.iter().map(|reaching| grants(reaching.into())).collect();
            format!("These roles reach it:\n{lines}")
        };
        answer(&saved, &tested, "The gateway is made.", &reached, output)
    }
}

impl Update {
    /// At least one thing is to be changed.
    fn check(&self) -> Result<(), Failure> {
        let own = self.kind.is_some()
            || !(self.url.is_empty() && self.no_label.is_empty())
            || [self.no_credentials, self.no_ca, self.no_cert, self.no_headers, self.no_rules, self.refresh_labels]
                .contains(&true);
        if own || self.settings.says_something() {
            return Ok(());
        }
        Err(Failure::usage("say what to change; `gateway-hub gateways update --help` lists what can be"))
    }

    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let before = find(app, &self.gateway).await?;
        let mut input = self.settings.input()?;
        input.kind = self.kind;
        input.addresses = (!self.url.is_empty()).then_some(self.url);
        if self.no_credentials {
            input.credential = Some(CredentialInput::None);
        }
        if self.no_ca {
            input.ca = Some(String::new());
        }
        if self.no_cert {
            input.client_certificate =
                Some(ClientCertificateInput { chain: String::new(), key: Zeroizing::new(String::new()) });
        }
        if self.no_headers {
            input.headers = Some(Vec::new());
        }
        if self.no_rules {
            input.path_rules = Some(Vec::new());
        }
        input.labels.remove = self.no_label;
        let draft = gateway::draft_update(app, &Actor::operator(), &before.id, &input).await?;
        let mut tested = Tested::default();
        if self.refresh_labels {
            // What was asked for can't be done without an answer.
            tested = Tested::of(Ok(look(app, &draft.gateway, &draft.credentials).await.map_err(Failure::refused)?));
        } else if input.reaches_anew() {
            tested = Tested::of(look(app, &draft.gateway, &draft.credentials).await);
        }
        if self.refresh_labels || draft.gateway.kind != before.kind {
            input.labels.reported.clone_from(&tested.labels);
        }
        let saved = gateway::update(app, &Actor::operator(), &before.id, &input).await?;
        let erased = if saved.erased {
            "The stored credentials were erased, because they were meant for the place before: give them again."
        } else {
            ""
        };
        answer(&saved, &tested, "The gateway is changed.", erased, output)
    }
}

impl Settings {
    fn says_something(&self) -> bool {
        let lists = [&self.label, &self.header, &self.rule];
        let files = [&self.password_file, &self.bearer_file, &self.header_file, &self.ca, &self.cert, &self.key];
        let times = [self.connect_timeout, self.answer_timeout, self.idle_timeout];
        lists.into_iter().any(|list| !list.is_empty())
            || files.into_iter().any(Option::is_some)
            || times.iter().any(Option::is_some)
            || [self.assertion, self.forward_filter].iter().any(Option::is_some)
            || self.description.is_some()
            || self.body_limit.is_some()
            || self.concurrent.is_some()
    }

    /// Reads the files.
    fn input(self) -> Result<GatewayInput, Failure> {
        let credential = match (self.basic_user, self.password_file, self.bearer_file, self.header_file) {
            (Some(user), Some(file), _, _) => {
                Some(CredentialInput::Basic { user, password: files::secret("--password-file", &file)? })
            }
            (_, _, Some(file), _) => Some(CredentialInput::Bearer(files::secret("--bearer-file", &file)?)),
            (_, _, _, Some(file)) => Some(CredentialInput::Header(files::secret("--header-file", &file)?)),
            _ => None,
        };
        let ca = self.ca.map(|file| files::pem("--ca", &file)).transpose()?;
        let client_certificate = match (self.cert, self.key) {
            (Some(chain), Some(key)) => Some(ClientCertificateInput {
                chain: files::pem("--cert", &chain)?.to_string(),
                key: files::pem("--key", &key)?,
            }),
            _ => None,
        };
        Ok(GatewayInput {
            description: self.description,
            kind: None,
            addresses: None,
            credential,
            ca: ca.map(|ca| ca.to_string()),
            client_certificate,
            headers: (!self.header.is_empty()).then_some(self.header),
            connect_timeout: self.connect_timeout.map(Span::duration),
            answer_timeout: self.answer_timeout.map(Span::duration),
            idle_timeout: self.idle_timeout.map(Span::duration),
            body_limit: self.body_limit.map(arguments::BodyLimit::bytes),
            concurrent: self.concurrent,
            path_rules: (!self.rule.is_empty()).then_some(self.rule),
            assertion: self.assertion,
            forward_filter: self.forward_filter,
            labels: LabelsInput { set: self.label, ..LabelsInput::default() },
            seen: None,
        })
    }
}

impl Tested {
    /// An upstream out of reach is no reason to keep a gateway from being saved: it is told.
    fn of(looked: Result<Found, String>) -> Self {
        match looked {
            Ok(Found { words, labels, warning }) => Self { found: Some(words), warning, labels },
            Err(reason) => Self { warning: Some(reason), ..Self::default() },
        }
    }

    fn describe(&self) -> String {
        let found = self.found.as_ref().map(|found| format!("The upstream: {found}.\n")).unwrap_or_default();
        let warning = self.warning.as_ref().map(|warning| format!("Warning: {warning}.\n")).unwrap_or_default();
        format!("{found}{warning}")
    }
}

/// Asks the upstream. `serve` may run beside, so its addresses are taken from the configuration.
async fn look(app: &App, gateway: &Gateway, credentials: &UpstreamCredentials) -> Result<Found, String> {
    let own: Vec<SocketAddr> = [Some(app.config.listen), app.config.ops_listen].into_iter().flatten().collect();
    upstream::probe(app, &own, gateway, credentials).await
}

fn answer(saved: &Saved, tested: &Tested, what: &str, more: &str, output: Output) -> Result<Answer, Failure> {
    let gateway = ShownGateway::of(&saved.gateway, &saved.reached_by);
    let done = Done {
        gateway,
        credentials_erased: saved.erased,
        found: tested.found.as_deref(),
        warning: tested.warning.as_deref(),
    };
    output.answer(&done, || {
        let more = if more.is_empty() { String::new() } else { format!("{}\n", more.trim_end()) };
        format!("{what}\n{}{more}\n{}", tested.describe(), done.gateway.describe())
    })
}

async fn test(app: &App, name: &str, output: Output) -> Result<Answer, Failure> {
    let found = find_stored(app, name).await?;
    let credentials = live_gateway::open(&app.keyring, &found).map_err(Failure::refused)?;
    let looked = look(app, &found.gateway, &credentials).await.map_err(Failure::refused)?;
    let answers = Answers {
        name: found.gateway.name.as_str(),
        found: &looked.words,
        warning: looked.warning.as_deref(),
        labels: &looked.labels,
    };
    output.answer(&answers, || Tested::of(Ok(looked.clone())).describe())
}

async fn list(app: &App, output: Output) -> Result<Answer, Failure> {
    let mut tx = app.store.read().await?;
    let gateways = store::gateway::all(&mut tx).await?;
    let views: Vec<GatewayView> = gateways.iter().map(|stored| GatewayView::from(&stored.gateway)).collect();
    output.answer(&views, || view::list(&views))
}

async fn show(app: &App, name: &str, output: Output) -> Result<Answer, Failure> {
    let found = find(app, name).await?;
    let mut tx = app.store.read().await?;
    let reached_by = gateway::roles_reaching(&mut tx, &found.name).await?;
    let shown = ShownGateway::of(&found, &reached_by);
    output.answer(&shown, || shown.describe())
}

async fn delete(app: &App, name: &str, output: Output) -> Result<Answer, Failure> {
    let found = find(app, name).await?;
    let lost = gateway::delete(app, &Actor::operator(), &found.id).await?;
    let removed: Vec<Removed> = lost
        .iter()
        .map(|lost| Removed {
            role: lost.role.name.to_string(),
            grants: lost.grants.iter().map(ToString::to_string).collect(),
        })
        .collect();
    let deleted = Deleted { name: found.name.as_str(), done: "deleted", removed };
    output.answer(&deleted, || {
        let line = |removed: &Removed| format!("The role {} lost {}.\n", removed.role, removed.grants.join(", "));
        let lines: String = deleted.removed.iter().map(line).collect();
        format!(
            "The gateway {} is deleted; nobody reaches its upstream through the hub any more.\n{lines}",
            deleted.name
        )
    })
}

async fn find(app: &App, text: &str) -> Result<Gateway, Failure> {
    find_stored(app, text).await.map(|stored| stored.gateway)
}

async fn find_stored(app: &App, text: &str) -> Result<StoredGateway, Failure> {
    let mut tx = app.store.read().await?;
    let found = match GatewayName::parse(text) {
        Some(name) => store::gateway::by_name(&mut tx, &name).await?,
        None => None,
    };
    if let Some(stored) = found {
        return Ok(stored);
    }
    let all = store::gateway::all(&mut tx).await?;
    let names: Vec<&str> = all.iter().map(|stored| stored.gateway.name.as_str()).collect();
    let which =
        if names.is_empty() { "there is none yet".to_owned() } else { format!("there are {}", names.join(", ")) };
    Err(Failure::refused(format!("there is no gateway {text:?}: {which}")))
}
