//! Refusals of gateways of kind `prometheus`, in the form that its clients read.

use http::{HeaderName, StatusCode};

use crate::domain::prometheus::endpoint::{Endpoint, NoEndpoint, UnderFilter};
use crate::domain::prometheus::{RequestFault, Unenforceable};
use crate::http::kind;
use crate::http::problem::Problem;

/// The path or method is not forwarded.
pub(super) fn endpoint(fault: &NoEndpoint, name: &str) -> Problem {
    let detail = sentence(fault);
    let problem = match fault {
        NoEndpoint::Unlisted => Problem::not_found(detail),
        NoEndpoint::Method { allowed } => Problem::new(&kind::METHOD_NOT_ALLOWED, detail).allowing(allowed),
        NoEndpoint::Label => Problem::bad_request(detail),
    };
    problem.with("gateway", name)
}

/// The roles' filters can't be said with the gateway's labels.
pub(super) fn unenforceable(fault: &Unenforceable, name: &str) -> Problem {
    let detail = format!(
        "A role of this application has a data filter that gateway {name} can't enforce: {fault}. Ask an administrator for a label \
         in the gateway's label map, or for another filter."
    );
    Problem::new(&kind::FILTER_UNENFORCEABLE, detail).with("gateway", name)
}

/// The request can't be read or limited.
pub(super) fn request(fault: &RequestFault, name: &str) -> Problem {
    let detail = sentence(fault);
    let problem = match fault {
        RequestFault::Parameter { .. } | RequestFault::Query(_) => Problem::new(&kind::INVALID_QUERY, detail),
        RequestFault::Malformed(_) => Problem::bad_request(detail),
        RequestFault::Media(_) => Problem::new(&kind::UNSUPPORTED_MEDIA_TYPE, detail),
        RequestFault::TooLarge(_) => Problem::new(&kind::BODY_TOO_LARGE, detail),
        RequestFault::Unfilterable { .. } => Problem::new(&kind::FILTER_UNENFORCEABLE, detail),
        RequestFault::Outside { .. } => Problem::new(&kind::OUTSIDE_FILTER, detail),
        RequestFault::Internal(reason) => {
            tracing::error!(gateway = name, reason, "a request could not be limited to what its permit reaches");
            Problem::internal()
        }
    };
    problem.with("gateway", name)
}

/// The body did not arrive. Writers drop what is answered with 408 and send again what is answered with 503.
pub(super) fn body(problem: Problem, endpoint: &Endpoint) -> Problem {
    if endpoint.under_filter() == UnderFilter::Write && problem.kind().status == StatusCode::REQUEST_TIMEOUT {
        let detail = "The body did not arrive in time. Nothing was written; send it again.";
        return Problem::new(&kind::GATEWAY_BUSY, detail).retry_after(5);
    }
    problem
}

/// Some services read a body on GET, most don't.
pub(super) fn body_on_get() -> Problem {
    Problem::bad_request("A GET request has no body here. Send parameters in the URL, or a form by POST.")
}

/// A header was given twice that says how the body is read.
pub(super) fn repeated_header(name: &HeaderName) -> Problem {
    Problem::bad_request(format!("The request has more than one {name} header."))
}

/// The upstream answered with an error whose text is held back. Writers drop what is answered with 401, 403 or 429.
pub(super) fn held_back(status: StatusCode, name: &str) -> Problem {
    const WORDS: &str =
        "Its own words are held back, because they can quote the data filters of this application's roles.";
    let problem = match status {
        StatusCode::BAD_REQUEST => Problem::new(
            &kind::INVALID_QUERY,
            format!("The service behind gateway {name} refused the request. {WORDS}"),
        ),
        StatusCode::NOT_FOUND => Problem::not_found(format!("The service behind gateway {name} has no such endpoint.")),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(&kind::BODY_TOO_LARGE, format!("The service behind gateway {name} takes less at once."))
        }
        StatusCode::UNPROCESSABLE_ENTITY => Problem::new(
            &kind::QUERY_FAILED,
            format!("The service behind gateway {name} could not carry out the query. {WORDS}"),
        ),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => busy(name, 5),
        StatusCode::GATEWAY_TIMEOUT => {
            Problem::new(&kind::GATEWAY_TIMEOUT, format!("The service behind gateway {name} did not answer in time."))
        }
        other => Problem::new(
            &kind::GATEWAY_FAULT,
            format!("The service behind gateway {name} failed with status {}. {WORDS}", other.as_u16()),
        ),
    };
    problem.with("gateway", name)
}

/// The service behind the gateway has too much to do.
pub(super) fn busy(name: &str, seconds: u32) -> Problem {
    let detail = format!("The service behind gateway {name} has too much to do just now. Try again later.");
    Problem::new(&kind::GATEWAY_BUSY, detail).retry_after(seconds).with("gateway", name)
}

/// The answer is none that this endpoint gives, so that it could not be limited.
pub(super) fn unreadable(name: &str) -> Problem {
    let detail = format!("The answer can't be read that came from the service behind gateway {name}.");
    Problem::new(&kind::GATEWAY_FAULT, detail).with("gateway", name)
}

/// The form that clients of Prometheus read, Grafana among them.
pub(super) fn for_clients(problem: Problem) -> Problem {
    let error_type = match problem.kind().status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE => "bad_data",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "not_found",
        StatusCode::UNPROCESSABLE_ENTITY => "execution",
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => "timeout",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY => "unavailable",
        _ => "internal",
    };
    problem.for_prometheus(error_type)
}

/// A fault's text as a sentence.
fn sentence(fault: &impl std::fmt::Display) -> String {
    let text = fault.to_string();
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => text,
    }
}
