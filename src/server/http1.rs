//! One HTTP/1.1 connection of a caller: a request, its answer, and so on. What arrives meanwhile waits its turn.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use http::{HeaderMap, Request, Version, header, request::Parts, response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::inflow::{Feed, inflow};
use crate::http::{context::Connection, service::Service};
use crate::http1::{
    Afterwards, BodyLength, Date, Decoder, Encoder, HeadFault, Late, Wire, connection_says, of_request, request_head,
    response_head_of,
};

/// A head must arrive within this time, the next one on an idle connection too.
const HEAD_ARRIVAL: Duration = Duration::from_secs(30);
/// So much of what follows a request is read ahead, so that a caller who goes away is noticed.
const READ_AHEAD: usize = 64 * 1024;
/// How long, and how much, is read and dropped of what a caller still sends when the connection is closed on it. Closing at
/// once could take the answer away from it (RFC 9112 §9.6).
const LINGERS: Duration = Duration::from_secs(2);
const LINGERS_FOR: usize = 4 * 1024 * 1024;

/// Serves a connection until it ends. Once `ending` is set, the answer under way is the last, and an idle connection ends.
pub(super) async fn serve<S>(
    stream: S,
    connection: &Connection,
    service: &Service,
    ending: &AtomicBool,
    head_limit: usize,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut caller = Caller {
        wire: Wire::new(stream),
        seen: 0,
        spare: HeaderMap::new(),
        late: Late::new(HEAD_ARRIVAL),
        date: Date::default(),
    };
    loop {
        let parts = match caller.head(ending, head_limit).await? {
            Some(Ok(parts)) => parts,
            Some(Err(fault)) => return caller.refuse(service, connection, fault).await,
            None => return caller.close(true).await,
        };
        let decoder = match of_request(parts.version, &parts.headers) {
            Ok(decoder) => decoder,
            Err(malformed) => return caller.refuse(service, connection, malformed.into()).await,
        };
        if !caller.exchange(connection, service, ending, parts, decoder).await? {
            return caller.close(false).await;
        }
    }
}

