//! Headers that the hub adds to requests for an upstream.

use std::fmt;

/// A header's name that a gateway may set: a token (RFC 9110 §5.1) in lower case, none that steers the connection, says who
/// calls, or belongs to the hub.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

/// A header with its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FixedHeader {
    /// Its name.
    pub name: HeaderName,
    /// Its value: visible ASCII and spaces.
    pub value: String,
}

/// Why a header can't be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// No colon between name and value.
    #[error("give a header as 'NAME: VALUE', for example 'X-Scope-OrgID: team-a'")]
    Form,
    /// The name is no token.
    #[error("{0:?} is not a header's name: letters, digits and hyphens")]
    Name(String),
    /// The name is not the gateway's to set.
    #[error("the header {0} can't be set: the connection or the hub itself decides it")]
    Reserved(String),
    /// The value holds what a header can't.
    #[error("the value of {0} can hold visible ASCII characters and inner spaces only")]
    Value(String),
}

/// Headers of the connection (RFC 9110 §7.6.1), of the message's form, of the caller's identity, and the hub's own.
const RESERVED: [&str; 24] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
    "content-encoding",
    "content-type",
    "expect",
    "authorization",
    "cookie",
    "accept-encoding",
    "range",
    "if-match",
    "if-none-match",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "forwarded",
];

impl HeaderName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`HeaderFault::Name`] and [`HeaderFault::Reserved`].
    pub fn parse(text: &str) -> Result<Self, HeaderFault> {
        // No underscore and no other token character: servers read X_A as X-A.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
            return Err(HeaderFault::Name(text.to_owned()));
        }
        let name = text.to_ascii_lowercase();
        if RESERVED.contains(&name.as_str()) || name.starts_with("x-gateway-hub-") || name.starts_with("x-forwarded-") {
            return Err(HeaderFault::Reserved(name));
        }
        Ok(Self(name))
    }

    /// Parses the name of the header that carries the hub's own credential: `Authorization` too, for schemes other than
    /// Basic and Bearer.
    ///
    /// # Errors
    /// [`HeaderFault::Name`] and [`HeaderFault::Reserved`].
    pub fn parse_credential(text: &str) -> Result<Self, HeaderFault> {
        if text.eq_ignore_ascii_case("authorization") {
            Ok(Self("authorization".to_owned()))
        } else {
            Self::parse(text)
        }
    }

    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FixedHeader {
    /// Parses `NAME: VALUE`.
    ///
    /// # Errors
    /// [`HeaderFault`].
    pub fn parse(text: &str) -> Result<Self, HeaderFault> {
        let (name, value) = text.split_once(':').ok_or(HeaderFault::Form)?;
        let name = HeaderName::parse(name.trim())?;
        let value = header_value(&name, value)?.to_owned();
        Ok(Self { name, value })
    }
}

/// A header's value, trimmed.
///
/// # Errors
/// [`HeaderFault::Value`].
pub fn header_value<'a>(name: &HeaderName, text: &'a str) -> Result<&'a str, HeaderFault> {
    let value = text.trim();
    let fits = !value.is_empty() && value.len() <= 4096 && value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if fits { Ok(value) } else { Err(HeaderFault::Value(name.0.clone())) }
}

impl fmt::Display for FixedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name.0, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_once() {
        let header = FixedHeader::parse("X-Scope-OrgID:  team a ").expect("a header");
        assert_eq!(header.to_string(), "x-scope-orgid: team a");
        assert_eq!(FixedHeader::parse("X-Scope-OrgID"), Err(HeaderFault::Form));
        for name in ["Authorization", "host", "X-Gateway-Hub-Client-Id", "Transfer-Encoding", "X-Forwarded-For"] {
            assert!(matches!(HeaderName::parse(name), Err(HeaderFault::Reserved(_))), "{name}");
        }
        for name in ["", "x_scope", "x scope", "x\r\ny", "ä"] {
            assert!(matches!(HeaderName::parse(name), Err(HeaderFault::Name(_))), "{name}");
        }
        for value in ["", "a\r\nb: c", "ä", "\u{7f}"] {
            assert!(matches!(FixedHeader::parse(&format!("x-a:{value}")), Err(HeaderFault::Value(_))), "{value}");
        }
    }
}
