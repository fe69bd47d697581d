//! The address under which everybody reaches the hub.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use http::Uri;

/// The hub's own origin, such as `https://hub.example.com`: scheme and host, no trailing slash, no default port. It is the
/// issuer of every token (RFC 8414 §2), so all nodes of a store share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    host: String,
}

impl PublicUrl {
    /// Reads a URL; one slash at its end is dropped.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let general = || "a URL of scheme and host, such as https://hub.example.com".to_owned();
        if text.contains(['#', '?', '@']) || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("{}, without user, query and fragment", general()));
        }
        let uri: Uri = text.parse().map_err(|_| general())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(general()) };
        if !matches!(scheme, "http" | "https") {
            return Err(general());
        }
        if uri.path() != "/" {
            return Err(format!("{}, without a path: the hub answers at the root of its host", general()));
        }
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err(general());
        }
        if scheme == "http" && !is_loopback(&host) {
            return Err("https://…: http:// is for loopback hosts only (localhost, 127.0.0.1, [::1])".to_owned());
        }
        let default_port = if scheme == "https" { 443 } else { 80 };
        let port = match authority.as_str().strip_prefix(authority.host()) {
            None | Some("") => None,
            Some(port) => Some(
                port.trim_start_matches(':')
                    .parse::<u16>()
                    .map_err(|_| format!("{} with a port between 1 and 65535", general()))?,
            ),
        };
        let text = match port {
            Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        Ok(Self { text, host })
    }

    /// The default: the address that is listened on.
    pub(super) fn of_listener(listen: SocketAddr, tls: bool) -> Self {
        let host = match listen.ip() {
            IpAddr::V6(address) => format!("[{address}]"),
            IpAddr::V4(address) => address.to_string(),
        };
        let (scheme, default_port) = if tls { ("https", 443) } else { ("http", 80) };
        let text = if listen.port() == default_port {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{}", listen.port())
        };
        Self { text, host }
    }

    /// The URL without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host alone, in lower case; an IPv6 address in its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host and, where it is not the scheme's own, the port: what a `Host` header says.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether the hub is reached by TLS, its own or a proxy's.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https://")
    }

    /// The URL of a path, which begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a host can only be this machine (RFC 6761 §6.3 for `localhost`).
fn is_loopback(host: &str) -> bool {
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match address {
        Some(address) => address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
        None => host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}
