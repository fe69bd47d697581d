//! Problem details (RFC 9457): how a refusal looks on the Hub API, and the one place that writes it down.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;

use crate::http::{
    bearer::Challenge,
    kind::{self, Kind},
};

/// A refusal on its way to the caller.
///
/// It travels inside the response and is written down by the middleware, which knows the public URL and the form that errors
/// take on the surface at hand.
#[derive(Clone, Debug)]
pub struct Problem(Box<Content>);

#[derive(Clone, Debug)]
struct Content {
    kind: &'static Kind,
    detail: String,
    members: Vec<(&'static str, Value)>,
    challenge: Option<Challenge>,
    retry_after: Option<u32>,
    error_type: Option<&'static str>,
    allow: Option<&'static str>,
}

impl Problem {
    /// A problem of this kind; `detail` says what happened this time and what to do, and never repeats a secret.
    #[must_use]
    pub fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Content {
            kind,
            detail: detail.into(),
            members: Vec::new(),
            challenge: None,
            retry_after: None,
            error_type: None,
            allow: None,
        }))
    }

    /// A malformed request.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(&kind::BAD_REQUEST, detail)
    }

    /// A parameter of the query or the path that is not valid.
    #[must_use]
    pub fn invalid_parameter(parameter: &str, detail: impl Into<String>) -> Self {
        Self::new(&kind::INVALID_PARAMETER, detail).with("parameter", parameter)
    }

    /// No such item, or none within reach.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(&kind::NOT_FOUND, detail)
    }

    /// A fault of the hub. Log the cause where it happens; the caller learns only the request id.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            &kind::INTERNAL,
            "The hub failed to answer this request; the fault is logged under the X-Request-Id of this answer.",
        )
    }

    /// The hub can't decide safely now.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(&kind::UNAVAILABLE, detail).retry_after(1)
    }

    /// Adds an extension member (RFC 9457 §3.2).
    #[must_use]
    pub fn with(mut self, member: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.push((member, value.into()));
        self
    }

    /// Adds a `WWW-Authenticate: Bearer` challenge (RFC 6750 §3).
    #[must_use]
    pub fn challenged(mut self, challenge: Challenge) -> Self {
        self.0.challenge = Some(challenge);
        self
    }

    /// Adds `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Adds `Allow`: the methods that are possible (RFC 9110 §15.5.6).
    #[must_use]
    pub fn allowing(mut self, methods: &'static str) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// Says it as clients of Prometheus' HTTP API read it too: `status` is `"error"`, and there are `errorType` and `error`.
    /// The number in `status` goes for it, which a reader of problem details ignores when it is none (RFC 9457 §3.1).
    #[must_use]
    pub fn for_prometheus(mut self, error_type: &'static str) -> Self {
        self.0.error_type = Some(error_type);
        self
    }

    /// What kind of problem it is.
    #[must_use]
    pub fn kind(&self) -> &'static Kind {
        self.0.kind
    }

    /// What happened this time.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The headers that belong to this problem whatever form its body takes.
    pub fn write_headers(&self, public_url: &str, path: &str, headers: &mut HeaderMap) {
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(methods) = self.0.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        if let Some(challenge) = &self.0.challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge.header(public_url, path));
        }
    }

    /// The body as `application/problem+json`.
    #[must_use]
    pub fn to_json(&self, public_url: &str) -> Vec<u8> {
        let document = Document { content: &self.0, public_url };
        // Text and JSON values: writing them to memory can't fail.
        let mut body = serde_json::to_vec(&document).unwrap_or_default();
        body.push(b'\n');
        body
    }

    /// The whole response as problem details; see [`crate::http::route::Rescue`].
    #[must_use]
    pub fn to_response(&self, public_url: &str) -> Response {
        let mut response = Response::new(Body::from(self.to_json(public_url)));
        *response.status_mut() = self.0.kind.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

/// The members in the order of RFC 9457 §3.1, then the extensions.
struct Document<'a> {
    content: &'a Content,
    public_url: &'a str,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Content { kind, detail, members, error_type, .. } = self.content;
        let mut document = serializer.serialize_map(None)?;
        document.serialize_entry("type", &format_args!("{}/problems/{}", self.public_url, kind.slug))?;
        document.serialize_entry("title", kind.title)?;
        match error_type {
            None => document.serialize_entry("status", &kind.status.as_u16())?,
            Some(_) => document.serialize_entry("status", "error")?,
        }
        document.serialize_entry("detail", detail)?;
        if let Some(error_type) = error_type {
            document.serialize_entry("errorType", error_type)?;
            document.serialize_entry("error", detail)?;
        }
        for (member, value) in members {
            document.serialize_entry(member, value)?;
        }
        document.end()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.0.kind.status;
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_its_page() {
        let problem = Problem::invalid_parameter("limit", "limit is a number from 1 to 1000.");
        let document: Value = serde_json::from_slice(&problem.to_json("https://hub.example")).unwrap();
        assert_eq!(document["type"], "https://hub.example/problems/invalid-parameter");
        assert_eq!(document["status"], 400);
        assert_eq!(document["parameter"], "limit");
        assert_eq!(document["detail"], "limit is a number from 1 to 1000.");
    }

    #[test]
    fn clients_of_prometheus_find_what_they_look_for() {
        let problem = Problem::bad_request("No.").for_prometheus("bad_data");
        let document: Value = serde_json::from_slice(&problem.to_json("https://hub.example")).unwrap();
        let read = (&document["status"], &document["errorType"], &document["error"]);
        assert_eq!(read, (&Value::from("error"), &Value::from("bad_data"), &Value::from("No.")));
        assert_eq!(document["title"], kind::BAD_REQUEST.title);
    }
}
