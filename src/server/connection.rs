//! Connections: accepted, bounded in time and size, and ended gracefully.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Poll, ready},
    time::Duration,
};

use http::Request;
use hyper::{body::Incoming, rt::Executor, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use super::{GRACE, http1, seldom::Seldom};
use crate::http::{
    context::{Connection, Cut},
    service::Service,
};

/// The TLS handshake must be done within this time.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The largest head of a request, in bytes: room for a filter or a query of 8 KiB, percent-encoded, and a token.
const HEAD_LIMIT: u32 = 64 * 1024;
/// Requests at the same time on one HTTP/2 connection.
const STREAMS: u32 = 128;

/// What an open connection holds; it changes when connections are to come to an end.
type Open = watch::Receiver<()>;

/// Accepts connections until told to stop, then waits for open requests for [`GRACE`].
pub(super) async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    operations: bool,
    mut stop: watch::Receiver<bool>,
) {
    let (end, _) = watch::channel(());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (tls, service, open) = (tls.clone(), Arc::clone(&service), end.subscribe());
                tokio::spawn(serve(stream, peer, tls, service, operations, open));
            }
            Err(fault) => {
                // Out of file descriptors, most likely: wait for connections to end rather than spin.
                tracing::warn!(%fault, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let _ = end.send(());
    if tokio::time::timeout(GRACE, end.closed()).await.is_err() {
        tracing::warn!("requests were still open after {} s and are cut off", GRACE.as_secs());
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    operations: bool,
    open: Open,
) {
    // Answers are written whole; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let connection = Connection { peer, tls: tls.is_some(), operations, cut: Cut::default() };
    match tls {
        None => serve_http1(stream, connection, service, open).await,
        // Boxed: without TLS a connection should not carry room for it.
        Some(acceptor) => Box::pin(serve_tls(stream, connection, &acceptor, service, open)).await,
    }
}

async fn serve_tls(
    stream: TcpStream,
    connection: Connection,
    acceptor: &TlsAcceptor,
    service: Arc<Service>,
    open: Open,
) {
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        serve_http2(stream, connection, service, open).await;
    } else {
        serve_http1(stream, connection, service, open).await;
    }
}

async fn serve_http1<S>(stream: S, connection: Connection, service: Arc<Service>, open: Open)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (cut, ending) = (connection.cut.clone(), AtomicBool::new(false));
    let served = http1::serve(stream, &connection, &service, &ending, HEAD_LIMIT as usize);
    watched(open, served, |_| ending.store(true, Ordering::Relaxed), &cut).await;
}

async fn serve_http2<S>(stream: S, connection: Connection, service: Arc<Service>, open: Open)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let cut = connection.cut.clone();
    let answer = service_fn(move |request: Request<Incoming>| {
        let (service, connection) = (Arc::clone(&service), connection.clone());
        async move {
            let connection = Connection { cut: STREAM_CUT.get(), ..connection };
            Ok::<_, Infallible>(service.answer(&connection, request).await)
        }
    });
    let served = http2::Builder::new(Streams)
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_LIMIT)
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20))
        .serve_connection(TokioIo::new(stream), answer);
    watched(open, served, http2::Connection::graceful_shutdown, &cut).await;
}

tokio::task_local! {
    /// What cuts the stream that this task serves.
    static STREAM_CUT: Cut;
}

/// Runs each stream of an HTTP/2 connection so that it can be cut alone: a proxy before the hub sends requests of many
/// applications on one connection.
#[derive(Clone)]
struct Streams;

impl<S> Executor<S> for Streams
where
    S: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: S) {
        let cut = Cut::default();
        tokio::spawn(STREAM_CUT.scope(cut.clone(), async move {
            tokio::select! {
                () = stream => {}
                () = cut.wanted() => tracing::debug!("a stream was cut: its key ended, or nothing moved"),
            }
        }));
    }
}

/// Serves a connection until it ends, is cut, or has answered its last request after `open` told it to come to an end.
async fn watched<C, F>(mut open: Open, connection: C, end: impl Fn(Pin<&mut C>), cut: &Cut)
where
    C: Future<Output = Result<(), F>>,
    F: std::fmt::Display,
{
    let mut connection = pin!(connection);
    let mut cut = Seldom::new(cut.wanted());
    let mut ending = Seldom::new(async move {
        let _ = open.changed().await;
        open
    });
    // Held to the end: the server waits until nobody holds one any more.
    let mut told = None;
    poll_fn(|context| {
        if cut.poll(context).is_ready() {
            tracing::debug!("a connection was cut: its key ended, or nothing moved");
            return Poll::Ready(());
        }
        if told.is_none()
            && let Poll::Ready(open) = ending.poll(context)
        {
            told = Some(open);
            end(connection.as_mut());
        }
        if let Err(fault) = ready!(connection.as_mut().poll(context)) {
            // Resets and malformed heads, which were answered as far as they can be.
            tracing::debug!(%fault, "a connection ended with a fault");
        }
        Poll::Ready(())
    })
    .await;
}
