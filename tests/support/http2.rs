//! A caller that speaks HTTP/2 over TLS: many requests at once on one connection.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, sync::mpsc};
use tokio_rustls::TlsConnector;

use super::{callers::Application, certificates::Authority};

/// A connection on which HTTP/2 was agreed.
#[derive(Clone)]
pub struct Http2(http2::SendRequest<Body>);

impl Http2 {
    pub async fn open(address: SocketAddr, authority: &Authority) -> Self {
        let connector = TlsConnector::from(Arc::new(authority.caller("h2")));
        let stream = TcpStream::connect(address).await.expect("the hub listens");
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = connector.connect(name, stream).await.expect("TLS");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("a connection");
        tokio::spawn(connection);
        Self(sender)
    }

    /// Sends a request and waits for the head of its answer.
    pub async fn ask(&self, request: Request<Body>) -> Result<Response<Incoming>, hyper::Error> {
        self.0.clone().send_request(request).await
    }
}

/// A request of this application, with these headers more.
pub fn request(
    application: &Application,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("https://localhost{path}"))
        .header("Authorization", format!("Bearer {}", application.token));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).expect("a request")
}

/// A body that is fed piece by piece and has no length.
pub fn fed() -> (mpsc::Sender<Bytes>, Body) {
    let (feed, pieces) = mpsc::channel::<Bytes>(1);
    let stream = futures_util::stream::unfold(pieces, |mut pieces| async move {
        let piece = pieces.recv().await?;
        Some((Ok::<_, Infallible>(piece), pieces))
    });
    (feed, Body::from_stream(stream))
}

/// The next piece of an answer; `None` at its end.
pub async fn piece(answer: &mut Response<Incoming>) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        // The end may come as a piece of nothing.
        match answer.body_mut().frame().await?.map(|frame| frame.into_data().unwrap_or_default()) {
            Ok(nothing) if nothing.is_empty() => {}
            piece => return Some(piece),
        }
    }
}

/// All of an answer.
pub async fn text(answer: Response<Incoming>) -> String {
    let bytes = answer.into_body().collect().await.expect("the answer ends well").to_bytes();
    String::from_utf8_lossy(&bytes).into_owned()
}
