//! The assertion of who calls, for upstreams that decide by it: signed with a key of its own, for one gateway, one method and
//! one path, good for a minute at most.

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use super::EnforcedRequest;
use crate::app::App;
use crate::crypto::token::token_id;
use crate::domain::access::{Permit, Reach};
use crate::domain::gateway::Gateway;

/// The header that carries it.
pub const X_ASSERTION: HeaderName = HeaderName::from_static("x-gateway-hub-assertion");

/// The type of these tokens: no verifier of access tokens takes it (RFC 8725 §3.11).
const TYPE: &str = "gateway-assertion+jwt";
/// How long one is good, in seconds.
const LIFETIME: i64 = 60;

/// The subject of a person's test. No `client_id` is like it: those begin with `gh_`.
const CONSOLE_TEST: &str = "console-test";

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub enum Caller<'a> {
    /// An application.
    Application {
        /// Its `client_id`.
        client_id: &'a str,
        /// Its name.
        name: &'a str,
        /// The names of its roles.
        roles: &'a [String],
    },
    /// A person who tries the gateway in the Web Console: no application, so that there is no `client_id`, and no name or
    /// role that a service could take for one's.
    ConsoleTest {
        /// The name of the console user.
        user: &'a str,
    },
}

impl Caller<'_> {
    fn claims(self) -> Map<String, Value> {
        let claims = match self {
            Self::Application { client_id, name, roles } => {
                json!({ "sub": client_id, "client_id": client_id, "name": name, "roles": roles })
            }
            Self::ConsoleTest { user } => json!({ "sub": CONSOLE_TEST, "console_user": user, "roles": [] }),
        };
        if let Value::Object(claims) = claims { claims } else { Map::new() }
    }
}

/// Why there is no assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFault {
    /// The key was made a moment ago, on another node.
    #[error("this node has no key for assertions yet")]
    NoKey,
    /// It was logged.
    #[error("an assertion could not be signed")]
    NotSigned,
}

/// Signs what the upstream may know of a request as it goes up: whatever its gateway's kind made of it is what the upstream
/// can check.
///
/// # Errors
/// [`AssertionFault`].
pub fn sign(
    app: &App,
    gateway: &Gateway,
    caller: Caller<'_>,
    permit: &Permit,
    request: &EnforcedRequest,
) -> Result<HeaderValue, AssertionFault> {
    let key = app.snapshot.keys().assertion.clone().ok_or(AssertionFault::NoKey)?;
    let now = app.clock.now().seconds();
    let mut claims = json!({
        "iss": app.issuer(),
        "aud": gateway.id.as_str(),
        "iat": now,
        "exp": now + LIFETIME,
        "jti": token_id(&app.randomness),
        "action": permit.action().to_string(),
        "method": request.method().as_str(),
        "path": request.path(),
    });
    for (claim, value) in caller.claims() {
        claims[claim] = value;
    }
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
    let not_signed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "an assertion could not be signed");
        AssertionFault::NotSigned
    };
    let signed = key.sign_typed(TYPE, &claims.to_string(), &app.randomness).map_err(|error| not_signed(&error))?;
    HeaderValue::try_from(signed).map_err(|error| not_signed(&error))
}
