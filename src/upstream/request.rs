//! The only form in which a request reaches an upstream.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::domain::access::{Permit, Reach};
use crate::domain::gateway::Gateway;
use crate::domain::prometheus;
use crate::domain::resource::Resource;

/// The body of a request for an upstream.
#[derive(Debug, Default)]
pub enum RequestBody {
    /// None.
    #[default]
    Empty,
    /// All of it at once.
    Whole(Bytes),
    /// What the caller sends, as it comes.
    Stream(Body),
}

/// A request that roles and filters allow as it stands. It takes a permit to make; afterwards the hub may only add
/// what it says about it.
#[derive(Debug)]
pub struct EnforcedRequest {
    pub(super) resource: Resource,
    pub(super) head: Box<Head>,
    pub(super) body: RequestBody,
}

/// All but the body, at one place in memory: it is handed on from future to future.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
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
        Self { resource: permit.resource().clone(), head: Box::new(Head { method, target, headers }), body }
    }

    /// A request for a Prometheus-compatible store, which was made to reach permitted series only. `headers` as above, without
    /// those of the body.
    #[must_use]
    pub fn prometheus(limited: &prometheus::EnforcedRequest, mut headers: HeaderMap) -> Self {
        let method = match limited.method() {
            prometheus::endpoint::Method::Get => Method::GET,
            prometheus::endpoint::Method::Post => Method::POST,
        };
        let target = match limited.query() {
            Some(query) => format!("/{}?{query}", limited.path()),
            None => format!("/{}", limited.path()),
        };
        let body = match limited.body() {
            None => RequestBody::Empty,
            Some((own, bytes)) => {
                for (name, value) in own {
                    headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
                }
                RequestBody::Whole(bytes.clone())
            }
        };
        Self::filtered(limited.permit(), method, target, headers, body)
    }

    /// The method that goes up.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.head.method
    }

    /// The path that goes up, without the gateway's own prefix and without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.head.target.split_once('?').map_or(&*self.head.target, |(path, _)| path)
    }

    /// Adds what the hub says about it, in the place of anything of that name.
    #[must_use]
    pub fn saying(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.head.headers.insert(name, value);
        self
    }

    /// Whether it was enforced for this gateway.
    pub(super) fn is_for(&self, gateway: &Gateway) -> bool {
        matches!(&self.resource, Resource::Gateway(name) if *name == gateway.name)
    }
}
