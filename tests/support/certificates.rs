//! Certificates by `openssl`: an authority, what it signs, and a front that speaks TLS before a plain service.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::WebPkiClientVerifier,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    io::{AsyncWriteExt as _, copy, copy_bidirectional, sink},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use super::upstream::Upstream;

/// Signs as this configuration says; `openssl x509` has no choice of both dates.
const CONFIGURATION: &str = "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nnew_certs_dir=.\ncertificate=ca.pem\n\
    private_key=ca.key\nserial=serial\nrand_serial=yes\ndefault_md=sha256\npolicy=any\ncopy_extensions=copy\n\
    unique_subject=no\n[any]\ncommonName=supplied\n";

/// What a key is made as.
const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/// An authority that only its test trusts.
pub struct Authority(tempfile::TempDir);

/// A certificate and its key, as files.
pub struct Certificate {
    pub chain: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("gateway-hub-test-").tempdir().expect("a temporary folder");
        fs::write(folder.path().join("ca.conf"), CONFIGURATION).expect("a file");
        fs::write(folder.path().join("index.txt"), "").expect("a file");
        // A name of its own, so that certificates of another authority are of an unknown one.
        let name = format!("/CN={}", folder.path().file_name().expect("a name").display());
        let own = ["req", "-x509", "-days", "2", "-subj", &name, "-keyout", "ca.key", "-out", "ca.pem"];
        openssl(folder.path(), &[&own[..], &KEY].concat());
        Self(folder)
    }

    /// Its certificate, for those who trust it.
    pub fn pem(&self) -> String {
        fs::read_to_string(self.0.path().join("ca.pem")).expect("a file")
    }

    /// A certificate for this name, such as `DNS:localhost`, good from 2020 to 2099.
    pub fn signs(&self, name: &str) -> Certificate {
        self.signs_until(name, "20990101000000Z")
    }

    /// One whose end is given.
    pub fn signs_until(&self, name: &str, end: &str) -> Certificate {
        let number = fs::read_dir(self.0.path()).expect("the folder").count();
        let file = |ending: &str| format!("{number}.{ending}");
        let (key, asked, chain) = (file("key"), file("csr"), file("pem"));
        let names = format!("subjectAltName={name}");
        let ask = ["req", "-new", "-subj", "/CN=test", "-addext", &names, "-keyout", &key, "-out", &asked];
        openssl(self.0.path(), &[&ask[..], &KEY].concat());
        let dates = ["-startdate", "20200101000000Z", "-enddate", end];
        let sign = ["ca", "-config", "ca.conf", "-batch", "-notext", "-in", &asked, "-out", &chain];
        openssl(self.0.path(), &[&sign[..], &dates].concat());
        Certificate { chain: self.0.path().join(chain), key: self.0.path().join(key) }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem().as_bytes()).expect("a certificate")).expect("an authority");
        Arc::new(roots)
    }

    /// What a caller trusts who trusts this authority, and which protocol it offers.
    pub fn caller(&self, protocol: &str) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let mut config = builder.expect("TLS").with_root_certificates(self.roots()).with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        config
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).current_dir(folder).output().expect("openssl starts");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

impl Certificate {
    pub fn chain(&self) -> String {
        fs::read_to_string(&self.chain).expect("a file")
    }

    pub fn key(&self) -> String {
        fs::read_to_string(&self.key).expect("a file")
    }
}

/// Speaks TLS before a plain service, until it is dropped.
pub struct Front {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Front {
    /// Shows this certificate, and asks for one that `clients` signed, if there is such an authority.
    pub async fn before(upstream: &Upstream, certificate: &Certificate, clients: Option<&Authority>) -> Self {
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.expect("TLS");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(clients.roots(), provider()).build().expect("a verifier"),
            ),
        };
        let chain = vec![CertificateDer::from_pem_file(&certificate.chain).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
        let config = builder.with_single_cert(chain, key).expect("a certificate with its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, behind) = (listener.local_addr().expect("bound"), upstream.address);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    match acceptor.accept(stream).into_fallible().await {
                        Ok(mut front) => {
                            let mut back = TcpStream::connect(behind).await?;
                            copy_bidirectional(&mut front, &mut back).await.map(drop)
                        }
                        // What else was sent is read, so that the alert is not lost in a reset.
                        Err((_, mut stream)) => {
                            stream.shutdown().await?;
                            copy(&mut stream, &mut sink()).await.map(drop)
                        }
                    }
                });
            }
        });
        Self { address, task }
    }

    /// Its address by this name.
    pub fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.address.port())
    }
}
