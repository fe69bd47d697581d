//! The one place where the console turns a refusal into a page.

use super::when::When;
use super::{answer, paths};
use crate::app::App;
use crate::http::kind;
use crate::http::problem::Problem;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use std::borrow::Cow;
use std::time::Duration;

/// Where to go from here.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) path: Cow<'static, str>,
    pub(crate) label: &'static str,
}

/// A page that says what happened and what to do.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct MessagePage {
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) link: Option<Link>,
}

/// A page that says what happened.
pub(crate) fn page(status: StatusCode, title: &str, detail: &str, link: Option<Link>) -> Response {
    answer::page(status, &MessagePage { title: title.to_owned(), detail: detail.to_owned(), link })
}

/// The page for a problem that arose outside of the console's own code: unknown path, method, body, store, panic.
pub(crate) fn rescue(app: &App, problem: &Problem) -> Response {
    let kind = problem.kind();
    let (title, detail) = if *kind == kind::UNKNOWN_PATH {
        ("This page does not exist", "The address may have been mistyped, or what it showed was deleted.")
    } else if *kind == kind::METHOD_NOT_ALLOWED {
        ("This is not a page", "The address belongs to a form of the console. Open the page that has it.")
    } else if *kind == kind::INTERNAL {
        (kind.title, "A fault in the hub itself. It was logged under the X-Request-Id of this answer.")
    } else {
        (kind.title, problem.detail())
    };
    let detail = if *kind == kind::UNAVAILABLE { format!("{detail} {}", still_served(app)) } else { detail.to_owned() };
    page(kind.status, title, &detail, Some(Link { path: paths::CONSOLE.into(), label: "Go to the console" }))
}

/// Longer than between two polls: the store is away then.
const AWAY: Duration = Duration::from_secs(1);

/// What applications meet while the store is away.
fn still_served(app: &App) -> String {
    let limit = app.config.timing.staleness_limit;
    match (app.fresh(), app.snapshot.last_good_poll()) {
        (Ok(_), Some(began)) if app.clock.now().since(began) > AWAY => format!(
            "Applications go on being served by what was in effect before. If this lasts, this node refuses everything \
             from {} on.",
            When::new(began.plus(limit)).time
        ),
        (Ok(_), _) => String::new(),
        _ => "Until it is back, this node refuses every application.".to_owned(),
    }
}

/// The page for a console page that shows something which is not there.
pub(crate) fn gone(title: &str, detail: &str) -> Response {
    let back = Link { path: paths::APPLICATIONS.into(), label: "Back to Application keys" };
    page(StatusCode::NOT_FOUND, title, detail, Some(back))
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
            link: Some(Link { path: paths::OVERVIEW.into(), label: "Overview" }),
        };
        let html = page.render().expect("renders");
        assert_eq!(html.matches("<script>").count(), 0);
    }
}
