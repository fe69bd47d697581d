//! One HTTP/1.1 connection to an upstream, driven by whoever uses it: one request at a time, its answer after it.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Version, response::Parts};

use tokio::time::{Sleep, sleep};

use super::TICK;
use super::outgoing::{Outgoing, Unsent};
use super::socket::Socket;
use crate::ambient::timer_now;
use crate::http1::{
    BodyLength, Decoder, Encoder, Malformed, Step, Wire, connection_says, of_response, request_head_of, response_head,
};

/// The longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;
/// The most interim answers (1xx) before the one that counts.
const MOST_INTERIM: u32 = 16;

/// Why an exchange on a connection failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection had ended before anything of the request left; its body is as it was.
    Unsent(Outgoing),
    /// The caller's body broke off, or was too long: [`super::outgoing::Upload`] knows.
    Caller,
    /// The upstream ended the connection.
    Ended(Option<io::Error>),
    /// What came is not HTTP.
    Malformed(String),
}

impl From<Malformed> for Fault {
    fn from(fault: Malformed) -> Self {
        Self::Malformed(fault.to_string())
    }
}

/// The head of a request as it goes up.
pub(super) struct Sent<'a> {
    pub(super) method: &'a Method,
    /// The path of the address, before the request's own.
    pub(super) prefix: &'a str,
    pub(super) target: &'a str,
    pub(super) host: &'a str,
    pub(super) headers: &'a HeaderMap,
}

/// A connection. No task of its own drives it.
pub(super) struct Line {
    wire: Wire<Socket>,
    /// The request's body, kept until the answer comes: it may have to go another way.
    body: Outgoing,
    /// What sends it, until all of it was written.
    encoder: Option<Encoder>,
    /// What of the answer has not come yet.
    down: Decoder,
    /// How much of the next head was looked at.
    seen: usize,
    interim: u32,
    is_head: bool,
    /// Whether another request may follow, as far as heads tell.
    goes_on: bool,
    used: bool,
    /// What the last request's headers were kept in.
    spare: HeaderMap,
    /// Goes off within a tick. One for all exchanges: a timer each would cost more than it tells.
    tick: Pin<Box<Sleep>>,
}

impl Line {
    /// Begins to speak HTTP/1.1 on a socket.
    pub(super) fn over(socket: Socket) -> Box<Self> {
        Box::new(Self {
            wire: Wire::new(socket),
            body: Outgoing::Empty,
            encoder: None,
            down: Decoder::of_length(0),
            seen: 0,
            interim: 0,
            is_head: false,
            goes_on: true,
            used: false,
            spare: HeaderMap::new(),
            tick: Box::pin(sleep(TICK)),
        })
    }

    /// Writes a request's head and takes its body; [`Self::poll_head`] sends both.
    pub(super) fn begin(&mut self, request: &Sent<'_>, body: Outgoing) {
        let length = BodyLength::of_request(request.method, body.exact());
        let line = (request.method, request.prefix, request.target);
        request_head_of(self.wire.out(), line, request.host, request.headers, length);
        self.wire.count_anew();
        self.encoder = (!matches!(body, Outgoing::Empty)).then(|| Encoder::new(length));
        self.body = body;
        (self.seen, self.interim, self.is_head) = (0, 0, request.method == Method::HEAD);
    }

    /// Sends the request, and gives the head of its answer when that has come.
    pub(super) fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Result<Parts, Fault>> {
        loop {
            self.poll_up(context)?;
            if let Some(head) = self.head()? {
                self.used = true;
                if self.encoder.is_none() {
                    self.body = Outgoing::Empty;
                }
                return Poll::Ready(Ok(head));
            }
            match ready!(self.wire.poll_fill(context)) {
                Ok(1..) => {}
                Ok(0) => return Poll::Ready(Err(self.ended(None))),
                Err(fault) => return Poll::Ready(Err(self.ended(Some(fault)))),
            }
        }
    }

    /// Ready about every [`TICK`].
    pub(super) fn poll_tick(&mut self, context: &mut Context<'_>) -> Poll<()> {
        ready!(self.tick.as_mut().poll(context));
        self.tick.as_mut().reset(timer_now() + TICK);
        Poll::Ready(())
    }

    /// Takes the headers of the request that was answered, so that their memory serves the next answer.
    pub(super) fn recycle(&mut self, mut headers: HeaderMap) {
        headers.clear();
        self.spare = headers;
    }

