//! The New API Key window: a name, then roles, then the key.

use super::list::List;
use crate::console::frame::Frame;
use crate::domain::name::Name;
use askama::Template;

/// The title of the window in all its steps.
pub(crate) const TITLE: &str = "New API Key";

/// Step 1: the name.
#[derive(Template)]
#[template(path = "application/new_name.html")]
pub(crate) struct NamePage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) name: String,
    pub(crate) error: Option<String>,
    pub(crate) maximum: usize,
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
    pub(crate) choices: Vec<Choice>,
    /// Names this filled-in form, so that a repeated submit makes no second key.
    pub(crate) submission: String,
    pub(crate) error: Option<String>,
}

impl NamePage {
    /// The step with what was typed.
    pub(crate) fn new(frame: Frame, list: List, name: String, error: Option<String>) -> Self {
        Self { frame, list, name, error, maximum: Name::MAX_CHARACTERS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    const MARKUP: &str = "<script>alert(1)</script>";

    #[test]
    fn the_name_stays_as_typed_beside_the_error() {
        let frame = Frame::sample(Section::Applications);
        let page = NamePage::new(frame, List::sample(), MARKUP.into(), Some(format!("{MARKUP} is taken")));
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
            choices: vec![choice("Administrator", false), choice(MARKUP, true)],
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
