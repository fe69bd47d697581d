//! `keys`: applications and their API keys.

mod arguments;
mod find;
mod import;
mod secrets_file;
mod view;

use serde::Serialize;

pub(super) use arguments::Keys;
use arguments::{Create, Expiry, Regenerate, Update};
use view::{ApplicationView, NewKeyView};

use super::{
    failure::Failure,
    global::Global,
    hub::with_hub,
    output::{Answer, Output},
    roles::role_ids,
};
use crate::{
    actions::{
        Actor,
        api_key::{self, Regeneration},
        application::{self, ApplicationUpdate, NewApplication},
        shown_key::ShownKey,
    },
    app::App,
    domain::{
        application::{Application, ClientId},
        name::Name,
        time::Timestamp,
    },
    store::{self, Tx},
};

impl Keys {
    pub(super) fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = global.config(|_| {})?;
        with_hub(config, async |app| match self {
            Self::Create(create) => create.run(app, output).await,
            Self::List => list(app, output).await,
            Self::Show(key) => show(app, &key.key, output).await,
            Self::Update(update) => update.run(app, output).await,
            Self::Disable(key) => switch(app, &key.key, false, output).await,
            Self::Enable(key) => switch(app, &key.key, true, output).await,
            Self::Regenerate(regenerate) => regenerate.run(app, output).await,
            Self::EndOverlap(key) => end_overlap(app, &key.key, output).await,
            Self::Delete(key) => delete(app, &key.key, output).await,
            Self::Find(_) => find::run(app, output).await,
            Self::Import(import) => import.run(app, output).await,
        })
    }
}

/// What a command did to an application.
#[derive(Serialize)]
struct Outcome<'a> {
    client_id: &'a str,
    name: &'a str,
    done: &'static str,
}

impl Outcome<'_> {
    fn of<'a>(application: &'a Application, done: &'static str) -> Outcome<'a> {
        Outcome { client_id: application.client_id.as_str(), name: application.name.as_str(), done }
    }
}

impl Create {
    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let (roles, owner) = {
            let mut tx = app.store.read().await?;
            let owner = match &self.owner {
                Some(name) => Some(user_id(&mut tx, name).await?),
                None => None,
            };
            (role_ids(&mut tx, &self.role).await?, owner)
        };
        let new = NewApplication {
            name: self.name,
            roles,
            description: self.description.unwrap_or_default(),
            owner,
            expires_at: self.expires.map(|span| app.clock.now().plus(span.duration())),
            networks: self.network,
            allow_basic: self.allow_basic,
            submission: None,
        };
        let key = application::create(app, &Actor::operator(), &new).await?;
        let what = format!("The application {} has its API key:", key.name);
        show_key(&key, None, &what, output)
    }
}

impl Update {
    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let mut tx = app.store.read().await?;
        let before = existing(&mut tx, &self.key).await?;
        let roles = if self.role.is_empty() { None } else { Some(role_ids(&mut tx, &self.role).await?) };
        let owner = match &self.owner {
            Some(name) => Some(Some(user_id(&mut tx, name).await?)),
            None => self.no_owner.then_some(None),
        };
        drop(tx);
        let update = ApplicationUpdate {
            name: self.name,
            roles,
            description: self.description,
            owner,
            expires_at: self.expires.map(|expiry| match expiry {
                Expiry::Never => None,
                Expiry::After(span) => Some(app.clock.now().plus(span.duration())),
            }),
            networks: (self.any_network || !self.network.is_empty()).then_some(self.network),
            allow_basic: self.allow_basic,
            seen: None,
        };
        application::update(app, &Actor::operator(), &before.client_id, &update).await?;
        show(app, before.client_id.as_str(), output).await
    }
}

impl Regenerate {
    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let how = match self.overlap {
            Some(span) => Regeneration::Overlap(span.duration()),
            None if self.leaked => Regeneration::Leaked,
            None => Regeneration::AtOnce,
        };
        let client_id = find_application(app, &self.key).await?.client_id;
        let key = api_key::regenerate(app, &Actor::operator(), &client_id, how, None).await?;
        let ends_at = key.old_secret_ends_at;
        let old = match (how, ends_at) {
            (_, Some(end)) => format!("the old one works until {end}"),
            (Regeneration::Leaked, None) => "all its old secrets and all its tokens are dead".to_owned(),
            _ => "the old one and its tokens are dead".to_owned(),
        };
        show_key(&key, ends_at, &format!("The application {} has a new secret; {old}:", key.name), output)
    }
}

