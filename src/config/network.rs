//! Networks in CIDR notation.

use std::net::IpAddr;

use ipnet::IpNet;

/// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address; host bits are cleared.
///
/// # Errors
/// What would be right.
pub fn parse_network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map(|network| network.trunc())
        .map_err(|_| "a network such as 10.0.0.0/8 or 2001:db8::/32, or one address such as 192.0.2.7".to_owned())
}
