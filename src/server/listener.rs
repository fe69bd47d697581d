//! Binding: everything that can be wrong with addresses and certificates is found here, before anything else starts.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::tls;
use crate::{
    config::{Config, ConfigError},
    store::StoreError,
};

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration breaks a rule of serving (see [`Config::check_serving`]).
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificate or its key can't be used.
    #[error("{0}")]
    Tls(String),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An address can't be bound.
    #[error("{flag} {address} can't be bound: {}", reason(.fault))]
    Bind {
        /// The flag that names the address.
        flag: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        fault: io::Error,
    },
}

fn reason(fault: &io::Error) -> String {
    match fault.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; stop it or choose another port".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "not allowed; ports below 1024 need a privilege, choose another port".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "this host does not have that address".to_owned(),
        _ => fault.to_string(),
    }
}

/// The bound sockets, ready to serve.
pub struct Listeners {
    /// The address of `--listen` as really bound.
    pub address: SocketAddr,
    /// The address of `--ops-listen` as really bound.
    pub ops_address: Option<SocketAddr>,
    pub(super) main: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) operations: Option<TcpListener>,
}

impl Listeners {
    /// Checks everything that can be checked without binding: the rules of serving, the certificate and its key.
    ///
    /// # Errors
    /// [`StartError::Config`], [`StartError::Tls`].
    pub fn check(config: &Config) -> Result<(), StartError> {
        Self::tls(config).map(|_| ())
    }

    fn tls(config: &Config) -> Result<Option<TlsAcceptor>, StartError> {
        config.check_serving()?;
        config.tls.as_ref().map(tls::acceptor).transpose().map_err(StartError::Tls)
    }

    /// Checks the rules of serving, reads the certificate, and binds.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let tls = Self::tls(config)?;
        let (main, address) = bind("--listen", config.listen).await?;
        let mut operations = None;
        let mut ops_address = None;
        if let Some(listen) = config.ops_listen {
            let (listener, address) = bind("--ops-listen", listen).await?;
            operations = Some(listener);
            ops_address = Some(address);
        }
        Ok(Self { address, ops_address, main, tls, operations })
    }
}

async fn bind(flag: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |fault| StartError::Bind { flag, address, fault };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
