//! Where an upstream is.

use std::fmt;
use std::net::IpAddr;

/// The address of an upstream: scheme, host, port, and a path that is put before every forwarded path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamAddress {
    tls: bool,
    host: String,
    port: u16,
    path: String,
}

/// Why a text can't be the address of an upstream; its `Display` says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Neither `http://` nor `https://`.
    #[error("an upstream's address starts with http:// or https://, for example http://10.0.0.5:9090")]
    Scheme,
    /// A user name or password in it.
    #[error("an address holds no user name or password: give them with --basic-user and --password-file")]
    Credentials,
    /// A query or fragment.
    #[error("an address has neither a query nor a fragment")]
    Query,
    /// No host, or one that is not a name or IP address.
    #[error("{0:?} is not a host: give a name, an IPv4 address, or an IPv6 address in brackets")]
    Host(String),
    /// A port that is none.
    #[error("{0:?} is not a port: give a number from 1 to 65535")]
    Port(String),
    /// A path with characters or segments that could be read in two ways.
    #[error("the path {0:?} can't be a prefix: plain segments without \"//\", \"..\" and percent signs")]
    Path(String),
}

impl UpstreamAddress {
    /// Parses `http://HOST[:PORT][/PATH]` or `https://…`.
    ///
    /// # Errors
    /// [`AddressFault`].
    pub fn parse(text: &str) -> Result<Self, AddressFault> {
        let text = text.trim();
        let (tls, rest) = match (strip_scheme(text, "http://"), strip_scheme(text, "https://")) {
            (Some(rest), _) => (false, rest),
            (None, Some(rest)) => (true, rest),
            (None, None) => return Err(AddressFault::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(AddressFault::Query);
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        if authority.contains('@') {
            return Err(AddressFault::Credentials);
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(digits) => match digits.parse::<u16>() {
                Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => port,
                _ => return Err(AddressFault::Port(digits.to_owned())),
            },
        };
        let path = path.trim_end_matches('/');
        if !path.split('/').skip(1).all(is_plain_segment) {
            return Err(AddressFault::Path(path.to_owned()));
        }
        Ok(Self { tls, host: host.to_ascii_lowercase(), port, path: path.to_owned() })
    }

    /// Whether it is `https`.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host: a name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The path that goes before every forwarded path: empty, or with a leading and without a trailing slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Host and port as in a Host header: the port only where it is not the scheme's.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority(), self.path)
    }
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let start = text.get(..scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), AddressFault> {
    let wrong = || AddressFault::Host(authority.to_owned());
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(wrong)?;
        if !matches!(host.parse(), Ok(IpAddr::V6(_))) {
            return Err(wrong());
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(wrong()),
        };
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    if is_host(host) { Ok((host, port)) } else { Err(wrong()) }
}

/// A DNS name or an IPv4 address. What looks like a number in another notation (0x7f.1, 2130706433) is neither: resolvers
/// read it in different ways.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    let numeric_end = name.rsplit('.').next().is_some_and(|last| {
        last.bytes().all(|byte| byte.is_ascii_digit()) || last.len() > 1 && last.to_ascii_lowercase().starts_with("0x")
    });
    if numeric_end {
        return matches!(host.parse(), Ok(IpAddr::V4(_)));
    }
    name.len() <= 253 && name.split('.').all(label)
}

fn is_plain_segment(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        UpstreamAddress::parse(text).map_or_else(|fault| format!("{fault:?}"), |address| address.to_string())
    }

    #[test]
    fn addresses_are_read_once() {
        assert_eq!(parsed("http://10.0.0.5:9090"), "http://10.0.0.5:9090");
        assert_eq!(parsed(" HTTPS://Metrics.Example/prefix/ "), "https://metrics.example/prefix");
        assert_eq!(parsed("https://metrics:443"), "https://metrics");
        assert_eq!(parsed("http://[::1]:8428/select/0/prometheus"), "http://[::1]:8428/select/0/prometheus");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for text in ["metrics:9090", "ftp://metrics", "//metrics", ""] {
            assert_eq!(UpstreamAddress::parse(text), Err(AddressFault::Scheme), "{text}");
        }
        for text in [
            "http://",
            "http://0x7f.1",
            "http://2130706433",
            "http://127.1",
            "http://a b",
            "http://[::1",
            "http://-a",
            "http://a%2fb",
            "http://[127.0.0.1]",
            "http://0177.0.0.1",
        ] {
            assert!(matches!(UpstreamAddress::parse(text), Err(AddressFault::Host(_))), "{text}: {}", parsed(text));
        }
        assert_eq!(UpstreamAddress::parse("http://a:b@c"), Err(AddressFault::Credentials));
        assert_eq!(UpstreamAddress::parse("http://a?b"), Err(AddressFault::Query));
        assert!(matches!(UpstreamAddress::parse("http://a:0"), Err(AddressFault::Port(_))));
        assert!(matches!(UpstreamAddress::parse("http://a:+80"), Err(AddressFault::Port(_))));
        for text in ["http://a/../b", "http://a//b", "http://a/%2e", "http://a/b\\c", "http://a/b c"] {
            assert!(matches!(UpstreamAddress::parse(text), Err(AddressFault::Path(_))), "{text}");
        }
    }
}
