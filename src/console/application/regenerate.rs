//! The Regenerate API key window: the `client_id` stays, the secret is replaced.

use super::list::List;
use crate::console::frame::Frame;
use askama::Template;

/// The title of the window in all its steps.
pub(crate) const TITLE: &str = "Regenerate API key";

/// What it means, and the button.
#[derive(Template)]
#[template(path = "application/regenerate.html")]
pub(crate) struct RegeneratePage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) name: String,
    pub(crate) client_id: String,
    /// Names this form, so that a repeated submit replaces no second secret.
    pub(crate) submission: String,
    pub(crate) error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn it_says_that_the_client_id_stays() {
        let page = RegeneratePage {
            frame: Frame::sample(Section::Applications),
            list: List::sample(),
            name: "<script>alert(1)</script>".into(),
            client_id: "gh_0123456789abcdefghijAB".into(),
            submission: "submission-1".into(),
            error: None,
        };
        let html = page.render().expect("renders");
        assert!(!html.contains("<script>alert"));
        assert!(html.contains("The client_id stays the same."));
        assert!(html.contains("Regenerate API key</button>"));
        assert!(html.contains("action=\"/console/applications/gh_0123456789abcdefghijAB/regenerate\""));
    }
}
