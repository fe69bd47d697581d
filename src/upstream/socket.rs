//! A connection to an upstream: resolved, checked, connected, and with TLS where the address says so.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::destination;
use crate::domain::gateway::UpstreamAddress;

/// A connected socket, plain or with TLS.
pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects to the first of the host's addresses that answers and may be connected to. The error is for administrators.
pub(super) async fn connect(
    address: &UpstreamAddress,
    tls: Option<&TlsConnector>,
    own: &[SocketAddr],
) -> Result<Socket, String> {
    let resolved = lookup_host((address.host(), address.port()))
        .await
        .map_err(|fault| format!("the name {} can't be resolved: {fault}", address.host()))?;
    let mut reason = format!("the name {} has no address", address.host());
    for destination in resolved {
        match connect_to(destination, own).await {
            Ok(stream) => return with_tls(stream, address, tls).await,
            Err(failed) => reason = failed,
        }
    }
    Err(reason)
}

async fn connect_to(destination: SocketAddr, own: &[SocketAddr]) -> Result<TcpStream, String> {
    destination::check(destination, own).map_err(|forbidden| format!("{destination} is refused: {forbidden}"))?;
    let failed = |fault: io::Error| format!("no connection to {destination}: {}", words(&fault));
    let stream = TcpStream::connect(destination).await.map_err(failed)?;
    let (local, peer) = (stream.local_addr().map_err(failed)?, stream.peer_addr().map_err(failed)?);
    destination::check_connected(local, peer, own).map_err(|forbidden| format!("{peer} is refused: {forbidden}"))?;
    // Requests are written whole; waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// The system's words without its number.
fn words(fault: &io::Error) -> String {
    let text = fault.to_string();
    text.split_once(" (os error ").map_or_else(|| text.clone(), |(words, _)| words.to_owned())
}

async fn with_tls(stream: TcpStream, address: &UpstreamAddress, tls: Option<&TlsConnector>) -> Result<Socket, String> {
    let Some(connector) = tls else { return Ok(Socket::Plain(stream)) };
    let name = ServerName::try_from(address.host().to_owned())
        .map_err(|_| format!("{} is no name that a certificate could be for", address.host()))?;
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|fault| format!("no TLS connection to {}: {fault}", address.authority()))?;
    Ok(Socket::Tls(Box::new(stream)))
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
