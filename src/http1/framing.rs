//! Where the body of a message ends (RFC 9112 §6.3). What leaves a doubt is refused: two implementations that resolve it
//! differently are how requests are smuggled.

use http::{HeaderMap, Method, StatusCode, Version, header};

use super::{Decoder, Malformed};

/// How the body of a request is read.
///
/// # Errors
/// [`Malformed`] where the head leaves a doubt; the connection must be closed.
pub fn of_request(version: Version, headers: &HeaderMap) -> Result<Decoder, Malformed> {
    match (is_chunked(version, headers)?, length(headers)?) {
        (true, Some(_)) => Err(Malformed("the head has both Content-Length and Transfer-Encoding")),
        (true, None) => Ok(Decoder::chunked()),
        (false, length) => Ok(Decoder::of_length(length.unwrap_or(0))),
    }
}

/// How the body of an answer to `method` is read, and whether the connection may be used again afterwards as far as the body
/// goes.
///
/// # Errors
/// [`Malformed`] where the head leaves a doubt.
pub fn of_response(
    method: &Method,
    status: StatusCode,
    version: Version,
    headers: &HeaderMap,
) -> Result<(Decoder, bool), Malformed> {
    if method == Method::HEAD
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    {
        return Ok((Decoder::of_length(0), true));
    }
    match (is_chunked(version, headers)?, length(headers)?) {
        // The chunks count, but whoever sends both may mean something else by it.
        (true, length) => Ok((Decoder::chunked(), length.is_none())),
        (false, Some(length)) => Ok((Decoder::of_length(length), true)),
        (false, None) => Ok((Decoder::until_close(), false)),
    }
}

/// Whether `Connection` holds this word (RFC 9110 §7.6.1).
#[must_use]
pub fn connection_says(headers: &HeaderMap, word: &[u8]) -> bool {
    let values = headers.get_all(header::CONNECTION).iter();
    let mut words = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    words.any(|said| said.trim_ascii().eq_ignore_ascii_case(word))
}

/// Whether the body comes in chunks and nothing else. Other codings are not ours to undo.
fn is_chunked(version: Version, headers: &HeaderMap) -> Result<bool, Malformed> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(false),
        // RFC 9112 §6.1: HTTP/1.0 knows none.
        (Some(coding), None)
            if version != Version::HTTP_10 && coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") =>
        {
            Ok(true)
        }
        _ => Err(Malformed("the Transfer-Encoding is not “chunked” alone")),
    }
}

/// The one length that the head gives.
fn length(headers: &HeaderMap) -> Result<Option<u64>, Malformed> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(first) = lengths.next() else { return Ok(None) };
    if lengths.any(|other| other != first) {
        return Err(Malformed("the head has two Content-Length that differ"));
    }
    let digits = first.as_bytes();
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten();
    number.map(Some).ok_or(Malformed("the Content-Length is no length"))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut map = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            map.append(name, value);
        }
        map
    }

    #[test]
    fn requests() {
        let of = |pairs: &[_]| of_request(Version::HTTP_11, &headers(pairs));
        assert_eq!(of(&[]), Ok(Decoder::of_length(0)));
        assert_eq!(of(&[("content-length", "5")]), Ok(Decoder::of_length(5)));
        assert_eq!(of(&[("content-length", "5"), ("content-length", "5")]), Ok(Decoder::of_length(5)));
        assert_eq!(of(&[("transfer-encoding", "Chunked")]), Ok(Decoder::chunked()));
        for doubtful in [
            &[("content-length", "5"), ("transfer-encoding", "chunked")][..],
            &[("content-length", "5"), ("content-length", "6")],
            &[("content-length", "5, 5")],
            &[("content-length", "+5")],
            &[("content-length", "-5")],
            &[("content-length", "0x5")],
            &[("content-length", "")],
            &[("content-length", "99999999999999999999")],
            &[("transfer-encoding", "identity")],
            &[("transfer-encoding", "gzip, chunked")],
            &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
            &[("transfer-encoding", "xchunked")],
            &[("transfer-encoding", "")],
        ] {
            assert!(of(doubtful).is_err(), "{doubtful:?}");
        }
        assert!(of_request(Version::HTTP_10, &headers(&[("transfer-encoding", "chunked")])).is_err());
    }

    #[test]
    fn answers() {
        let of = |method: Method, status: u16, pairs: &[_]| {
            of_response(&method, StatusCode::from_u16(status).unwrap(), Version::HTTP_11, &headers(pairs))
        };
        let length = ("content-length", "5");
        let chunked = ("transfer-encoding", "chunked");
        assert_eq!(of(Method::GET, 200, &[length]), Ok((Decoder::of_length(5), true)));
        assert_eq!(of(Method::HEAD, 200, &[length]), Ok((Decoder::of_length(0), true)));
        assert_eq!(of(Method::GET, 204, &[length]), Ok((Decoder::of_length(0), true)));
        assert_eq!(of(Method::GET, 304, &[length]), Ok((Decoder::of_length(0), true)));
        assert_eq!(of(Method::GET, 200, &[]), Ok((Decoder::until_close(), false)));
        assert_eq!(of(Method::GET, 200, &[chunked]), Ok((Decoder::chunked(), true)));
        assert_eq!(of(Method::GET, 200, &[chunked, length]), Ok((Decoder::chunked(), false)));
        assert!(of(Method::GET, 200, &[("transfer-encoding", "gzip, chunked")]).is_err());
        assert!(of(Method::GET, 200, &[length, ("content-length", "6")]).is_err());
    }
}
