//! The Application keys page: the table that every window stands over.

use super::back::Back;
use super::list_query::{Choice, ListQuery};
use super::row::Row;
use super::switch::{OVERLAP_ENDED, OVERLAP_IS_OVER};
use crate::app::App;
use crate::console::answer;
use crate::console::effect::Changed;
use crate::console::form::InQuery;
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::domain::grant::Action;
use crate::domain::resource::SecurityResource;
use crate::domain::role::Role;
use crate::http::problem::Problem;
use crate::store::application_list;
use crate::store::{self, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// How many applications the table shows at once.
const PAGE: usize = 50;

/// What the table shows: a page of what was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) rows: Vec<Row>,
    /// What was asked for.
    pub(crate) query: ListQuery,
    /// Where the windows that stand over it or are opened from it lead back to.
    pub(crate) back: Back,
    /// The choices of the filter by role.
    pub(crate) roles: Vec<Choice>,
    /// Addresses of the pages beside this one.
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
    /// The filters select few of those looked at for this page, and more may follow.
    pub(crate) partial: bool,
    /// Whether the person may make, regenerate and delete keys.
    pub(crate) editable: bool,
    /// How many applications there are in all.
    pub(crate) total: usize,
}

impl List {
    /// Whether there is no application at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.query.is_filtered() && self.previous.is_none() && self.next.is_none()
    }

    /// How many there are, in words.
    pub(crate) fn count_words(&self) -> String {
        let shown = self.rows.len();
        let whole = self.previous.is_none() && self.next.is_none();
        match (self.query.is_filtered(), self.total) {
            (true, total) if whole => format!("{shown} of {total} applications"),
            (true, total) => format!("{shown} shown, of {total} applications in all"),
            (false, 1) => "1 application".to_owned(),
            (false, total) => format!("{total} applications"),
        }
    }

    /// What narrows the list, in words that say how to widen it.
    pub(crate) fn narrowed_by(&self) -> Vec<String> {
        let chosen =
            |choices: &[Choice]| choices.iter().find(|choice| choice.chosen).map(|choice| choice.label.clone());
        let words = &self.query.search.words;
        let mut by = Vec::new();
        if !words.is_empty() {
            by.push(format!("a name or client_id that begins with “{words}”"));
        }
        by.extend(chosen(&self.roles).map(|role| format!("the role “{role}”")));
        by.extend(chosen(&self.query.standings()).map(|standing| format!("the status “{standing}”")));
        by
    }
}

/// `GET /console/applications`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    InQuery(query): InQuery<ListQuery>,
    InQuery(changed): InQuery<Changed>,
) -> Result<Response, Problem> {
    let mut frame = signed_in.frame(Section::Applications);
    // Only words of our own: a link can't put text onto the page.
    let notice = NOTICES.iter().find(|(name, _)| query.notice.as_deref() == Some(name));
    frame.notice = notice.map(|(_, words)| *words);
    frame.effect = changed.told(&app).await?;
    let list = load(&app, &signed_in, query).await?;
    Ok(answer::page(StatusCode::OK, &ListPage { frame, list }))
}

/// The value of `notice` after a deletion.
pub(crate) const DELETED: &str = "deleted";

/// What `notice` can say.
const NOTICES: [(&str, &str); 2] =
    [(DELETED, "The API key was deleted. Nothing accepts it any more."), (OVERLAP_ENDED, OVERLAP_IS_OVER)];

/// The list for a window to stand over that leads back there.
pub(crate) async fn behind_window(app: &App, signed_in: &SignedIn, back: Back) -> Result<List, StoreError> {
    Ok(List { back: back.clone(), ..load(app, signed_in, back.list_query()).await? })
}

