//! The editor of a role: its name, the matrix of resources by *view* and *edit*, and the data filter.

use super::filter::Verdict;
use super::form::{GatewayRow, Offered, ResourceRow, RoleForm};
use super::list::{MADE, SAVED};
use super::{Members, gone, show, wanted};
use crate::actions::role::{RoleInput, RoleUpdate, create, seen, update};
use crate::actions::seen::Seen;
use crate::actions::{ActionError, Actor};
use crate::app::App;
use crate::console::form::{Guarded, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::refusal::{self, Link};
use crate::console::session::SignedIn;
use crate::console::{answer, effect, paths, words};
use crate::domain::name::Name;
use crate::domain::role::{Role, RoleId};
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use crate::store::StoreError;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The most rows for gateways beyond those in use, for people without scripts.
const SPARE_ROWS: usize = 2;

/// What is wrong with what was typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) name: Option<String>,
    pub(crate) grants: Option<String>,
    /// Only the part that its own text does not tell.
    pub(crate) filter: Option<String>,
    pub(crate) other: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "role/editor.html")]
pub(crate) struct EditorPage {
    pub(crate) frame: Frame,
    /// The role as it is saved; `None` for a new one.
    pub(crate) saved: Option<Saved>,
    /// Where the form is sent.
    pub(crate) action: String,
    pub(crate) name: String,
    pub(crate) maximum: usize,
    pub(crate) resources: Vec<ResourceRow>,
    pub(crate) gateways: Vec<GatewayRow>,
    pub(crate) filter: String,
    /// Names the role that the form was filled with.
    pub(crate) seen: Seen,
    pub(crate) verdict: Verdict,
    pub(crate) faults: Faults,
    /// The form shows what was typed before signing in again.
    pub(crate) unsaved: bool,
}

/// The role that is being edited.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) members: Members,
}

/// `GET /console/roles/new`.
pub(crate) async fn new(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    InQuery(typed): InQuery<RoleForm>,
) -> Response {
    if !signed_in.user.is_administrator() {
        return administrators_only();
    }
    let frame = signed_in.frame(Section::Roles);
    let mut page = EditorPage::new(frame, &Offered::all(&app), None, typed, Faults::default());
    page.unsaved = !page.name.is_empty();
    answer::page(StatusCode::OK, &page)
}

/// `GET /console/roles/{id}`: the editor, or for a role that this person can't edit, the page to read it.
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(id): Segment,
    InQuery(typed): InQuery<RoleForm>,
) -> Result<Response, Problem> {
    let role = match wanted(&app, &id).await? {
        Ok(role) => role,
        Err(gone) => return Ok(gone),
    };
    if role.built_in || !signed_in.user.is_administrator() {
        let members = Members::of(&mut app.store.read().await?, &role.id).await?;
        return Ok(show::page(&signed_in, &role, members));
    }
    let unsaved = !typed.is_empty();
    let form = if unsaved { typed } else { RoleForm::of(&role) };
    let mut page = edit_page(&app, &signed_in, &role, form, Faults::default()).await?;
    page.unsaved = unsaved;
    Ok(answer::page(StatusCode::OK, &page))
}

