//! The Roles page: what each role allows, and how many applications have it.

use super::COUNTED;
use crate::app::App;
use crate::console::answer;
use crate::console::effect::Changed;
use crate::console::form::{Fields, FromFields, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::console::words::{self, GrantLine};
use crate::domain::role::Role;
use crate::http::problem::Problem;
use crate::store::{self, StoreError, Tx};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// A role, in words.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) built_in: bool,
    pub(crate) about: String,
    pub(crate) grants: Vec<GrantLine>,
    /// The data filter, in its language.
    pub(crate) filter: Option<String>,
    /// How many applications have it, in words.
    pub(crate) applications: String,
}

/// The page.
#[derive(Template)]
#[template(path = "role/list.html")]
pub(crate) struct RolesPage {
    pub(crate) frame: Frame,
    pub(crate) roles: Vec<Card>,
    /// Whether this person may make and change roles.
    pub(crate) editable: bool,
}

/// The value of `notice` after a role was made.
pub(crate) const MADE: &str = "made";
/// The value of `notice` after a role was changed.
pub(crate) const SAVED: &str = "saved";
/// The value of `notice` after a role was deleted.
pub(crate) const DELETED: &str = "deleted";

/// What has just happened.
pub(crate) struct Notice(String);

impl FromFields for Notice {
    fn from_fields(fields: &Fields) -> Self {
        Self(fields.one("notice"))
    }
}

impl Notice {
    /// Only words of our own: a link can't put text onto the page.
    fn words(&self) -> Option<&'static str> {
        match self.0.as_str() {
            MADE => Some("The role was made. Give it to applications on Application keys."),
            SAVED => Some("The role was saved. It holds from the next request on."),
            DELETED => Some("The role was deleted. Nobody has it any more."),
            _ => None,
        }
    }
}

/// `GET /console/roles`.
pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    InQuery(notice): InQuery<Notice>,
    InQuery(changed): InQuery<Changed>,
) -> Result<Response, Problem> {
    let mut frame = signed_in.frame(Section::Roles);
    frame.notice = notice.words();
    frame.effect = changed.told(&app).await?;
    let roles = cards(&mut app.store.read().await?).await?;
    Ok(answer::page(StatusCode::OK, &RolesPage { frame, roles, editable: signed_in.user.is_administrator() }))
}

/// All roles.
pub(crate) async fn cards(tx: &mut Tx) -> Result<Vec<Card>, StoreError> {
    let mut cards = Vec::new();
    for role in store::role::all(tx).await? {
        let count = store::role::count_applications(tx, &role.id, COUNTED).await?;
        cards.push(Card::new(&role, words::applications(count, u64::from(COUNTED))));
    }
    Ok(cards)
}

impl Card {
    /// A role that so many applications have.
    pub(crate) fn new(role: &Role, applications: String) -> Self {
        Self {
            id: role.id.as_str().to_owned(),
            name: role.name.to_string(),
            built_in: role.built_in,
            about: words::about(role),
            grants: words::grant_lines(role),
            filter: role.filter.as_ref().map(ToString::to_string),
            applications,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn names_and_filters_are_text() {
        let page = RolesPage {
            frame: Frame::sample(Section::Roles),
            editable: true,
            roles: vec![Card {
                id: "role_1".into(),
                applications: "2 applications".into(),
                name: "<script>name</script>".into(),
                built_in: false,
                about: "<script>about</script>".into(),
                grants: vec![GrantLine { resource: "entities".into(), actions: "view and edit" }],
                filter: Some("user.department = \"<script>filter</script>\"".into()),
            }],
        };
        let html = page.render().expect("renders");
        for markup in ["<script>name", "<script>about", "<script>filter"] {
            assert!(!html.contains(markup), "{markup}");
        }
    }
}