struct Caller<S> {
    wire: Wire<S>,
    /// How much of the next head was looked at.
    seen: usize,
    /// What the last answer's headers were kept in.
    spare: HeaderMap,
    late: Late,
    date: Date,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Caller<S> {
    /// The next head; `None` if the connection is to end.
    async fn head(&mut self, ending: &AtomicBool, limit: usize) -> io::Result<Option<Result<Parts, HeadFault>>> {
        let Self { wire, seen, spare, late, .. } = self;
        wire.rest();
        late.begin();
        poll_fn(|context| {
            loop {
                match request_head(&mut wire.inbound, seen, limit, spare) {
                    Ok(Some(parts)) => return Poll::Ready(Ok(Some(Ok(parts)))),
                    Ok(None) => {}
                    Err(fault) => return Poll::Ready(Ok(Some(Err(fault)))),
                }
                if ending.load(Ordering::Relaxed) && wire.inbound.is_empty() {
                    return Poll::Ready(Ok(None));
                }
                match wire.poll_fill(context)? {
                    Poll::Ready(1..) => {}
                    Poll::Ready(0) => return Poll::Ready(Ok(None)),
                    Poll::Pending if late.poll(context) => return Poll::Ready(Ok(None)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }

    /// One request and its answer; whether another may follow.
    async fn exchange(
        &mut self,
        connection: &Connection,
        service: &Service,
        ending: &AtomicBool,
        parts: Parts,
        decoder: Decoder,
    ) -> io::Result<bool> {
        let (method, version) = (parts.method.clone(), parts.version);
        let wants_more = lets_follow(version, &parts.headers);
        let (body, mut feed) = inflow(decoder, expects_continue(version, &parts.headers));
        let response = {
            let mut answer = pin!(service.answer(connection, Request::from_parts(parts, body)));
            let wire = &mut self.wire;
            poll_fn(|context| {
                loop {
                    if let Poll::Ready(response) = answer.as_mut().poll(context) {
                        return Poll::Ready(io::Result::Ok(response));
                    }
                    ready!(attend(wire, &mut feed, context, false))?;
                }
            })
            .await?
        };
        let (mut head, body) = response.into_parts();
        let length = BodyLength::of_response(&method, head.status, version, body.size_hint().exact());
        let asked_to_close = connection_says(&head.headers, b"close");
        // What nobody wants of the request must be here already, or the connection ends.
        let at_rest = feed.is_done() || feed.is_abandoned() && !feed.is_unasked() && feed.discard(&mut self.wire);
        let follows = wants_more
            && at_rest
            && !ending.load(Ordering::Relaxed)
            && !asked_to_close
            && length != BodyLength::UntilClose;
        let afterwards = match (follows, version) {
            (false, _) => Afterwards::Closes,
            (true, Version::HTTP_10) => Afterwards::KeepAlive,
            (true, _) => Afterwards::GoesOn,
        };
        self.write_head(&head, length, afterwards, service);
        head.headers.clear();
        self.spare = head.headers;
        self.send(body, Encoder::new(length), &mut feed).await?;
        Ok(follows)
    }

    fn write_head(&mut self, head: &response::Parts, length: BodyLength, afterwards: Afterwards, service: &Service) {
        let dated = head.headers.contains_key(header::DATE);
        let date = (!dated).then(|| self.date.at(service.seconds()));
        response_head_of(self.wire.out(), head.status, &head.headers, length, afterwards, date);
    }

    /// Sends a body and all that waits.
    async fn send(&mut self, mut body: Body, mut encoder: Encoder, feed: &mut Feed) -> io::Result<()> {
        let wire = &mut self.wire;
        let mut stage = if encoder.wants_pieces() { Stage::Pieces } else { Stage::End };
        poll_fn(|context| {
            loop {
                if wire.is_full() || stage == Stage::Out {
                    match wire.poll_flush(context)? {
                        Poll::Ready(()) if stage == Stage::Out => return Poll::Ready(Ok(())),
                        Poll::Ready(()) => {}
                        Poll::Pending => return still_there(wire, feed, context),
                    }
                }
                if stage == Stage::End {
                    encoder.end(wire).map_err(io::Error::other)?;
                    stage = Stage::Out;
                    continue;
                }
                match Pin::new(&mut body).poll_frame(context) {
                    Poll::Ready(Some(Ok(frame))) => {
                        if let Ok(piece) = frame.into_data() {
                            encoder.piece(wire, piece).map_err(io::Error::other)?;
                        }
                        if body.is_end_stream() {
                            stage = Stage::End;
                        }
                    }
                    Poll::Ready(Some(Err(fault))) => return Poll::Ready(Err(io::Error::other(fault))),
                    Poll::Ready(None) => stage = Stage::End,
                    Poll::Pending => {
                        let _ = wire.poll_flush(context)?;
                        return still_there(wire, feed, context);
                    }
                }
            }
        })
        .await
    }

    /// Answers what can't be read as a request, and ends the connection.
    async fn refuse(mut self, service: &Service, connection: &Connection, fault: HeadFault) -> io::Result<()> {
        let (head, body) = service.refuse(connection, fault).into_parts();
        let length = BodyLength::Known(body.size_hint().exact().unwrap_or_default());
        self.write_head(&head, length, Afterwards::Closes, service);
        let (_, mut nothing) = inflow(Decoder::of_length(0), false);
        self.send(body, Encoder::new(length), &mut nothing).await?;
        self.linger().await
    }

    /// Ends the connection.
    async fn close(mut self, at_rest: bool) -> io::Result<()> {
        if at_rest && self.wire.inbound.is_empty() {
            return poll_fn(|context| self.wire.poll_shutdown(context)).await;
        }
        self.linger().await
    }

    /// Ends the connection of a caller who may still be sending.
    async fn linger(mut self) -> io::Result<()> {
        let wire = &mut self.wire;
        poll_fn(|context| wire.poll_shutdown(context)).await?;
        let dropping = async {
            let mut dropped = 0;
            while dropped < LINGERS_FOR {
                wire.inbound.clear();
                match poll_fn(|context| wire.poll_fill(context)).await? {
                    0 => break,
                    count => dropped += count,
                }
            }
            Ok(())
        };
        timeout(LINGERS, dropping).await.unwrap_or(Ok(()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The body's pieces come.
    Pieces,
    /// All pieces were written.
    End,
    /// All was written, and leaves.
    Out,
}

/// Looks after the caller while the handler waits: passes on what it wants of the body, and notices when the caller goes away.
/// Ready with the handler's turn, or with the end.
fn attend<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    feed: &mut Feed,
    context: &mut Context<'_>,
    answering: bool,
) -> Poll<io::Result<()>> {
    if feed.poll(wire, context, answering).is_ready() {
        return Poll::Ready(Ok(()));
    }
    while wire.inbound.len() < READ_AHEAD {
        if ready!(wire.poll_fill(context))? == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
    }
    Poll::Pending
}

/// The same while the answer is sent: whoever reads the body is woken.
fn still_there<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    feed: &mut Feed,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    loop {
        ready!(attend(wire, feed, context, true))?;
    }
}

/// Whether the caller lets another request follow (RFC 9112 §9.3).
fn lets_follow(version: Version, headers: &HeaderMap) -> bool {
    if version == Version::HTTP_10 {
        connection_says(headers, b"keep-alive")
    } else {
        !connection_says(headers, b"close")
    }
}

/// Whether the caller waits for a word before it sends the body (RFC 9110 §10.1.1).
fn expects_continue(version: Version, headers: &HeaderMap) -> bool {
    let expects = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    version == Version::HTTP_11 && headers.get(header::EXPECT).is_some_and(expects)
}
