//! Certificates and keys as PEM: checked when they are given, so that nothing unusable is kept.

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// Why a text is not the certificates or the key that it should be; its `Display` never shows any of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemFault {
    /// No certificate in it, or a damaged one.
    #[error("holds no readable certificate: give PEM, beginning with -----BEGIN CERTIFICATE-----")]
    Certificate,
    /// A certificate that can't vouch for others.
    #[error("certificate number {0} can't be used as an authority")]
    Authority(usize),
    /// No private key in it.
    #[error("holds no readable private key: give PEM, beginning with -----BEGIN PRIVATE KEY-----, without a password")]
    Key,
    /// Certificate and key are not a pair.
    #[error("the key does not belong to the first certificate")]
    Pair,
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, PemFault> {
    let all = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    all.ok().filter(|all| !all.is_empty()).ok_or(PemFault::Certificate)
}

/// Reads certificates that vouch for others.
///
/// # Errors
/// [`PemFault::Certificate`] and [`PemFault::Authority`].
pub fn authorities(pem: &str) -> Result<RootCertStore, PemFault> {
    let mut store = RootCertStore::empty();
    for (index, certificate) in certificates(pem)?.into_iter().enumerate() {
        store.add(certificate).map_err(|_| PemFault::Authority(index + 1))?;
    }
    Ok(store)
}

/// Reads a certificate chain and the private key of its first certificate.
///
/// # Errors
/// [`PemFault`], but not [`PemFault::Authority`].
pub fn identity(chain: &str, key: &str) -> Result<CertifiedKey, PemFault> {
    let chain = certificates(chain)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| PemFault::Key)?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|fault| match fault {
        rustls::Error::InconsistentKeys(_) => PemFault::Pair,
        rustls::Error::InvalidCertificate(_) => PemFault::Certificate,
        _ => PemFault::Key,
    })
}
