//! The path of a forwarded request, made canonical once, before any rule looks at it.

use std::borrow::Cow;
use std::fmt::Write as _;

use percent_encoding::percent_decode_str;

/// A path that can be read in one way only: decoded for the rules, and in one spelling for the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardPath<'a> {
    decoded: Cow<'a, str>,
    sent: Cow<'a, str>,
}

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// A percent sign without its two digits.
    #[error("a percent sign in the path is not followed by two hexadecimal digits")]
    Percent,
    /// No UTF-8 behind the percent signs.
    #[error("the path is not UTF-8 when decoded")]
    Utf8,
    /// An encoded slash, backslash or dot.
    #[error("the path holds an encoded slash, backslash or dot (%2F, %5C, %2E), which services read in different ways")]
    Encoded,
    /// A backslash.
    #[error("the path holds a backslash")]
    Backslash,
    /// A control character.
    #[error("the path holds a control character")]
    Control,
    /// An empty segment.
    #[error("the path holds an empty segment (//)")]
    Empty,
    /// A segment of dots.
    #[error("the path holds a segment of dots (. or ..)")]
    Dots,
}

impl<'a> ForwardPath<'a> {
    /// Reads the path behind the gateway's name: empty, or beginning with a slash.
    ///
    /// # Errors
    /// [`PathFault`] for what could be read in two ways.
    pub fn parse(raw: &'a str) -> Result<Self, PathFault> {
        let raw = if raw.is_empty() { "/" } else { raw };
        if raw.bytes().all(is_plain) {
            check_segments(raw)?;
            return Ok(Self { decoded: Cow::Borrowed(raw), sent: Cow::Borrowed(raw) });
        }
        check_encoding(raw)?;
        let decoded = percent_decode_str(raw).decode_utf8().map_err(|_| PathFault::Utf8)?;
        if decoded.chars().any(char::is_control) {
            return Err(PathFault::Control);
        }
        if decoded.contains('\\') {
            return Err(PathFault::Backslash);
        }
        // Encoded twice: a service that decodes twice would see what is refused here.
        check_encoded_signs(&decoded)?;
        check_segments(&decoded)?;
        let sent = Cow::Owned(encode(&decoded));
        Ok(Self { decoded, sent })
    }

    /// The same, on its own.
    #[must_use]
    pub fn into_owned(self) -> ForwardPath<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        ForwardPath { decoded: own(self.decoded), sent: own(self.sent) }
    }

    /// For rules: decoded, with a leading slash.
    #[must_use]
    pub fn decoded(&self) -> &str {
        &self.decoded
    }

    /// For the upstream: each character in the one spelling that it has here.
    #[must_use]
    pub fn sent(&self) -> &str {
        &self.sent
    }
}

/// What stands for itself in a path (RFC 3986 §3.3).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte)
}

fn check_encoding(raw: &str) -> Result<(), PathFault> {
    let bytes = raw.as_bytes();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%') {
        if !bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
            return Err(PathFault::Percent);
        }
    }
    check_encoded_signs(raw)
}

fn check_encoded_signs(text: &str) -> Result<(), PathFault> {
    let refused = |window: &[u8]| [b"%2f", b"%5c", b"%2e"].iter().any(|sign| window.eq_ignore_ascii_case(*sign));
    if text.as_bytes().windows(3).any(refused) { Err(PathFault::Encoded) } else { Ok(()) }
}

fn check_segments(path: &str) -> Result<(), PathFault> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            return Err(PathFault::Empty);
        }
        // Some servers cut a segment at its semicolon before they look for dots.
        if matches!(segment.split(';').next(), Some("." | "..")) {
            return Err(PathFault::Dots);
        }
    }
    Ok(())
}

fn encode(decoded: &str) -> String {
    let mut sent = String::with_capacity(decoded.len() + 16);
    for byte in decoded.bytes() {
        if is_plain(byte) {
            sent.push(char::from(byte));
        } else {
            let _ = write!(sent, "%{byte:02X}");
        }
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(raw: &str) -> Result<(String, String), PathFault> {
        ForwardPath::parse(raw).map(|path| (path.decoded().to_owned(), path.sent().to_owned()))
    }

    #[test]
    fn sec_23_a_path_has_one_spelling() {
        let good = |decoded: &str, sent: &str| Ok((decoded.to_owned(), sent.to_owned()));
        assert_eq!(read(""), good("/", "/"));
        assert_eq!(read("/"), good("/", "/"));
        assert_eq!(read("/a/b/"), good("/a/b/", "/a/b/"));
        assert_eq!(read("/%61dmin/%7Ex"), good("/admin/~x", "/admin/~x"));
        assert_eq!(read("/a%20b/%c3%bc"), good("/a b/ü", "/a%20b/%C3%BC"));
        assert_eq!(read("/a\"b"), good("/a\"b", "/a%22b"));
        assert_eq!(read("/100%25"), good("/100%", "/100%25"));
        assert_eq!(read("/a:b@c;d=1"), good("/a:b@c;d=1", "/a:b@c;d=1"));
        assert_eq!(read("/.well-known/x..y/...z"), good("/.well-known/x..y/...z", "/.well-known/x..y/...z"));
    }

    #[test]
    fn sec_23_what_can_be_read_in_two_ways_is_refused() {
        for (raw, fault) in [
            ("/a%2Fb", PathFault::Encoded),
            ("/a%2fb", PathFault::Encoded),
            ("/%5cb", PathFault::Encoded),
            ("/%2e%2E/b", PathFault::Encoded),
            ("/a%252eb", PathFault::Encoded),
            ("/a%252Fb", PathFault::Encoded),
            ("/a\\b", PathFault::Backslash),
            ("//a", PathFault::Empty),
            ("/a//b", PathFault::Empty),
            ("/a//", PathFault::Empty),
            ("/..", PathFault::Dots),
            ("/../a", PathFault::Dots),
            ("/a/./b", PathFault::Dots),
            ("/a/..;/b", PathFault::Dots),
            ("/a/..;x=1/b", PathFault::Dots),
            ("/a/..%3bx/b", PathFault::Dots),
            ("/a%00", PathFault::Control),
            ("/a%0d%0ab", PathFault::Control),
            ("/a%7f", PathFault::Control),
            ("/a%c2%85", PathFault::Control),
            ("/a%ff", PathFault::Utf8),
            ("/a%", PathFault::Percent),
            ("/a%4", PathFault::Percent),
            ("/a%zz", PathFault::Percent),
        ] {
            assert_eq!(read(raw), Err(fault), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn sec_23_what_is_sent_reads_as_what_the_rules_saw(raw in "/[ -~ü]{0,30}") {
            if let Ok(path) = ForwardPath::parse(&raw) {
                prop_assert_eq!(percent_decode_str(path.sent()).decode_utf8().expect("text"), path.decoded());
                let again = ForwardPath::parse(path.sent()).expect("canonical");
                prop_assert_eq!(again.sent(), path.sent());
            }
        }
    }
}
