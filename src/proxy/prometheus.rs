//! Gateways of kind `prometheus`: the endpoint table tells view from edit, and the request is made anew so that it reaches
//! permitted series only.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::handler::Enforced;
use super::headers::X_HUB_PREFIX;
use super::prometheus_answer::Answering;
use super::prometheus_problem as problem;
use crate::app::LiveGateway;
use crate::app::verifier::Verified;
use crate::domain::gateway::ForwardPath;
use crate::domain::prometheus::endpoint::{Endpoint, UnderFilter};
use crate::domain::prometheus::media::REQUEST_HEADERS;
use crate::domain::prometheus::{self, Limit, Memory, Received, RequestFault};
use crate::http::body;
use crate::http::problem::Problem;
use crate::upstream::EnforcedRequest;

/// A larger body is read on a thread apart, so that other requests don't wait for it.
const LARGE_BODY: usize = 64 * 1024;

/// What the caller sent, beside its path.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) query: Option<String>,
    /// Those that may go up at all, with the caller's identity.
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// Finds the endpoint, asks for its permit, reads the request and makes the one that goes up.
///
/// # Errors
/// Whatever the endpoint table, the roles or the filters refuse.
pub(super) async fn enforce(
    memory: &Arc<Memory>,
    live: &LiveGateway,
    verified: &Verified,
    path: &ForwardPath<'_>,
    asked: Asked,
) -> Result<(Enforced, Answering), Problem> {
    let name = live.gateway.name.as_str();
    let relative = path.decoded().strip_prefix('/').unwrap_or_default();
    let endpoint = Endpoint::find(asked.method.as_str(), relative).map_err(|fault| problem::endpoint(&fault, name))?;
    let permit = verified.decide(&live.gateway.resource(), endpoint.action())?;
    let limit = memory
        .limit(&permit, live.version, &live.gateway.labels)
        .map_err(|fault| problem::unenforceable(&fault, name))?;
    let mut headers = asked.headers;
    let content_type = single(&headers, &header::CONTENT_TYPE)?;
    let content_encoding = single(&headers, &header::CONTENT_ENCODING)?;
    let body = read(asked.body, &endpoint).await?;
    let sent = Sent { query: asked.query, content_type, content_encoding, body };
    let write = endpoint.under_filter() == UnderFilter::Write;
    let limited = limited(memory, endpoint, limit, sent).await.map_err(|fault| problem::request(&fault, name))?;
    keep_listed(&mut headers);
    let answering = Answering::new(limited.answer().clone(), write);
    if let Some(encoding) = answering.accepted_encoding() {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
    }
    let request = EnforcedRequest::prometheus(&limited, headers);
    Ok((Enforced { permit, request }, answering))
}

/// What is read of the caller's request, kept while another thread reads it.
struct Sent {
    query: Option<String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    body: Bytes,
}

async fn limited(
    memory: &Arc<Memory>,
    endpoint: Endpoint,
    limit: Limit,
    sent: Sent,
) -> Result<prometheus::EnforcedRequest, RequestFault> {
    let enforce = |memory: &Memory, endpoint: &Endpoint, limit: &Limit, sent: &Sent| {
        let received = Received {
            query: sent.query.as_deref(),
            content_type: sent.content_type.as_deref(),
            content_encoding: sent.content_encoding.as_deref(),
            body: sent.body.clone(),
        };
        prometheus::enforce(endpoint, limit, &received, memory)
    };
    if sent.body.len() <= LARGE_BODY {
        return enforce(memory, &endpoint, &limit, &sent);
    }
    let memory = Arc::clone(memory);
    let apart = tokio::task::spawn_blocking(move || enforce(&memory, &endpoint, &limit, &sent));
    apart.await.unwrap_or(Err(RequestFault::Internal("reading the request panicked")))
}

/// Reads the body; without one, nothing waits.
async fn read(body: Body, endpoint: &Endpoint) -> Result<Bytes, Problem> {
    if axum::body::HttpBody::is_end_stream(&body) {
        return Ok(Bytes::new());
    }
    let most = endpoint.most_body_bytes();
    if most == 0 {
        return Err(problem::body_on_get());
    }
    match body::read(body, most).await {
        Ok(bytes) => Ok(bytes),
        Err(problem) => Err(problem::body(problem, endpoint)),
    }
}

/// A header that counts for how the body is read, given once.
fn single(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(problem::repeated_header(name));
    }
    let Some(value) = first else { return Ok(None) };
    // A value that is no text is none that is known.
    Ok(Some(value.to_str().unwrap_or("?").to_owned()))
}

/// Leaves the listed headers, and the hub's own.
fn keep_listed(headers: &mut HeaderMap) {
    let others: Vec<HeaderName> = headers
        .keys()
        .filter(|name| !REQUEST_HEADERS.contains(&name.as_str()) && !name.as_str().starts_with(X_HUB_PREFIX))
        .cloned()
        .collect();
    for name in others {
        headers.remove(name);
    }
}