/// `POST /console/roles`: makes the role.
pub(crate) async fn make(
    State(app): State<Arc<App>>,
    Guarded { signed_in, form }: Guarded<RoleForm>,
) -> Result<Response, Problem> {
    let actor: Actor = signed_in.actor();
    let made = match form.grants() {
        Err(message) => Err(ActionError::Invalid { field: "grant", message }),
        Ok(grants) => {
            create(&app, &actor, &RoleInput { name: form.name.clone(), grants, filter: form.filter.clone() }).await
        }
    };
    match made.map(|_| MADE).map_err(Faults::of) {
        Ok(notice) => Ok(answer::see_other(&effect::after(&app, &format!("{}?notice={notice}", paths::ROLES)))),
        Err(Ok(faults)) => {
            let frame = signed_in.frame(Section::Roles);
            let page = EditorPage::new(frame, &Offered::all(&app), None, form, faults);
            Ok(answer::page(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(Err(error)) => Err(error.into()),
    }
}

/// `POST /console/roles/{id}`: saves the role.
pub(crate) async fn save(
    State(app): State<Arc<App>>,
    Segment(id): Segment,
    Guarded { signed_in, form }: Guarded<RoleForm>,
) -> Result<Response, Problem> {
    let role = match wanted(&app, &id).await? {
        Ok(role) => role,
        Err(gone) => return Ok(gone),
    };
    let actor: Actor = signed_in.actor();
    let done = match form.grants() {
        Err(message) => Err(ActionError::Invalid { field: "grant", message }),
        Ok(grants) => {
            let change = RoleUpdate {
                name: Some(form.name.clone()),
                grants: Some(grants),
                filter: Some(form.filter.clone()),
                seen: Some(form.seen.clone()),
            };
            update(&app, &actor, &role.id, &change).await
        }
    };
    if let Err(ActionError::Conflict(_)) = done {
        return changed_meanwhile(&app, &signed_in, &role.id, form).await;
    }
    match done.map_err(Faults::of) {
        Ok(_) => Ok(answer::see_other(&effect::after(&app, &format!("{}?notice={SAVED}", paths::ROLES)))),
        Err(Ok(faults)) => {
            let page = edit_page(&app, &signed_in, &role, form, faults).await?;
            Ok(answer::page(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        // Somebody has just deleted it.
        Err(Err(ActionError::NotFound { .. })) => Ok(gone()),
        Err(Err(error)) => Err(error.into()),
    }
}

/// Saving again is then a decision made in view of the role as it is now, which the page tells.
async fn changed_meanwhile(app: &App, signed_in: &SignedIn, id: &RoleId, form: RoleForm) -> Result<Response, Problem> {
    let role = match wanted(app, id.as_str()).await? {
        Ok(role) => role,
        Err(gone) => return Ok(gone),
    };
    let message = format!(
        "Somebody else saved this role meanwhile. Nothing of yours was saved, and the form below holds what you typed: \
         save again if it is right. The role is now named “{}”. {}",
        role.name,
        words::about(&role)
    );
    let faults = Faults { other: Some(message), ..Faults::default() };
    let form = RoleForm { seen: seen(&role), ..form };
    let page = edit_page(app, signed_in, &role, form, faults).await?;
    Ok(answer::page(StatusCode::CONFLICT, &page))
}

async fn edit_page(
    app: &App,
    signed_in: &SignedIn,
    role: &Role,
    form: RoleForm,
    faults: Faults,
) -> Result<EditorPage, StoreError> {
    let members = Members::of(&mut app.store.read().await?, &role.id).await?;
    let saved = Saved { id: role.id.as_str().to_owned(), name: role.name.to_string(), members };
    Ok(EditorPage::new(signed_in.frame(Section::Roles), &Offered::all(app), Some(saved), form, faults))
}

fn administrators_only() -> Response {
    let back = Link { path: paths::ROLES.into(), label: "Back to Roles" };
    let detail = "A role decides what applications may view and edit. Ask an Administrator.";
    refusal::page(StatusCode::FORBIDDEN, "Only an Administrator edits roles", detail, Some(back))
}

impl Faults {
    /// What to say beside the fields; an error that is about something else comes back.
    fn of(error: ActionError) -> Result<Self, ActionError> {
        let none = Self::default();
        match error {
            ActionError::Invalid { field, message } => {
                let message = Some(words::sentence(&message));
                Ok(match field {
                    "name" => Self { name: message, ..none },
                    "grant" => Self { grants: message, ..none },
                    "filter" => Self { filter: message, ..none },
                    _ => Self { other: message, ..none },
                })
            }
            ActionError::Forbidden(message) | ActionError::Conflict(message) => {
                Ok(Self { other: Some(words::sentence(&message)), ..none })
            }
            error => Err(error),
        }
    }
}

impl EditorPage {
    /// The editor with what was typed.
    pub(crate) fn new(
        frame: Frame,
        offered: &[Offered],
        saved: Option<Saved>,
        mut form: RoleForm,
        faults: Faults,
    ) -> Self {
        form.place(offered);
        let verdict = match (Verdict::of(&form.filter), &faults.filter) {
            (Verdict::Good(_), Some(message)) => Verdict::Misplaced(message.clone()),
            (verdict, _) => verdict,
        };
        let resources = form.resources(offered);
        let mut gateways = form.gateways;
        gateways.extend(std::iter::repeat_with(GatewayRow::default).take(SPARE_ROWS));
        Self {
            frame,
            action: saved.as_ref().map_or_else(|| paths::ROLES.to_owned(), |saved| paths::role(&saved.id)),
            saved,
            name: form.name,
            maximum: Name::MAX_CHARACTERS,
            resources,
            gateways,
            filter: form.filter,
            seen: form.seen,
            verdict,
            faults,
            unsaved: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKUP: &str = "<script>alert(1)</script>";

    #[test]
    fn what_was_typed_stays_as_text() {
        let row = GatewayRow { pattern: MARKUP.into(), view: true, edit: false };
        let named = GatewayRow { pattern: "prom-1".into(), view: true, edit: false };
        let form = RoleForm {
            name: MARKUP.into(),
            ticked: vec!["entities:view".into()],
            gateways: vec![row, named],
            filter: format!("{MARKUP} = "),
            ..RoleForm::default()
        };
        let gateway = Offered { name: "prom-1".into(), about: MARKUP.into() };
        let some = || Some(MARKUP.to_owned());
        let faults = Faults { name: some(), grants: some(), filter: some(), other: some() };
        let page = EditorPage::new(Frame::sample(Section::Roles), &[gateway], None, form, faults);
        let html = page.render().expect("renders");
        assert!(!html.contains(MARKUP));
        assert!(html.contains("aria-label=\"entities: view\" checked"));
        assert!(!html.contains("aria-label=\"entities: edit\" checked"));
        assert!(
            html.contains("aria-label=\"gateway/prom-1: view\" checked")
                && !html.contains("gateway/prom-1: edit\" checked")
        );
        assert!(html.contains("aria-label=\"metrics: view\"") && !html.contains("aria-label=\"metrics: edit\""));
        assert_eq!(html.matches("aria-label=\"Gateways, row ").count(), 9, "a field and two boxes for each of three");
    }
}
