//! Forms: read only after their checks.

use super::paths;
use super::refusal::{self, Link};
use super::resume;
use super::session::SignedIn;
use crate::http::body;
use crate::http::problem::Problem;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::convert::Infallible;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// The largest form: the console's are small.
const LIMIT: usize = 64 * 1024;

/// The name of the field that holds the session's CSRF token.
pub(crate) const CSRF: &str = "csrf";

/// What a form sent, pair by pair.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The value of a field, if it was sent with one.
    pub(crate) fn some(&self, name: &str) -> Option<String> {
        Some(self.one(name)).filter(|value| !value.is_empty())
    }

    /// The value of a field; empty if it was not sent.
    pub(crate) fn one(&self, name: &str) -> String {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    /// All values of a field.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// The fields of that name, or with `*` at its end, all whose names begin so.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let prefix = name.strip_suffix('*');
        let is_it = move |key: &str| prefix.map_or(key == name, |prefix| key.starts_with(prefix));
        self.0.iter().filter(move |(key, _)| is_it(key)).map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// A form that knows its fields.
pub(crate) trait FromFields {
    /// Takes what was sent; what is missing is empty.
    fn from_fields(fields: &Fields) -> Self;
}

/// A form without fields of its own: a button.
pub(crate) struct Button;

impl FromFields for Button {
    fn from_fields(_fields: &Fields) -> Self {
        Self
    }
}

/// The path of the route that a request came to, with its parameters in braces; the guard leaves it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoutePath(pub(crate) &'static str);

/// A form of a signed-in person. Its content can't be had before its CSRF token has been checked.
pub(crate) struct Guarded<F> {
    pub(crate) signed_in: Arc<SignedIn>,
    pub(crate) form: F,
}

impl<F: FromFields, S: Send + Sync> FromRequest<S> for Guarded<F> {
    type Rejection = Response;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Response> {
        let signed_in = request.extensions().get::<Arc<SignedIn>>().cloned();
        let signed_in = signed_in.ok_or_else(|| Problem::internal().into_response())?;
        let path = request.uri().path().to_owned();
        let route = request.extensions().get::<RoutePath>().copied();
        let fields = read(request).await.map_err(IntoResponse::into_response)?;
        if !bool::from(fields.one(CSRF).as_bytes().ct_eq(signed_in.csrf.as_bytes())) {
            return Err(refusal::page(
                StatusCode::FORBIDDEN,
                "This form is not from your session",
                "It was opened before you signed in, or did not come from the console. Nothing was changed: open the \
                 page again and repeat it.",
                // The person may have signed in again in another tab: what was typed here is not lost.
                Some(match route.and_then(|route| resume::window_with(route.0, &path, &fields)) {
                    Some(window) => Link { path: window.into(), label: "Open it again with what you typed" },
                    None => Link { path: paths::CONSOLE.into(), label: "Go to the console" },
                }),
            ));
        }
        Ok(Self { signed_in, form: F::from_fields(&fields) })
    }
}

/// A form of a person who is not signed in yet: sign-in and first run. The guard has checked where it came from.
pub(crate) struct Open<F>(pub(crate) F);

impl<F: FromFields, S: Send + Sync> FromRequest<S> for Open<F> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        // A route for signed-in people reads its form with the CSRF check, or not at all.
        if request.extensions().get::<Arc<SignedIn>>().is_some() {
            return Err(Problem::internal());
        }
        read(request).await.map(|fields| Self(F::from_fields(&fields)))
    }
}

/// What stands in the query of a page. Lenient: what is unknown or missing changes nothing on a page for people.
pub(crate) struct InQuery<F>(pub(crate) F);

impl<F: FromFields, S: Send + Sync> FromRequestParts<S> for InQuery<F> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(F::from_fields(&Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()))))
    }
}

/// Reads a form's fields, checked for nothing but their kind and size.
pub(super) async fn read(request: Request) -> Result<Fields, Problem> {
    if !is_form(request.headers()) {
        return Err(Problem::bad_request("The console reads forms only (application/x-www-form-urlencoded)."));
    }
    body::read(request.into_body(), LIMIT).await.map(|body| Fields::parse(&body))
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let fields = Fields::parse(b"role=a&name=x+y%26&role=b");
        assert_eq!(fields.one("name"), "x y&");
        assert_eq!(fields.all("role"), ["a", "b"]);
        assert_eq!(fields.one("csrf"), "");
    }
}
