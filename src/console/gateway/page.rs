//! A gateway's page: how it is reached, who reaches it, and the form that changes it.

use super::form::{FormView, GatewayForm, SavedParts, Typed, authentication_words};
use super::health::{Known, Standing};
use super::history;
use super::{is_editable, kind_words, wanted};
use crate::actions::ActionError;
use crate::actions::gateway::{GatewayInput, Saved, draft_update, roles_reaching, seen, update};
use crate::app::App;
use crate::console::application::entry::Fault;
use crate::console::form::{Fields, FromFields, Guarded, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::history::History;
use crate::console::session::SignedIn;
use crate::console::when::When;
use crate::console::{answer, paths, words};
use crate::domain::access::decide_for_person;
use crate::domain::gateway::{GatewayKind, Reaching};
use crate::domain::grant::Action;
use crate::http::gate::GATEWAYS;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use crate::store::gateway::StoredGateway;
use crate::upstream::probe;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// A role that reaches the gateway.
#[derive(Clone, Debug)]
pub(crate) struct RoleLine {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `view`, `edit` or `view and edit`.
    pub(crate) actions: &'static str,
    pub(crate) filter: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "gateway/page.html")]
pub(crate) struct GatewayPage {
    pub(crate) frame: Frame,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) prometheus: bool,
    pub(crate) description: String,
    /// Where applications reach it: the hub's own address, and what follows.
    pub(crate) public: (String, String),
    pub(crate) addresses: Vec<String>,
    pub(crate) authentication: String,
    pub(crate) created: When,
    pub(crate) roles: Vec<RoleLine>,
    /// Attribute and label.
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) rules: Vec<String>,
    pub(crate) standing: Standing,
    pub(crate) history: History,
    /// Whether this person may look through it.
    pub(crate) tries: bool,
    /// The form, for people who may change it.
    pub(crate) form: Option<FormView>,
}

/// The value of `notice` after a gateway was made.
pub(crate) const MADE: &str = "made";
/// The value of `notice` after its upstream was asked.
pub(crate) const CHECKED: &str = "checked";
/// The value of `notice` after its upstream was asked for labels.
pub(crate) const LABELS_READ: &str = "labels";
const SAVED: &str = "saved";
const ERASED: &str = "erased";

/// What `notice` can say: only words of our own, since a link could put anything there.
const NOTICES: [(&str, &str); 5] = [
    (CHECKED, "The upstream was asked. What was found stands below."),
    (LABELS_READ, "The upstream was asked for its labels, and those that are new are mapped."),
    (MADE, "The gateway was made. Applications reach it if a role grants it."),
    (SAVED, "Saved. It is in effect from the next request on."),
    (
        ERASED,
        "Saved. The stored credentials were erased, because they were meant for the place before: give them again if the \
         upstream needs them.",
    ),
];

const CHANGED: &str = "Somebody changed this gateway meanwhile. Nothing was saved, and the form below holds what you typed: \
                       compare it with what is said above, then save again.";

/// What the address says of the page.
pub(crate) struct PageQuery {
    notice: String,
    /// The history from before this event.
    before: Option<i64>,
    form: GatewayForm,
}

impl FromFields for PageQuery {
    fn from_fields(fields: &Fields) -> Self {
        let before = fields.one("before").parse().ok();
        Self { notice: fields.one("notice"), before, form: GatewayForm::from_fields(fields) }
    }
}

/// `GET /console/gateways/{id}`.
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(id): Segment,
    known: Known,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Response, Problem> {
    let stored = match wanted(&app, &id).await? {
        Ok(stored) => stored,
        Err(gone) => return Ok(gone),
    };
    let mut page = load(&app, &signed_in, &known, &stored, query.before).await?;
    page.frame.notice = NOTICES.iter().find(|(value, _)| *value == query.notice).map(|(_, words)| *words);
    if let Some(form) = page.form.as_mut().filter(|_| query.form.edited) {
        form.typed = Typed { name: form.typed.name.clone(), ca: form.typed.ca.clone(), ..query.form.typed };
        form.seen = query.form.seen;
        form.kept = true;
    }
    Ok(answer::page(StatusCode::OK, &page))
}

/// `POST /console/gateways/{id}`: saves it.
pub(crate) async fn save(
    State(app): State<Arc<App>>,
    Segment(id): Segment,
    known: Known,
    Guarded { signed_in, form }: Guarded<GatewayForm>,
) -> Result<Response, Problem> {
    let stored = match wanted(&app, &id).await? {
        Ok(stored) => stored,
        Err(gone) => return Ok(gone),
    };
    let id = &stored.gateway.id;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let (status, fault) = match form.input() {
        Err(fault) => (unprocessable, fault),
        Ok(input) => {
            let input = GatewayInput { seen: Some(form.seen), ..input };
            match look_and_save(&app, &signed_in, &known, &stored, input).await {
                Ok(saved) => {
                    let notice = if saved.erased { ERASED } else { SAVED };
                    return Ok(answer::see_other(&format!("{}?notice={notice}", paths::gateway(id.as_str()))));
                }
                Err(ActionError::Invalid { field, message }) => {
                    (unprocessable, Fault::new(field, words::sentence(&message)))
                }
                Err(ActionError::Forbidden(message)) => {
                    (StatusCode::FORBIDDEN, Fault::new("", words::sentence(&message)))
                }
                Err(ActionError::Conflict(_)) => (StatusCode::CONFLICT, Fault::new("", CHANGED)),
                Err(ActionError::NotFound { .. }) => return Ok(super::gone()),
                Err(error) => return Err(error.into()),
            }
        }
    };
    // Read again: saving again is a decision made in view of the present state, which this page shows.
    let stored = match wanted(&app, id.as_str()).await? {
        Ok(stored) => stored,
        Err(gone) => return Ok(gone),
    };
    let mut page = load(&app, &signed_in, &known, &stored, None).await?;
    if let Some(view) = &mut page.form {
        view.typed = Typed { name: view.typed.name.clone(), ..form.typed };
        view.fault = Some(fault);
    }
    Ok(answer::page(status, &page))
}

