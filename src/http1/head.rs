//! Reading the head of a message: from the bytes as they arrived to a method or status and header fields.

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};

use super::Malformed;

/// The most header fields of a head.
pub const MOST_HEADERS: usize = 128;

/// Why no head can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadFault {
    /// It breaks the grammar.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is longer, or has more fields, than allowed.
    #[error("the head is too long")]
    TooLong,
}

/// The head of a request, if all of it has arrived; it is then taken out of `inbound`. `seen` is how much was looked at before,
/// so that a head which drips in is not read over and over.
///
/// # Errors
/// [`HeadFault`].
pub fn request_head(
    inbound: &mut BytesMut,
    seen: &mut usize,
    limit: usize,
    spare: &mut HeaderMap,
) -> Result<Option<http::request::Parts>, HeadFault> {
    let Some(head) = take(inbound, seen, limit)? else { return Ok(None) };
    let mut fields = [const { httparse::EMPTY_HEADER }; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut fields);
    // The whole head is here, so partial means that its end is not where it seemed.
    match parsed.parse(&head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Malformed("the head does not end where it should").into()),
        Err(fault) => return Err(reason(fault)),
    }
    let (method, target) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
    let mut parts = Request::new(()).into_parts().0;
    parts.method =
        Method::from_bytes(method.as_bytes()).map_err(|_| Malformed("the method is not one that can be read"))?;
    parts.uri = Uri::from_maybe_shared(head.slice_ref(target.as_bytes()))
        .map_err(|_| Malformed("the request target is not one that can be read"))?;
    parts.version = version(parsed.version);
    parts.headers = headers(&head, parsed.headers, spare)?;
    Ok(Some(parts))
}

/// The head of an answer, if all of it has arrived; as [`request_head`].
///
/// # Errors
/// [`HeadFault`].
pub fn response_head(
    inbound: &mut BytesMut,
    seen: &mut usize,
    limit: usize,
    spare: &mut HeaderMap,
) -> Result<Option<http::response::Parts>, HeadFault> {
    let Some(head) = take(inbound, seen, limit)? else { return Ok(None) };
    let mut fields = [const { httparse::EMPTY_HEADER }; MOST_HEADERS];
    let mut parsed = httparse::Response::new(&mut fields);
    match parsed.parse(&head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Malformed("the head does not end where it should").into()),
        Err(fault) => return Err(reason(fault)),
    }
    let mut parts = Response::new(()).into_parts().0;
    parts.status = StatusCode::from_u16(parsed.code.unwrap_or_default())
        .map_err(|_| Malformed("the status is not one that can be read"))?;
    parts.version = version(parsed.version);
    parts.headers = headers(&head, parsed.headers, spare)?;
    Ok(Some(parts))
}

/// Takes the bytes of a head, with the empty line that ends it, once they are all there. Lines end in CR LF: a lone LF is
/// where implementations disagree (RFC 9112 §2.2 lets a server refuse it).
fn take(inbound: &mut BytesMut, seen: &mut usize, limit: usize) -> Result<Option<Bytes>, HeadFault> {
    // Empty lines before a head (RFC 9112 §2.2).
    while *seen <= 1 && inbound.starts_with(b"\r\n") {
        inbound.advance(2);
        *seen = 0;
    }
    for at in memchr::memchr_iter(b'\n', &inbound[*seen..]).map(|at| at + *seen) {
        if !inbound[..at].ends_with(b"\r") {
            return Err(Malformed("a line does not end in CR LF").into());
        }
        if inbound[..at].ends_with(b"\r\n\r") {
            *seen = 0;
            // A copy of its own size: what keeps a header would otherwise keep the whole buffer.
            let head =
                if at < limit { Bytes::copy_from_slice(&inbound[..=at]) } else { return Err(HeadFault::TooLong) };
            inbound.advance(at + 1);
            return Ok(Some(head));
        }
    }
    *seen = inbound.len();
    if inbound.len() >= limit { Err(HeadFault::TooLong) } else { Ok(None) }
}

fn reason(fault: httparse::Error) -> HeadFault {
    HeadFault::Malformed(Malformed(match fault {
        httparse::Error::TooManyHeaders => return HeadFault::TooLong,
        httparse::Error::Version => "the version is not HTTP/1.1 or HTTP/1.0",
        httparse::Error::HeaderName => "a header's name has a character that can't stand in one",
        httparse::Error::HeaderValue => "a header's value has a character that can't stand in one",
        httparse::Error::Status => "the status line can't be read",
        httparse::Error::NewLine | httparse::Error::Token => "a line of the head can't be read",
    }))
}

