//! A request to a gateway, from the gate to the answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, Method};

use super::headers::{self, X_CLIENT_ID};
use super::prometheus::Asked;
use super::tether::Hold;
use super::{assertion, http_api, location, problem, prometheus, prometheus_problem};
use crate::app::App;
use crate::app::verifier::Verified;
use crate::domain::access::{Permit, Refusal};
use crate::domain::gateway::{ForwardPath, GatewayKind, default_action};
use crate::domain::grant::Action;
use crate::domain::prometheus::Memory;
use crate::domain::resource::{GatewayName, Resource};
use crate::http::context::{Cut, RequestContext};
use crate::http::gate::{Forwarded, GATEWAYS};
use crate::http::problem::Problem;
use crate::upstream::{EnforcedRequest, RequestBody, Upstreams};

/// What a kind of gateway makes of a request: the permit that it took, and the request as it may go up.
pub(super) struct Enforced {
    pub(super) permit: Permit,
    pub(super) request: EnforcedRequest,
}

/// Forwards a request whose caller is verified.
///
/// # Errors
/// A problem, before anything of an answer was sent.
pub(super) async fn forward(
    app: Arc<App>,
    upstreams: Arc<Upstreams>,
    memory: Arc<Memory>,
    verified: Verified,
    context: RequestContext,
    cut: Cut,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let (name, raw_path) = split(parts.uri.path());
    let path = ForwardPath::parse(raw_path).map_err(problem::path)?;
    let Some(resource) = GatewayName::parse(name).map(Resource::Gateway) else { return Err(problem::unknown(name)) };
    may_know(&verified, &resource, &parts.method)?;
    let live = app.snapshot.gateway(name).ok_or_else(|| problem::unknown(name))?;
    let gateway = &live.gateway;
    // Before the hub's own are added: Connection could name them.
    headers::strip_up(&mut parts.headers);
    if let Ok(client_id) = HeaderValue::from_str(verified.client_id()) {
        parts.headers.insert(X_CLIENT_ID, client_id);
    }
    let (enforced, answering) = match gateway.kind {
        GatewayKind::Http => {
            let target = match parts.uri.query() {
                Some(query) => format!("{}?{query}", path.sent()),
                None => path.sent().to_owned(),
            };
            let body = RequestBody::Stream(body);
            let asked = http_api::Asked { method: parts.method, target, headers: parts.headers, body };
            (http_api::enforce(gateway, &verified, &path, asked)?, None)
        }
        GatewayKind::Prometheus => {
            let query = parts.uri.query().map(ToOwned::to_owned);
            let asked = Asked { method: parts.method, query, headers: parts.headers, body };
            // Boxed: plain forwarding should not carry room for it.
            let enforced = Box::pin(prometheus::enforce(&memory, &live, &verified, &path, asked)).await;
            let (enforced, answering) = enforced.map_err(prometheus_problem::for_clients)?;
            (enforced, Some(answering))
        }
    };
    let Enforced { permit, mut request } = enforced;
    if gateway.asserts() {
        request = assertion::add(&app, gateway, &verified, &permit, request)?;
    }
    let forwarded = Forwarded { resource, action: permit.action() };
    let (app_, live_, address) = (Arc::clone(&app), Arc::clone(&live), context.address);
    let tether = Arc::new(Hold { app: app_, verified, permit, gateway: live_, address, cut });
    let answered = upstreams.forward(&app, &live, request, tether).await;
    let mut answer = answered.map_err(|fault| {
        tracing::debug!(gateway = name, %fault, "a request could not be forwarded");
        let problem = problem::forward(&fault, name);
        if gateway.kind == GatewayKind::Prometheus { prometheus_problem::for_clients(problem) } else { problem }
    })?;
    // As upwards: answers that are ready are written together.
    tokio::task::yield_now().await;
    headers::strip_down(answer.headers_mut());
    location::rewrite(answer.headers_mut(), gateway, app.config.public_url.as_str());
    let mut answer = match answering {
        None => answer.map(Body::new),
        Some(answering) => Box::pin(answering.answer(answer, name)).await.map_err(prometheus_problem::for_clients)?,
    };
    headers::add_down(answer.headers_mut());
    *answer.extensions_mut() = http::Extensions::new();
    answer.extensions_mut().insert(forwarded);
    Ok(answer)
}

/// The gateway's name and what follows it.
fn split(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix(GATEWAYS).unwrap_or_default();
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

/// Whoever has no grant on the name gets the same answer whether there is such a gateway or not, and whatever its rules are.
fn may_know(verified: &Verified, resource: &Resource, method: &Method) -> Result<(), Refusal> {
    let decide = |action| verified.decide(resource, action).map(drop);
    match decide(Action::View).or_else(|_| decide(Action::Edit)) {
        Ok(()) => Ok(()),
        Err(_) => decide(default_action(method.as_str())),
    }
}
