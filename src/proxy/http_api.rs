//! Gateways of kind `http`: methods and path rules tell view from edit; everything else passes as it is.

use http::HeaderMap;
use http::Method;

use super::handler::Enforced;
use super::path::ForwardPath;
use super::problem;
use crate::app::verifier::Verified;
use crate::domain::access::Reach;
use crate::domain::gateway::{Gateway, RuleOutcome, default_action};
use crate::domain::grant::Action;
use crate::http::problem::Problem;
use crate::upstream::{EnforcedRequest, RequestBody};

/// What the request takes: the first rule that fits says so, otherwise the method.
///
/// # Errors
/// `path-refused` where a rule refuses it for everybody.
pub(super) fn action(gateway: &Gateway, method: &Method, path: &ForwardPath<'_>) -> Result<Action, Problem> {
    let path = path.decoded();
    // Most services take a path with and without its last slash for the same; so do the rules.
    let twin = if path == "/" {
        None
    } else {
        Some(path.strip_suffix('/').map_or_else(|| format!("{path}/"), ToOwned::to_owned))
    };
    let judged = gateway.path_rules.iter().find_map(|rule| {
        rule.judge(method.as_str(), path).or_else(|| twin.as_ref().and_then(|twin| rule.judge(method.as_str(), twin)))
    });
    match judged {
        Some(RuleOutcome::Takes(action)) => Ok(action),
        Some(RuleOutcome::Refused) => Err(problem::refused_by_rule(gateway.name.as_str())),
        None => Ok(default_action(method.as_str())),
    }
}

/// Enforces the request: a permit for what it takes, and no filter that nobody would see to.
///
/// # Errors
/// `insufficient-scope`, `filter-unenforceable`, `path-refused`.
pub(super) fn enforce(
    gateway: &Gateway,
    verified: &Verified,
    method: Method,
    path: &ForwardPath<'_>,
    target: String,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Enforced, Problem> {
    let action = action(gateway, &method, path)?;
    let permit = verified.decide(&gateway.resource(), action)?;
    let request = match permit.reach() {
        Reach::All => EnforcedRequest::unfiltered(&permit, method, target, headers, body),
        Reach::Filtered(_) => return Err(problem::unenforceable(gateway.name.as_str())),
    };
    let request = request.map_err(|_| problem::unenforceable(gateway.name.as_str()))?;
    Ok(Enforced { permit, request })
}
