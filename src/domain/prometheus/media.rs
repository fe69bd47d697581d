//! Content types: which bodies are read, and what the hub's own are called. Headers between caller and upstream.

use super::fault::RequestFault;
use super::request::Received;

/// The headers of a caller that go up, besides those that belong to the body, which the hub makes. Tenant headers are not
/// among them: they are a gateway's setting.
pub const REQUEST_HEADERS: [&str; 8] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-prometheus-scrape-timeout-seconds",
];

/// The headers of an upstream that come down.
pub const ANSWER_HEADERS: [&str; 8] =
    ["cache-control", "content-encoding", "content-type", "date", "expires", "last-modified", "retry-after", "vary"];

/// A body of the hub's own making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// Parameters.
    Form,
    /// A remote read request.
    Read,
    /// A remote write request.
    Write,
}

impl Media {
    /// The headers that belong to it.
    pub(super) const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Form => &[("content-type", "application/x-www-form-urlencoded")],
            Self::Read => &[
                ("content-type", "application/x-protobuf"),
                ("content-encoding", "snappy"),
                ("x-prometheus-remote-read-version", "0.1.0"),
            ],
            Self::Write => &[
                ("content-type", "application/x-protobuf"),
                ("content-encoding", "snappy"),
                ("x-prometheus-remote-write-version", "0.1.0"),
            ],
        }
    }
}

/// Checks that the body of a POST is a plain form, or empty.
///
/// Upstreams take a multipart body for parameters too, and ignore a body without a content type.
pub(super) fn check_form(received: &Received<'_>) -> Result<(), RequestFault> {
    if received.content_encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(RequestFault::Media("the form must not be compressed"));
    }
    match received.content_type.map(essence) {
        Some(essence) if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") => Ok(()),
        None if received.body.is_empty() => Ok(()),
        _ => Err(RequestFault::Media("the body must be a form: Content-Type: application/x-www-form-urlencoded")),
    }
}

/// Checks that the body is a protocol message of the first version, compressed as the protocol says.
pub(super) fn check_message(received: &Received<'_>, name: &str) -> Result<(), RequestFault> {
    const TYPE: RequestFault = RequestFault::Media(
        "the body must be a remote read or remote write message of version 1: Content-Type: application/x-protobuf; \
         version 2 and OTLP are not read",
    );
    let content_type = received.content_type.ok_or(TYPE)?;
    if !essence(content_type).eq_ignore_ascii_case("application/x-protobuf") {
        return Err(TYPE);
    }
    for parameter in content_type.split(';').skip(1).map(str::trim).filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if key.trim().eq_ignore_ascii_case("proto") && value.trim().trim_matches('"') != name {
            return Err(TYPE);
        }
    }
    if received.content_encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("snappy")) {
        return Ok(());
    }
    Err(RequestFault::Media("the body must be compressed with snappy: Content-Encoding: snappy"))
}

fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn received(content_type: Option<&'static str>, encoding: Option<&'static str>) -> Received<'static> {
        Received { query: None, content_type, content_encoding: encoding, body: Bytes::from_static(b"query=up") }
    }

    /// SECURITY 26: upstreams read these differently, so they are not passed on.
    #[test]
    fn sec_26_only_plain_forms_are_read() {
        check_form(&received(Some("application/x-www-form-urlencoded; charset=UTF-8"), None)).unwrap();
        check_form(&Received::default()).unwrap();
        for bad in ["multipart/form-data; boundary=x", "text/plain", "application/json", "", "application/x-protobuf"] {
            assert!(matches!(check_form(&received(Some(bad), None)), Err(RequestFault::Media(_))), "{bad}");
        }
        assert!(check_form(&received(None, None)).is_err());
        assert!(check_form(&received(Some("application/x-www-form-urlencoded"), Some("gzip"))).is_err());
    }

    #[test]
    fn only_the_first_version_of_messages_is_read() {
        let name = "prometheus.WriteRequest";
        for good in ["application/x-protobuf", "application/x-protobuf;proto=prometheus.WriteRequest"] {
            check_message(&received(Some(good), Some("snappy")), name).unwrap();
        }
        for bad in [
            "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "application/x-protobuf; charset=x; PROTO=\"io.prometheus.write.v2.Request\"",
            "application/json",
            "text/plain",
        ] {
            assert!(check_message(&received(Some(bad), Some("snappy")), name).is_err(), "{bad}");
        }
        for bad in [None, Some("zstd"), Some("gzip"), Some("identity"), Some("snappy, gzip")] {
            assert!(check_message(&received(Some("application/x-protobuf"), bad), name).is_err(), "{bad:?}");
        }
        assert!(check_message(&received(None, Some("snappy")), name).is_err());
    }

    /// SECURITY 24: a tenant is a gateway's setting, credentials and cookies stay on their side.
    #[test]
    fn sec_24_headers_that_are_not_listed_stay_where_they_are() {
        for never in
            ["authorization", "cookie", "x-scope-orgid", "thanos-tenant", "accountid", "x-forwarded-for", "host"]
        {
            assert!(!REQUEST_HEADERS.contains(&never), "{never}");
        }
        for never in ["set-cookie", "strict-transport-security", "access-control-allow-origin", "location"] {
            assert!(!ANSWER_HEADERS.contains(&never), "{never}");
        }
    }
}
