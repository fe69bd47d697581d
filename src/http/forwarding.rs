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
use crate::http::gate::{Access, Authorised, Caller, GATEWAYS, Gate, Permission};
use crate::http::route::method_not_allowed;

/// The answer of a [`Forwarder`], when it comes.
pub type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

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

    pub(super) async fn answer(&self, app: &Arc<App>, context: RequestContext, cut: Cut, request: Request) -> Response {
        if !self.methods.contains(request.method()) {
            let mut refusal = method_not_allowed(self.gate.path());
            refusal.headers_mut().insert(header::ALLOW, self.allow());
            return refusal;
        }
        let (parts, body) = request.into_parts();
        let mut caught = None;
        let mut response = match self.gate.authorise(app, &parts, &context, &mut caught).await {
            Ok(Authorised { verified, .. }) => {
                let call = Call { verified, context, cut, request: Request::from_parts(parts, body) };
                let response = self.forwarder.forward(app, call).await;
                if let Some(caught) = &caught {
                    self.gate.count(app, caught, &response);
                }
                response
            }
            Err(problem) => problem.into_response(),
        };
        self.gate.trace(caught.as_ref(), &mut response);
        response
    }

    fn allow(&self) -> HeaderValue {
        let names: Vec<&str> = self.methods.iter().map(Method::as_str).collect();
        HeaderValue::try_from(names.join(",")).unwrap_or(HeaderValue::from_static(""))
    }
}