async fn load(app: &App, signed_in: &SignedIn, query: ListQuery) -> Result<List, StoreError> {
    let now = app.clock.now();
    let mut tx = app.store.read().await?;
    let page = application_list::page(&mut tx, &query.search, PAGE, now).await?;
    let roles = store::role::all(&mut tx).await?;
    let choice = |role: &Role| Choice {
        value: role.id.as_str().to_owned(),
        label: role.name.to_string(),
        chosen: query.search.role.as_ref() == Some(&role.id),
    };
    Ok(List {
        rows: page.items.iter().map(|item| Row::new(item, &roles, now)).collect(),
        roles: roles.iter().map(choice).collect(),
        previous: page.previous.as_ref().map(|place| query.path(Some(place))),
        next: page.next.as_ref().map(|place| query.path(Some(place))),
        partial: page.partial,
        editable: signed_in.may(SecurityResource::Applications, Action::Edit),
        // Counted in memory: a database would walk through all of them.
        total: app.snapshot.application_count(),
        back: Back::List(Box::new(query.clone())),
        query,
    })
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
        use super::row::{Mark, OverlapNote};
        use crate::console::when::When;
        use crate::domain::time::Timestamp;
        let at = || When::new(Timestamp::from_seconds(1_795_000_000));
        let row = |name: &str, client_id: &str, roles: &[&str], words: &str| Row {
            name: name.to_owned(),
            client_id: client_id.to_owned(),
            roles: roles.iter().map(ToString::to_string).collect(),
            marks: vec![Mark { style: "off", words: words.to_owned(), at: Some(at()), in_full: false }],
            last_used: Some((at(), "3 hours ago".to_owned())),
            overlap: (words == "active")
                .then(|| OverlapNote { ends: at(), last_used: Some((at(), "2 hours ago".to_owned())) }),
            created: at(),
            created_by: "<script>by</script>".to_owned(),
        };
        let role = Choice { value: "\"><script>".to_owned(), label: "<script>role</script>".to_owned(), chosen: true };
        Self {
            rows: vec![
                row(
                    "<script>alert('name')</script>",
                    "gh_0123456789abcdefghijAB",
                    &["<script>role</script>"],
                    "disabled",
                ),
                row("Grafana", "gh_Zz23456789abcdefghijAB", &["Operator", "fx desk"], "active"),
            ],
            roles: vec![role],
            next: Some("/console/applications?cursor=gra%26fana".into()),
            editable: true,
            total: 2,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::form::{Fields, FromFields as _};
    use crate::console::frame::Section;

    fn render(list: List) -> String {
        ListPage { frame: Frame::sample(Section::Applications), list }.render().expect("renders")
    }

    #[test]
    fn names_are_text_and_rows_have_their_actions() {
        let html = render(List::sample());
        for markup in ["<script>alert", "<script>role", "<script>by", "\"><script>"] {
            assert!(!html.contains(markup), "{markup}");
        }
        assert!(html.contains("New API Key</button>"));
        assert_eq!(html.matches(">Regenerate</button>").count(), 2);
        assert_eq!(html.matches(">Delete</button>").count(), 2);
        assert!(html.contains("/console/applications?cursor=gra%26fana"));
        assert_eq!(html.matches(">End overlap</button>").count(), 1, "where one is running");
        assert!(html.contains("2 hours ago"));
    }

    #[test]
    fn who_may_not_edit_sees_no_buttons() {
        let html = render(List { editable: false, ..List::sample() });
        for absent in ["New API Key", ">Regenerate<", ">Delete<", ">End overlap<"] {
            assert!(!html.contains(absent), "{absent}");
        }
    }

    #[test]
    fn an_empty_list_leads_to_a_new_key() {
        let html = render(List { editable: true, ..List::default() });
        assert!(html.contains("No application has a key yet"));
        assert_eq!(html.matches("New API Key</button>").count(), 1, "where it is looked for");
        let html = render(List::default());
        assert!(!html.contains("New API Key</button>"));
    }

    #[test]
    fn nothing_found_says_how_to_widen() {
        let query = ListQuery::from_fields(&Fields::parse(b"q=%3Cb%3Ex&status=expired"));
        let html = render(List { query, ..List::default() });
        assert!(html.contains("Nothing found") && html.contains("Show all") && !html.contains("<b>x"));
        assert!(html.contains("the status “Expired”"), "{html}");
    }
}
