//! What is known about a request before any handler sees it.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio::sync::Notify;

use crate::http::problem::Problem;

/// The connection a request came on.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The other end of the TCP connection: a client, or a proxy.
    pub peer: SocketAddr,
    /// Whether the hub itself ended TLS on this connection.
    pub tls: bool,
    /// Whether it came in on `--ops-listen`.
    pub operations: bool,
    /// Closes it from elsewhere.
    pub cut: Cut,
}

/// Closes a connection, or one stream of HTTP/2, from elsewhere: for answers that their reader does not take and that may not
/// go on.
#[derive(Clone, Debug, Default)]
pub struct Cut(Arc<Notify>);

impl Cut {
    /// Closes it at once, whatever is under way on it.
    pub fn cut(&self) {
        // Kept for a server that is not listening at this moment.
        self.0.notify_one();
    }

    /// Waits until somebody wants it closed.
    pub async fn wanted(&self) {
        self.0.notified().await;
    }
}

/// The request's origin and id; every handler can extract it.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext {
    /// The client's address (see [`crate::http::address`]).
    pub address: IpAddr,
    /// Whether the hub itself ended TLS on this connection.
    pub tls: bool,
    /// Whether nobody on the way can read along: TLS here or at a trusted proxy, or a caller on this host.
    pub private: bool,
    /// Whether it came in on `--ops-listen`.
    pub operations: bool,
    /// The id answered as `X-Request-Id`.
    pub id: RequestId,
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().copied().ok_or_else(Problem::internal)
    }
}

/// The id of one request, unique among the nodes of a store for all practical purposes. Never taken from the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    process: u32,
    number: u64,
}

impl RequestId {
    /// Its text: the process in 8 hexadecimal digits, a hyphen, and the number without leading zeros.
    #[must_use]
    pub fn text(self) -> RequestIdText {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit =
            |number: u64, place: usize| DIGITS[usize::from(u8::try_from(number >> (4 * place) & 15).unwrap_or(0))];
        let mut text = RequestIdText { bytes: [b'-'; 25], length: 9 };
        for place in 0..8 {
            text.bytes[7 - place] = digit(self.process.into(), place);
        }
        let digits = (self.number.checked_ilog2().unwrap_or(0) / 4 + 1) as usize;
        for place in (0..digits).rev() {
            text.bytes[text.length] = digit(self.number, place);
            text.length += 1;
        }
        text
    }
}

/// The text of a request's id. Each request has one, so it is written without the machinery of formatting.
#[derive(Clone, Copy, Debug)]
pub struct RequestIdText {
    bytes: [u8; 25],
    length: usize,
}

impl RequestIdText {
    /// Its characters, all of ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(self.text().as_bytes()))
    }
}

/// Hands out request ids: a random part per process, then a counter, so that an id costs no random bytes.
#[derive(Debug)]
pub struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Starts counting; `process` is random per process.
    #[must_use]
    pub const fn new(process: u32) -> Self {
        Self { process, next: AtomicU64::new(1) }
    }

    /// The next id.
    pub fn next(&self) -> RequestId {
        RequestId { process: self.process, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_in_hexadecimal() {
        for (process, number) in [(0, 0), (1, 1), (0xdead_beef, 16), (u32::MAX, u64::MAX), (7, 0xfff), (7, 0x1000)] {
            let id = RequestId { process, number };
            assert_eq!(id.to_string(), format!("{process:08x}-{number:x}"));
        }
    }
}
