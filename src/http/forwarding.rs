//! The way to the gateways: one gate and one handler for all paths below `/gateways/NAME`, without the router. What follows the
//! name belongs to somebody else, and these requests are the most by far.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, header};

use crate::app::App;
use crate::app::verifier::Verified;
use crate::http::context::{Cut, RequestContext};
use crate::http::gate::{Access, Authorised, Caller, Forwarded, GATEWAYS, Gate, Permission};
use crate::http::problem::Problem;
use crate::http::route::method_not_allowed;

/// The answer of a [`Forwarder`], when it comes.
pub type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// An answer to a call.
pub struct Answer {
    /// The upstream's, or a refusal.
    pub response: Response,
    /// Which grant it took, if it is the upstream's.
    pub forwarded: Option<Forwarded>,
}

impl Answer {
    /// The hub's own answer to what is not forwarded.
    #[must_use]
    pub fn refusal(problem: Problem) -> Self {
        Self { response: problem.into_response(), forwarded: None }
    }
}

/// A request whose caller is verified.
pub struct Call {
    /// The application.
    pub verified: Verified,
    /// Where from, and its id.
    pub context: RequestContext,
    /// Closes its connection.
    pub cut: Cut,
    /// The request.
    pub request: Request,
}

/// Takes every request below `/gateways/NAME`.
pub trait Forwarder: Send + Sync {
    /// Answers a request; it decides itself what the caller may do.
    fn forward(&self, app: &Arc<App>, call: Call) -> Answering;
}

/// A forwarder behind its gate.
pub(super) struct Forwarding {
    gate: Gate,
    methods: Vec<Method>,
    forwarder: Arc<dyn Forwarder>,
}

impl Forwarding {
    pub(super) fn new(path: &'static str, methods: Vec<Method>, forwarder: Arc<dyn Forwarder>) -> Self {
        let access = Access { path, caller: Caller::Application, permission: Permission::ByHandler };
        Self { gate: Gate::new(access, None), methods, forwarder }
    }

    /// Whether a path leads to a gateway, whether there is one of that name or not.
    pub(super) fn takes(path: &str) -> bool {
        path.strip_prefix(GATEWAYS).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
    }

    pub(super) async fn answer(&self, app: &Arc<App>, context: RequestContext, cut: Cut, request: Request) -> Answer {
        if !self.methods.contains(request.method()) {
            let mut response = method_not_allowed(self.gate.path());
            response.headers_mut().insert(header::ALLOW, self.allow());
            return Answer { response, forwarded: None };
        }
        let (parts, body) = request.into_parts();
        let mut caught = None;
        let mut answer = match self.gate.authorise(app, &parts, &context, &mut caught).await {
            Ok(Authorised { verified, .. }) => {
                let call = Call { verified, context, cut, request: Request::from_parts(parts, body) };
                let answer = self.forwarder.forward(app, call).await;
                if let Some(caught) = &caught {
                    self.gate.count(app, caught, &answer.response, answer.forwarded.as_ref());
                }
                answer
            }
            Err(problem) => Answer::refusal(problem),
        };
        self.gate.trace(caught.as_ref(), &mut answer.response);
        answer
    }

    fn allow(&self) -> HeaderValue {
        let names: Vec<&str> = self.methods.iter().map(Method::as_str).collect();
        HeaderValue::try_from(names.join(",")).unwrap_or(HeaderValue::from_static(""))
    }
}
