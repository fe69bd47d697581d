//! The request that goes to a Prometheus-compatible upstream: made anew from what was read, never the caller's own.

use std::sync::Arc;

use bytes::Bytes;

use super::answer::AnswerRule;
use super::endpoint::{Endpoint, Method, UnderFilter};
use super::fault::RequestFault;
use super::limit::{Filter, Limit, Memory};
use super::media::{self, Media};
use super::parameters::Parameters;
use super::{all_selectors, remote_read, remote_write, rewrite_selectors};
use crate::domain::access::Permit;

/// The most `match[]` that go to the upstream: those of the caller times the alternatives of the filter.
const MOST_SELECTORS: usize = 500;
/// The most bytes of parameters that go to the upstream.
const MOST_BYTES: usize = 512 * 1024;
/// A longer query string goes as a form, where the endpoint takes one: servers and proxies refuse long URLs.
const LONG_URL: usize = 4 * 1024;

/// What a caller sent, as far as it counts.
#[derive(Clone, Debug, Default)]
pub struct Received<'a> {
    /// What follows the `?`.
    pub query: Option<&'a str>,
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The header `Content-Encoding`.
    pub content_encoding: Option<&'a str>,
    /// The whole body, at most [`Endpoint::most_body_bytes`].
    pub body: Bytes,
}

/// A request that reaches permitted series only; made by [`enforce`] only.
#[derive(Clone, Debug)]
pub struct EnforcedRequest {
    permit: Permit,
    method: Method,
    path: String,
    query: Option<String>,
    body: Option<(Media, Bytes)>,
    answer: AnswerRule,
}

impl EnforcedRequest {
    /// The permit under which it was made.
    #[must_use]
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// The path below the gateway's address, without a leading slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query string.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The body and its headers: names in lower case, with their values.
    #[must_use]
    pub fn body(&self) -> Option<(&'static [(&'static str, &'static str)], &Bytes)> {
        self.body.as_ref().map(|(media, bytes)| (media.headers(), bytes))
    }

    /// What to do with the answer.
    #[must_use]
    pub const fn answer(&self) -> &AnswerRule {
        &self.answer
    }
}

/// Makes the request that goes to the upstream.
///
/// # Errors
/// [`RequestFault`], when it can't be read or can't be limited to what the permit reaches.
pub fn enforce(
    endpoint: &Endpoint,
    limit: &Limit,
    received: &Received<'_>,
    memory: &Memory,
) -> Result<EnforcedRequest, RequestFault> {
    if limit.permit().action() != endpoint.action() {
        return Err(RequestFault::Internal("the permit is for another action than the endpoint's"));
    }
    if limit.is_filtered() && endpoint.under_filter() == UnderFilter::Refused {
        return Err(RequestFault::Unfilterable { path: endpoint.path().to_owned() });
    }
    if received.body.len() > endpoint.most_body_bytes() {
        return Err(match endpoint.method() {
            Method::Get => RequestFault::Malformed("a GET request has no body here".to_owned()),
            Method::Post => {
                RequestFault::TooLarge(format!("the body has more than {} bytes", endpoint.most_body_bytes()))
            }
        });
    }
    match endpoint.under_filter() {
        UnderFilter::Read => read(endpoint, limit, received),
        UnderFilter::Write => write(endpoint, limit, received),
        _ => ask(endpoint, limit, received, memory),
    }
}

