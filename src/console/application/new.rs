//! The New API Key window: a name, then roles, then the key.

use super::back::Back;
use super::entry::Fault;
use super::list::{self, List};
use super::list_query;
use super::options::Options;
use super::shown;
use crate::actions::application::{MAX_DESCRIPTION, NewApplication, create};
use crate::actions::{ActionError, Actor};
use crate::app::App;
use crate::console::form::{Fields, FromFields, Guarded, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::console::{answer, words};
use crate::domain::access::AccessTable;
use crate::domain::name::Name;
use crate::domain::role::Role;
use crate::http::problem::Problem;
use crate::store::{self, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The title of the window in all its steps.
pub(crate) const TITLE: &str = "New API Key";

/// Step 1: the name.
#[derive(Template)]
#[template(path = "application/new_name.html")]
pub(crate) struct NamePage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) name: String,
    pub(crate) options: Options,
    /// The names of the roles that were ticked in the second step.
    pub(crate) roles: Vec<String>,
    /// The console users who may answer for it.
    pub(crate) owners: Vec<list_query::Choice>,
    pub(crate) fault: Option<Fault>,
    /// The longest name and the longest description.
    pub(crate) maximum: (usize, usize),
}

/// A role to choose.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) name: String,
    /// What it allows, in words.
    pub(crate) about: String,
    pub(crate) chosen: bool,
}

/// Step 2: the roles.
#[derive(Template)]
#[template(path = "application/new_roles.html")]
pub(crate) struct RolesPage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) choices: Vec<Choice>,
    /// What the application may do with the chosen roles, in words.
    pub(crate) may: Vec<String>,
    /// Names this filled-in form, so that a repeated submit makes no second key.
    pub(crate) submission: String,
    pub(crate) error: Option<String>,
}

impl NamePage {
    /// What is wrong with a field.
    pub(crate) fn error(&self, field: &str) -> Option<&str> {
        self.fault.as_ref().filter(|fault| fault.field == field).map(|fault| fault.message.as_str())
    }

    /// Whether the options stand open.
    pub(crate) fn is_open(&self) -> bool {
        self.options.any() || self.fault.as_ref().is_some_and(|fault| fault.field != "name")
    }
}

/// What was typed so far. The steps hand it on in the address: none of it is a secret, and going back keeps it.
pub(crate) struct NewForm {
    name: String,
    options: Options,
    /// The chosen roles' names.
    roles: Vec<String>,
    submission: String,
}

impl FromFields for NewForm {
    fn from_fields(fields: &Fields) -> Self {
        Self {
            name: fields.one("name"),
            options: Options::from_fields(fields),
            roles: fields.all("role"),
            submission: fields.one("submission"),
        }
    }
}

/// `GET /console/applications/new`: step 1.
pub(crate) async fn ask_name(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    InQuery(form): InQuery<NewForm>,
) -> Result<Response, Problem> {
    name_step(&app, &signed_in, StatusCode::OK, form, None).await
}

/// `GET /console/applications/new/roles`: step 2, or step 1 again if something of it can't be taken. The query also holds
/// the chosen roles when the person had to sign in again in the middle ([`crate::console::resume`]).
pub(crate) async fn ask_roles(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    InQuery(form): InQuery<NewForm>,
) -> Result<Response, Problem> {
    let fault = match Name::parse(&form.name) {
        Err(fault) => Some(words::sentence(&fault.to_string())),
        Ok(name) => is_taken(&app, &name).await?.then(|| taken(&name)),
    };
    let fault = fault.map(|message| Fault::new("name", message));
    if let Some(fault) = fault.or_else(|| form.options.read(app.clock.now()).err()) {
        return name_step(&app, &signed_in, StatusCode::UNPROCESSABLE_ENTITY, form, Some(fault)).await;
    }
    let form = NewForm { submission: app.randomness.id("submission"), ..form };
    roles_step(&app, &signed_in, StatusCode::OK, form, None).await
}

/// `POST /console/applications`: makes the key and shows it once.
pub(crate) async fn generate(
    State(app): State<Arc<App>>,
    Guarded { signed_in, form }: Guarded<NewForm>,
) -> Result<Response, Problem> {
    let roles = store::role::all(&mut app.store.read().await?).await?;
    let chosen = roles.iter().filter(|role| form.roles.iter().any(|name| name == role.name.as_str()));
    let invalid = StatusCode::UNPROCESSABLE_ENTITY;
    if !is_submission(&form.submission) {
        return Err(Problem::bad_request("The form is not complete. Open the window again."));
    }
    let options = match form.options.read(app.clock.now()) {
        Ok(options) => options,
        Err(fault) => return name_step(&app, &signed_in, invalid, form, Some(fault)).await,
    };
    let new = NewApplication {
        name: form.name.clone(),
        roles: chosen.map(|role| role.id.clone()).collect(),
        description: form.options.description.clone(),
        owner: form.options.owner_id(),
        expires_at: options.expires_at,
        networks: options.networks,
        allow_basic: form.options.allow_basic,
        submission: Some(form.submission.clone()),
    };
    if new.roles.is_empty() {
        let error = Some("Choose at least one role.".to_owned());
        return roles_step(&app, &signed_in, invalid, form, error).await;
    }
    let actor: Actor = signed_in.actor();
    match create(&app, &actor, &new).await {
        Ok(key) => {
            shown::show(&app, &signed_in, TITLE, "The API key is ready. It belongs to", &key, Back::default()).await
        }
        Err(ActionError::AlreadySubmitted) => {
            shown::already(&app, &signed_in, TITLE, "the API key was made then", Back::default()).await
        }
        Err(ActionError::Invalid { field: field @ ("name" | "description" | "owner" | "expires"), message }) => {
            let fault = Fault::new(field, words::sentence(&message));
            name_step(&app, &signed_in, invalid, form, Some(fault)).await
        }
        Err(
            ActionError::Invalid { message, .. } | ActionError::Forbidden(message) | ActionError::Conflict(message),
        ) => roles_step(&app, &signed_in, invalid, form, Some(words::sentence(&message))).await,
        Err(error) => Err(error.into()),
    }
}

