//! Gateways of kind `http`: methods and path rules tell view from edit; everything else passes as it is.

use http::{HeaderMap, Method};

use super::handler::Enforced;
use super::problem;
use crate::app::verifier::Verified;
use crate::domain::access::Reach;
use crate::domain::gateway::{ForwardPath, Gateway};
use crate::domain::grant::Action;
use crate::http::problem::Problem;
use crate::upstream::{EnforcedRequest, RequestBody};

/// A request as it may be made into an enforced one: its headers are stripped and say who calls.
pub(super) struct Asked {
    pub(super) method: Method,
    /// Path and query, canonical, without the gateway's own prefix.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: RequestBody,
}

/// What the request takes: the first rule that fits says so, otherwise the method.
///
/// # Errors
/// `path-refused` where a rule refuses it for everybody.
fn action(gateway: &Gateway, method: &Method, path: &ForwardPath<'_>) -> Result<Action, Problem> {
    gateway.action_of(method.as_str(), path).ok_or_else(|| problem::refused_by_rule(gateway.name.as_str()))
}

/// Enforces the request: a permit for what it takes, and no filter that nobody would see to. Only an upstream that gets the
/// filter in its assertion sees to one.
///
/// # Errors
/// `insufficient-scope`, `filter-unenforceable`, `path-refused`.
pub(super) fn enforce(
    gateway: &Gateway,
    verified: &Verified,
    path: &ForwardPath<'_>,
    asked: Asked,
) -> Result<Enforced, Problem> {
    let Asked { method, target, headers, body } = asked;
    let permit = verified.decide(&gateway.resource(), action(gateway, &method, path)?)?;
    let unenforceable = || problem::unenforceable(gateway.name.as_str());
    if let Reach::Filtered(filters) = permit.reach() {
        gateway.check_filters(filters).map_err(|_| unenforceable())?;
    }
    let request = if gateway.forward_filter {
        EnforcedRequest::filtered(&permit, method, target, headers, body)
    } else {
        EnforcedRequest::unfiltered(&permit, method, target, headers, body).map_err(|_| unenforceable())?
    };
    Ok(Enforced { permit, request })
}
