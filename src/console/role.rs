//! The Roles page: what each role allows, read-only.

use super::answer;
use super::frame::{Frame, Section};
use super::session::SignedIn;
use super::words::{self, GrantLine};
use crate::app::App;
use crate::domain::role::Role;
use crate::http::problem::Problem;
use crate::store;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// A role, in words.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) name: String,
    pub(crate) built_in: bool,
    pub(crate) about: String,
    pub(crate) grants: Vec<GrantLine>,
    /// The data filter, in its language.
    pub(crate) filter: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "roles.html")]
pub(crate) struct RolesPage {
    pub(crate) frame: Frame,
    pub(crate) roles: Vec<Card>,
}

/// `GET /console/roles`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
) -> Result<Response, Problem> {
    let roles = store::role::all(&mut app.store.read().await?).await?;
    let page = RolesPage { frame: signed_in.frame(Section::Roles), roles: roles.iter().map(Card::new).collect() };
    Ok(answer::page(StatusCode::OK, &page))
}

impl Card {
    fn new(role: &Role) -> Self {
        Self {
            name: role.name.to_string(),
            built_in: role.built_in,
            about: words::about(role),
            grants: words::grant_lines(role),
            filter: role.filter.as_ref().map(ToString::to_string),
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
            roles: vec![Card {
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
