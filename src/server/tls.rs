//! TLS: the certificate and its key, read and checked before the port is bound.

use std::{fs, path::Path, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// Reads certificate chain and key; HTTP/2 and HTTP/1.1 are offered.
///
/// # Errors
/// Which file is wrong, and what would be right.
pub(super) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, String> {
    let chain = certificates(&tls.certificate)?;
    let key = private_key(&tls.key)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| format!("TLS can't be set up: {fault}"))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|fault| {
            format!(
                "--tls-cert {} and --tls-key {} don't go together: {fault}; give the key that the first certificate was made for",
                tls.certificate.display(),
                tls.key.display()
            )
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Tickets let a client resume after a connection ends without a new full handshake.
    if let Ok(ticketer) = aws_lc_rs::Ticketer::new() {
        config.ticketer = ticketer;
    }
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let flag = format!("--tls-cert {}", path.display());
    let pem = fs::read(path).map_err(|fault| format!("{flag} can't be read: {fault}"))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|fault| format!("{flag} is damaged: {fault}"))?;
    if chain.is_empty() {
        return Err(format!("{flag} holds no certificate; it must be PEM, beginning with -----BEGIN CERTIFICATE-----"));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let flag = format!("--tls-key {}", path.display());
    let pem = zeroize::Zeroizing::new(fs::read(path).map_err(|fault| format!("{flag} can't be read: {fault}"))?);
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| format!("{flag} holds no private key; it must be PEM, beginning with -----BEGIN PRIVATE KEY-----, without a password"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_file_is_named_with_what_would_be_right() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let tls = Tls { certificate: certificate.clone(), key: key.clone() };
        let reason = |tls: &Tls| acceptor(tls).err().unwrap();
        assert!(reason(&tls).contains("cert.pem can't be read"));
        fs::write(&certificate, "not PEM").unwrap();
        assert!(reason(&tls).contains("-----BEGIN CERTIFICATE-----"));
        fs::write(&key, "not PEM").unwrap();
        assert!(private_key(&key).unwrap_err().contains("-----BEGIN PRIVATE KEY-----"));
    }
}
