//! The one place that turns a refusal of the layers below into a problem.

use crate::{
    actions::ActionError,
    app::verifier::TokenRefusal,
    domain::access::Refusal,
    http::{bearer::Challenge, kind, problem::Problem},
    store::StoreError,
};

/// A token that is not good (RFC 6750 §3.1). `reason` repeats nothing of the token.
#[must_use]
pub fn invalid_token(reason: &str) -> Problem {
    let detail = format!("The access token is not good: {reason}. Get a new one from POST /oauth2/token.");
    Problem::new(&kind::INVALID_TOKEN, detail).challenged(Challenge::InvalidToken(reason.to_owned()))
}

/// What the verifier refused.
#[must_use]
pub fn token(refusal: &TokenRefusal) -> Problem {
    match refusal {
        TokenRefusal::Stale(_) => stale(),
        refused => invalid_token(&refused.to_string()),
    }
}

/// What the decision refused.
#[must_use]
pub fn access(refusal: &Refusal) -> Problem {
    let needed = refusal.needed();
    let detail = match refusal {
        Refusal::NotGranted { .. } => {
            format!(
                "No role of this application grants {needed}. An administrator can assign one that does, in the Web Console."
            )
        }
        Refusal::OutOfScope { .. } => {
            format!(
                "The access token's scope does not include {needed}. Request a token with it, or without a scope parameter."
            )
        }
    };
    Problem::new(&kind::INSUFFICIENT_SCOPE, detail)
        .with("scope", needed.as_str())
        .challenged(Challenge::InsufficientScope(needed))
}

/// An unsafe method on security state, by an application.
#[must_use]
pub fn console_only() -> Problem {
    Problem::new(
        &kind::CONSOLE_ONLY,
        "No application can change security settings, whatever its roles. Use the Web Console at /console, or the command line \
         of the host.",
    )
}

/// The node has not heard from its store for too long to decide safely.
#[must_use]
pub fn stale() -> Problem {
    Problem::unavailable(
        "This node can't reach its store, so it can't know what was revoked, and refuses. Try again in a moment.",
    )
}

/// A failure of the store.
#[must_use]
pub fn store(error: &StoreError) -> Problem {
    match error {
        StoreError::Unavailable(_) => {
            tracing::warn!(%error, "the store did not answer");
            Problem::unavailable(
                "The database can't be reached, so nothing can be changed or shown here just now. Try again in a moment.",
            )
        }
        StoreError::Contention => {
            tracing::warn!(%error, "the store did not answer");
            Problem::unavailable("The store did not answer in time. Try again in a moment.")
        }
        _ => {
            tracing::error!(%error, "the store failed");
            Problem::internal()
        }
    }
}

/// What an action refused.
#[must_use]
pub fn action(error: &ActionError) -> Problem {
    match error {
        ActionError::Invalid { field, message } => {
            Problem::new(&kind::INVALID_BODY, format!("{field}: {message}.")).with("member", *field)
        }
        ActionError::Conflict(_) | ActionError::AlreadySubmitted => Problem::new(&kind::CONFLICT, error.to_string()),
        ActionError::NotFound { .. } => Problem::not_found(error.to_string()),
        ActionError::Forbidden(reason) => Problem::new(&kind::FORBIDDEN, reason.as_str()),
        ActionError::Store(fault) => store(fault),
        ActionError::Unconfirmed(_) => Problem::unavailable(error.to_string()),
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        action(&error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        store(&error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        access(&refusal)
    }
}

impl From<TokenRefusal> for Problem {
    fn from(refusal: TokenRefusal) -> Self {
        token(&refusal)
    }
}
