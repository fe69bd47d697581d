//! The body of a request on its way from the connection to the handler: a piece at a time, and only when it is asked for.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::http1::{Decoder, Step, Wire};

/// The body broke off, or is not what its head announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body broke off")]
pub(super) struct BrokeOff;

/// What both ends share.
#[derive(Debug)]
struct Flow {
    piece: Option<Bytes>,
    state: State,
    /// What has not been taken yet, in bytes, where that is known.
    left: Option<u64>,
    wanted: bool,
    /// Waits for a piece.
    reader: Option<Waker>,
    /// Waits until a piece is wanted.
    feeder: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    BrokeOff,
    /// Nobody reads it any more.
    Abandoned,
}

/// The handler's end. The body of a request that has none takes no memory.
#[derive(Debug)]
pub(super) struct Inflow(Option<Arc<Mutex<Flow>>>);

/// The connection's end.
#[derive(Debug)]
pub(super) struct Feed {
    flow: Option<Arc<Mutex<Flow>>>,
    decoder: Decoder,
    /// The caller waits for a word before it sends (RFC 9110 §10.1.1).
    expects_continue: bool,
}

/// Both ends of the body that `decoder` reads.
pub(super) fn inflow(decoder: Decoder, expects_continue: bool) -> (Inflow, Feed) {
    let flow = (!decoder.is_done()).then(|| {
        Arc::new(Mutex::new(Flow {
            piece: None,
            state: State::Open,
            left: decoder.left(),
            wanted: false,
            reader: None,
            feeder: None,
        }))
    });
    (Inflow(flow.clone()), Feed { flow, decoder, expects_continue })
}

fn lock(flow: &Mutex<Flow>) -> MutexGuard<'_, Flow> {
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HttpBody for Inflow {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        let Some(flow) = &self.0 else { return Poll::Ready(None) };
        let mut flow = lock(flow);
        if let Some(piece) = flow.piece.take() {
            flow.left = flow.left.map(|left| left.saturating_sub(piece.len() as u64));
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match flow.state {
            State::Ended => Poll::Ready(None),
            State::BrokeOff | State::Abandoned => Poll::Ready(Some(Err(BrokeOff))),
            State::Open => {
                flow.wanted = true;
                flow.reader = Some(context.waker().clone());
                // The handler may have handed the body to another task than the connection's.
                if let Some(feeder) = flow.feeder.take() {
                    feeder.wake();
                }
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|flow| {
            let flow = lock(flow);
            flow.state == State::Ended && flow.piece.is_none()
        })
    }

    fn size_hint(&self) -> SizeHint {
        let Some(flow) = &self.0 else { return SizeHint::with_exact(0) };
        lock(flow).left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for Inflow {
    fn drop(&mut self) {
        if let Some(flow) = &self.0 {
            let mut flow = lock(flow);
            if flow.state == State::Open {
                flow.state = State::Abandoned;
            }
        }
    }
}

impl Feed {
    /// Whether all of the body was read from the connection.
    pub(super) fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// Whether the caller still waits for a word, and may never send.
    pub(super) fn is_unasked(&self) -> bool {
        self.expects_continue && !self.is_done()
    }

    /// Passes on a piece if one is wanted; ready if the handler has something to look at, be it that the body broke off.
    /// `answering`: no interim answer may be sent any more.
    pub(super) fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        context: &mut Context<'_>,
        answering: bool,
    ) -> Poll<()> {
        let Some(flow) = &self.flow else { return Poll::Pending };
        {
            let mut flow = lock(flow);
            if flow.state != State::Open || !flow.wanted {
                flow.feeder = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        if self.expects_continue && !answering {
            self.expects_continue = false;
            wire.out().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        // A fault in writing is one in reading, too.
        if !answering && wire.poll_flush(context).is_pending() {
            return Poll::Pending;
        }
        let step = loop {
            match self.decoder.step(&mut wire.inbound) {
                Ok(Step::More) => {}
                Ok(Step::Piece(piece)) => break Some(Some(piece)),
                Ok(Step::End) => break Some(None),
                Err(_) => break None,
            }
            match ready!(wire.poll_fill(context)) {
                Ok(1..) => {}
                Ok(0) | Err(_) => break None,
            }
        };
        let mut flow = lock(flow);
        flow.wanted = false;
        match step {
            None => flow.state = State::BrokeOff,
            Some(piece) => {
                flow.piece = piece;
                if self.decoder.is_done() {
                    flow.state = State::Ended;
                }
            }
        }
        if let Some(reader) = flow.reader.take() {
            reader.wake();
        }
        Poll::Ready(())
    }

    /// Drops what has arrived of a body that nobody reads; whether that was the rest of it.
    pub(super) fn discard<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) -> bool {
        while matches!(self.decoder.step(&mut wire.inbound), Ok(Step::Piece(_))) {}
        self.decoder.is_done()
    }

    /// Whether nobody reads the body any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.flow.as_ref().is_none_or(|flow| lock(flow).state != State::Open)
    }
}
