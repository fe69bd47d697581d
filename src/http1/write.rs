//! Writing heads and bodies.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, Method, StatusCode, Version, header};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Wire;

/// How the other side is told where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none, and nothing is said of it.
    None,
    /// There is none; a length among the headers is that of another answer (to GET, or of what is cached).
    Elsewhere,
    /// So many bytes.
    Known(u64),
    /// In chunks.
    Chunked,
    /// It ends with the connection.
    UntilClose,
}

impl BodyLength {
    /// How an answer's body is sent; `exact` is its length, where that is known.
    #[must_use]
    pub fn of_response(method: &Method, status: StatusCode, version: Version, exact: Option<u64>) -> Self {
        match exact {
            _ if status.is_informational() || status == StatusCode::NO_CONTENT => Self::None,
            _ if method == Method::HEAD || status == StatusCode::NOT_MODIFIED => Self::Elsewhere,
            Some(length) => Self::Known(length),
            None if version == Version::HTTP_10 => Self::UntilClose,
            None => Self::Chunked,
        }
    }

    /// How a request's body is sent. A method that stands for a body says so even if that is empty (RFC 9110 §8.6).
    #[must_use]
    pub fn of_request(method: &Method, exact: Option<u64>) -> Self {
        match exact {
            Some(0) if ![Method::POST, Method::PUT, Method::PATCH].contains(method) => Self::None,
            Some(length) => Self::Known(length),
            None => Self::Chunked,
        }
    }

    fn write(self, out: &mut BytesMut) {
        match self {
            Self::Known(length) => {
                // Writing to memory can't fail.
                let _ = write!(out, "content-length: {length}\r\n");
            }
            Self::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            Self::None | Self::Elsewhere | Self::UntilClose => {}
        }
    }
}

/// Sends a body, piece by piece, as its head announced.
#[derive(Debug)]
pub struct Encoder(BodyLength);

/// The body is not as long as was announced; nothing more may be sent on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not as long as announced")]
pub struct WrongLength;

impl Encoder {
    /// For a body that was announced so.
    #[must_use]
    pub const fn new(length: BodyLength) -> Self {
        Self(length)
    }

    /// Whether there may be pieces.
    #[must_use]
    pub const fn wants_pieces(&self) -> bool {
        !matches!(self.0, BodyLength::None | BodyLength::Elsewhere | BodyLength::Known(0))
    }

    /// Writes the next piece.
    ///
    /// # Errors
    /// [`WrongLength`].
    pub fn piece<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        piece: Bytes,
    ) -> Result<(), WrongLength> {
        if piece.is_empty() {
            return Ok(());
        }
        match &mut self.0 {
            BodyLength::None | BodyLength::Elsewhere => return Err(WrongLength),
            BodyLength::Known(left) => {
                *left = left.checked_sub(piece.len() as u64).ok_or(WrongLength)?;
                wire.put(piece, b"");
            }
            BodyLength::Chunked => {
                let _ = write!(wire.out(), "{:x}\r\n", piece.len());
                wire.put(piece, b"\r\n");
            }
            BodyLength::UntilClose => wire.put(piece, b""),
        }
        Ok(())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// [`WrongLength`].
    pub fn end<S: AsyncRead + AsyncWrite + Unpin>(&self, wire: &mut Wire<S>) -> Result<(), WrongLength> {
        match self.0 {
            BodyLength::Known(1..) => return Err(WrongLength),
            BodyLength::Chunked => wire.out().extend_from_slice(b"0\r\n\r\n"),
            BodyLength::Known(0) | BodyLength::None | BodyLength::Elsewhere | BodyLength::UntilClose => {}
        }
        Ok(())
    }
}

