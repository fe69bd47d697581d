//! Parameters of the query and the path, read strictly: an unknown or repeated one is refused, so that a typing error never
//! widens an answer.

use axum::extract::{FromRequestParts, RawPathParams};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::http::problem::Problem;

/// The parameters of a query, each of them known and given at most once.
#[derive(Debug, Default)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads a query whose parameters may be these.
    ///
    /// # Errors
    /// `invalid-parameter` for an unknown, repeated or not UTF-8 encoded one.
    pub fn parse(query: Option<&str>, known: &[&'static str]) -> Result<Self, Problem> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for pair in query.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).unwrap_or_default();
            let Some(known) = known.iter().copied().find(|known| *known == name) else {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                return Err(Problem::invalid_parameter(
                    &shown,
                    format!("There is no parameter “{shown}” here. Possible: {}.", possible(known)),
                ));
            };
            if found.iter().any(|(name, _)| *name == known) {
                return Err(Problem::invalid_parameter(
                    known,
                    format!("The parameter {known} is given more than once."),
                ));
            }
            let value =
                decode(value).ok_or_else(|| Problem::invalid_parameter(known, format!("{known} is not UTF-8.")))?;
            found.push((known, value));
        }
        Ok(Self(found))
    }

    /// The value of a parameter; an empty one is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The parameters of a list: `limit` (1 to 1000, 100 by default) and `cursor`.
    ///
    /// # Errors
    /// `invalid-parameter`.
    pub fn page(&self) -> Result<Page, Problem> {
        let after = self.get("cursor").map(|cursor| open_cursor(cursor).ok_or_else(bad_cursor)).transpose()?;
        Ok(Page { limit: self.limit()?, after })
    }

    /// The parameter `limit` of a list: 1 to 1000, 100 by default.
    ///
    /// # Errors
    /// `invalid-parameter`.
    pub fn limit(&self) -> Result<usize, Problem> {
        match self.get("limit") {
            None => Ok(Page::DEFAULT_LIMIT),
            Some(text) => text.parse().ok().filter(|limit| (1..=Page::MAX_LIMIT).contains(limit)).ok_or_else(|| {
                Problem::invalid_parameter("limit", format!("limit is a number from 1 to {}.", Page::MAX_LIMIT))
            }),
        }
    }
}

fn possible(known: &[&'static str]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many items.
    pub limit: usize,
    /// The key of the last item of the page before; `None` for the first page.
    pub after: Option<String>,
}

impl Page {
    /// The size of a page when none is asked for.
    pub const DEFAULT_LIMIT: usize = 100;
    /// The largest page.
    pub const MAX_LIMIT: usize = 1000;
}

/// The refusal of a text that is no cursor of the list.
#[must_use]
pub fn bad_cursor() -> Problem {
    Problem::invalid_parameter(
        "cursor",
        "cursor is the next_cursor of an earlier page, unchanged; leave it out to start.",
    )
}

/// The opaque cursor that stands for the key of a page's last item.
#[must_use]
pub fn cursor(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// The key that a cursor stands for; `None` for a text that is no cursor.
#[must_use]
pub fn open_cursor(cursor: &str) -> Option<String> {
    let key = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    (!key.chars().any(|c| c == '\0')).then_some(key)
}

/// The one parameter of a path such as `/api/v1/entities/{id}`, decoded once; `%2F` becomes a slash inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // RawPathParams is already decoded; what can't be decoded is a rejection.
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::bad_request("The path is not UTF-8 when decoded."))?;
        let first = parameters.iter().next().map(|(_, value)| value.to_owned());
        first.map(Self).ok_or_else(Problem::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::kind;

    #[test]
    fn known_parameters_are_decoded() {
        let query = Query::parse(Some("filter=a+%3D%20b&limit=7&cursor="), &["filter", "limit", "cursor"]).unwrap();
        assert_eq!(query.get("filter"), Some("a = b"));
        assert_eq!(query.get("cursor"), None);
        assert_eq!(query.page().unwrap(), Page { limit: 7, after: None });
    }

    #[test]
    fn unknown_repeated_and_undecodable_ones_are_refused() {
        for bad in ["filtre=x", "filter=a&filter=b", "filter=%ff", "%66ilter=a&filter=b"] {
            let fault = Query::parse(Some(bad), &["filter"]).unwrap_err();
            assert_eq!(fault.kind(), &kind::INVALID_PARAMETER, "{bad}");
        }
        for bad in ["limit=0", "limit=1001", "limit=-1", "limit=a", "cursor=%20", "cursor=_w"] {
            assert!(Query::parse(Some(bad), &["limit", "cursor"]).unwrap().page().is_err(), "{bad}");
        }
    }

    #[test]
    fn cursors_come_back() {
        for key in ["", "host/web-1", "ü\n"] {
            assert_eq!(open_cursor(&cursor(key)).as_deref(), Some(key));
        }
    }
}
