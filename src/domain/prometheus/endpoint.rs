//! The endpoints of Prometheus' HTTP API that are forwarded: who may call them, with which parameters, and what becomes of
//! them under a filter. What this table does not list is never forwarded: the administration of the upstream, its pages,
//! its debugging, and whatever a later version adds.

use super::LabelName;
use crate::domain::grant::Action;

/// The methods of the API. Others are refused everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

impl Method {
    /// Reads a method, which is case-sensitive (RFC 9110 §9.1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "GET" => Some(Self::Get),
            "POST" => Some(Self::Post),
            _ => None,
        }
    }

    /// As it is sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What happens to an endpoint when the permit has a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnderFilter {
    /// The expression in `query` is rewritten.
    Query,
    /// Every `match[]` is limited to each alternative of the filter; without one, there is one for each alternative.
    Selectors,
    /// Remote read: the queries inside the message are limited.
    Read,
    /// Remote write: every series must satisfy the filter.
    Write,
    /// It tells about series in a way that can't be limited.
    Refused,
    /// It tells nothing about series.
    Harmless,
}

/// A parameter that an endpoint may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Whether it may be given more than once.
    pub repeats: bool,
}

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    /// Below the gateway's address, without a leading slash. `{name}` stands for one label name.
    pub path: &'static str,
    /// `GET`, `POST` or both.
    pub methods: &'static [Method],
    /// What a role must grant.
    pub action: Action,
    /// What becomes of it under a filter.
    pub under_filter: UnderFilter,
    /// What it may be asked with.
    pub parameters: &'static [Parameter],
}

/// An endpoint that exists and may be called with the method at hand.
#[derive(Clone, Debug)]
pub struct Endpoint {
    row: &'static Row,
    method: Method,
    path: String,
}

/// Why a request is not forwarded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEndpoint {
    /// The table does not list it.
    #[error("this gateway forwards Prometheus' query and write API only; this path is not part of it")]
    Unlisted,
    /// It exists, for other methods.
    #[error("this endpoint takes {allowed} only")]
    Method {
        /// Which: the content of an `Allow` header.
        allowed: &'static str,
    },
    /// The label name in the path is none.
    #[error("the path names no label: expected letters, digits and _, not beginning with a digit")]
    Label,
}

const GET: &[Method] = &[Method::Get];
const POST: &[Method] = &[Method::Post];
const BOTH: &[Method] = &[Method::Get, Method::Post];

const LABEL_VALUES: &str = "api/v1/label/{name}/values";

const fn one(name: &'static str) -> Parameter {
    Parameter { name, repeats: false }
}

const fn many(name: &'static str) -> Parameter {
    Parameter { name, repeats: true }
}

const fn row(
    path: &'static str,
    methods: &'static [Method],
    action: Action,
    under_filter: UnderFilter,
    parameters: &'static [Parameter],
) -> Row {
    Row { path, methods, action, under_filter, parameters }
}

// Besides Prometheus' own: `step` of an instant query and `nocache` are VictoriaMetrics'; `dedup`, `partial_response` and
// `max_source_resolution` are Thanos'. None of them widens what is read. `trace` and `explain` would show the rewritten query.
const QUERY: &[Parameter] = &[
    one("query"),
    one("time"),
    one("timeout"),
    one("lookback_delta"),
    one("stats"),
    one("limit"),
    one("step"),
    one("nocache"),
    one("dedup"),
    one("partial_response"),
    one("max_source_resolution"),
];
const QUERY_RANGE: &[Parameter] = &[
    one("query"),
    one("start"),
    one("end"),
    one("step"),
    one("timeout"),
    one("lookback_delta"),
    one("stats"),
    one("limit"),
    one("nocache"),
    one("dedup"),
    one("partial_response"),
    one("max_source_resolution"),
];
const EXEMPLARS: &[Parameter] = &[one("query"), one("start"), one("end"), one("partial_response")];
const SERIES: &[Parameter] =
    &[many("match[]"), one("start"), one("end"), one("limit"), one("dedup"), one("partial_response")];
const EXPRESSION: &[Parameter] = &[one("query")];
const RULES: &[Parameter] = &[
    one("type"),
    many("rule_name[]"),
    many("rule_group[]"),
    many("file[]"),
    many("match[]"),
    one("exclude_alerts"),
    one("group_limit"),
    one("group_next_token"),
];