/// Writes the head of a request. `prefix` stands before `target`; `host` is the upstream's. Headers about the connection and the
/// body's length are not taken from `headers`.
pub fn request_head_of(
    out: &mut BytesMut,
    (method, prefix, target): (&Method, &str, &str),
    host: &str,
    headers: &HeaderMap,
    length: BodyLength,
) {
    for text in [method.as_str(), " ", prefix, target, " HTTP/1.1\r\nhost: ", host, "\r\n"] {
        out.extend_from_slice(text.as_bytes());
    }
    fields(out, headers, |name| is_framing(name) || *name == header::HOST);
    length.write(out);
    out.extend_from_slice(b"\r\n");
}

/// What an answer says of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It goes on, as HTTP/1.1 has it without a word.
    GoesOn,
    /// It goes on, which HTTP/1.0 has to be told.
    KeepAlive,
    /// It ends.
    Closes,
}

/// Writes the head of an answer. Headers about the connection are not taken from `headers`; a length only where it is that of
/// another answer. `date` where `headers` has none.
pub fn response_head_of(
    out: &mut BytesMut,
    status: StatusCode,
    headers: &HeaderMap,
    length: BodyLength,
    afterwards: Afterwards,
    date: Option<&str>,
) {
    out.extend_from_slice(b"HTTP/1.1 ");
    for text in [status.as_str(), " ", status.canonical_reason().unwrap_or("Unknown"), "\r\n"] {
        out.extend_from_slice(text.as_bytes());
    }
    fields(out, headers, |name| {
        is_framing(name) && !(length == BodyLength::Elsewhere && *name == header::CONTENT_LENGTH)
    });
    length.write(out);
    if let Some(date) = date {
        for text in ["date: ", date, "\r\n"] {
            out.extend_from_slice(text.as_bytes());
        }
    }
    out.extend_from_slice(match afterwards {
        Afterwards::GoesOn => b"\r\n",
        Afterwards::KeepAlive => b"connection: keep-alive\r\n\r\n",
        Afterwards::Closes => b"connection: close\r\n\r\n",
    });
}

/// About the connection, or about where the body ends: whoever writes the message says it.
fn is_framing(name: &HeaderName) -> bool {
    *name == header::CONTENT_LENGTH || *name == header::TRANSFER_ENCODING || *name == header::CONNECTION
}

