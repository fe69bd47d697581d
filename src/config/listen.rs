//! Addresses to listen on, and TLS on them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use super::{error::Fault, parse_path, setting::Setting, source::Reader};

/// Where `serve` listens unless told otherwise.
pub(super) const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The files with which the hub itself speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain, PEM, the hub's own certificate first.
    pub certificate: PathBuf,
    /// The private key of the certificate, PEM.
    pub key: PathBuf,
}

impl Tls {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let certificate = reader.value(Setting::TlsCert, parse_path);
        let key = reader.value(Setting::TlsKey, parse_path);
        match (certificate, key) {
            (Some(certificate), Some(key)) => Some(Self { certificate, key }),
            (None, None) => None,
            (given, _) => {
                let (present, absent) = if given.is_some() {
                    (Setting::TlsCert, Setting::TlsKey)
                } else {
                    (Setting::TlsKey, Setting::TlsCert)
                };
                if let Some(origin) = reader.origin(present) {
                    reader.fault(Fault::rule(format!(
                        "{origin} is given without {}: TLS needs both files",
                        absent.flag()
                    )));
                }
                None
            }
        }
    }
}

/// Reads an IP address with a port; `localhost` is 127.0.0.1.
///
/// # Errors
/// What would be right.
pub fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let address = text
        .strip_prefix("localhost:")
        .and_then(|port| port.parse().ok())
        .map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    address.or_else(|| text.parse().ok()).ok_or_else(|| {
        "an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:8443 or [::1]:8080 (port 0 takes any free port)"
            .to_owned()
    })
}
