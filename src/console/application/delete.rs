//! The Delete API key window: it asks once more, and says what stops.

use super::list::List;
use crate::console::frame::Frame;
use askama::Template;

/// The question.
#[derive(Template)]
#[template(path = "application/delete.html")]
pub(crate) struct DeletePage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
    pub(crate) name: String,
    pub(crate) client_id: String,
    /// The application's roles, in words.
    pub(crate) roles: String,
    pub(crate) error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn it_says_that_it_is_permanent() {
        let page = DeletePage {
            frame: Frame::sample(Section::Applications),
            list: List::sample(),
            name: "<script>alert(1)</script>".into(),
            client_id: "gh_0123456789abcdefghijAB".into(),
            roles: "<script>role</script>".into(),
            error: Some("<script>error</script>".into()),
        };
        let html = page.render().expect("renders");
        for markup in ["<script>alert", "<script>role", "<script>error"] {
            assert!(!html.contains(markup), "{markup}");
        }
        assert!(html.contains("permanent"));
        assert!(html.contains("Delete API key</button>"));
    }
}
