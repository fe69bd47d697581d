//! The only form in which a request reaches an upstream.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::domain::access::{Permit, Reach};
use crate::domain::gateway::Gateway;
use crate::domain::resource::Resource;

/// The body of a request for an upstream.
#[derive(Debug)]
pub enum RequestBody {
    /// None.
    Empty,
    /// All of it at once.
    Whole(Bytes),
    /// What the caller sends, as it comes.
    Stream(Body),
}

/// A request that roles and filters allow as it stands. It takes a permit to make, and can't be changed afterwards.
#[derive(Debug)]
pub struct EnforcedRequest {
    pub(super) resource: Resource,
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: RequestBody,
}

/// The permit reaches some rows only, and nothing in the request sees to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the role's data filter can't be enforced here")]
pub struct NotEnforced;

impl EnforcedRequest {
    /// A request for a permit that reaches everything.
    ///
    /// `target` is path and query as they follow the gateway's own prefix: canonical, with a leading slash. `headers` are those
    /// that may go up, with the caller's identity; the upstream adds what the gateway sets.
    ///
    /// # Errors
    /// [`NotEnforced`] if the permit reaches only some rows.
    pub fn unfiltered(
        permit: &Permit,
        method: Method,
        target: String,
        headers: HeaderMap,
        body: RequestBody,
    ) -> Result<Self, NotEnforced> {
        match permit.reach() {
            Reach::All => Ok(Self::filtered(permit, method, target, headers, body)),
            Reach::Filtered(_) => Err(NotEnforced),
        }
    }

    /// A request that keeps to the permit's data filters, by its own form or by an upstream that was told.
    #[must_use]
    pub fn filtered(permit: &Permit, method: Method, target: String, headers: HeaderMap, body: RequestBody) -> Self {
        Self { resource: permit.resource().clone(), method, target, headers, body }
    }

    /// Whether it was enforced for this gateway.
    pub(super) fn is_for(&self, gateway: &Gateway) -> bool {
        matches!(&self.resource, Resource::Gateway(name) if *name == gateway.name)
    }
}
