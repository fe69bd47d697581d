//! The body of an answer on its way to the caller.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::line::Line;
use super::outgoing::Upload;
use super::place::Place;
use super::registry::{Kept, Upstreams};
use super::ticks;
use super::watch::{Tether, Watched};
use crate::domain::gateway::Timeouts;

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

/// What an answer needs to end well.
pub(super) struct Ending {
    pub(super) line: Box<Line>,
    pub(super) place: Arc<Place>,
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) tether: Arc<dyn Tether>,
    pub(super) upload: Option<Arc<Upload>>,
    pub(super) timeouts: Timeouts,
    pub(super) slot: Slot,
}

/// The body of an upstream's answer: streamed, without trailers, and cut when the caller's key ends or nothing moves.
pub struct AnswerBody {
    incoming: Incoming,
    ending: Option<Ending>,
    watched: Option<Arc<Watched>>,
}

impl AnswerBody {
    pub(super) fn new(incoming: Incoming, ending: Ending) -> Self {
        let mut body = Self { incoming, ending: Some(ending), watched: None };
        if body.incoming.is_end_stream() {
            body.end();
        }
        body
    }

    /// Gives the connection back, if nothing is left on it.
    fn end(&mut self) {
        if let Some(watched) = self.watched.take() {
            watched.done();
        }
        if let Some(Ending { line, place, upstreams, slot, .. }) = self.ending.take() {
            place.keep(line, upstreams.beat.load(Ordering::Relaxed));
            drop(slot);
        }
    }

    /// From the first time that not everything was there at once, the watch looks after it.
    fn watch(&mut self) -> Option<&Arc<Watched>> {
        if self.watched.is_none() {
            let Ending { upstreams, tether, upload, timeouts, .. } = self.ending.as_ref()?;
            self.watched = Some(upstreams.watch.over(Arc::clone(tether), upload.clone(), ticks(timeouts.idle)));
        }
        self.watched.as_ref()
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenAnswer>>> {
        let mut moved_bytes = false;
        loop {
            match Pin::new(&mut self.incoming).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers end here.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                    moved_bytes = false;
                }
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Some(Err(BrokenAnswer::Upstream))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    // The connection moves its bytes on our time; then there may be more.
                    if std::mem::replace(&mut moved_bytes, true) {
                        return Poll::Pending;
                    }
                    if let Some(ending) = &mut self.ending {
                        let _ = ending.line.poll(context);
                    }
                }
            }
        }
    }

    fn fail(&mut self, fault: BrokenAnswer) -> Poll<Option<Result<Frame<Bytes>, BrokenAnswer>>> {
        if let Some(watched) = self.watched.take() {
            watched.done();
        }
        // The connection is dropped with what is left on it.
        self.ending = None;
        Poll::Ready(Some(Err(fault)))
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = BrokenAnswer;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenAnswer>>> {
        let this = self.get_mut();
        if let Some(watched) = &this.watched
            && let Some(verdict) = watched.verdict(context.waker())
        {
            return this.fail(match verdict {
                super::watch::Verdict::Dead => BrokenAnswer::Dead,
                super::watch::Verdict::Idle => BrokenAnswer::Idle,
            });
        }
        match this.poll_piece(context) {
            Poll::Ready(Some(Ok(data))) => {
                if this.incoming.is_end_stream() {
                    this.end();
                } else if let Some(watched) = this.watch() {
                    watched.moved();
                }
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Poll::Ready(Some(Err(fault))) => this.fail(fault),
            Poll::Ready(None) => {
                this.end();
                Poll::Ready(None)
            }
            Poll::Pending => {
                if let Some(watched) = this.watch() {
                    let _ = watched.verdict(context.waker());
                }
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some(watched) = self.watched.take() {
            watched.done();
        }
    }
}
