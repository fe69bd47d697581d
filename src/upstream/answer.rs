//! The body of an answer on its way to the caller.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::line::Line;
use super::place::Place;
use super::registry::{Kept, Upstreams};
use super::watch::{Verdict, Watched};

/// Why an answer breaks off: the caller sees its connection end early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenAnswer {
    /// The upstream's answer broke off.
    #[error("the upstream's answer broke off")]
    Upstream,
    /// The key, the token or the role ended.
    #[error("the caller's key ended")]
    Dead,
    /// Nothing moved for as long as the gateway allows.
    #[error("nothing moved for too long")]
    Idle,
}

/// A place among the requests under way.
pub(super) struct Slot(Arc<Kept>);

impl Slot {
    /// Takes one, if fewer than `most` are taken.
    pub(super) fn take(kept: &Arc<Kept>, most: u32) -> Option<Self> {
        let taken = kept.under_way.fetch_add(1, Ordering::Relaxed);
        // Given back when dropped.
        let slot = Self(Arc::clone(kept));
        (taken < most).then_some(slot)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an upstream's answer: streamed, without trailers, and cut when the caller's key ends or nothing moves.
pub struct AnswerBody(State);

enum State {
    /// All of it has arrived: mostly so.
    Whole(Bytes),
    /// There is more to come.
    Open(Box<Open>),
    /// It has ended, well or not.
    Over,
}

/// An answer that is under way, and what it needs to end well.
pub(super) struct Open {
    pub(super) line: Box<Line>,
    pub(super) place: Arc<Place>,
    pub(super) upstreams: Arc<Upstreams>,
    #[expect(dead_code, reason = "given back when dropped")]
    pub(super) slot: Slot,
    pub(super) watched: Watching,
}

impl AnswerBody {
    /// An answer that is there.
    pub(super) const fn whole(body: Bytes) -> Self {
        Self(State::Whole(body))
    }

    /// An answer that is under way.
    pub(super) fn open(open: Open) -> Self {
        Self(State::Open(Box::new(open)))
    }
}

impl Open {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenAnswer>>> {
        if let Some(verdict) = self.watched.0.verdict(context.waker()) {
            return Poll::Ready(Some(Err(match verdict {
                Verdict::Dead => BrokenAnswer::Dead,
                Verdict::Idle => BrokenAnswer::Idle,
            })));
        }
        let polled = self.line.poll_piece(context);
        if let Poll::Ready(Some(Ok(_))) = &polled {
            self.watched.0.moved();
        }
        polled.map_err(|_| BrokenAnswer::Upstream)
    }

    /// Gives the connection back, if nothing is left on it.
    fn end(self) {
        let Self { line, place, upstreams, .. } = self;
        place.keep(line, upstreams.beat.load(Ordering::Relaxed));
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = BrokenAnswer;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenAnswer>>> {
        let this = self.get_mut();
        let polled = match &mut this.0 {
            State::Over => return Poll::Ready(None),
            State::Whole(body) => {
                let body = std::mem::take(body);
                this.0 = State::Over;
                return Poll::Ready((!body.is_empty()).then(|| Ok(Frame::data(body))));
            }
            State::Open(open) => std::task::ready!(open.poll_piece(context)),
        };
        let ended_well = match &polled {
            None => true,
            Some(Ok(_)) => matches!(&this.0, State::Open(open) if open.line.is_done()),
            Some(Err(_)) => {
                // The connection is dropped with what is left on it.
                this.0 = State::Over;
                false
            }
        };
        if ended_well && let State::Open(open) = std::mem::replace(&mut this.0, State::Over) {
            open.end();
        }
        Poll::Ready(polled.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::Whole(body) => body.is_empty(),
            State::Open(_) => false,
            State::Over => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            State::Whole(body) => SizeHint::with_exact(body.len() as u64),
            State::Open(open) => open.line.left().map_or_else(SizeHint::default, SizeHint::with_exact),
            State::Over => SizeHint::with_exact(0),
        }
    }
}

/// Ends the watch over an answer when it is dropped.
pub(super) struct Watching(pub(super) Arc<Watched>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.done();
    }
}
