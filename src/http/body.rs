//! Request bodies: bounded in size and time, and JSON read strictly.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::{
    domain::json,
    http::{kind, problem::Problem},
};

/// The largest JSON body, unless a route says otherwise: 1 MiB.
pub const JSON_LIMIT: usize = 1024 * 1024;

/// The longest a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

/// Reads a whole body of at most `limit` bytes within 30 s.
///
/// # Errors
/// `body-too-large` (413), `request-timeout` (408), or `bad-request` when the connection broke off.
pub async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let collected = tokio::time::timeout(ARRIVAL, Limited::new(body, limit).collect());
    match collected.await {
        Err(_) => Err(Problem::new(
            &kind::REQUEST_TIMEOUT,
            format!("The body did not arrive within {} seconds.", ARRIVAL.as_secs()),
        )),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => {
            Err(Problem::new(&kind::BODY_TOO_LARGE, format!("The body may have at most {limit} bytes.")))
        }
        Ok(Err(_)) => Err(Problem::bad_request("The body ended before it was complete.")),
    }
}

/// A JSON body of at most [`JSON_LIMIT`] bytes, read after the gate has let the request through.
///
/// Accepted as `application/json`, `application/merge-patch+json` or any other `+json` type. A repeated member name is refused
/// at every depth (RFC 7493 §2.3): two parsers could pick different values.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        expect_json(request.headers())?;
        let body = read(request.into_body(), JSON_LIMIT).await?;
        parse_json(&body).map(Self)
    }
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    Err(Problem::new(&kind::UNSUPPORTED_MEDIA_TYPE, "Send the body as JSON, with Content-Type: application/json."))
}

/// Parses JSON text into `T`.
///
/// # Errors
/// `invalid-body` with the line and column, or the member, and what was expected.
pub fn parse_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let document = json::parse(text).map_err(|fault| invalid(&fault))?;
    serde_json::from_value(document).map_err(|fault| invalid(&fault))
}

fn invalid(fault: &serde_json::Error) -> Problem {
    let reason = json::reason(fault);
    Problem::new(&kind::INVALID_BODY, format!("The body can't be read: {reason}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn json_is_read_strictly() {
        let parsed: Value = parse_json(br#"{"a":[1,-2,2.5,null,true,"x"],"b":{}}"#).unwrap();
        assert_eq!(parsed, serde_json::json!({"a":[1,-2,2.5,null,true,"x"],"b":{}}));
        for bad in [&b"{\"a\":1,\"a\":2}"[..], b"[{\"a\":{\"b\":1,\"b\":1}}]", b"{", b"", b"1 2", b"\xff", b"1e999"] {
            assert!(parse_json::<Value>(bad).is_err(), "{bad:?}");
        }
        let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
        assert!(parse_json::<Value>(&deep).is_err());
    }

    #[test]
    fn the_fault_names_its_place() {
        let fault = parse_json::<Value>(b"{\n  \"a\" 1}").unwrap_err();
        assert!(fault.detail().contains("line 2"), "{}", fault.detail());
    }

    #[tokio::test]
    async fn bodies_are_bounded() {
        assert_eq!(read(Body::from("abc"), 3).await.unwrap(), "abc");
        assert_eq!(read(Body::from("abcd"), 3).await.unwrap_err().kind(), &kind::BODY_TOO_LARGE);
    }
}
