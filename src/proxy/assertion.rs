//! The assertion of who calls, for upstreams that decide by it: signed with a key of its own, for one gateway, one method and
//! one path, good for a minute at most.

use http::HeaderValue;
use serde_json::json;

use super::headers::X_ASSERTION;
use crate::app::App;
use crate::app::verifier::Verified;
use crate::crypto::token::token_id;
use crate::domain::access::{Permit, Reach};
use crate::domain::gateway::Gateway;
use crate::http::problem::Problem;
use crate::upstream::EnforcedRequest;

/// The type of these tokens: no verifier of access tokens takes it (RFC 8725 §3.11).
pub(super) const TYPE: &str = "gateway-assertion+jwt";
/// How long one is good, in seconds.
const LIFETIME: i64 = 60;

/// Adds the assertion to a request as it goes up: whatever its gateway's kind made of it is what the upstream can check.
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
    let signed = sign(app, gateway, verified, permit, &request)?;
    let value = HeaderValue::try_from(signed).map_err(|_| Problem::internal())?;
    Ok(request.saying(X_ASSERTION, value))
}

/// Signs what the upstream may know of this request.
fn sign(
    app: &App,
    gateway: &Gateway,
    verified: &Verified,
    permit: &Permit,
    request: &EnforcedRequest,
) -> Result<String, Problem> {
    let key = app.snapshot.keys().assertion.clone();
    let key =
        key.ok_or_else(|| Problem::unavailable("This node has no key for assertions yet. Try again in a moment."))?;
    let now = app.clock.now().seconds();
    let mut claims = json!({
        "iss": app.issuer(),
        "sub": verified.client_id(),
        "client_id": verified.client_id(),
        "aud": gateway.id.as_str(),
        "iat": now,
        "exp": now + LIFETIME,
        "jti": token_id(&app.randomness),
        "name": verified.name(app),
        "roles": verified.roles.names,
        "action": permit.action().to_string(),
        "method": request.method().as_str(),
        "path": request.path(),
    });
    // Absent: every row that the request asks for. A service that enforces filters treats a filter that it can't read as none
    // allowed. Where the hub enforces them itself, the filter is nobody else's to know.
    if gateway.forward_filter
        && let Reach::Filtered(filters) = permit.reach()
    {
        claims["filter"] = match filters.as_slice() {
            [one] => one.to_string(),
            several => several.iter().map(|filter| format!("({filter})")).collect::<Vec<_>>().join(" OR "),
        }
        .into();
    }
    key.sign_typed(TYPE, &claims.to_string(), &app.randomness).map_err(|error| {
        tracing::error!(%error, "an assertion could not be signed");
        Problem::internal()
    })
}