fn show_key(key: &ShownKey, ends_at: Option<Timestamp>, what: &str, output: Output) -> Result<Answer, Failure> {
    let view = NewKeyView {
        client_id: key.client_id.as_str(),
        client_secret: key.client_secret.expose(),
        name: &key.name,
        roles: &key.roles,
        old_secret_ends_at: ends_at,
    };
    output.answer_once(&view, || view.describe(what))
}

async fn list(app: &App, output: Output) -> Result<Answer, Failure> {
    let mut tx = app.store.read().await?;
    let roles = store::role::all(&mut tx).await?;
    let mut applications = store::application::all(&mut tx).await?;
    applications.sort_by_cached_key(|application| application.name.key());
    let now = app.clock.now();
    let views: Vec<_> = applications.iter().map(|found| ApplicationView::of(found, &roles, now)).collect();
    output.answer(&views, || view::list(&views))
}

async fn show(app: &App, key: &str, output: Output) -> Result<Answer, Failure> {
    let mut tx = app.store.read().await?;
    let application = existing(&mut tx, key).await?;
    let roles = store::role::all(&mut tx).await?;
    let mut view = ApplicationView::of(&application, &roles, app.clock.now());
    if let Some(owner) = &application.owner {
        view.owner = store::console_user::get(&mut tx, owner).await?.map(|user| user.name.to_string());
    }
    view.last_used_at = store::usage::last_used(&mut tx, &[application.client_id]).await?.into_iter().next().flatten();
    output.answer(&view, || view.describe())
}

async fn switch(app: &App, key: &str, on: bool, output: Output) -> Result<Answer, Failure> {
    let found = find_application(app, key).await?;
    let (done, text) = if on {
        application::enable(app, &Actor::operator(), &found.client_id).await?;
        ("enabled", "is enabled; tokens from before it was disabled stay dead")
    } else {
        application::disable(app, &Actor::operator(), &found.client_id).await?;
        ("disabled", "is disabled: it and all its tokens are refused")
    };
    output.answer(&Outcome::of(&found, done), || format!("The application {} {text}.\n", found.name))
}

async fn end_overlap(app: &App, key: &str, output: Output) -> Result<Answer, Failure> {
    let found = find_application(app, key).await?;
    api_key::end_overlap(app, &Actor::operator(), &found.client_id).await?;
    let text = || format!("The overlap of {} is over: its old secret and that one's tokens are dead.\n", found.name);
    output.answer(&Outcome::of(&found, "overlap ended"), text)
}

async fn delete(app: &App, key: &str, output: Output) -> Result<Answer, Failure> {
    let found = find_application(app, key).await?;
    application::delete(app, &Actor::operator(), &found.client_id).await?;
    let text = || format!("The application {} is deleted: its key and all its tokens are refused.\n", found.name);
    output.answer(&Outcome::of(&found, "deleted"), text)
}

async fn find_application(app: &App, key: &str) -> Result<Application, Failure> {
    let mut tx = app.store.read().await?;
    existing(&mut tx, key).await
}

/// The id of the console user of that name.
async fn user_id(tx: &mut Tx, name: &str) -> Result<String, Failure> {
    let found = match Name::parse(name) {
        Ok(name) => store::console_user::by_name(tx, &name).await?,
        Err(_) => None,
    };
    let user = found.ok_or_else(|| {
        Failure::refused(format!("there is no console user {name:?}: `gateway-hub users list` shows all"))
    })?;
    Ok(user.id)
}

/// The application of that `client_id` or name.
async fn existing(tx: &mut Tx, key: &str) -> Result<Application, Failure> {
    if let Some(id) = ClientId::parse(key) {
        if let Some(found) = store::application::get(tx, &id).await? {
            return Ok(found);
        }
        if store::application::is_buried(tx, &id).await? {
            return Err(Failure::refused(format!("{id} was deleted; a deleted client_id never comes back")));
        }
    }
    let found = match Name::parse(key) {
        Ok(name) => store::application::by_name(tx, &name).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| Failure::refused(format!("there is no application {key:?}: `gateway-hub keys list` shows all")))
}
