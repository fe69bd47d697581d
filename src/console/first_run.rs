//! The first run: the one-time link makes the first administrator (SECURITY 36).

use crate::domain::console_user::MIN_PASSWORD_CHARACTERS;
use askama::Template;

/// The page. The link's token is in the fragment, which only the browser sees; a script moves it into the form.
#[derive(Template)]
#[template(path = "first_run.html")]
pub(crate) struct FirstRunPage {
    pub(crate) token: String,
    pub(crate) username: String,
    pub(crate) error: Option<String>,
    pub(crate) minimum: usize,
}

impl FirstRunPage {
    /// The page with what was typed.
    pub(crate) fn new(token: String, username: String, error: Option<String>) -> Self {
        Self { token, username, error, minimum: MIN_PASSWORD_CHARACTERS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_text() {
        let markup = "\"><script>alert(1)</script>";
        let html = FirstRunPage::new(markup.into(), markup.into(), Some(markup.into())).render().expect("renders");
        assert!(!html.contains("<script>alert"));
        assert!(html.contains("<label for=\"password\">Password</label>"));
    }
}
