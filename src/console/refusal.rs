//! The one place where the console turns a refusal into a page.

use askama::Template;

/// Where to go from here.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) path: &'static str,
    pub(crate) label: &'static str,
}

/// A page that says what happened and what to do.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct MessagePage {
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) link: Option<Link>,
    /// The request's id, to find it in the log.
    pub(crate) request: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::paths;

    #[test]
    fn its_words_are_text() {
        let page = MessagePage {
            title: "<script>title</script>".into(),
            detail: "<script>detail</script>".into(),
            link: Some(Link { path: paths::OVERVIEW, label: "Overview" }),
            request: Some("<script>request</script>".into()),
        };
        let html = page.render().expect("renders");
        assert_eq!(html.matches("<script>").count(), 0);
    }
}
