//! The Application keys page: the table that every window stands over.

use crate::app::App;
use crate::console::answer;
use crate::console::form::{Fields, FromFields, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::paths;
use crate::console::session::SignedIn;
use crate::console::when::When;
use crate::domain::application::{Application, ApplicationStatus};
use crate::domain::grant::Action;
use crate::domain::name::Name;
use crate::domain::resource::SecurityResource;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::http::problem::Problem;
use crate::store::{self, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// How many applications the table shows at once.
const PAGE: u32 = 50;

/// One application in the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) roles: Vec<String>,
    /// What is out of the ordinary, with its style.
    pub(crate) mark: Option<(String, &'static str)>,
    pub(crate) key_made: When,
}

/// What the table shows: a page of the applications whose names begin with what was looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) rows: Vec<Row>,
    /// What was looked for; empty for all.
    pub(crate) query: String,
    /// Whether no page comes before.
    pub(crate) first_page: bool,
    /// The cursor of the next page.
    pub(crate) next: Option<String>,
    /// Whether the person may make, regenerate and delete keys.
    pub(crate) editable: bool,
    /// How many applications there are in all.
    pub(crate) total: u64,
}

impl List {
    /// How many there are, in words.
    pub(crate) fn count_words(&self) -> String {
        match (self.query.is_empty(), self.total) {
            (true, 1) => "1 application".to_owned(),
            (true, total) => format!("{total} applications"),
            (false, total) => format!("{} shown of {total} in all", self.rows.len()),
        }
    }

    /// The list from its beginning.
    pub(crate) fn first_path(&self) -> String {
        self.path(None)
    }

    /// The next page of the list.
    pub(crate) fn next_path(&self) -> Option<String> {
        self.next.as_deref().map(|cursor| self.path(Some(cursor)))
    }

    fn path(&self, cursor: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.query.is_empty() {
            query.append_pair("q", &self.query);
        }
        if let Some(cursor) = cursor {
            query.append_pair("after", cursor);
        }
        match query.finish() {
            empty if empty.is_empty() => paths::APPLICATIONS.to_owned(),
            query => format!("{}?{query}", paths::APPLICATIONS),
        }
    }
}

/// Which part of the list is asked for.
#[derive(Debug, Default)]
pub(crate) struct ListQuery {
    /// The beginning of the names to show.
    q: String,
    /// The name after which the page begins.
    after: Option<String>,
    /// What has just happened.
    notice: Option<String>,
}

impl FromFields for ListQuery {
    fn from_fields(fields: &Fields) -> Self {
        Self { q: fields.one("q"), after: fields.some("after"), notice: fields.some("notice") }
    }
}

/// `GET /console/applications`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Response, Problem> {
    let mut frame = signed_in.frame(Section::Applications);
    // Only words of our own: a link can't put text onto the page.
    frame.notice =
        (query.notice.as_deref() == Some(DELETED)).then_some("The API key was deleted. Nothing accepts it any more.");
    let list = load(&app, &signed_in, query).await?;
    Ok(answer::page(StatusCode::OK, &ListPage { frame, list }))
}

/// The value of `notice` after a deletion.
pub(crate) const DELETED: &str = "deleted";

/// The first page of the list, for a window to stand over.
pub(crate) async fn behind_window(app: &App, signed_in: &SignedIn) -> Result<List, StoreError> {
    load(app, signed_in, ListQuery::default()).await
}

