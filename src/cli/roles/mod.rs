//! `roles`: named sets of grants with an optional data filter.

mod arguments;
mod view;

use serde::Serialize;

pub(super) use arguments::Roles;
use arguments::{Create, Update};
use view::RoleView;

use super::{
    failure::Failure,
    global::Global,
    hub::with_hub,
    output::{Answer, Output},
};
use crate::{
    actions::{
        Actor,
        role::{self, RoleInput, RoleUpdate},
    },
    app::App,
    domain::{
        name::Name,
        role::{Role, RoleId},
    },
    store::{self, Tx},
};

impl Roles {
    pub(super) fn run(self, global: &Global, output: Output) -> Result<(), Failure> {
        let config = global.config(|_| {})?;
        with_hub(config, async |app| match self {
            Self::Create(create) => create.run(app, output).await,
            Self::List => list(app, output).await,
            Self::Show(argument) => show(&find_role(app, &argument.role).await?, "", output),
            Self::Update(update) => update.run(app, output).await,
            Self::Delete(argument) => delete(app, &argument.role, output).await,
        })
    }
}

#[derive(Serialize)]
struct Deleted<'a> {
    name: &'a str,
    done: &'static str,
}

impl Create {
    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let input = RoleInput { name: self.name, grants: self.grant, filter: self.filter.unwrap_or_default() };
        let role = role::create(app, &Actor::operator(), &input).await?;
        show(&role, "The role is made.\n\n", output)
    }
}

impl Update {
    async fn run(self, app: &App, output: Output) -> Result<Answer, Failure> {
        let before = find_role(app, &self.role).await?;
        let update = RoleUpdate {
            name: self.name,
            grants: (!self.grant.is_empty()).then_some(self.grant),
            filter: if self.no_filter { Some(String::new()) } else { self.filter },
            seen: None,
        };
        let role = role::update(app, &Actor::operator(), &before.id, &update).await?;
        show(&role, "The role is changed, for every application and user that has it.\n\n", output)
    }
}

fn show(role: &Role, what: &str, output: Output) -> Result<Answer, Failure> {
    let view = RoleView::from(role);
    output.answer(&view, || format!("{what}{}", view.describe()))
}

async fn list(app: &App, output: Output) -> Result<Answer, Failure> {
    let mut tx = app.store.read().await?;
    let mut roles = store::role::all(&mut tx).await?;
    roles.sort_by_cached_key(|role| role.name.key());
    let views: Vec<RoleView> = roles.iter().map(RoleView::from).collect();
    output.answer(&views, || view::list(&views))
}

async fn delete(app: &App, name: &str, output: Output) -> Result<Answer, Failure> {
    let found = find_role(app, name).await?;
    role::delete(app, &Actor::operator(), &found.id).await?;
    output.answer(&Deleted { name: found.name.as_str(), done: "deleted" }, || {
        format!("The role {} is deleted; who had it has lost what it allowed.\n", found.name)
    })
}

async fn find_role(app: &App, name: &str) -> Result<Role, Failure> {
    let mut tx = app.store.read().await?;
    by_name(&mut tx, name).await
}

async fn by_name(tx: &mut Tx, text: &str) -> Result<Role, Failure> {
    let found = match Name::parse(text) {
        Ok(name) => store::role::by_name(tx, &name).await?,
        Err(_) => None,
    };
    if let Some(role) = found {
        return Ok(role);
    }
    let mut names: Vec<String> = store::role::all(tx).await?.iter().map(|role| role.name.to_string()).collect();
    names.sort();
    Err(Failure::refused(format!("there is no role {text:?}: the roles are {}", names.join(", "))))
}

/// The ids of the roles of these names.
pub(super) async fn role_ids(tx: &mut Tx, names: &[String]) -> Result<Vec<RoleId>, Failure> {
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        ids.push(by_name(tx, name).await?.id);
    }
    Ok(ids)
}