/// The whole table.
pub const ENDPOINTS: &[Row] = &[
    row("api/v1/query", BOTH, Action::View, UnderFilter::Query, QUERY),
    row("api/v1/query_range", BOTH, Action::View, UnderFilter::Query, QUERY_RANGE),
    row("api/v1/query_exemplars", BOTH, Action::View, UnderFilter::Query, EXEMPLARS),
    row("api/v1/series", BOTH, Action::View, UnderFilter::Selectors, SERIES),
    row("api/v1/labels", BOTH, Action::View, UnderFilter::Selectors, SERIES),
    row(LABEL_VALUES, GET, Action::View, UnderFilter::Selectors, SERIES),
    row("federate", GET, Action::View, UnderFilter::Selectors, &[many("match[]")]),
    row("api/v1/read", POST, Action::View, UnderFilter::Read, &[]),
    row("api/v1/write", POST, Action::Edit, UnderFilter::Write, &[]),
    // The texts of rules, annotations and the values in alerts come from series beyond the filter.
    row("api/v1/rules", GET, Action::View, UnderFilter::Refused, RULES),
    row("api/v1/alerts", GET, Action::View, UnderFilter::Refused, &[]),
    row(
        "api/v1/metadata",
        GET,
        Action::View,
        UnderFilter::Refused,
        &[one("limit"), one("limit_per_metric"), one("metric")],
    ),
    row("api/v1/targets", GET, Action::View, UnderFilter::Refused, &[one("state"), one("scrapePool")]),
    row(
        "api/v1/targets/metadata",
        GET,
        Action::View,
        UnderFilter::Refused,
        &[one("match_target"), one("metric"), one("limit")],
    ),
    row("api/v1/scrape_pools", GET, Action::View, UnderFilter::Refused, &[]),
    row("api/v1/alertmanagers", GET, Action::View, UnderFilter::Refused, &[]),
    row("api/v1/format_query", BOTH, Action::View, UnderFilter::Harmless, EXPRESSION),
    row("api/v1/parse_query", BOTH, Action::View, UnderFilter::Harmless, EXPRESSION),
    row("api/v1/status/buildinfo", GET, Action::View, UnderFilter::Harmless, &[]),
    row("api/v1/status/config", GET, Action::View, UnderFilter::Refused, &[]),
    row("api/v1/status/flags", GET, Action::View, UnderFilter::Refused, &[]),
    row("api/v1/status/runtimeinfo", GET, Action::View, UnderFilter::Refused, &[]),
    row("api/v1/status/tsdb", GET, Action::View, UnderFilter::Refused, &[one("limit")]),
    row("api/v1/status/walreplay", GET, Action::View, UnderFilter::Refused, &[]),
    row("metrics", GET, Action::View, UnderFilter::Refused, &[]),
];

impl Endpoint {
    /// Finds the endpoint of a request. `path` is relative to the gateway, without a leading slash, and decoded once.
    ///
    /// # Errors
    /// [`NoEndpoint`], when nothing may be forwarded.
    pub fn find(method: &str, path: &str) -> Result<Self, NoEndpoint> {
        let (row, path) = match label_in(path) {
            Some(name) => {
                // Label names hold nothing that would have to be encoded again.
                let name = LabelName::parse(name).map_err(|_| NoEndpoint::Label)?;
                let path = LABEL_VALUES.replace("{name}", name.as_str());
                (ENDPOINTS.iter().find(|row| row.path == LABEL_VALUES), path)
            }
            None => (ENDPOINTS.iter().find(|row| row.path == path && path != LABEL_VALUES), path.to_owned()),
        };
        let row = row.ok_or(NoEndpoint::Unlisted)?;
        let method = Method::parse(method)
            .filter(|method| row.methods.contains(method))
            .ok_or(NoEndpoint::Method { allowed: row.allowed() })?;
        Ok(Self { row, method, path })
    }

    /// What a role must grant.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.row.action
    }

    /// What becomes of it under a filter.
    #[must_use]
    pub const fn under_filter(&self) -> UnderFilter {
        self.row.under_filter
    }

    /// Its line in the table.
    #[must_use]
    pub const fn row(&self) -> &'static Row {
        self.row
    }

    /// How it is called.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Its path below the gateway's address, made from the table: nothing of the caller's spelling is left.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The most bytes that a request's body may have.
    #[must_use]
    pub const fn most_body_bytes(&self) -> usize {
        match (self.method, self.row.under_filter) {
            (Method::Get, _) => 0,
            (Method::Post, UnderFilter::Write) => super::remote_write::MOST_BODY_BYTES,
            (Method::Post, UnderFilter::Read) => super::remote_read::MOST_BODY_BYTES,
            (Method::Post, _) => 256 * 1024,
        }
    }
}

impl Row {
    /// The content of an `Allow` header.
    #[must_use]
    pub fn allowed(&self) -> &'static str {
        match self.methods {
            [Method::Get] => "GET",
            [Method::Post] => "POST",
            _ => "GET, POST",
        }
    }
}

/// The label in `api/v1/label/NAME/values`.
fn label_in(path: &str) -> Option<&str> {
    path.strip_prefix("api/v1/label/")?.strip_suffix("/values")
}

#[cfg(test)]
mod tests;
