//! A connection's bytes: what has arrived and was not read yet, and what is written and has not left yet.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};

/// Room for what is read at once, at first and at most: it grows while reads fill it.
const ROOM: usize = 8 * 1024;
const MOST_ROOM: usize = 64 * 1024;
/// A piece up to this length is copied behind what waits, so that both leave in one write; a longer one is written in place.
const COPIED: usize = 4 * 1024;
/// So much may wait before it has to leave.
const MOST_WAITING: usize = 16 * 1024;

/// A stream with its two buffers.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    /// What has arrived and was not read yet.
    pub inbound: BytesMut,
    outbound: BytesMut,
    /// Leaves after `outbound`, and `after` after it.
    piece: Bytes,
    after: &'static [u8],
    room: usize,
    /// Whether any byte left since it was counted anew.
    left: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// A stream on which nothing was read or written yet.
    pub fn new(stream: S) -> Self {
        let (inbound, outbound) = (BytesMut::new(), BytesMut::new());
        Self { stream, inbound, outbound, piece: Bytes::new(), after: b"", room: ROOM, left: false }
    }

    /// Reads what arrives; how many bytes, 0 when the other side has ended.
    ///
    /// # Errors
    /// The stream's.
    pub fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let room = self.room;
        if self.inbound.capacity() - self.inbound.len() < room / 2 {
            self.inbound.reserve(room);
        }
        let free = self.inbound.capacity() - self.inbound.len();
        let count = ready!(pin!(self.stream.read_buf(&mut self.inbound)).poll(context))?;
        self.room = if count == free {
            (room * 2).min(MOST_ROOM)
        } else if count < room / 4 {
            ROOM
        } else {
            room
        };
        Poll::Ready(Ok(count))
    }

    /// Where to write next. Nothing may be written while [`Self::is_full`].
    pub fn out(&mut self) -> &mut BytesMut {
        debug_assert!(self.piece.is_empty(), "what was put before leaves first");
        &mut self.outbound
    }

    /// Writes a piece of a body and `after` behind it.
    pub fn put(&mut self, piece: Bytes, after: &'static [u8]) {
        if piece.len() <= COPIED {
            let out = self.out();
            out.extend_from_slice(&piece);
            out.extend_from_slice(after);
        } else {
            debug_assert!(self.piece.is_empty(), "what was put before leaves first");
            (self.piece, self.after) = (piece, after);
        }
    }

    /// Gives back the memory that a large message took, when nothing waits.
    pub fn rest(&mut self) {
        if self.inbound.is_empty() && self.inbound.capacity() > 2 * ROOM {
            self.inbound = BytesMut::new();
            self.room = ROOM;
        }
        if self.outbound.is_empty() && self.outbound.capacity() > 2 * ROOM {
            self.outbound = BytesMut::new();
        }
    }

    /// Whether what waits has to leave before more is written.
    pub fn is_full(&self) -> bool {
        !self.piece.is_empty() || self.outbound.len() >= MOST_WAITING
    }

    /// Drops what waits: the other side takes no more.
    pub fn forget(&mut self) {
        self.outbound.clear();
        (self.piece, self.after) = (Bytes::new(), b"");
    }

    /// Whether nothing waits to leave.
    pub fn is_flushed(&self) -> bool {
        self.piece.is_empty() && self.outbound.is_empty()
    }

    /// Counts anew whether any byte has left.
    pub fn count_anew(&mut self) {
        self.left = false;
    }

    /// Whether any byte has left since it was counted anew.
    pub fn has_left(&self) -> bool {
        self.left
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// The stream's.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_flushed() {
            return Pin::new(&mut self.stream).poll_flush(context);
        }
        while !self.is_flushed() {
            let stream = Pin::new(&mut self.stream);
            let count = if self.piece.is_empty() {
                ready!(stream.poll_write(context, &self.outbound))?
            } else {
                let slices = [IoSlice::new(&self.outbound), IoSlice::new(&self.piece), IoSlice::new(self.after)];
                let skipped = usize::from(self.outbound.is_empty());
                ready!(stream.poll_write_vectored(context, &slices[skipped..]))?
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.left = true;
            self.sent(count);
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn sent(&mut self, count: usize) {
        let of_outbound = count.min(self.outbound.len());
        self.outbound.advance(of_outbound);
        let of_piece = (count - of_outbound).min(self.piece.len());
        self.piece.advance(of_piece);
        if self.piece.is_empty() {
            // The buffer is given back now, not when the next piece comes.
            self.piece = Bytes::new();
            let of_after = count - of_outbound - of_piece;
            self.outbound.extend_from_slice(&std::mem::take(&mut self.after)[of_after..]);
        }
    }

    /// Sends what waits and tells the other side that nothing follows.
    ///
    /// # Errors
    /// The stream's.
    pub fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn what_is_put_leaves_in_order_however_little_fits() {
        for room in [1, 3, 7, 5000, 100_000] {
            let (here, mut there) = duplex(room);
            let long = Bytes::from(vec![b'x'; COPIED + 10]);
            let expected = [&b"head"[..], b"short", b"\r\n", &long, b"\r\n", b"end"].concat();
            let reader = tokio::spawn(async move {
                let mut all = Vec::new();
                there.read_to_end(&mut all).await.expect("read");
                all
            });
            let mut wire = Wire::new(here);
            assert!(!wire.has_left());
            wire.out().extend_from_slice(b"head");
            wire.put(Bytes::from_static(b"short"), b"\r\n");
            wire.put(long, b"\r\n");
            assert!(wire.is_full());
            poll_fn(|context| wire.poll_flush(context)).await.expect("sent");
            assert!(wire.is_flushed() && wire.has_left());
            wire.count_anew();
            assert!(!wire.has_left());
            wire.out().extend_from_slice(b"end");
            poll_fn(|context| wire.poll_shutdown(context)).await.expect("sent");
            drop(wire);
            assert_eq!(reader.await.expect("read"), expected, "{room}");
        }
    }

    #[tokio::test]
    async fn room_grows_with_what_arrives_and_shrinks_again() {
        let (here, mut there) = duplex(1 << 20);
        let mut wire = Wire::new(here);
        there.write_all(&vec![1; 400_000]).await.expect("written");
        let (mut largest, mut all) = (0, 0);
        while all < 400_000 {
            let count = poll_fn(|context| wire.poll_fill(context)).await.expect("read");
            largest = largest.max(count);
            all += count;
            wire.inbound.clear();
        }
        assert!(largest >= MOST_ROOM / 2, "{largest}");
        there.write_all(b"x").await.expect("written");
        poll_fn(|context| wire.poll_fill(context)).await.expect("read");
        assert_eq!(wire.room, ROOM);
        wire.rest();
        assert!(wire.inbound.capacity() >= MOST_ROOM / 2, "something waits to be read");
        wire.inbound.clear();
        wire.rest();
        assert_eq!(wire.inbound.capacity(), 0);
        drop(there);
        assert_eq!(poll_fn(|context| wire.poll_fill(context)).await.expect("read"), 0);
    }
}