fn fields(out: &mut BytesMut, headers: &HeaderMap, left_out: impl Fn(&HeaderName) -> bool) {
    for (name, value) in headers {
        if !left_out(name) {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// The text of `Date` (RFC 9110 §6.6.1), made once a second.
#[derive(Debug, Default)]
pub struct Date {
    second: i64,
    text: String,
}

impl Date {
    /// The text for a second since the epoch.
    pub fn at(&mut self, second: i64) -> &str {
        if self.second != second || self.text.is_empty() {
            let since = Duration::from_secs(u64::try_from(second).unwrap_or_default());
            (self.second, self.text) = (second, httpdate::fmt_http_date(UNIX_EPOCH + since));
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tokio::io::duplex;

    use super::*;

    fn headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-a", HeaderValue::from_static("1"));
        headers.append("x-a", HeaderValue::from_static("2"));
        headers.insert("host", HeaderValue::from_static("elsewhere"));
        headers.insert("connection", HeaderValue::from_static("x-a"));
        headers.insert("content-length", HeaderValue::from_static("77"));
        headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
        headers
    }

    fn text(out: &BytesMut) -> &str {
        std::str::from_utf8(out).expect("text")
    }

    #[test]
    fn a_request_says_of_its_body_what_is_sent() {
        for (length, line) in [
            (BodyLength::None, ""),
            (BodyLength::Known(5), "content-length: 5\r\n"),
            (BodyLength::Chunked, "transfer-encoding: chunked\r\n"),
        ] {
            let mut out = BytesMut::new();
            request_head_of(&mut out, (&Method::PUT, "/v1", "/a?b"), "up:1", &headers(), length);
            let expected = format!("PUT /v1/a?b HTTP/1.1\r\nhost: up:1\r\nx-a: 1\r\nx-a: 2\r\n{line}\r\n");
            assert_eq!(text(&out), expected);
        }
    }

    #[test]
    fn an_answer_says_of_its_body_what_is_sent() {
        let date = "Tue, 14 Nov 2023 22:13:20 GMT";
        for (length, afterwards, lines) in [
            (BodyLength::Known(5), Afterwards::GoesOn, "content-length: 5\r\n".to_owned() + "date: " + date + "\r\n"),
            (BodyLength::None, Afterwards::GoesOn, format!("date: {date}\r\n")),
            (BodyLength::UntilClose, Afterwards::Closes, format!("date: {date}\r\nconnection: close\r\n")),
            (BodyLength::Chunked, Afterwards::GoesOn, format!("transfer-encoding: chunked\r\ndate: {date}\r\n")),
        ] {
            let mut out = BytesMut::new();
            let mut headers = headers();
            headers.remove("host");
            response_head_of(
                &mut out,
                StatusCode::OK,
                &headers,
                length,
                afterwards,
                Some(Date::default().at(1_700_000_000)),
            );
            assert_eq!(text(&out), format!("HTTP/1.1 200 OK\r\nx-a: 1\r\nx-a: 2\r\n{lines}\r\n"));
        }
        let mut out = BytesMut::new();
        response_head_of(
            &mut out,
            StatusCode::OK,
            &headers(),
            BodyLength::Elsewhere,
            Afterwards::KeepAlive,
            Some(date),
        );
        assert!(text(&out).contains("content-length: 77\r\n") && !text(&out).contains("chunked"), "{}", text(&out));
        assert!(text(&out).ends_with("connection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn how_bodies_are_sent() {
        let answer = |method, status: u16, version, exact| {
            BodyLength::of_response(&method, StatusCode::from_u16(status).unwrap(), version, exact)
        };
        assert_eq!(answer(Method::GET, 200, Version::HTTP_11, Some(0)), BodyLength::Known(0));
        assert_eq!(answer(Method::GET, 200, Version::HTTP_11, None), BodyLength::Chunked);
        assert_eq!(answer(Method::GET, 200, Version::HTTP_10, None), BodyLength::UntilClose);
        assert_eq!(answer(Method::GET, 204, Version::HTTP_11, Some(0)), BodyLength::None);
        assert_eq!(answer(Method::GET, 304, Version::HTTP_11, Some(0)), BodyLength::Elsewhere);
        assert_eq!(answer(Method::HEAD, 200, Version::HTTP_11, None), BodyLength::Elsewhere);
        assert_eq!(BodyLength::of_request(&Method::GET, Some(0)), BodyLength::None);
        assert_eq!(BodyLength::of_request(&Method::POST, Some(0)), BodyLength::Known(0));
        assert_eq!(BodyLength::of_request(&Method::POST, None), BodyLength::Chunked);
    }

    #[tokio::test]
    async fn a_body_is_as_long_as_announced() {
        let mut wire = Wire::new(duplex(100).0);
        let five = || Bytes::from_static(b"hello");
        let mut known = Encoder::new(BodyLength::Known(5));
        assert_eq!(known.piece(&mut wire, five()), Ok(()));
        assert_eq!(known.piece(&mut wire, five()), Err(WrongLength));
        assert_eq!(Encoder::new(BodyLength::Known(5)).end(&mut wire), Err(WrongLength));
        assert_eq!(Encoder::new(BodyLength::None).piece(&mut wire, five()), Err(WrongLength));
        wire.out().clear();
        let mut chunked = Encoder::new(BodyLength::Chunked);
        chunked.piece(&mut wire, Bytes::new()).expect("nothing, which would end it");
        chunked.piece(&mut wire, five()).expect("written");
        chunked.end(&mut wire).expect("ended");
        assert_eq!(text(wire.out()), "5\r\nhello\r\n0\r\n\r\n");
    }
}
