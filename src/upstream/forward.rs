//! Forwarding one enforced request: an address that works, a connection, the request, and its answer.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::body::HttpBody as _;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::sleep;

use super::answer::{AnswerBody, Ending, Slot};
use super::fault::ForwardFault;
use super::line::Line;
use super::outgoing::{Outgoing, Streaming, Upload};
use super::place::Place;
use super::registry::{Upstream, Upstreams};
use super::request::{EnforcedRequest, Head, RequestBody};
use super::watch::Tether;
use super::{TICK, ticks};
use crate::app::{App, LiveGateway};
use crate::domain::gateway::Timeouts;

/// A request that was sent and not answered.
enum Failed {
    /// Nothing of it left: the connection had ended before.
    Unsent(Box<Outgoing>, HeaderMap),
    /// The connection broke before an answer came.
    Broken(String),
    /// There is no point in another try.
    Final(ForwardFault),
}

impl Upstreams {
    /// Forwards a request and gives the answer as its head has arrived; the body streams. As long as the answer is open it hangs
    /// on `tether`.
    ///
    /// # Errors
    /// [`ForwardFault`].
    pub async fn forward(
        self: &Arc<Self>,
        app: &App,
        live: &Arc<LiveGateway>,
        request: EnforcedRequest,
        tether: Arc<dyn Tether>,
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

    async fn forward_to(
        self: &Arc<Self>,
        app: &App,
        upstream: &Upstream,
        request: EnforcedRequest,
        tether: Arc<dyn Tether>,
    ) -> Result<Response<AnswerBody>, ForwardFault> {
        let limits = upstream.live.gateway.limits;
        let slot = Slot::take(&upstream.kept, limits.concurrent).ok_or(ForwardFault::Busy)?;
        let EnforcedRequest { mut head, body, .. } = request;
        let (mut body, upload) = outgoing(body, limits.body)?;
        frame(&mut head.headers, &body);
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
            if !reused && !tether.holds() {
                return Err(ForwardFault::Dead);
            }
            // A connection that waited may turn out to be closed; then a safe request is sent once more.
            let spare = (reused && repeatable).then(|| head.headers.clone());
            let exchange = Exchange { tether: &*tether, upload: upload.as_deref(), timeouts, body_limit: limits.body };
            let sent = exchange.run(&mut line, &mut head, body, &place).await;
            match sent {
                Ok(mut response) => {
                    let status = response.status();
                    if response.headers().contains_key(header::TRANSFER_ENCODING) {
                        // The chunks count (RFC 9112 §6.3); the caller must not see another length.
                        response.headers_mut().remove(header::CONTENT_LENGTH);
                    }
                    if status == StatusCode::SWITCHING_PROTOCOLS {
                        return Err(ForwardFault::Broken("the upstream changed the protocol unasked".to_owned()));
                    }
                    if refuses_credentials(status, upstream.has_credentials()) {
                        return Err(ForwardFault::Credentials(status.as_u16()));
                    }
                    let upstreams = Arc::clone(self);
                    let ending = Ending { line, place, upstreams, tether, upload, timeouts, slot };
                    return Ok(response.map(|incoming| AnswerBody::new(incoming, ending)));
                }
                Err(Failed::Unsent(unsent, headers)) if reused => {
                    (body, head.headers, fresh) = (*unsent, headers, true);
                }
                Err(Failed::Broken(reason)) => match spare {
                    Some(headers) => (body, head.headers, fresh) = (Outgoing::Empty, headers, true),
                    None => return Err(ForwardFault::Broken(reason)),
                },
                Err(Failed::Unsent(..)) => {
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
            Ok((Outgoing::Whole(Some(bytes)), None))
        }
        RequestBody::Stream(body) if body.is_end_stream() => Ok((Outgoing::Empty, None)),
        RequestBody::Stream(body) => {
            within(body.size_hint().lower())?;
            let upload = Arc::new(Upload::default());
            Ok((Outgoing::Stream(Streaming::new(body, limit, Arc::clone(&upload))), Some(upload)))
        }
    }
}

/// The body's length is what is counted here, whatever the caller's headers said.
fn frame(headers: &mut HeaderMap, body: &Outgoing) {
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    if hyper::body::Body::size_hint(body).exact().is_none() {
        headers.insert(header::TRANSFER_ENCODING, http::HeaderValue::from_static("chunked"));
    }
}

/// The request for one of the addresses; the headers are taken out of the head.
fn request(head: &mut Head, body: Outgoing, place: &Place) -> Result<Request<Outgoing>, Failed> {
    let prefix = place.address.path();
    let target = if prefix.is_empty() { head.target.clone() } else { format!("{prefix}{}", head.target) };
    let uri = Uri::from_maybe_shared(Bytes::from(target));
    let uri = uri.map_err(|_| Failed::Final(ForwardFault::Broken("the path can't be sent".to_owned())))?;
    head.headers.insert(header::HOST, place.host.clone());
    let mut request = Request::new(body);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = std::mem::take(&mut head.headers);
    Ok(request)
}

/// One request on one connection.
struct Exchange<'a> {
    tether: &'a dyn Tether,
    upload: Option<&'a Upload>,
    timeouts: Timeouts,
    body_limit: Option<u64>,
}

impl Exchange<'_> {
    async fn run(
        &self,
        line: &mut Line,
        head: &mut Head,
        body: Outgoing,
        place: &Place,
    ) -> Result<Response<Incoming>, Failed> {
        let request = request(head, body, place)?;
        let (sender, mut drive) = line.halves();
        let mut sending = pin!(sender.try_send_request(request));
        let mut tick = pin!(sleep(TICK));
        let mut still = 0_u32;
        poll_fn(|context| {
            loop {
                if let Poll::Ready(sent) = sending.as_mut().poll(context) {
                    return Poll::Ready(sent.map_err(|fault| self.failed(fault)));
                }
                // A connection that has ended has told the request so.
                let ended = drive(context).is_ready();
                if let Poll::Ready(sent) = sending.as_mut().poll(context) {
                    return Poll::Ready(sent.map_err(|fault| self.failed(fault)));
                }
                if ended {
                    return Poll::Ready(Err(Failed::Broken("the upstream closed the connection".to_owned())));
                }
                std::task::ready!(tick.as_mut().poll(context));
                tick.set(sleep(TICK));
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

    fn failed(&self, mut fault: TrySendError<Request<Outgoing>>) -> Failed {
        if let Some(upload) = self.upload {
            if upload.too_large() {
                return Failed::Final(ForwardFault::TooLarge(self.body_limit.unwrap_or_default()));
            }
            if upload.broke() {
                return Failed::Final(ForwardFault::CallerBroke);
            }
        }
        match fault.take_message() {
            Some(request) => {
                let (parts, body) = request.into_parts();
                Failed::Unsent(Box::new(body), parts.headers)
            }
            None => Failed::Broken(reason(fault.error())),
        }
    }
}

/// Why, for administrators: hyper's words and those of the cause.
fn reason(fault: &hyper::Error) -> String {
    match std::error::Error::source(fault) {
        Some(cause) => format!("the answer broke off: {fault}: {cause}"),
        None => format!("the answer broke off: {fault}"),
    }
}
