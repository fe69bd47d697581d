//! Forwarding one enforced request: an address that works, a connection, the request, and its answer.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use axum::body::HttpBody as _;
use http::response::Parts;
use http::{Method, Response, StatusCode, header};

use super::answer::{AnswerBody, Open, Slot, Watching};
use super::fault::ForwardFault;
use super::line::{Fault, Line, Sent};
use super::outgoing::{Outgoing, Streaming, Upload};
use super::place::Place;
use super::registry::{Upstream, Upstreams};
use super::request::{EnforcedRequest, Head, RequestBody};
use super::ticks;
use super::watch::Tether;
use crate::app::{App, LiveGateway};
use crate::domain::gateway::Timeouts;

/// A request that was sent and not answered.
enum Failed {
    /// Nothing of it left: the connection had ended before.
    Unsent(Outgoing),
    /// The connection broke before an answer came.
    Broken(String),
    /// There is no point in another try.
    Final(ForwardFault),
}

impl Upstreams {
    /// Forwards a request and gives the answer as its head has arrived; the body streams. As long as the answer is open it hangs
    /// on `tether`. Both are used up where they are.
    ///
    /// # Errors
    /// [`ForwardFault`].
    pub async fn forward<T: Tether + 'static>(
        self: &Arc<Self>,
        app: &App,
        live: &Arc<LiveGateway>,
        request: &mut EnforcedRequest,
        tether: &mut Option<T>,
    ) -> Result<Response<AnswerBody>, ForwardFault> {
        if !request.is_for(&live.gateway) {
            return Err(ForwardFault::Misdirected);
        }
        let upstream = self.upstream(live);
        let answered = self.forward_to(app, &upstream, request, tether).await;
        let record = &upstream.kept.record;
        match &answered {
            Ok(_) => record.good(|| app.clock.now()),
            Err(
                fault @ (ForwardFault::Unreachable(_)
                | ForwardFault::Slow
                | ForwardFault::Broken(_)
                | ForwardFault::Credentials(_)),
            ) => record.bad(&fault.to_string(), app.clock.now()),
            // Not the upstream's doing, or known already.
            Err(_) => {}
        }
        answered
    }

    async fn forward_to<T: Tether + 'static>(
        self: &Arc<Self>,
        app: &App,
        upstream: &Upstream,
        EnforcedRequest { head, body, .. }: &mut EnforcedRequest,
        tether: &mut Option<T>,
    ) -> Result<Response<AnswerBody>, ForwardFault> {
        let limits = upstream.live.gateway.limits;
        let slot = Slot::take(&upstream.kept, limits.concurrent).ok_or(ForwardFault::Busy)?;
        let (mut body, upload) = outgoing(std::mem::take(body), limits.body)?;
        for (name, value) in &upstream.headers {
            head.headers.insert(name.clone(), value.clone());
        }
        let repeatable = upload.is_none()
            && matches!(body, Outgoing::Empty)
            && [Method::GET, Method::HEAD, Method::OPTIONS].contains(&head.method);
        let timeouts = upstream.live.gateway.timeouts;
        let mut fresh = false;
        loop {
            let (place, mut line, reused) = self.line(app, upstream, fresh).await?;
            let Some(held) = tether else { return Err(ForwardFault::Dead) };
            if !reused && !held.holds() {
                return Err(ForwardFault::Dead);
            }
            line.begin(&sent(head, &place), body);
            let exchange = Exchange { tether: held, upload: upload.as_deref(), timeouts, body_limit: limits.body };
            match exchange.run(&mut line).await {
                Ok(parts) => {
                    if refuses_credentials(parts.status, upstream.has_credentials()) {
                        return Err(ForwardFault::Credentials(parts.status.as_u16()));
                    }
                    line.recycle(std::mem::take(&mut head.headers));
                    let body = if let Some(body) = line.whole() {
                        place.keep(line, self.beat.load(Ordering::Relaxed));
                        AnswerBody::whole(body)
                    } else {
                        let tether = Arc::new(tether.take().ok_or(ForwardFault::Dead)?);
                        let watched = Watching(self.watch.over(tether, upload, ticks(timeouts.idle)));
                        AnswerBody::open(Open { line, place, upstreams: Arc::clone(self), slot, watched })
                    };
                    return Ok(Response::from_parts(without_length(parts), body));
                }
                // A connection that waited may turn out to be closed; then a safe request is sent once more.
                Err(Failed::Unsent(unsent)) if reused => (body, fresh) = (unsent, true),
                Err(Failed::Broken(_)) if reused && repeatable => (body, fresh) = (Outgoing::Empty, true),
                Err(Failed::Broken(reason)) => return Err(ForwardFault::Broken(reason)),
                Err(Failed::Unsent(_)) => {
                    return Err(ForwardFault::Broken("the upstream closed a new connection".to_owned()));
                }
                Err(Failed::Final(fault)) => return Err(fault),
            }
        }
    }

    /// A connection to the first address that works, and whether it was used before.
    async fn line(
        &self,
        app: &App,
        upstream: &Upstream,
        fresh: bool,
    ) -> Result<(Arc<Place>, Box<Line>, bool), ForwardFault> {
        let mut reason = None;
        let mut next_try = None;
        for place in &upstream.places {
            if !fresh && let Some(line) = place.idle() {
                return Ok((Arc::clone(place), line, true));
            }
            if let Err(until) = place.breaker.leave(app.clock.now()) {
                next_try = next_try.min(Some(until)).or(Some(until));
                continue;
            }
            // Boxed: most requests find a connection.
            let limit = upstream.live.gateway.timeouts.connect;
            match Box::pin(place.connect(&upstream.live, &self.own, limit)).await {
                Ok(line) => {
                    place.breaker.connected();
                    return Ok((Arc::clone(place), line, false));
                }
                Err(failed) => {
                    place.breaker.failed(app.clock.now());
                    reason = Some(failed);
                }
            }
        }
        Err(match (reason, next_try) {
            (Some(reason), _) => ForwardFault::Unreachable(reason),
            (None, Some(until)) => {
                let seconds = until.seconds().saturating_sub(app.clock.now().seconds()).max(1);
                ForwardFault::Resting(u32::try_from(seconds).unwrap_or(1))
            }
            (None, None) => ForwardFault::Unreachable("the gateway has no address".to_owned()),
        })
    }
}

