//! A request to a gateway, from the gate to the answer.

use std::future::ready;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Method};

use super::headers::{self, X_CLIENT_ID};
use super::prometheus::Asked;
use super::tether::Hold;
use super::{assertion, http_api, location, problem, prometheus, prometheus_problem};
use crate::app::verifier::Verified;
use crate::app::{App, LiveGateway};
use crate::domain::access::{Permit, Refusal};
use crate::domain::gateway::{ForwardPath, GatewayKind, default_action};
use crate::domain::grant::Action;
use crate::domain::prometheus::Memory;
use crate::domain::resource::{GatewayName, Resource};
use crate::http::context::Cut;
use crate::http::forwarding::{Answer, Answering, Call, Forwarder};
use crate::http::gate::{Forwarded, GATEWAYS};
use crate::http::problem::Problem;
use crate::upstream::{AnswerBody, EnforcedRequest, RequestBody, Upstreams};

/// What a kind of gateway makes of a request: the permit that it took, and the request as it may go up.
pub(super) struct Enforced {
    pub(super) permit: Permit,
    pub(super) request: EnforcedRequest,
}

/// The surface's one handler.
pub(super) struct Forwarding {
    pub(super) upstreams: Arc<Upstreams>,
    pub(super) memory: Arc<Memory>,
}

impl Forwarder for Forwarding {
    fn forward(&self, app: &Arc<App>, call: Call) -> Answering {
        self.begin(app, call).unwrap_or_else(|problem| Box::pin(ready(Answer::refusal(problem))))
    }
}

impl Forwarding {
    /// Does what needs no waiting, so that little has to be kept while the upstream is waited for.
    fn begin(&self, app: &Arc<App>, call: Call) -> Result<Answering, Problem> {
        let Call { verified, context, cut, request } = call;
        let (mut parts, body) = request.into_parts();
        let (name, raw_path) = split(parts.uri.path());
        let path = ForwardPath::parse(raw_path).map_err(problem::path)?;
        let live = app.snapshot.gateway(name);
        let resource = match &live {
            Some(live) => Some(live.gateway.resource()),
            None => GatewayName::parse(name).map(Resource::Gateway),
        };
        may_know(&verified, &resource.ok_or_else(|| problem::unknown(name))?, &parts.method)?;
        let live = live.ok_or_else(|| problem::unknown(name))?;
        // Before the hub's own are added: Connection could name them.
        headers::strip_up(&mut parts.headers);
        if let Ok(client_id) = HeaderValue::from_str(verified.client_id()) {
            parts.headers.insert(X_CLIENT_ID, client_id);
        }
        let (app, upstreams, address) = (Arc::clone(app), Arc::clone(&self.upstreams), context.address);
        match live.gateway.kind {
            GatewayKind::Http => {
                let target = match parts.uri.query() {
                    Some(query) => format!("{}?{query}", path.sent()),
                    None => path.sent().to_owned(),
                };
                let body = RequestBody::Stream(body);
                let asked = http_api::Asked { method: parts.method, target, headers: parts.headers, body };
                let enforced = http_api::enforce(&live.gateway, &verified, &path, asked)?;
                let exchange = Exchange { app, upstreams, live, verified, address, cut };
                let mut ready = exchange.ready(enforced)?;
                Ok(Box::pin(async move {
                    match ready.run().await {
                        Ok(answer) => down(answer.map(Body::new), ready.forwarded),
                        Err(problem) => Answer::refusal(problem),
                    }
                }))
            }
            GatewayKind::Prometheus => {
                let (path, memory) = (path.into_owned(), Arc::clone(&self.memory));
                let query = parts.uri.query().map(ToOwned::to_owned);
                let asked = Asked { method: parts.method, query, headers: parts.headers, body };
                let exchange = Exchange { app, upstreams, live, verified, address, cut };
                let run = async move { prometheus(exchange, &memory, &path, asked).await };
                Ok(Box::pin(async move {
                    run.await.map_err(prometheus_problem::for_clients).unwrap_or_else(Answer::refusal)
                }))
            }
        }
    }
}

/// Enforces a request for a store, and forwards it.
async fn prometheus(
    exchange: Exchange,
    memory: &Arc<Memory>,
    path: &ForwardPath<'_>,
    asked: Asked,
) -> Result<Answer, Problem> {
    let name = exchange.live.gateway.name.clone();
    let (enforced, answering) = prometheus::enforce(memory, &exchange.live, &exchange.verified, path, asked).await?;
    let mut ready = exchange.ready(enforced)?;
    let answer = ready.run().await?;
    Ok(down(answering.answer(answer, name.as_str()).await?, ready.forwarded))
}

/// What a request that may go up hangs on.
struct Exchange {
    app: Arc<App>,
    upstreams: Arc<Upstreams>,
    live: Arc<LiveGateway>,
    verified: Verified,
    address: IpAddr,
    cut: Cut,
}

impl Exchange {
    /// Makes a request ready to go up, with what the hub says about it.
    ///
    /// # Errors
    /// `unavailable` until this node has the key for assertions.
    fn ready(self, enforced: Enforced) -> Result<Ready, Problem> {
        let Self { app, upstreams, live, verified, address, cut } = self;
        let Enforced { permit, mut request } = enforced;
        if live.gateway.asserts() {
            request = assertion::add(&app, &live.gateway, &verified, &permit, request)?;
        }
        let forwarded = Forwarded { resource: permit.resource().clone(), action: permit.action() };
        let (app_, live_) = (Arc::clone(&app), Arc::clone(&live));
        let tether = Some(Hold { app: app_, verified, permit, gateway: live_, address, cut });
        Ok(Ready { app, upstreams, live, request, tether, forwarded })
    }
}

/// A request that goes up. It is run where it is: what it holds is moved no more, for there is one for every request.
struct Ready {
    app: Arc<App>,
    upstreams: Arc<Upstreams>,
    live: Arc<LiveGateway>,
    request: EnforcedRequest,
    tether: Option<Hold>,
    forwarded: Forwarded,
}

impl Ready {
    /// Forwards the request and gives the answer, rid of what may not go down.
    ///
    /// # Errors
    /// A problem, before anything of an answer was sent.
    async fn run(&mut self) -> Result<http::Response<AnswerBody>, Problem> {
        let Self { app, upstreams, live, request, tether, .. } = self;
        let mut answer = upstreams.forward(app, live, request, tether).await.map_err(|fault| {
            let name = live.gateway.name.as_str();
            tracing::debug!(gateway = name, %fault, "a request could not be forwarded");
            problem::forward(&fault, name)
        })?;
        // Under load, answers that are ready are read first and written together: a write that wakes a sleeping caller costs
        // several times one to a caller that is awake. An idle hub waits for nothing.
        tokio::task::yield_now().await;
        headers::strip_down(answer.headers_mut());
        location::rewrite(answer.headers_mut(), &live.gateway, app.config.public_url.as_str());
        Ok(answer)
    }
}

/// The answer as it goes down: with the headers that every answer of a gateway carries, and marked as the upstream's.
fn down(mut response: Response, forwarded: Forwarded) -> Answer {
    headers::add_down(response.headers_mut());
    *response.extensions_mut() = http::Extensions::new();
    Answer { response, forwarded: Some(forwarded) }
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