/// Asks the upstream first if the change leads to another place or with other credentials.
async fn look_and_save(
    app: &App,
    signed_in: &SignedIn,
    known: &Known,
    stored: &StoredGateway,
    mut input: GatewayInput,
) -> Result<Saved, ActionError> {
    let (actor, before) = (signed_in.actor(), &stored.gateway);
    let draft = draft_update(app, &actor, &before.id, &input).await?;
    let after = &draft.gateway;
    let another = before.kind != after.kind
        || before.addresses != after.addresses
        || before.ca != after.ca
        || before.authentication != after.authentication
        || before.client_certificate != after.client_certificate;
    let mut looked = None;
    if another || input.credential.is_some() && after.authentication.has_secret() {
        let found = probe(app, known.upstreams.own_listeners(), after, &draft.credentials).await;
        if let Ok(found) = &found
            && before.kind != after.kind
        {
            input.labels.reported.clone_from(&found.labels);
        }
        looked = Some(found);
    }
    let saved = update(app, &actor, &before.id, &input).await?;
    if let Some(looked) = looked {
        known.note(app, after.name.as_str(), &before.id, &looked);
    }
    Ok(saved)
}

async fn load(
    app: &App,
    signed_in: &SignedIn,
    known: &Known,
    stored: &StoredGateway,
    before: Option<i64>,
) -> Result<GatewayPage, Problem> {
    let gateway = &stored.gateway;
    let id = gateway.id.as_str();
    let mut tx = app.store.read().await?;
    let reached_by = roles_reaching(&mut tx, &gateway.name).await?;
    let history = History::load(&mut tx, signed_in, ("gateway", id), paths::gateway(id), before, history::tell).await?;
    drop(tx);
    let form = is_editable(signed_in, gateway).then(|| FormView {
        typed: Typed::of(gateway),
        action: paths::gateway(id),
        seen: seen(stored),
        fault: None,
        kept: false,
        saved: Some(SavedParts::of(gateway)),
    });
    Ok(GatewayPage {
        frame: signed_in.frame(Section::Gateways),
        id: id.to_owned(),
        name: gateway.name.as_str().to_owned(),
        kind: kind_words(gateway.kind),
        prometheus: gateway.kind == GatewayKind::Prometheus,
        description: gateway.description.clone(),
        public: (app.config.public_url.as_str().to_owned(), format!("{GATEWAYS}{}/", gateway.name.as_str())),
        addresses: gateway.addresses.iter().map(ToString::to_string).collect(),
        authentication: authentication_words(&gateway.authentication),
        created: When::new(gateway.created_at),
        roles: reached_by.iter().map(RoleLine::of).collect(),
        labels: gateway.labels.iter().map(|(key, label)| (key.to_owned(), label.to_string())).collect(),
        standing: known.standing(&gateway.id),
        history,
        tries: decide_for_person(&signed_in.access, &gateway.resource(), Action::View).is_ok(),
        rules: gateway.path_rules.iter().map(ToString::to_string).collect(),
        form,
    })
}

impl RoleLine {
    fn of(reaching: &Reaching) -> Self {
        Self {
            id: reaching.role.id.as_str().to_owned(),
            name: reaching.role.name.to_string(),
            actions: match (reaching.allows(Action::View), reaching.allows(Action::Edit)) {
                (true, true) => "view and edit",
                (false, true) => "edit",
                _ => "view",
            },
            filter: reaching.role.filter.as_ref().map(ToString::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::seen::Seen;
    use crate::console::history::tests::sample;

    #[test]
    fn everything_is_text() {
        let markup = || "<script>alert(1)</script>".to_owned();
        let line = RoleLine { id: markup(), name: markup(), actions: "view", filter: Some(markup()) };
        let typed = Typed { name: markup(), url: markup(), label: markup(), ..Typed::standard() };
        let saved = SavedParts { authentication: markup(), certificate: true };
        let form =
            FormView { typed, action: markup(), seen: Seen::default(), fault: None, kept: true, saved: Some(saved) };
        let page = GatewayPage {
            frame: Frame::sample(Section::Gateways),
            id: markup(),
            name: markup(),
            kind: "Prometheus",
            prometheus: true,
            description: markup(),
            public: (markup(), markup()),
            addresses: vec![markup()],
            authentication: markup(),
            created: When::new(crate::domain::time::Timestamp::from_seconds(1_700_000_000)),
            roles: vec![line],
            labels: vec![(markup(), markup())],
            rules: vec![markup()],
            standing: Standing::sample(),
            history: sample(),
            tries: true,
            form: Some(form),
        };
        assert!(!page.render().expect("renders").contains("<script>alert"));
    }
}
