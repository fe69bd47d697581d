//! Answers of gateways of kind `prometheus`: under a filter, errors are replaced and what quotes the query is left out.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as HttpBody, Frame};

use super::prometheus_problem as problem;
use crate::domain::prometheus::ReadAnswer;
use crate::domain::prometheus::answer::{AnswerRule, Members, NoObject};
use crate::domain::prometheus::media::ANSWER_HEADERS;
use crate::http::problem::Problem;
use crate::upstream::{AnswerBody, BrokenAnswer};

/// What to do with the answer to one request.
pub(super) struct Answering {
    rule: AnswerRule,
    write: bool,
}

impl Answering {
    pub(super) const fn new(rule: AnswerRule, write: bool) -> Self {
        Self { rule, write }
    }

    /// The encoding that the upstream must keep to, if the answer is read here.
    pub(super) const fn accepted_encoding(&self) -> Option<&'static str> {
        match self.rule {
            AnswerRule::Unchanged | AnswerRule::Body => None,
            AnswerRule::Members => Some("identity"),
            AnswerRule::Read(_) => Some("snappy"),
        }
    }

    /// Makes the caller's answer.
    ///
    /// # Errors
    /// A problem in the place of an error, or of an answer that can't be read.
    pub(super) async fn answer(self, answer: Response<AnswerBody>, name: &str) -> Result<Response, Problem> {
        let (mut parts, body) = answer.into_parts();
        let status = parts.status;
        // Prometheus drops what is answered so, and sends again what is answered with 503.
        if self.write && status == StatusCode::TOO_MANY_REQUESTS {
            return Err(problem::busy(name, seconds(&parts.headers).unwrap_or(5)));
        }
        if self.rule.hides_errors() && !status.is_success() {
            return Err(problem::held_back(status, name));
        }
        keep_listed(&mut parts.headers);
        let body = match self.rule {
            AnswerRule::Unchanged | AnswerRule::Body => Body::new(body),
            AnswerRule::Members => {
                // VictoriaMetrics calls its answer to a bare range so, though it is one object.
                let is_json =
                    ["application/json", "application/stream+json"].iter().any(|json| is(&parts.headers, json));
                if !is_json || !is_plain(&parts.headers) {
                    return Err(problem::unreadable(name));
                }
                Body::new(Scanned { body: Some(body), members: Members::new() })
            }
            AnswerRule::Read(reader) => {
                if !is(&parts.headers, "application/x-protobuf") {
                    return Err(problem::unreadable(name));
                }
                Body::from(merged(reader, body).await.ok_or_else(|| problem::unreadable(name))?)
            }
        };
        Ok(Response::from_parts(parts, body))
    }
}

/// Reads the whole answer of a remote read, on a thread apart.
async fn merged(reader: ReadAnswer, body: AnswerBody) -> Option<Bytes> {
    let collected = Limited::new(body, ReadAnswer::MOST_BODY_BYTES).collect().await.ok()?;
    let bytes = collected.to_bytes();
    tokio::task::spawn_blocking(move || reader.merge(&bytes)).await.ok()?.ok()
}

fn is(headers: &HeaderMap, essence: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(essence)
}

fn is_plain(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity")
}

fn seconds(headers: &HeaderMap) -> Option<u32> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok().filter(|seconds| (1..=3600).contains(seconds))
}

/// Leaves the listed headers; the length is counted anew.
fn keep_listed(headers: &mut HeaderMap) {
    let others: Vec<HeaderName> =
        headers.keys().filter(|name| !ANSWER_HEADERS.contains(&name.as_str())).cloned().collect();
    for name in others {
        headers.remove(name);
    }
}

/// An answer of which only the members with data are passed on.
struct Scanned {
    body: Option<AnswerBody>,
    members: Members,
}

/// Why an answer is cut off: the caller sees its connection end early.
#[derive(Debug, thiserror::Error)]
enum CutOff {
    #[error(transparent)]
    Broken(#[from] BrokenAnswer),
    #[error(transparent)]
    NoObject(#[from] NoObject),
}

impl HttpBody for Scanned {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        loop {
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            match ready!(Pin::new(body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let Ok(piece) = frame.into_data() else { continue };
                    let mut passed = Vec::with_capacity(piece.len() + 8);
                    if let Err(fault) = self.members.push(&piece, &mut passed) {
                        self.body = None;
                        return Poll::Ready(Some(Err(fault.into())));
                    }
                    if !passed.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(passed.into()))));
                    }
                }
                Some(Err(fault)) => {
                    self.body = None;
                    return Poll::Ready(Some(Err(fault.into())));
                }
                None => {
                    self.body = None;
                    return match self.members.finish() {
                        Ok(()) => Poll::Ready(None),
                        Err(fault) => Poll::Ready(Some(Err(fault.into()))),
                    };
                }
            }
        }
    }
}
