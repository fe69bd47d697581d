//! Signing in and out.

use askama::Template;

/// The sign-in page.
#[derive(Template, Default)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage {
    /// The page to show afterwards.
    pub(crate) next: String,
    pub(crate) username: String,
    /// Why the last attempt failed: the same for an unknown user and a wrong password.
    pub(crate) error: Option<String>,
    /// Why the person is here.
    pub(crate) notice: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_text() {
        let page = SignInPage {
            next: "\"><script>next</script>".into(),
            username: "\"><script>user</script>".into(),
            error: Some("<script>error</script>".into()),
            notice: None,
        };
        let html = page.render().expect("renders");
        for markup in ["<script>next", "<script>user", "<script>error"] {
            assert!(!html.contains(markup), "{markup}");
        }
        assert!(html.contains("<label for=\"username\">Username</label>"));
        assert!(html.contains("<label for=\"password\">Password</label>"));
    }
}
