//! The body of a request on its way to the upstream: counted, and without trailers.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::Body as _;

/// What is known about a body that streams, by the task that waits for the answer and by the watch.
#[derive(Debug, Default)]
pub(super) struct Upload {
    moved: AtomicBool,
    ended: AtomicBool,
    caller_waits: AtomicBool,
    too_large: AtomicBool,
    broke: AtomicBool,
}

impl Upload {
    /// Whether a piece went up since the last question.
    pub(super) fn moved(&self) -> bool {
        self.moved.swap(false, Ordering::Relaxed)
    }

    /// Whether all of it went up.
    pub(super) fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Whether the next piece is the caller's to send.
    pub(super) fn waits_for_caller(&self) -> bool {
        self.caller_waits.load(Ordering::Relaxed)
    }

    /// Whether it was longer than allowed.
    pub(super) fn too_large(&self) -> bool {
        self.too_large.load(Ordering::Relaxed)
    }

    /// Whether it broke off at the caller's end.
    pub(super) fn broke(&self) -> bool {
        self.broke.load(Ordering::Relaxed)
    }
}

/// Why a body is not sent to its end; told through [`Upload`].
#[derive(Debug, thiserror::Error)]
#[error("the body was not sent to its end")]
pub(super) struct Unsent;

/// A request's body.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// None.
    Empty,
    /// All of it at once, and whether it was taken.
    Whole(Bytes, bool),
    /// What the caller sends, as it comes.
    Stream(Streaming),
}

/// A body that comes while it goes.
#[derive(Debug)]
pub(super) struct Streaming {
    body: Body,
    /// How much may still come, in bytes.
    left: Option<u64>,
    upload: Arc<Upload>,
    begun: bool,
}

impl Streaming {
    /// Streams the caller's body, at most so many bytes of it.
    pub(super) fn new(body: Body, limit: Option<u64>, upload: Arc<Upload>) -> Self {
        Self { body, left: limit, upload, begun: false }
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Unsent>>> {
        loop {
            let polled = Pin::new(&mut self.body).poll_frame(context);
            self.begun |= polled.is_ready();
            self.upload.caller_waits.store(polled.is_pending(), Ordering::Relaxed);
            let frame = match polled {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => {
                    self.upload.ended.store(true, Ordering::Relaxed);
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(_))) => {
                    self.upload.broke.store(true, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(Unsent)));
                }
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            // Trailers end here: they could say what a header must not.
            let Ok(data) = frame.into_data() else { continue };
            if let Some(left) = &mut self.left {
                let Some(rest) = left.checked_sub(data.len() as u64) else {
                    self.upload.too_large.store(true, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(Unsent)));
                };
                *left = rest;
            }
            self.upload.moved.store(true, Ordering::Relaxed);
            if self.body.is_end_stream() {
                self.upload.ended.store(true, Ordering::Relaxed);
            }
            return Poll::Ready(Some(Ok(data)));
        }
    }
}

impl Outgoing {
    /// Its length, where that is known.
    pub(super) fn exact(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Whole(bytes, _) => Some(bytes.len() as u64),
            Self::Stream(streaming) => streaming.body.size_hint().exact(),
        }
    }

    /// Whether it comes from the caller as it goes, and none of it was taken yet: it can be sent only once.
    pub(super) const fn is_fresh_stream(&self) -> bool {
        matches!(self, Self::Stream(Streaming { begun: false, .. }))
    }

    /// The same once more, unless some of it was taken that does not come again.
    pub(super) fn again(self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Whole(bytes, _) => Some(Self::Whole(bytes, false)),
            Self::Stream(streaming) => (!streaming.begun).then_some(Self::Stream(streaming)),
        }
    }

    /// The next piece.
    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Unsent>>> {
        match self {
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes, taken) => {
                let first = !std::mem::replace(taken, true);
                Poll::Ready(first.then(|| Ok(bytes.clone())))
            }
            Self::Stream(streaming) => streaming.poll_piece(context),
        }
    }
}
