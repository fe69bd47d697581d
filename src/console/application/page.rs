//! An application's page: how it stands, what it may do and what it did, and the form that changes it.

use super::entry::Fault;
use super::history;
use super::row::{Mark, marks};
use super::settings::Typed;
use super::switch::{OVERLAP_ENDED, OVERLAP_IS_OVER};
use super::usage::{self, Usage};
use super::wanted;
use crate::actions::application::seen;
use crate::actions::seen::Seen;
use crate::app::App;
use crate::console::effect::Changed;
use crate::console::form::{Fields, FromFields, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::history::History;
use crate::console::session::SignedIn;
use crate::console::when::When;
use crate::console::{answer, paths, words};
use crate::domain::access::{AccessTable, Reach};
use crate::domain::application::{Application, StoredSecret};
use crate::domain::audit_event::AuditEvent;
use crate::domain::grant::{Action, Grant};
use crate::domain::resource::SecurityResource;
use crate::domain::role::Role;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use crate::store::{self, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many refusals are shown.
const REFUSALS: u32 = 20;

/// One of the application's secrets.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) made: When,
    /// To the minute; `None` for never.
    pub(crate) last_used: Option<When>,
    /// The end of the older one during an overlap.
    pub(crate) ends: Option<When>,
}

/// What the application may do on one resource, and whether it did.
#[derive(Clone, Debug)]
pub(crate) struct AccessLine {
    pub(crate) resource: String,
    pub(crate) action: &'static str,
    /// The filters, of which a row must satisfy one; empty for all rows.
    pub(crate) filters: Vec<String>,
    pub(crate) used: bool,
}

/// Requests that were refused within one minute.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) at: When,
    pub(crate) reason: &'static str,
    pub(crate) source: String,
    pub(crate) times: u64,
}

/// Somebody or something to choose.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) about: String,
    pub(crate) chosen: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "application/page.html")]
pub(crate) struct ApplicationPage {
    pub(crate) frame: Frame,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) enabled: bool,
    /// How it stands.
    pub(crate) marks: Vec<Mark>,
    pub(crate) created: When,
    pub(crate) created_by: String,
    pub(crate) last_used: Option<When>,
    pub(crate) expires: Option<When>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) access: Vec<AccessLine>,
    pub(crate) usage: Usage,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) history: History,
    /// What stands in the form.
    pub(crate) typed: Typed,
    /// Names the state that the form was filled with.
    pub(crate) seen: Seen,
    pub(crate) owners: Vec<Choice>,
    pub(crate) roles: Vec<Choice>,
    /// What is wrong with what was typed.
    pub(crate) fault: Option<Fault>,
    /// Whether the person may change it.
    pub(crate) editable: bool,
    /// Why they may not, although they may change others.
    pub(crate) held: Option<String>,
}

impl ApplicationPage {
    /// Whether an overlap is running.
    pub(crate) fn overlap(&self) -> Option<&Secret> {
        self.secrets.iter().find(|secret| secret.ends.is_some())
    }

    /// The message for one field.
    pub(crate) fn fault_of(&self, field: &str) -> Option<&str> {
        self.fault.as_ref().filter(|fault| fault.field == field).map(|fault| fault.message.as_str())
    }
}

/// What the address says of the page.
#[derive(Debug, Default)]
pub(crate) struct PageQuery {
    /// What has just happened.
    pub(crate) notice: Option<String>,
    /// The history from before this event.
    pub(crate) before: Option<i64>,
    /// What had been typed when the session ended ([`crate::console::resume`]), with the state it was typed over.
    pub(crate) typed: Option<(Typed, Seen)>,
}

impl FromFields for PageQuery {
    fn from_fields(fields: &Fields) -> Self {
        let typed = fields.some("edited").map(|_| (Typed::from_fields(fields), Seen::named(fields.one("seen"))));
        Self { notice: fields.some("notice"), before: fields.one("before").parse().ok(), typed }
    }
}

/// What `notice` can say: only words of our own, since a link could put anything there.
const NOTICES: [(&str, &str); 5] = [
    ("saved", "Saved. It is in effect at the application's next request."),
    ("unchanged", "Nothing was changed: everything is as it was."),
    ("disabled", "Disabled. The API key and every access token of this application are refused."),
    ("enabled", "Enabled. The API key works again; access tokens from before stay dead."),
    (OVERLAP_ENDED, OVERLAP_IS_OVER),
];

/// `GET /console/applications/{client_id}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(client_id): Segment,
    InQuery(query): InQuery<PageQuery>,
    InQuery(changed): InQuery<Changed>,
) -> Result<Response, Problem> {
    match wanted(&app, &client_id).await? {
        Ok(application) => {
            let mut page = load(&app, &signed_in, &application, query).await?;
            page.frame.effect = changed.told(&app).await?;
            Ok(answer::page(StatusCode::OK, &page))
        }
        Err(gone) => Ok(gone),
    }
}

