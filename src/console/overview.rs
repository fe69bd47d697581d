//! The overview: what there is, and how data is reached.

use super::frame::Frame;
use askama::Template;

/// The page.
#[derive(Template)]
#[template(path = "overview.html")]
pub(crate) struct OverviewPage {
    pub(crate) frame: Frame,
    /// How many applications have a key.
    pub(crate) applications: usize,
    /// How many of them are disabled, in words.
    pub(crate) applications_more: String,
    /// How many roles there are.
    pub(crate) roles: usize,
    pub(crate) token_endpoint: String,
    /// How long a token lives, in words.
    pub(crate) token_lifetime: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn it_names_the_token_endpoint() {
        let page = OverviewPage {
            frame: Frame::sample(Section::Overview),
            applications: 12,
            applications_more: "1 disabled".into(),
            roles: 5,
            token_endpoint: "https://hub.example/oauth2/token".into(),
            token_lifetime: "10 minutes".into(),
        };
        let html = page.render().expect("renders");
        assert!(html.contains("https://hub.example/oauth2/token"));
        assert!(!html.contains("<script>alert"));
    }
}
