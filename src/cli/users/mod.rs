//! `users`: the people who sign in to the Web Console.

mod arguments;
mod view;

use serde::Serialize;

pub(super) use arguments::Users;
use arguments::{Create, ResetPassword};
use view::UserView;

use super::{
    failure::Failure,
    global::Global,
    hub::with_hub,
    output::{Answer, Output},
    roles::role_ids,
    stdin::read_secret,
};
use crate::{
    actions::{Actor, console_user},
    app::App,
    domain::{console_user::ConsoleUser, name::Name},
    store,
};

impl Users {
    pub(super) fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = global.config(|_| {})?;
        with_hub(config, async |app| match self {
            Self::Create(create) => create.run(app, output).await,
            Self::List => list(app, output).await,
            Self::ResetPassword(reset) => reset.run(app, output).await,
            Self::EndSessions(user) => end_sessions(app, &user.name, output).await,
            Self::Delete(user) => delete(app, &user.name, output).await,
        })
    }
}

/// What a command did to a console user.
#[derive(Serialize)]
struct Outcome<'a> {
    name: &'a str,
    done: &'static str,
}

impl Create {
    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let roles = {
            let mut tx = app.store.read().await?;
            role_ids(&mut tx, &self.role).await?
        };
        let password = read_secret("password")?;
        let user = console_user::create(app, &Actor::operator(), &self.name, &roles, &password).await?;
        let mut tx = app.store.read().await?;
        let view = UserView::of(&user, &store::role::all(&mut tx).await?);
        output.answer(&view, || {
            format!("The console user {} can sign in at {}.\n", user.name, app.config.public_url.join("/console"))
        })
    }
}

impl ResetPassword {
    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let user = existing(app, &self.name).await?;
        let password = read_secret("password")?;
        console_user::reset_password(app, &Actor::operator(), &user.id, &password).await?;
        output.answer(&Outcome { name: user.name.as_str(), done: "password reset" }, || {
            format!("The console user {} has a new password, and must sign in again.\n", user.name)
        })
    }
}

async fn list(app: &App, output: Output) -> Result<Answer, Failure> {
    let mut tx = app.store.read().await?;
    let roles = store::role::all(&mut tx).await?;
    let mut users = store::console_user::all(&mut tx).await?;
    users.sort_by_cached_key(|user| user.name.key());
    let views: Vec<UserView> = users.iter().map(|user| UserView::of(user, &roles)).collect();
    output.answer(&views, || view::list(&views))
}

async fn end_sessions(app: &App, name: &str, output: Output) -> Result<Answer, Failure> {
    let user = existing(app, name).await?;
    console_user::end_sessions(app, &Actor::operator(), &user.id).await?;
    output.answer(&Outcome { name: user.name.as_str(), done: "sessions ended" }, || {
        format!("The console user {} is signed out everywhere, and can sign in again.\n", user.name)
    })
}

async fn delete(app: &App, name: &str, output: Output) -> Result<Answer, Failure> {
    let user = existing(app, name).await?;
    console_user::delete(app, &Actor::operator(), &user.id).await?;
    output.answer(&Outcome { name: user.name.as_str(), done: "deleted" }, || {
        format!("The console user {} is deleted, and signed out everywhere.\n", user.name)
    })
}

async fn existing(app: &App, text: &str) -> Result<ConsoleUser, Failure> {
    let mut tx = app.store.read().await?;
    let found = match Name::parse(text) {
        Ok(name) => store::console_user::by_name(&mut tx, &name).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| {
        Failure::refused(format!("there is no console user {text:?}: `gateway-hub users list` shows all"))
    })
}
