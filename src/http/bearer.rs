//! Bearer tokens on the wire (RFC 6750): where one may stand, and the challenge when it is missing or not good.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderValue, header};

/// What the Authorization header holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented<'a> {
    /// A token of the scheme Bearer; not looked into yet.
    Token(&'a str),
    /// No Authorization header, or another scheme.
    Nothing,
    /// The scheme is Bearer, but what follows can't be a token (RFC 6750 §2.1).
    Malformed,
}

/// Finds the bearer token in the one Authorization header (two are refused before).
#[must_use]
pub fn presented(headers: &HeaderMap) -> Presented<'_> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Presented::Nothing };
    let value = value.as_bytes();
    let (scheme, rest) = value.split_at(value.iter().position(|byte| *byte == b' ').unwrap_or(value.len()));
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Presented::Nothing;
    }
    let token = &rest[rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len())..];
    let symbols = &token[..token.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1)];
    // Without a way out in between, so that many are compared at a time.
    let well_formed = !symbols.is_empty()
        & symbols.iter().fold(true, |well, byte| {
            well & (byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/'))
        });
    match std::str::from_utf8(token) {
        Ok(token) if well_formed => Presented::Token(token),
        _ => Presented::Malformed,
    }
}

/// Whether the query carries an `access_token` (RFC 6750 §2.3), which the hub never accepts.
#[must_use]
pub fn in_query(query: Option<&str>) -> bool {
    query.is_some_and(|query| {
        query.contains("access_token") && form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == "access_token")
    })
}

/// A `WWW-Authenticate: Bearer` challenge (RFC 6750 §3) with the resource's metadata (RFC 9728 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// No token was sent: no error code (RFC 6750 §3.1).
    Missing,
    /// The token is sent in a way that is not possible.
    InvalidRequest(&'static str),
    /// The token is not good; the reason, in words that repeat nothing of it.
    InvalidToken(String),
    /// The token is good and does not allow this; the scope that would.
    InsufficientScope(String),
    /// Credentials sent as HTTP Basic are not good (RFC 7617).
    Basic,
}

impl Challenge {
    /// The header's value. `path` is the request's: gateways have metadata of their own.
    #[must_use]
    pub fn header(&self, public_url: &str, path: &str) -> HeaderValue {
        let mut value = String::from("Bearer realm=\"Gateway Hub\"");
        let (error, description, scope) = match self {
            Self::Basic => return HeaderValue::from_static("Basic realm=\"Gateway Hub\", charset=\"UTF-8\""),
            Self::Missing => (None, None, None),
            Self::InvalidRequest(reason) => (Some("invalid_request"), Some(*reason), None),
            Self::InvalidToken(reason) => (Some("invalid_token"), Some(reason.as_str()), None),
            Self::InsufficientScope(scope) => (
                Some("insufficient_scope"),
                Some("the token and the roles of the application do not allow this"),
                Some(scope),
            ),
        };
        for (name, text) in [("error", error), ("error_description", description), ("scope", scope.map(String::as_str))]
        {
            if let Some(text) = text {
                let _ = write!(value, ", {name}=\"{}\"", quotable(text));
            }
        }
        let _ = write!(
            value,
            ", resource_metadata=\"{public_url}/.well-known/oauth-protected-resource{}\"",
            metadata_suffix(path)
        );
        HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }
}

/// `/gateways/NAME` for a well-formed gateway name, nothing elsewhere.
fn metadata_suffix(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/gateways/") else { return "" };
    let name = rest.split('/').next().unwrap_or("");
    let plain =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if plain { &path[.."/gateways/".len() + name.len()] } else { "" }
}

/// Only what may stand in `error_description` (RFC 6750 §3: no `"`, no `\`, printable ASCII).
fn quotable(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') && c != '"' && c != '\\' { c } else { '\'' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        assert_eq!(presented(&of("Bearer abc.d_e-f")), Presented::Token("abc.d_e-f"));
        assert_eq!(presented(&of("bEARER  abc==")), Presented::Token("abc=="));
        assert_eq!(presented(&of("Basic abc")), Presented::Nothing);
        assert_eq!(presented(&HeaderMap::new()), Presented::Nothing);
        for bad in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer =", "Bearer \"a\""] {
            assert_eq!(presented(&of(bad)), Presented::Malformed, "{bad}");
        }
    }

    #[test]
    fn a_token_in_the_query_is_seen_however_it_is_written() {
        assert!(in_query(Some("a=1&access_token=x")));
        assert!(!in_query(Some("filter=access_token")));
        assert!(!in_query(None));
    }

    #[test]
    fn challenges_follow_rfc_6750() {
        let show = |challenge: &Challenge, path| challenge.header("https://hub", path).to_str().unwrap().to_owned();
        assert_eq!(
            show(&Challenge::Missing, "/api/v1/whoami"),
            "Bearer realm=\"Gateway Hub\", resource_metadata=\"https://hub/.well-known/oauth-protected-resource\""
        );
        let invalid = show(&Challenge::InvalidToken("it \"expired\"\n".into()), "/gateways/prom/api");
        assert!(invalid.contains("error=\"invalid_token\", error_description=\"it 'expired''\""), "{invalid}");
        assert!(
            invalid.ends_with("resource_metadata=\"https://hub/.well-known/oauth-protected-resource/gateways/prom\""),
            "{invalid}"
        );
        let scope = show(&Challenge::InsufficientScope("entities:view".into()), "/api/v1/entities");
        assert!(scope.contains("error=\"insufficient_scope\"") && scope.contains("scope=\"entities:view\""), "{scope}");
    }
}
