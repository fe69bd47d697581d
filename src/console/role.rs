//! The Roles page: what each role allows, read-only.

use super::frame::Frame;
use askama::Template;

/// What a role allows on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantLine {
    pub(crate) resource: String,
    /// `view`, `edit` or `view and edit`.
    pub(crate) actions: &'static str,
}

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