/// 401 and 407 ask the hub for credentials; with credentials of its own, 403 refuses those.
fn refuses_credentials(status: StatusCode, has_credentials: bool) -> bool {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => true,
        StatusCode::FORBIDDEN => has_credentials,
        _ => false,
    }
}

fn outgoing(body: RequestBody, limit: Option<u64>) -> Result<(Outgoing, Option<Arc<Upload>>), ForwardFault> {
    let within = |length: u64| match limit {
        Some(limit) if length > limit => Err(ForwardFault::TooLarge(limit)),
        _ => Ok(()),
    };
    match body {
        RequestBody::Empty => Ok((Outgoing::Empty, None)),
        RequestBody::Whole(bytes) => {
            within(bytes.len() as u64)?;
            Ok((Outgoing::Whole(bytes, false), None))
        }
        RequestBody::Stream(body) if body.is_end_stream() => Ok((Outgoing::Empty, None)),
        RequestBody::Stream(body) => {
            within(body.size_hint().lower())?;
            let upload = Arc::new(Upload::default());
            Ok((Outgoing::Stream(Streaming::new(body, limit, Arc::clone(&upload))), Some(upload)))
        }
    }
}

/// The request's head for one of the addresses.
fn sent<'a>(head: &'a Head, place: &'a Place) -> Sent<'a> {
    let Head { method, target, headers } = head;
    Sent { method, prefix: place.address.path(), target, host: &place.host, headers }
}

/// Where chunks count (RFC 9112 §6.3), the caller must not see another length.
fn without_length(mut parts: Parts) -> Parts {
    if parts.headers.contains_key(header::TRANSFER_ENCODING) {
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    parts
}

/// One request on one connection.
struct Exchange<'a, T> {
    tether: &'a T,
    upload: Option<&'a Upload>,
    timeouts: Timeouts,
    body_limit: Option<u64>,
}

impl<T: Tether> Exchange<'_, T> {
    /// Sends the request and waits for the head of its answer.
    async fn run(&self, line: &mut Line) -> Result<Parts, Failed> {
        let mut still = 0_u32;
        poll_fn(|context| {
            loop {
                if let Poll::Ready(answered) = line.poll_head(context) {
                    return Poll::Ready(answered.map_err(|fault| self.failed(fault)));
                }
                std::task::ready!(line.poll_tick(context));
                if let Some(fault) = self.look(&mut still) {
                    return Poll::Ready(Err(Failed::Final(fault)));
                }
            }
        })
        .await
    }

    /// Each tick: whether the key still lives, and whether it takes too long.
    fn look(&self, still: &mut u32) -> Option<ForwardFault> {
        if !self.tether.holds() {
            return Some(ForwardFault::Dead);
        }
        let (limit, late) = match self.upload {
            Some(upload) if !upload.ended() => {
                if upload.moved() {
                    *still = 0;
                }
                let late = if upload.waits_for_caller() { ForwardFault::CallerStalled } else { ForwardFault::Slow };
                (self.timeouts.idle, late)
            }
            Some(upload) if upload.moved() => {
                *still = 0;
                return None;
            }
            _ => (self.timeouts.answer, ForwardFault::Slow),
        };
        *still += 1;
        (*still > ticks(limit)).then_some(late)
    }

    fn failed(&self, fault: Fault) -> Failed {
        if let Some(upload) = self.upload {
            if upload.too_large() {
                return Failed::Final(ForwardFault::TooLarge(self.body_limit.unwrap_or_default()));
            }
            if upload.broke() {
                return Failed::Final(ForwardFault::CallerBroke);
            }
        }
        match fault {
            Fault::Unsent(body) => Failed::Unsent(body),
            Fault::Caller => Failed::Final(ForwardFault::CallerBroke),
            Fault::Malformed(reason) => Failed::Broken(format!("the answer is not HTTP as it should be: {reason}")),
            Fault::Ended(None) => Failed::Broken("the upstream closed the connection before it answered".to_owned()),
            Fault::Ended(Some(fault)) => Failed::Broken(format!("the connection broke: {fault}")),
        }
    }
}