/// Whether a text is the id of a form that this console rendered, as far as its shape tells.
pub(crate) fn is_submission(text: &str) -> bool {
    text.strip_prefix("submission_").is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn taken(name: &Name) -> String {
    format!("There is already an application named “{name}”. Choose another name.")
}

async fn is_taken(app: &App, name: &Name) -> Result<bool, StoreError> {
    let mut tx = app.store.read().await?;
    Ok(store::application::by_name(&mut tx, name).await?.is_some())
}

async fn name_step(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    form: NewForm,
    fault: Option<Fault>,
) -> Result<Response, Problem> {
    let list = list::behind_window(app, signed_in, Back::default()).await?;
    let users = store::console_user::all(&mut app.store.read().await?).await?;
    let page = NamePage {
        frame: signed_in.frame(Section::Applications),
        list,
        name: form.name,
        owners: form.options.owners(&users),
        options: form.options,
        roles: form.roles,
        fault,
        maximum: (Name::MAX_CHARACTERS, MAX_DESCRIPTION),
    };
    Ok(answer::page(status, &page))
}

async fn roles_step(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    form: NewForm,
    error: Option<String>,
) -> Result<Response, Problem> {
    let list = list::behind_window(app, signed_in, Back::default()).await?;
    let roles = store::role::all(&mut app.store.read().await?).await?;
    // Nobody hands out more than they have (rule 10), so what can't be given is not offered.
    let own =
        |role: &&Role| signed_in.user.is_administrator() || signed_in.access.covers(&AccessTable::compile([*role]));
    let is_chosen = |role: &Role| form.roles.iter().any(|name| name == role.name.as_str());
    let choice =
        |role: &Role| Choice { name: role.name.to_string(), about: words::about(role), chosen: is_chosen(role) };
    let page = RolesPage {
        frame: signed_in.frame(Section::Applications),
        list,
        choices: roles.iter().filter(own).map(choice).collect(),
        may: words::may(roles.iter().filter(own).filter(|role| is_chosen(role))),
        name: form.name,
        options: form.options,
        submission: form.submission,
        error,
    };
    Ok(answer::page(status, &page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    const MARKUP: &str = "<script>alert(1)</script>";

    #[test]
    fn the_name_stays_as_typed_beside_the_error() {
        let options = Options { description: MARKUP.into(), networks: MARKUP.into(), ..Options::default() };
        let owner = list_query::Choice { value: MARKUP.into(), label: MARKUP.into(), chosen: true };
        let page = NamePage {
            frame: Frame::sample(Section::Applications),
            list: List::sample(),
            name: MARKUP.into(),
            options,
            roles: vec![MARKUP.into()],
            owners: vec![owner],
            fault: Some(Fault::new("name", format!("{MARKUP} is taken"))),
            maximum: (200, 1_000),
        };
        let html = page.render().expect("renders");
        assert!(!html.contains(MARKUP));
        assert!(html.contains("aria-invalid=\"true\""));
        assert!(html.contains(" inert>"), "the page behind a window can't be used");
    }

    #[test]
    fn roles_are_checkboxes_named_by_role() {
        let choice = |name: &str, chosen| Choice { name: name.into(), about: MARKUP.into(), chosen };
        let page = RolesPage {
            frame: Frame::sample(Section::Applications),
            list: List::sample(),
            name: MARKUP.into(),
            options: Options { description: MARKUP.into(), ..Options::default() },
            choices: vec![choice("Administrator", false), choice(MARKUP, true)],
            may: vec![MARKUP.into()],
            submission: "submission-1".into(),
            error: Some("Choose at least one role.".into()),
        };
        let html = page.render().expect("renders");
        assert!(!html.contains(MARKUP));
        assert!(html.contains(">Administrator</label>"));
        assert_eq!(html.matches("type=\"checkbox\"").count(), 2);
        assert_eq!(html.matches(" checked").count(), 1);
        assert!(html.contains("Generate API Key</button>"));
    }
}
