//! `GET /problems` and `GET /problems/{slug}`: what each kind of problem means and what to do about it.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::header;

use crate::http::{
    kind::{self, CATALOGUE, Kind},
    parameters::Segment,
    problem::Problem,
};

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    kind: &'static Kind,
}

#[derive(Template)]
#[template(path = "problems.html")]
struct ProblemsPage {
    kinds: &'static [&'static Kind],
}

/// All kinds.
pub(super) async fn list() -> Response {
    page(&ProblemsPage { kinds: CATALOGUE })
}

/// One kind.
pub(super) async fn show(Segment(slug): Segment) -> Response {
    match kind::find(&slug) {
        Some(kind) => page(&ProblemPage { kind }),
        None => Problem::not_found("There is no problem with this name; GET /problems lists all.").into_response(),
    }
}

/// Styles and icon of the hub itself, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'none'; \
     frame-ancestors 'none'; base-uri 'none'";

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let headers = [(header::CACHE_CONTROL, "public, max-age=3600"), (header::CONTENT_SECURITY_POLICY, POLICY)];
            (headers, Html(html)).into_response()
        }
        Err(fault) => {
            tracing::error!(%fault, "a page could not be rendered");
            Problem::internal().into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_readable_page() {
        for kind in CATALOGUE {
            let html = ProblemPage { kind }.render().unwrap();
            assert!(html.contains(kind.title) && html.contains("What to do"), "{}", kind.slug);
        }
        let list = ProblemsPage { kinds: CATALOGUE }.render().unwrap();
        assert!(list.contains("/problems/console-only"));
    }
}