    /// The head of the answer, if it has arrived. Interim answers are dropped.
    fn head(&mut self) -> Result<Option<Parts>, Fault> {
        loop {
            let read = response_head(&mut self.wire.inbound, &mut self.seen, LONGEST_HEAD, &mut self.spare);
            let Some(head) = read.map_err(|fault| Fault::Malformed(fault.to_string()))? else { return Ok(None) };
            if head.status == StatusCode::SWITCHING_PROTOCOLS {
                return Err(Fault::Malformed("the upstream changed the protocol unasked".to_owned()));
            }
            if head.status.is_informational() {
                self.interim += 1;
                if self.interim > MOST_INTERIM {
                    return Err(Fault::Malformed("the upstream sends interim answers without end".to_owned()));
                }
                continue;
            }
            let method = if self.is_head { Method::HEAD } else { Method::GET };
            let (down, reusable) = of_response(&method, head.status, head.version, &head.headers)?;
            self.down = down;
            self.goes_on = reusable && head.version == Version::HTTP_11 && !connection_says(&head.headers, b"close");
            return Ok(Some(head));
        }
    }

    /// The next piece of the answer's body; what is left of the request's is sent meanwhile.
    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            if !self.is_sent()
                && let Err(fault) = self.poll_up(context)
            {
                return Poll::Ready(Some(Err(fault)));
            }
            match self.down.step(&mut self.wire.inbound) {
                Ok(Step::Piece(piece)) => return Poll::Ready(Some(Ok(piece))),
                Ok(Step::End) => return Poll::Ready(None),
                Ok(Step::More) => {}
                Err(malformed) => return Poll::Ready(Some(Err(malformed.into()))),
            }
            match ready!(self.wire.poll_fill(context)) {
                Ok(1..) => {}
                Ok(0) if self.down.ended_by_close() => return Poll::Ready(None),
                Ok(0) => return Poll::Ready(Some(Err(Fault::Ended(None)))),
                Err(fault) => return Poll::Ready(Some(Err(Fault::Ended(Some(fault))))),
            }
        }
    }

    /// All of the answer's body, if it has arrived with the head and in one piece.
    pub(super) fn whole(&mut self) -> Option<Bytes> {
        let inbound = &self.wire.inbound;
        match self.down.left() {
            Some(0) => Some(Bytes::new()),
            Some(left) if usize::try_from(left).is_ok_and(|left| left <= inbound.len()) => {
                match self.down.step(&mut self.wire.inbound) {
                    Ok(Step::Piece(piece)) => Some(piece),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether all of the answer was read.
    pub(super) fn is_done(&self) -> bool {
        self.down.is_done()
    }

    /// How much of the answer's body is left, where that is known.
    pub(super) fn left(&self) -> Option<u64> {
        self.down.left()
    }

    /// Whether another request may be sent now: nothing is left of the last one, and the upstream has neither closed nor said
    /// anything.
    pub(super) fn is_free(&mut self) -> bool {
        self.wire.rest();
        self.goes_on
            && self.is_sent()
            && self.down.is_done()
            && self.wire.inbound.is_empty()
            && self.wire.poll_fill(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    fn is_sent(&self) -> bool {
        self.encoder.is_none() && self.wire.is_flushed()
    }

    /// Sends what there is of the request. An upstream that takes no more of it may still answer: that is not a fault here.
    fn poll_up(&mut self, context: &mut Context<'_>) -> Result<(), Fault> {
        loop {
            // On a connection that waited, the head goes first: if it can't leave, the body was not begun.
            let head_first = self.used && self.body.is_fresh_stream();
            if self.wire.is_full() || self.encoder.is_none() || head_first {
                match self.wire.poll_flush(context) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(fault)) => return self.takes_no_more(fault),
                }
            }
            let Some(encoder) = &mut self.encoder else { return Ok(()) };
            match self.body.poll_piece(context) {
                Poll::Ready(Some(Ok(piece))) => encoder.piece(&mut self.wire, piece).map_err(|_| Fault::Caller)?,
                Poll::Ready(Some(Err(Unsent))) => return Err(Fault::Caller),
                Poll::Ready(None) => {
                    encoder.end(&mut self.wire).map_err(|_| Fault::Caller)?;
                    self.encoder = None;
                }
                Poll::Pending => {
                    return match self.wire.poll_flush(context) {
                        Poll::Ready(Err(fault)) => self.takes_no_more(fault),
                        _ => Ok(()),
                    };
                }
            }
        }
    }

    fn takes_no_more(&mut self, fault: io::Error) -> Result<(), Fault> {
        self.goes_on = false;
        let ended = self.ended(Some(fault));
        if matches!(ended, Fault::Unsent(_)) {
            return Err(ended);
        }
        self.wire.forget();
        Ok(())
    }

    /// What the end of the connection means for the request under way; its body ends here.
    fn ended(&mut self, fault: Option<io::Error>) -> Fault {
        self.encoder = None;
        let body = std::mem::replace(&mut self.body, Outgoing::Empty);
        if !self.used || self.wire.has_left() {
            return Fault::Ended(fault);
        }
        body.again().map_or(Fault::Ended(fault), Fault::Unsent)
    }
}
