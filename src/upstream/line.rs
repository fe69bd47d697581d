//! One HTTP/1.1 connection to an upstream, driven by whoever uses it.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::outgoing::Outgoing;
use super::socket::Socket;

/// The longest head of an answer, and how much of a body is held at once, in bytes.
const BUFFER: usize = 64 * 1024;
/// The most header fields of an answer.
const MOST_HEADERS: usize = 128;

/// A connection with its two halves: where requests go in, and what moves the bytes. No task of its own drives it.
pub(super) struct Line {
    pub(super) sender: http1::SendRequest<Outgoing>,
    connection: http1::Connection<TokioIo<Socket>, Outgoing>,
    ended: bool,
}

impl Line {
    /// Begins to speak HTTP/1.1 on a socket.
    pub(super) async fn over(socket: Socket) -> Result<Box<Self>, hyper::Error> {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .max_headers(MOST_HEADERS)
            .handshake(TokioIo::new(socket))
            .await?;
        Ok(Box::new(Self { sender, connection, ended: false }))
    }

    /// Moves bytes; ready once the connection has ended. Faults reach whoever waits for the answer.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        Self::drive(&mut self.connection, &mut self.ended, context)
    }

    /// The halves apart, for a request that is being sent.
    pub(super) fn halves(
        &mut self,
    ) -> (&mut http1::SendRequest<Outgoing>, impl FnMut(&mut Context<'_>) -> Poll<()> + use<'_>) {
        let Self { sender, connection, ended } = self;
        (sender, |context: &mut Context<'_>| Self::drive(connection, ended, context))
    }

    fn drive(
        connection: &mut http1::Connection<TokioIo<Socket>, Outgoing>,
        ended: &mut bool,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if *ended {
            return Poll::Ready(());
        }
        let polled = Pin::new(connection).poll(context);
        *ended = polled.is_ready();
        polled.map(drop)
    }

    /// Whether another request may be sent now: nothing is left of the last one, and the upstream has neither closed nor said
    /// anything.
    pub(super) fn is_free(&mut self) -> bool {
        self.poll(&mut Context::from_waker(Waker::noop())).is_pending() && self.sender.is_ready()
    }
}