/// Everything that is asked with parameters.
fn ask(
    endpoint: &Endpoint,
    limit: &Limit,
    received: &Received<'_>,
    memory: &Memory,
) -> Result<EnforcedRequest, RequestFault> {
    let form = match endpoint.method() {
        Method::Get => None,
        Method::Post => {
            media::check_form(received)?;
            Some(&*received.body)
        }
    };
    let mut parameters = Parameters::read(endpoint.row().parameters, received.query, form)?;
    let answer = match limit.filter() {
        None => AnswerRule::Unchanged,
        Some(filter) => restrict(&mut parameters, endpoint, filter, memory)?,
    };
    let text = parameters.encode();
    if text.as_ref().is_some_and(|text| text.len() > MOST_BYTES) {
        return Err(RequestFault::TooLarge(
            "the request is too long once it is limited to permitted series".to_owned(),
        ));
    }
    let long = text.as_ref().is_some_and(|text| text.len() > LONG_URL);
    let posts = endpoint.row().methods.contains(&Method::Post);
    let method = if long && posts { Method::Post } else { endpoint.method() };
    let (query, body) = match method {
        Method::Get => (text, None),
        Method::Post => (None, Some((Media::Form, Bytes::from(text.unwrap_or_default())))),
    };
    let permit = limit.permit().clone();
    Ok(EnforcedRequest { permit, method, path: endpoint.path().to_owned(), query, body, answer })
}

/// Limits the parameters to what the filter selects.
fn restrict(
    parameters: &mut Parameters,
    endpoint: &Endpoint,
    filter: &Filter,
    memory: &Memory,
) -> Result<AnswerRule, RequestFault> {
    match endpoint.under_filter() {
        UnderFilter::Query => {
            let query = parameters
                .one("query")
                .filter(|query| !query.is_empty())
                .ok_or_else(|| RequestFault::parameter("query", "is missing"))?;
            let rewritten = memory.rewritten(query, filter)?;
            parameters.replace("query", vec![rewritten.as_ref().to_owned()]);
            Ok(AnswerRule::Members)
        }
        UnderFilter::Selectors => {
            let mut selectors = Vec::new();
            for selector in parameters.all("match[]") {
                selectors.extend(rewrite_selectors(selector, &filter.enforcement)?);
                if selectors.len() > MOST_SELECTORS {
                    return Err(RequestFault::TooLarge(format!(
                        "there are too many match[] times alternatives of the filter; at most {MOST_SELECTORS} are possible"
                    )));
                }
            }
            if parameters.one("match[]").is_none() {
                selectors = all_selectors(&filter.enforcement);
            }
            // None would ask for everything.
            if selectors.is_empty() {
                return Err(RequestFault::Internal("no selector is left of those that were asked for"));
            }
            parameters.replace("match[]", selectors);
            Ok(if endpoint.path() == "federate" { AnswerRule::Body } else { AnswerRule::Members })
        }
        UnderFilter::Harmless => Ok(AnswerRule::Unchanged),
        UnderFilter::Refused | UnderFilter::Read | UnderFilter::Write => {
            Err(RequestFault::Internal("an endpoint without parameters to limit was asked with a filter"))
        }
    }
}

fn read(endpoint: &Endpoint, limit: &Limit, received: &Received<'_>) -> Result<EnforcedRequest, RequestFault> {
    Parameters::read(&[], received.query, None)?;
    media::check_message(received, "prometheus.ReadRequest")?;
    let (body, answer) = match limit.filter() {
        None => (received.body.clone(), AnswerRule::Unchanged),
        Some(filter) => {
            let (body, answer) = remote_read::restrict(&received.body, Arc::clone(filter))?;
            (body, AnswerRule::Read(answer))
        }
    };
    Ok(message(endpoint, limit, Media::Read, body, answer))
}

fn write(endpoint: &Endpoint, limit: &Limit, received: &Received<'_>) -> Result<EnforcedRequest, RequestFault> {
    Parameters::read(&[], received.query, None)?;
    media::check_message(received, "prometheus.WriteRequest")?;
    let body = remote_write::checked(&received.body, limit.filter().map(|filter| &filter.enforcement))?;
    let answer = if limit.is_filtered() { AnswerRule::Body } else { AnswerRule::Unchanged };
    Ok(message(endpoint, limit, Media::Write, body, answer))
}

fn message(endpoint: &Endpoint, limit: &Limit, media: Media, body: Bytes, answer: AnswerRule) -> EnforcedRequest {
    let (permit, path) = (limit.permit().clone(), endpoint.path().to_owned());
    EnforcedRequest { permit, method: endpoint.method(), path, query: None, body: Some((media, body)), answer }
}

#[cfg(test)]
mod tests;