/// The page with what was typed and what is wrong with it.
pub(crate) async fn with_fault(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    application: &Application,
    typed: Option<Typed>,
    fault: Fault,
) -> Result<Response, Problem> {
    // Saving again is a decision made in view of the present state, which this page shows.
    let typed = typed.map(|typed| (typed, seen(application)));
    let mut page = load(app, signed_in, application, PageQuery { typed, ..PageQuery::default() }).await?;
    page.fault = Some(fault);
    Ok(answer::page(status, &page))
}

async fn load(
    app: &App,
    signed_in: &SignedIn,
    application: &Application,
    query: PageQuery,
) -> Result<ApplicationPage, StoreError> {
    let now = app.clock.now();
    let mut tx = app.store.read().await?;
    let id = &application.client_id;
    let all_roles = store::role::all(&mut tx).await?;
    let users = store::console_user::all(&mut tx).await?;
    let days = store::usage::of_application(&mut tx, id, usage::first_day(now)).await?;
    let denials = store::denial::recent(&mut tx, id.as_str(), now.minus(usage::SPAN), REFUSALS).await?;
    let last_used = store::usage::last_used(&mut tx, std::slice::from_ref(id)).await?.pop().flatten();
    let secrets_used = store::usage::secrets_last_used(&mut tx, id).await?;
    let (target, path) = (("application", id.as_str()), paths::application(id.as_str()));
    let tell = |event: &AuditEvent| history::tell(event, &users);
    let history = History::load(&mut tx, signed_in, target, path, query.before, tell).await?;
    drop(tx);

    let roles: Vec<&Role> = all_roles.iter().filter(|role| application.roles.contains(&role.id)).collect();
    let may_edit = signed_in.may(SecurityResource::Applications, Action::Edit);
    let covered = covers(signed_in, &roles);
    let used: BTreeSet<String> = days.iter().flat_map(|day| day.grants.iter().cloned()).collect();
    let secret = |secret: &StoredSecret| Secret {
        made: When::new(secret.created_at),
        last_used: secrets_used.iter().find(|(id, _)| *id == secret.id).and_then(|(_, at)| *at).map(When::new),
        ends: secret.ends_at.map(When::new),
    };
    let (typed, seen) = query.typed.unwrap_or_else(|| (Typed::of(application), seen(application)));
    let offered = all_roles.iter().filter(|role| covers(signed_in, &[*role]) || application.roles.contains(&role.id));
    Ok(ApplicationPage {
        frame: Frame {
            notice: NOTICES.iter().find(|(name, _)| query.notice.as_deref() == Some(name)).map(|(_, words)| *words),
            ..signed_in.frame(Section::Applications)
        },
        name: application.name.to_string(),
        client_id: id.to_string(),
        enabled: application.enabled,
        marks: marks(application, now),
        created: When::new(application.created_at),
        created_by: application.created_by.clone(),
        last_used: last_used.map(When::new),
        expires: application.expires_at.map(When::new),
        secrets: application.secrets.iter().filter(|found| found.is_live(now)).map(secret).collect(),
        access: access_lines(&AccessTable::compile(roles.iter().copied()), &used),
        usage: Usage::new(&days, now),
        refusals: denials.into_iter().map(Refusal::new).collect(),
        history,
        owners: users
            .iter()
            .map(|user| Choice {
                value: user.id.clone(),
                label: user.name.to_string(),
                about: String::new(),
                chosen: typed.owner == user.id,
            })
            .collect(),
        roles: offered
            .map(|role| Choice {
                value: role.id.as_str().to_owned(),
                label: role.name.to_string(),
                about: words::about(role),
                chosen: typed.roles.iter().any(|id| id == role.id.as_str()),
            })
            .collect(),
        seen,
        typed,
        fault: None,
        editable: may_edit && covered,
        held: (may_edit && !covered).then(|| {
            "The roles of this application allow more than your own do, so an administrator has to change it."
                .to_owned()
        }),
    })
}

/// Nobody hands out more than they have (rule 10). The actions decide; this only keeps back what they would refuse.
fn covers(signed_in: &SignedIn, roles: &[&Role]) -> bool {
    signed_in.user.is_administrator() || signed_in.access.covers(&AccessTable::compile(roles.iter().copied()))
}

/// A line for each grant, with the grants that were used.
fn access_lines(table: &AccessTable, used: &BTreeSet<String>) -> Vec<AccessLine> {
    let used: Vec<Grant> = used.iter().filter_map(|text| text.parse().ok()).collect();
    let line = |(grant, reach): &(Grant, Reach)| AccessLine {
        resource: grant.resource.to_string(),
        action: grant.action.as_str(),
        filters: match reach {
            Reach::All => Vec::new(),
            Reach::Filtered(filters) => filters.iter().map(ToString::to_string).collect(),
        },
        used: used.iter().any(|used| grant.covers(used)),
    };
    // Editing security resources is never within an application's reach, whatever its roles (rule 4).
    table.entries().iter().filter(|(grant, _)| grant.is_scope()).map(line).collect()
}

impl Refusal {
    fn new(denial: store::denial::Denial) -> Self {
        Self {
            at: When::new(denial.at),
            reason: denial.reason.map_or("Another reason", crate::domain::denial::DenialReason::words),
            source: if denial.source.is_empty() { "several addresses".to_owned() } else { denial.source },
            times: denial.times,
        }
    }
}
