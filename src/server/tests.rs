//! The server on real sockets: plain, with TLS, and its end.

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{Listeners, Running, Server, StartError};
use crate::{
    actions::hub,
    ambient::{Clock, Randomness},
    config::{Config, Tls},
};

async fn start(change: impl FnOnce(&mut Config)) -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::local(folder.path());
    change(&mut config);
    let listeners = Listeners::bind(&config).await.unwrap();
    let config = config.bound_to(listeners.address);
    let app = hub::open(config, Clock::system(), Randomness::system()).await.unwrap();
    (folder, Server::start_on(app, listeners).await.unwrap())
}

/// Sends bytes and reads until the server closes the connection.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, sent: &str) -> String {
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A TLS peer that closes without close_notify is an error here, after everything was read.
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer))
        .await
        .expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

const LAST: &str = "GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn it_answers_and_stops() {
    let (_folder, running) = start(|config| {
        config.ops_listen = Some(([127, 0, 0, 1], 0).into());
        config.node_name = Some("node-a".to_owned());
    })
    .await;
    let address = running.address;
    let idle = TcpStream::connect(address).await.unwrap();
    let answer = exchange(TcpStream::connect(address).await.unwrap(), LAST).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
    let details = exchange(
        TcpStream::connect(running.ops_address.unwrap()).await.unwrap(),
        "GET /readyz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(details.contains("\"ready\":true") && details.contains("last_poll_ms"), "{details}");
    assert!(details.contains("\"node\":\"node-a\"") && details.contains("\"sequence\":"), "{details}");
    tokio::time::timeout(Duration::from_secs(5), running.shutdown())
        .await
        .expect("an idle connection does not hold it up");
    drop(idle);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn content_length_beside_transfer_encoding_ends_the_connection() {
    let (_folder, running) = start(|_| {}).await;
    for headers in
        ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"]
    {
        let smuggled = "GET /smuggled HTTP/1.1\r\nHost: hub\r\n\r\n";
        let sent = format!("POST /healthz HTTP/1.1\r\nHost: hub\r\n{headers}\r\n\r\n0\r\n\r\n{smuggled}");
        let answer = exchange(TcpStream::connect(running.address).await.unwrap(), &sent).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn two_hosts_are_refused_on_the_wire() {
    let (_folder, running) = start(|_| {}).await;
    for head in [
        "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n",
        "GET http://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nauthorization: Bearer x\r\n\r\n",
    ] {
        let answer = exchange(TcpStream::connect(running.address).await.unwrap(), head).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{head}{answer}");
    }
    running.shutdown().await;
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let (folder, running) = start(|_| {}).await;
    let mut config = Config::local(folder.path());
    config.listen = running.address;
    let fault = Listeners::bind(&config).await.err().unwrap();
    assert!(matches!(fault, StartError::Bind { .. }));
    assert!(fault.to_string().contains(&running.address.to_string()) && fault.to_string().contains("another program"));
    running.shutdown().await;
}

/// A certificate for `localhost`, made by the openssl program.
fn self_signed(folder: &Path) -> Tls {
    let tls = Tls { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-out")
        .arg(&tls.certificate)
        .arg("-keyout")
        .arg(&tls.key)
        .output()
        .expect("the program openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    tls
}

#[tokio::test]
async fn tls_speaks_http_1_and_2() {
    let certificates = tempfile::tempdir().unwrap();
    let tls = self_signed(certificates.path());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&tls.certificate).unwrap()).unwrap();
    let (_folder, running) = start(|config| config.tls = Some(tls)).await;
    for offered in [&b"http/1.1"[..], b"h2"] {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        client.alpn_protocols = vec![offered.to_vec()];
        let stream = TcpStream::connect(running.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(offered));
        if offered == b"http/1.1" {
            let answer = exchange(stream, LAST).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.contains("strict-transport-security"), "{answer}");
        }
    }
    running.shutdown().await;
}
