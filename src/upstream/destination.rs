//! Where the hub never connects to, whatever an address or a name server says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Why a resolved address is not connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Forbidden {
    /// Link-local: where clouds hand out the host's own credentials.
    #[error("it is a link-local address")]
    LinkLocal,
    /// No address of one host.
    #[error("it is not the address of a host")]
    NoHost,
    /// A listener of this hub.
    #[error("the hub itself listens there")]
    Own,
}

/// Checks a resolved address right before connecting; `own` are the hub's listeners.
///
/// # Errors
/// [`Forbidden`].
pub(super) fn check(destination: SocketAddr, own: &[SocketAddr]) -> Result<(), Forbidden> {
    let ip = plain(destination.ip());
    match ip {
        IpAddr::V4(ip) => check_v4(ip)?,
        IpAddr::V6(ip) => check_v6(ip)?,
    }
    let listens = |listener: &SocketAddr| {
        let at = plain(listener.ip());
        listener.port() == destination.port()
            && (at == ip || ip.is_loopback() && (at.is_unspecified() || at.is_loopback()))
    };
    if own.iter().any(listens) { Err(Forbidden::Own) } else { Ok(()) }
}

/// Checks a connection that is made: whoever reaches the port of a listener at an address of this host has reached the hub.
///
/// # Errors
/// [`Forbidden::Own`].
pub(super) fn check_connected(local: SocketAddr, peer: SocketAddr, own: &[SocketAddr]) -> Result<(), Forbidden> {
    let same_host = plain(local.ip()) == plain(peer.ip());
    let listens = |listener: &SocketAddr| {
        listener.port() == peer.port() && (listener.ip().is_unspecified() || plain(listener.ip()) == plain(peer.ip()))
    };
    if same_host && own.iter().any(listens) { Err(Forbidden::Own) } else { Ok(()) }
}

/// The IPv4 address inside an IPv6 one: mapped (RFC 4291 §2.5.5.2), or behind a translator (RFC 6052).
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip.to_canonical() else { return ip.to_canonical() };
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => IpAddr::V6(v6),
    }
}

fn check_v4(ip: Ipv4Addr) -> Result<(), Forbidden> {
    if ip.is_link_local() {
        return Err(Forbidden::LinkLocal);
    }
    // 0.0.0.0/8 is "this host" (RFC 1122 §3.2.1.3): Linux connects to itself.
    if ip.octets()[0] == 0 || ip.is_broadcast() || ip.is_multicast() {
        return Err(Forbidden::NoHost);
    }
    Ok(())
}

/// Where a cloud hands out credentials over IPv6; a unique local address, not a link-local one.
const CREDENTIALS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

fn check_v6(ip: Ipv6Addr) -> Result<(), Forbidden> {
    if ip.is_unicast_link_local() || ip == CREDENTIALS_V6 {
        return Err(Forbidden::LinkLocal);
    }
    if ip.is_unspecified() || ip.is_multicast() {
        return Err(Forbidden::NoHost);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(destination: &str, own: &[&str]) -> Result<(), Forbidden> {
        let own: Vec<SocketAddr> = own.iter().map(|own| own.parse().expect("an address")).collect();
        check(destination.parse().expect("an address"), &own)
    }

    #[test]
    fn sec_28_link_local_and_impossible_addresses_are_refused() {
        for bad in [
            "169.254.169.254:80",
            "169.254.0.1:80",
            "[fe80::1]:80",
            "[::ffff:169.254.169.254]:80",
            "[64:ff9b::a9fe:a9fe]:80",
            "[fd00:ec2::254]:80",
        ] {
            assert_eq!(checked(bad, &[]), Err(Forbidden::LinkLocal), "{bad}");
        }
        for bad in [
            "0.0.0.0:80",
            "0.1.2.3:80",
            "[::]:80",
            "[::ffff:0.0.0.0]:80",
            "255.255.255.255:80",
            "224.0.0.1:80",
            "[ff02::1]:80",
        ] {
            assert_eq!(checked(bad, &[]), Err(Forbidden::NoHost), "{bad}");
        }
        for good in ["127.0.0.1:9090", "10.0.0.5:80", "[::1]:80", "[2001:db8::1]:443", "192.0.2.1:80"] {
            assert_eq!(checked(good, &["127.0.0.1:8080"]), Ok(()), "{good}");
        }
    }

    #[test]
    fn sec_28_the_hubs_own_listeners_are_refused() {
        for (destination, own) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("127.0.0.1:8080", "0.0.0.0:8080"),
            ("[::1]:8080", "[::]:8080"),
            ("[::ffff:127.0.0.1]:8080", "127.0.0.1:8080"),
            ("127.0.0.2:8080", "127.0.0.1:8080"),
            ("192.0.2.7:8080", "192.0.2.7:8080"),
        ] {
            assert_eq!(checked(destination, &[own]), Err(Forbidden::Own), "{destination} {own}");
        }
        assert_eq!(checked("127.0.0.1:8081", &["127.0.0.1:8080"]), Ok(()));
        assert_eq!(checked("192.0.2.7:8080", &["127.0.0.1:8080"]), Ok(()));
        let own = ["0.0.0.0:8080".parse().expect("an address")];
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        assert_eq!(check_connected(at("192.0.2.7:4711"), at("192.0.2.7:8080"), &own), Err(Forbidden::Own));
        assert_eq!(check_connected(at("192.0.2.7:4711"), at("192.0.2.8:8080"), &own), Ok(()));
    }
}