fn version(minor: Option<u8>) -> Version {
    if minor == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 }
}

fn headers(head: &Bytes, fields: &[httparse::Header<'_>], spare: &mut HeaderMap) -> Result<HeaderMap, HeadFault> {
    let mut headers = std::mem::take(spare);
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes())
            .map_err(|_| Malformed("a header's name has a character that can't stand in one"))?;
        // An empty value of httparse need not lie in the head.
        let value = if field.value.is_empty() { Bytes::new() } else { head.slice_ref(field.value) };
        let value = HeaderValue::from_maybe_shared(value)
            .map_err(|_| Malformed("a header's value has a character that can't stand in one"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Result<Option<http::request::Parts>, HeadFault> {
        request_head(&mut BytesMut::from(text), &mut 0, 1000, &mut HeaderMap::new())
    }

    #[test]
    fn a_request_is_read() {
        let mut inbound =
            BytesMut::from("\r\nPOST /a?b=c HTTP/1.1\r\nHost: hub\r\nX-A: 1\r\nx-a: 2\r\nX-E:\r\n\r\nbody");
        let head = request_head(&mut inbound, &mut 0, 1000, &mut HeaderMap::new()).expect("good").expect("whole");
        assert_eq!(
            (head.method, head.uri.to_string(), head.version),
            (Method::POST, "/a?b=c".to_owned(), Version::HTTP_11)
        );
        let all: Vec<_> = head.headers.get_all("x-a").iter().collect();
        assert_eq!(all, ["1", "2"]);
        assert_eq!(head.headers["x-e"], "");
        assert_eq!(&inbound[..], b"body", "what follows stays");
    }

    #[test]
    fn a_head_that_drips_in_is_the_same() {
        let whole = b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n";
        let (mut inbound, mut seen) = (BytesMut::new(), 0);
        for (at, byte) in whole.iter().enumerate() {
            inbound.extend_from_slice(&[*byte]);
            let head = request_head(&mut inbound, &mut seen, 1000, &mut HeaderMap::new()).expect("good");
            assert_eq!(head.is_some(), at + 1 == whole.len());
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "GET / HTTP/1.1\nHost: hub\n\n",
            "GET / HTTP/1.1\r\nHost: hub\n\r\n",
            "GET / HTTP/1.1\r\nHost : hub\r\n\r\n",
            "GET / HTTP/1.1\r\nX-A: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nX-A: a\0b\r\n\r\n",
            "GET / HTTP/1.1\r\nX-A: a\rb\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET /a b HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n: x\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "\r\n \r\n\r\n",
        ] {
            assert!(matches!(request(text), Err(HeadFault::Malformed(_))), "{text:?}: {:?}", request(text));
        }
    }

    #[test]
    fn a_head_has_a_limit() {
        let fields = "X-A: b\r\n".repeat(MOST_HEADERS + 1);
        let mut inbound = BytesMut::from(format!("GET / HTTP/1.1\r\n{fields}\r\n").as_str());
        assert_eq!(request_head(&mut inbound, &mut 0, 10_000, &mut HeaderMap::new()).unwrap_err(), HeadFault::TooLong);
        assert_eq!(request(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1000))).unwrap_err(), HeadFault::TooLong);
        assert_eq!(request(&"x".repeat(1000)).unwrap_err(), HeadFault::TooLong);
        assert!(request(&"x".repeat(999)).expect("more may come").is_none());
    }

    #[test]
    fn an_answer_is_read() {
        let mut inbound = BytesMut::from("HTTP/1.0 404\r\nServer: x\r\n\r\n");
        let head = response_head(&mut inbound, &mut 0, 1000, &mut HeaderMap::new()).expect("good").expect("whole");
        assert_eq!((head.status.as_u16(), head.version, head.headers.len()), (404, Version::HTTP_10, 1));
        for text in
            ["HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 999999 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "SSH-2.0\r\n\r\n"]
        {
            assert!(response_head(&mut BytesMut::from(text), &mut 0, 1000, &mut HeaderMap::new()).is_err(), "{text:?}");
        }
    }
}
