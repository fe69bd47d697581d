//! Remote read: every query inside the message gets the matchers of each alternative of the filter; the answers of the
//! alternatives become one again, without any series that the filter does not permit.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;

use super::fault::RequestFault;
use super::limit::Filter;
use super::wire::{self, Fields, Label, Malformed};
use super::{MatchOp, Matcher};

/// The most bytes of a compressed request.
pub(super) const MOST_BODY_BYTES: usize = 256 * 1024;
/// The most bytes of a request.
const MOST_BYTES: usize = 256 * 1024;
/// The most queries in a request, before and after it is limited.
const MOST_QUERIES: usize = 200;
/// The most bytes of an answer, opened: all of it is in memory.
const MOST_ANSWER_BYTES: usize = 128 * 1024 * 1024;

const QUERIES: u64 = 1;
const RESULTS: u64 = 1;
const TIME_SERIES: u64 = 1;
const MATCHER_TYPES: std::ops::RangeInclusive<i32> = 0..=3;

/// Accepted response types are left out: without any, the answer is samples, which can be read.
#[derive(Clone, PartialEq, prost::Message)]
struct ReadRequest {
    #[prost(message, repeated, tag = "1")]
    queries: Vec<Query>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Query {
    #[prost(int64, tag = "1")]
    start_timestamp_ms: i64,
    #[prost(int64, tag = "2")]
    end_timestamp_ms: i64,
    #[prost(message, repeated, tag = "3")]
    matchers: Vec<LabelMatcher>,
    #[prost(message, optional, tag = "4")]
    hints: Option<Hints>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct LabelMatcher {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Hints {
    #[prost(int64, tag = "1")]
    step_ms: i64,
    #[prost(string, tag = "2")]
    func: String,
    #[prost(int64, tag = "3")]
    start_ms: i64,
    #[prost(int64, tag = "4")]
    end_ms: i64,
    #[prost(string, repeated, tag = "5")]
    grouping: Vec<String>,
    #[prost(bool, tag = "6")]
    by: bool,
    #[prost(int64, tag = "7")]
    range_ms: i64,
}

/// How to read the answer to a limited request.
#[derive(Clone, Debug)]
pub struct ReadAnswer {
    queries: usize,
    alternatives: usize,
    filter: Arc<Filter>,
}

/// An answer that is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's answer to a remote read can't be read")]
pub struct UnreadableAnswer;

/// Limits a request; answers the new one and how to read what comes back.
pub(super) fn restrict(body: &[u8], filter: Arc<Filter>) -> Result<(Bytes, ReadAnswer), RequestFault> {
    let message = wire::open(body, MOST_BYTES)?;
    let conjunctions = filter.enforcement.conjunctions();
    let mut count = 0;
    for field in Fields(&message) {
        count += usize::from(field?.0 == QUERIES);
    }
    if count * conjunctions.len() > MOST_QUERIES {
        return Err(RequestFault::TooLarge(format!(
            "there are too many queries times alternatives of the filter; at most {MOST_QUERIES} are possible"
        )));
    }
    let asked = ReadRequest::decode(&*message).map_err(Malformed::from)?;
    let mut limited = ReadRequest::default();
    for query in &asked.queries {
        if query.matchers.iter().any(|matcher| !MATCHER_TYPES.contains(&matcher.kind)) {
            return Err(Malformed.into());
        }
        for conjunction in conjunctions {
            let mut query = query.clone();
            query.matchers.extend(conjunction.matchers().iter().map(LabelMatcher::of));
            limited.queries.push(query);
        }
    }
    let answer = ReadAnswer { queries: asked.queries.len(), alternatives: conjunctions.len(), filter };
    Ok((wire::close(&limited.encode_to_vec())?, answer))
}

impl LabelMatcher {
    /// A `=` matcher that equals one of Prometheus' external labels is not taken as it is: it is left out, or looks for series
    /// without the label, by version. A regular expression is always taken as it is.
    fn of(matcher: &Matcher) -> Self {
        let (kind, value) = match matcher.op {
            MatchOp::Equal => (2, regex_syntax::escape(&matcher.value)),
            MatchOp::NotEqual => (1, matcher.value.clone()),
            MatchOp::Regex => (2, matcher.value.clone()),
            MatchOp::NotRegex => (3, matcher.value.clone()),
        };
        Self { kind, name: matcher.label.as_str().to_owned(), value }
    }
}

impl ReadAnswer {
    /// The most bytes of the upstream's compressed answer that are worth reading.
    pub const MOST_BODY_BYTES: usize = 64 * 1024 * 1024;

    /// Makes one result of those of each query's alternatives: every permitted series once, in the order of their labels.
    /// Series whose labels, with the external labels that the upstream adds, the filter does not permit are left out.
    ///
    /// # Errors
    /// [`UnreadableAnswer`], if it does not fit the request.
    pub fn merge(&self, body: &[u8]) -> Result<Bytes, UnreadableAnswer> {
        let message = wire::open(body, MOST_ANSWER_BYTES).map_err(|_| UnreadableAnswer)?;
        let results = Fields(&message)
            .filter_map(|field| match field {
                Ok((RESULTS, Some(content))) => Some(Ok(content)),
                Ok(_) => None,
                Err(fault) => Some(Err(fault)),
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| UnreadableAnswer)?;
        if results.len() != self.queries * self.alternatives {
            return Err(UnreadableAnswer);
        }
        let mut merged = Vec::with_capacity(message.len());
        for alternatives in results.chunks(self.alternatives) {
            let mut series = BTreeMap::new();
            for result in alternatives {
                self.collect(result, &mut series).map_err(|_| UnreadableAnswer)?;
            }
            let mut result = Vec::new();
            for content in series.values() {
                wire::put(1, content, &mut result);
            }
            wire::put(1, &result, &mut merged);
        }
        wire::close(&merged).map_err(|_| UnreadableAnswer)
    }

    fn collect<'a>(&self, result: &'a [u8], series: &mut BTreeMap<Vec<Label>, &'a [u8]>) -> Result<(), Malformed> {
        for field in Fields(result) {
            if let (TIME_SERIES, Some(content)) = field? {
                let labels = labels(content)?;
                if self.filter.enforcement.permits(&|name| wire::value(&labels, name)) {
                    series.entry(labels).or_insert(content);
                }
            }
        }
        Ok(())
    }
}

/// The labels of a series, which is otherwise passed on as it came.
fn labels(series: &[u8]) -> Result<Vec<Label>, Malformed> {
    const LABELS: u64 = 1;
    let mut labels = Vec::new();
    for field in Fields(series) {
        if let (LABELS, Some(content)) = field? {
            labels.push(Label::decode(content)?);
        }
    }
    labels.sort();
    Ok(labels)
}

#[cfg(test)]
mod tests;
