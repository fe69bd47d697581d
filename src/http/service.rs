//! The middleware: everything that happens to a request before and after its route, in order, in one function.

use std::{
    future::{Future, poll_fn},
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

use axum::{
    Router,
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use tower::Service as _;

use crate::{
    app::App,
    config::Config,
    http::{
        address::client_address,
        context::{Connection, RequestContext, RequestId, RequestIds},
        counters::Counters,
        forwarding::Forwarding,
        gate::Trace,
        kind,
        problem::Problem,
        route::{Mounted, Rescue, RouteTable, mount},
        sanity,
        surface::Surface,
    },
    http1::{HeadFault, MOST_HEADERS},
};

/// All surfaces behind their middleware; one per listener.
pub struct Service {
    app: Arc<App>,
    router: Router,
    rescues: [Rescue; Surface::ALL.len()],
    forwarding: Option<Forwarding>,
    counters: Arc<Counters>,
    ids: RequestIds,
}

impl Service {
    /// Mounts the tables.
    #[must_use]
    pub fn new(app: Arc<App>, tables: Vec<RouteTable>, counters: Arc<Counters>) -> Self {
        let Mounted { router, rescues, forwarding } = mount(tables, Arc::clone(&app));
        let ids = RequestIds::new(u32::from_be_bytes(app.randomness.bytes()));
        Self { app, router, rescues, forwarding, counters, ids }
    }

    /// Answers one request.
    pub async fn answer<B>(&self, connection: &Connection, request: Request<B>) -> Response
    where
        B: axum::body::HttpBody<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        // 1. An id first, so that whatever goes wrong below can be found in the log. What the caller sends as an id is ignored.
        let id = self.ids.next();
        let (mut parts, body) = request.into_parts();
        let method = parts.method.clone();
        let surface = Surface::of(parts.uri.path());
        // Problems on gateways point to the gateway's own metadata.
        let gateway = (surface == Surface::Gateways).then(|| parts.uri.clone());
        // 2. The client's address: throttles, networks and the log go by it, refusals included.
        let address = client_address(connection.peer.ip(), &parts.headers, &self.app.config.behind_proxy);
        // 3. Requests that could be read in two ways never reach a route.
        let mut forwarded = false;
        let mut response = if let Err(reason) = sanity::check(&parts) {
            let mut refusal = Problem::bad_request(reason).into_response();
            if parts.version < http::Version::HTTP_2 {
                // Nothing that follows on this connection can be trusted to be where it seems.
                refusal.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            refusal
        } else {
            // 4. Who and where from, for the gate and the handlers.
            let (tls, operations) = (connection.tls, connection.operations);
            let private = tls || is_private(&self.app.config, connection.peer.ip());
            let context = RequestContext { address, tls, private, operations, id };
            // 5. The route: its gate, then its handler. A panic costs this one request its answer, nothing else.
            let body = if body.is_end_stream() { Body::empty() } else { Body::new(body) };
            let answered = match &self.forwarding {
                Some(forwarding) if Forwarding::takes(parts.uri.path()) => {
                    let (cut, request) = (connection.cut.clone(), Request::from_parts(parts, body));
                    let answering = pin!(forwarding.answer(&self.app, context, cut, request));
                    let answered = contained(answering).await;
                    answered.map(|answer| {
                        forwarded = answer.forwarded.is_some();
                        answer.response
                    })
                }
                _ => {
                    parts.extensions.insert(context);
                    let mut mounted = self.router.clone();
                    let routed = contained(pin!(mounted.call(Request::from_parts(parts, body)))).await;
                    routed.and_then(Result::ok)
                }
            };
            if let Some(response) = answered {
                response
            } else {
                tracing::error!(request_id = %id, surface = surface.name(), "a handler panicked");
                Problem::internal().into_response()
            }
        };
        // 6. A refusal takes the form of its surface. What an upstream answers is no refusal of the hub.
        if response.status().as_u16() >= 400 && !forwarded {
            response = self.rescued(surface, gateway.as_ref().map_or("", Uri::path), response);
            log(known_method(&method), surface, address, id, &response);
        }
        // 7. Headers that every answer carries, whoever made it.
        self.write_headers(surface, id, response.headers_mut());
        if method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        // 8. Counted last: as it was answered.
        self.counters.count(surface, response.status());
        response
    }

    /// Answers what can't be read as a request; nothing that follows on its connection can be trusted to be where it seems.
    pub fn refuse(&self, connection: &Connection, fault: HeadFault) -> Response {
        let id = self.ids.next();
        let problem = match fault {
            HeadFault::Malformed(malformed) => Problem::bad_request(format!("The request can't be read: {malformed}.")),
            HeadFault::TooLong => {
                let detail = format!("The head of a request may have 64 KiB and {MOST_HEADERS} fields.");
                Problem::new(&kind::HEAD_TOO_LARGE, detail)
            }
        };
        let mut response = self.rescued(Surface::Other, "", problem.into_response());
        log("unknown", Surface::Other, connection.peer.ip().to_canonical(), id, &response);
        self.write_headers(Surface::Other, id, response.headers_mut());
        self.counters.count(Surface::Other, response.status());
        response
    }

    /// The time, in seconds since the epoch.
    pub fn seconds(&self) -> i64 {
        self.app.clock.now().seconds()
    }

    fn rescued(&self, surface: Surface, path: &str, mut response: Response) -> Response {
        let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
        let mut written = self.rescues[surface.index()](&self.app, &problem);
        let (parts, _) = response.into_parts();
        // Allow, Connection and the like, set where the problem arose.
        for (name, value) in &parts.headers {
            if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
                written.headers_mut().append(name.clone(), value.clone());
            }
        }
        problem.write_headers(self.app.config.public_url.as_str(), path, written.headers_mut());
        if let Some(trace) = parts.extensions.get::<Trace>() {
            written.extensions_mut().insert(trace.clone());
        }
        written
    }

    fn write_headers(&self, surface: Surface, id: RequestId, headers: &mut HeaderMap) {
        headers.insert(X_REQUEST_ID, request_id(id));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NO_CONTENT);
        if surface != Surface::Gateways {
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        }
        if self.app.config.public_url.is_https() {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
    }
}

/// Whether a connection without TLS comes from this host, or from a trusted proxy that speaks TLS to callers.
fn is_private(config: &Config, peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    peer.is_loopback()
        || config.public_url.is_https() && config.behind_proxy.iter().any(|network| network.contains(&peer))
}

/// The access log, of refusals only. It holds nothing that the caller wrote: the route as the table has it instead of the
/// path, no query, no header. So no secret, wherever a caller puts it, ends up in it.
fn log(method: &'static str, surface: Surface, address: IpAddr, id: RequestId, response: &Response) {
    let trace = response.extensions().get::<Trace>();
    tracing::info!(
        target: "gateway_hub::access",
        request_id = %id,
        method,
        surface = surface.name(),
        route = trace.map_or("unknown", |trace| trace.path),
        status = response.status().as_u16(),
        client_id = trace.and_then(|trace| trace.client_id.as_deref()),
        %address,
        "refused"
    );
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// For answers that no browser should show as a page with anything in it.
const NO_CONTENT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

fn request_id(id: RequestId) -> HeaderValue {
    HeaderValue::from_bytes(id.text().as_bytes()).unwrap_or(HeaderValue::from_static("unknown"))
}

/// The method's name if it is a standard one: extension methods are text of the caller's choice.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// Runs a future to its end, or to its panic (`None`).
async fn contained<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_contained() {
        assert_eq!(contained(pin!(async { 1 })).await, Some(1));
        let panics = async {
            tokio::task::yield_now().await;
            assert!(std::hint::black_box(false), "expected by this test");
        };
        assert_eq!(contained(pin!(panics)).await, None);
    }

    #[test]
    fn strange_methods_are_not_repeated() {
        assert_eq!(known_method(&Method::from_bytes(b"GHS_SECRET").unwrap()), "other");
        assert_eq!(known_method(&Method::PATCH), "PATCH");
    }
}