async fn load(app: &App, signed_in: &SignedIn, query: ListQuery) -> Result<List, StoreError> {
    let mut tx = app.store.read().await?;
    let wanted = query.q.trim().replace('\0', "").to_lowercase();
    let after = query.after.as_deref().unwrap_or(&wanted).replace('\0', "");
    let mut found = Vec::new();
    // Names that begin with a text follow it in order; the one that is this text comes first.
    if query.after.is_none()
        && let Ok(name) = Name::parse(&wanted)
    {
        found.extend(store::application::by_name(&mut tx, &name).await?);
    }
    found.extend(store::application::page(&mut tx, &after, PAGE + 1).await?);
    found.retain(|application| application.name.key().starts_with(&wanted));
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more).map(|last| last.name.key());
    let total = store::application::count(&mut tx).await?;
    let roles = store::role::all(&mut tx).await?;
    let now = app.clock.now();
    Ok(List {
        rows: found.iter().map(|application| Row::new(application, &roles, now)).collect(),
        query: query.q.trim().to_owned(),
        first_page: query.after.is_none(),
        next,
        editable: signed_in.may(SecurityResource::Applications, Action::Edit),
        total,
    })
}

impl Row {
    fn new(application: &Application, roles: &[Role], now: Timestamp) -> Self {
        let made = application.secrets.first().map_or(application.created_at, |secret| secret.created_at);
        Self {
            name: application.name.to_string(),
            client_id: application.client_id.to_string(),
            roles: role_names(application, roles),
            mark: mark(application, now),
            key_made: When::new(made),
        }
    }
}

fn mark(application: &Application, now: Timestamp) -> Option<(String, &'static str)> {
    match application.status(now) {
        ApplicationStatus::Active => None,
        ApplicationStatus::Disabled => Some(("disabled".to_owned(), "off")),
        ApplicationStatus::Expired => Some(("expired".to_owned(), "ended")),
        ApplicationStatus::OverlapUntil(end) => Some((format!("old secret until {}", When::new(end).full), "accent")),
    }
}

/// The names of an application's roles.
pub(crate) fn role_names(application: &Application, roles: &[Role]) -> Vec<String> {
    let own = roles.iter().filter(|role| application.roles.contains(&role.id));
    own.map(|role| role.name.to_string()).collect()
}

/// The page without a window.
#[derive(Template)]
#[template(path = "application/list.html")]
pub(crate) struct ListPage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
}

#[cfg(test)]
impl List {
    /// A list whose names try to be markup.
    pub(crate) fn sample() -> Self {
        let row = |name: &str, client_id: &str, roles: &[&str], mark: Option<&str>| Row {
            name: name.to_owned(),
            client_id: client_id.to_owned(),
            roles: roles.iter().map(ToString::to_string).collect(),
            mark: mark.map(|text| (text.to_owned(), "off")),
            key_made: When::new(Timestamp::from_seconds(1_795_000_000)),
        };
        Self {
            rows: vec![
                row(
                    "<script>alert('name')</script>",
                    "gh_0123456789abcdefghijAB",
                    &["<script>role</script>"],
                    Some("disabled"),
                ),
                row("Grafana", "gh_Zz23456789abcdefghijAB", &["Operator", "fx desk"], None),
            ],
            query: String::new(),
            first_page: true,
            next: Some("gra&fana".into()),
            editable: true,
            total: 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn names_are_text_and_rows_have_their_actions() {
        let page = ListPage { frame: Frame::sample(Section::Applications), list: List::sample() };
        let html = page.render().expect("renders");
        assert!(!html.contains("<script>alert"), "a name became markup");
        assert!(!html.contains("<script>role"), "a role became markup");
        assert!(html.contains("New API Key</button>"));
        assert_eq!(html.matches(">Regenerate</button>").count(), 2);
        assert_eq!(html.matches(">Delete</button>").count(), 2);
        assert!(html.contains("/console/applications?after=gra%26fana"));
    }

    #[test]
    fn who_may_not_edit_sees_no_buttons() {
        let list = List { editable: false, ..List::sample() };
        let html = ListPage { frame: Frame::sample(Section::Applications), list }.render().expect("renders");
        for absent in ["New API Key", ">Regenerate<", ">Delete<"] {
            assert!(!html.contains(absent), "{absent}");
        }
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        let list = List { first_page: true, editable: true, ..List::default() };
        let html = ListPage { frame: Frame::sample(Section::Applications), list }.render().expect("renders");
        assert!(html.contains("No application has a key yet"));
    }
}
