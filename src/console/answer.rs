//! Turns pages into answers: status, the strict content security policy, and nothing kept in caches.

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

/// No inline script or style, nothing from elsewhere, nobody's frame (SECURITY 32).
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page. Every page of the console is `no-store`: it holds at least a CSRF token, and some a secret.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response<Body> {
    let Ok(html) = template.render() else {
        // Rendering writes to memory and calls nothing that can fail.
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be rendered");
    };
    let mut answer = Response::new(Body::from(html));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    // Not `no-referrer`: browsers would then say `Origin: null` of the console's own forms.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    keep_nothing(&mut answer);
    answer
}

/// Sends the browser to another page of the console with GET.
pub(crate) fn see_other(path: &str) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static(super::paths::OVERVIEW));
    answer.headers_mut().insert(header::LOCATION, location);
    keep_nothing(&mut answer);
    answer
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    keep_nothing(&mut answer);
    answer
}

fn keep_nothing(answer: &mut Response<Body>) {
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
