//! The client's address, which network limits and throttles go by.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the peer, or, when the peer is a trusted proxy (`--behind-proxy`), the rightmost address of
/// `X-Forwarded-For` that is not a trusted proxy itself.
///
/// What a client writes into the header stands to the left of what the trusted proxy appends, so it is never believed. An
/// entry that is not an address ends the walk: the last good address counts. The header `Forwarded` is not read.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    if trusted.is_empty() || !is_trusted(address, trusted) {
        return address;
    }
    for value in headers.get_all(X_FORWARDED_FOR).iter().rev() {
        let Ok(value) = value.to_str() else { return address };
        for entry in value.rsplit(',') {
            let Some(found) = parse(entry.trim()) else { return address };
            address = found;
            if !is_trusted(address, trusted) {
                return address;
            }
        }
    }
    address
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// An address with or without a port, as proxies write them: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:80`.
fn parse(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    bare.parse::<IpAddr>()
        .or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn address(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn without_a_proxy_the_header_says_nothing() {
        assert_eq!(address("198.51.100.7", &["192.0.2.1"], &[]), "198.51.100.7");
        assert_eq!(address("198.51.100.7", &["192.0.2.1"], &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn behind_a_proxy_the_rightmost_untrusted_address_counts() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(address("10.0.0.1", &["203.0.113.9, 192.0.2.1"], &trusted), "192.0.2.1");
        assert_eq!(address("10.0.0.1", &["203.0.113.9", "192.0.2.1, 10.3.3.3"], &trusted), "192.0.2.1");
        assert_eq!(address("10.0.0.1", &["192.0.2.1:555"], &trusted), "192.0.2.1");
        assert_eq!(address("fd00::1", &["[2001:db8::5]:80"], &trusted), "2001:db8::5");
        assert_eq!(address("::ffff:10.0.0.1", &["192.0.2.1"], &trusted), "192.0.2.1");
    }

    #[test]
    fn an_unreadable_entry_ends_the_walk() {
        assert_eq!(address("10.0.0.1", &["192.0.2.1, unknown"], &["10.0.0.0/8"]), "10.0.0.1");
        assert_eq!(address("10.0.0.1", &["192.0.2.1,, 10.0.0.2"], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(address("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }
}
