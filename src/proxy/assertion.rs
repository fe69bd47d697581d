//! Says to a gateway's upstream which application calls.

use crate::app::App;
use crate::app::verifier::Verified;
use crate::domain::access::Permit;
use crate::domain::gateway::Gateway;
use crate::http::problem::Problem;
use crate::upstream::EnforcedRequest;
use crate::upstream::assertion::{AssertionFault, Caller, X_ASSERTION, sign};

/// Adds the assertion to a request.
///
/// # Errors
/// `unavailable` until this node has the key.
pub(super) fn add(
    app: &App,
    gateway: &Gateway,
    verified: &Verified,
    permit: &Permit,
    request: EnforcedRequest,
) -> Result<EnforcedRequest, Problem> {
    let name = verified.name(app);
    let caller = Caller::Application { client_id: verified.client_id(), name: &name, roles: &verified.roles.names };
    let signed = sign(app, gateway, caller, permit, &request).map_err(|fault| match fault {
        AssertionFault::NoKey => {
            Problem::unavailable("This node has no key for assertions yet. Try again in a moment.")
        }
        AssertionFault::NotSigned => Problem::internal(),
    })?;
    Ok(request.saying(X_ASSERTION, signed))
}
