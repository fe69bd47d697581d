//! TLS towards an upstream: which authorities vouch for it, and the certificate that the hub presents.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::TlsConnector;

use crate::app::LiveGateway;

/// The connector of a gateway. The error is for administrators and holds nothing of a key.
pub(super) async fn connector(live: &LiveGateway) -> Result<TlsConnector, String> {
    let roots = match &live.gateway.ca {
        Some(pem) => Arc::new(authorities(pem)?),
        None => system_authorities().await?,
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|fault| format!("TLS can't be set up: {fault}"))?
        .with_root_certificates(roots);
    let mut config = match (&live.gateway.client_certificate, &live.credentials.client_key) {
        (Some(chain), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
                .map_err(|_| "the key of the client certificate can't be read".to_owned())?;
            builder
                .with_client_auth_cert(certificates(chain)?, key)
                .map_err(|fault| format!("the client certificate and its key don't go together: {fault}"))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    chain.map_err(|fault| format!("a certificate can't be read: {fault}"))
}

fn authorities(pem: &str) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem)? {
        store.add(certificate).map_err(|fault| format!("a certificate of the CA can't be used: {fault}"))?;
    }
    if store.is_empty() { Err("the CA holds no certificate".to_owned()) } else { Ok(store) }
}

/// Those of the host, read once.
async fn system_authorities() -> Result<Arc<RootCertStore>, String> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(known) = SYSTEM.get() {
        return Ok(Arc::clone(known));
    }
    let read = tokio::task::spawn_blocking(|| {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        store
    });
    let store = read.await.map_err(|_| "the authorities of the system can't be read".to_owned())?;
    if store.is_empty() {
        return Err(
            "this host has no certificate authorities: install ca-certificates, or give the gateway its CA".to_owned()
        );
    }
    Ok(Arc::clone(SYSTEM.get_or_init(|| Arc::new(store))))
}
