//! Reading a body: by its length, in chunks (RFC 9112 §7.1), or until the connection ends.

use bytes::{Buf as _, Bytes, BytesMut};

use super::Malformed;

/// The longest line that begins a chunk, extensions included, in bytes.
const LONGEST_LINE: usize = 4096;
/// The most that trailers may take, in bytes. They are read and dropped: they could say what a header must not.
const MOST_TRAILERS: usize = 16 * 1024;

/// A piece up to this length is copied out of the buffer that it arrived in.
const COPIED: usize = 4 * 1024;

/// Takes a body out of what arrives.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoder(State);

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// So many bytes are left.
    Length(u64),
    /// The line with a chunk's size comes next.
    Size,
    /// So many bytes of a chunk are left.
    Chunk(u64),
    /// The line break behind a chunk comes next.
    ChunkEnd,
    /// Trailers of so many bytes were read; lines until an empty one.
    Trailers(usize),
    /// All until the connection ends.
    UntilClose,
    /// All was read.
    Done,
}

/// What a look at the arrived bytes gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The next piece of the body.
    Piece(Bytes),
    /// More bytes have to arrive first.
    More,
    /// The body has ended.
    End,
}

impl Decoder {
    /// A body of so many bytes.
    #[must_use]
    pub const fn of_length(length: u64) -> Self {
        Self(if length == 0 { State::Done } else { State::Length(length) })
    }

    /// A body in chunks.
    #[must_use]
    pub const fn chunked() -> Self {
        Self(State::Size)
    }

    /// A body that ends with its connection.
    #[must_use]
    pub const fn until_close() -> Self {
        Self(State::UntilClose)
    }

    /// Whether all was read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0 == State::Done
    }

    /// How many bytes are left, where that is known.
    #[must_use]
    pub const fn left(&self) -> Option<u64> {
        match self.0 {
            State::Length(left) => Some(left),
            State::Done => Some(0),
            _ => None,
        }
    }

    /// The next piece out of what has arrived.
    ///
    /// # Errors
    /// [`Malformed`] where the chunks can't be read; the connection is of no use any more.
    pub fn step(&mut self, inbound: &mut BytesMut) -> Result<Step, Malformed> {
        loop {
            match &mut self.0 {
                State::Done => return Ok(Step::End),
                State::UntilClose => {
                    return Ok(if inbound.is_empty() { Step::More } else { Step::Piece(inbound.split().freeze()) });
                }
                State::Length(left) | State::Chunk(left) => {
                    let Some(piece) = take(inbound, left) else { return Ok(Step::More) };
                    if *left == 0 {
                        self.0 = if matches!(self.0, State::Length(_)) { State::Done } else { State::ChunkEnd };
                        // So that the last piece is known to be the last as soon as it can be.
                        self.pass_ends(inbound)?;
                    }
                    return Ok(Step::Piece(piece));
                }
                State::Size | State::ChunkEnd | State::Trailers(_) => {
                    if !self.pass_ends(inbound)? {
                        return Ok(Step::More);
                    }
                }
            }
        }
    }

    /// The connection has ended: whether the body has, too.
    #[must_use]
    pub fn ended_by_close(&mut self) -> bool {
        if self.0 == State::UntilClose {
            self.0 = State::Done;
        }
        self.is_done()
    }

    /// Reads what stands between pieces; `false` if more has to arrive.
    fn pass_ends(&mut self, inbound: &mut BytesMut) -> Result<bool, Malformed> {
        loop {
            match self.0 {
                State::Size => {
                    let Some(line) = line(inbound, LONGEST_LINE)? else { return Ok(false) };
                    let size = size(&line)?;
                    self.0 = if size == 0 { State::Trailers(0) } else { State::Chunk(size) };
                }
                State::ChunkEnd => {
                    if inbound.len() < 2 {
                        return Ok(false);
                    }
                    if !inbound.starts_with(b"\r\n") {
                        return Err(Malformed("a chunk is longer than it says"));
                    }
                    inbound.advance(2);
                    self.0 = State::Size;
                }
                State::Trailers(read) => {
                    let Some(line) = line(inbound, MOST_TRAILERS)? else { return Ok(false) };
                    let read = read + line.len() + 2;
                    if read > MOST_TRAILERS {
                        return Err(Malformed("the trailers are too long"));
                    }
                    self.0 = if line.is_empty() { State::Done } else { State::Trailers(read) };
                }
                State::Length(_) | State::Chunk(_) | State::UntilClose | State::Done => return Ok(true),
            }
        }
    }
}

/// As much as has arrived of what is left.
fn take(inbound: &mut BytesMut, left: &mut u64) -> Option<Bytes> {
    if inbound.is_empty() {
        return None;
    }
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(inbound.len());
    *left -= length as u64;
    if length > COPIED {
        return Some(inbound.split_to(length).freeze());
    }
    // So the buffer stays whole and is used again.
    let piece = Bytes::copy_from_slice(&inbound[..length]);
    inbound.advance(length);
    Some(piece)
}

/// The next line without its end, if all of it has arrived.
fn line(inbound: &mut BytesMut, longest: usize) -> Result<Option<BytesMut>, Malformed> {
    let window = &inbound[..inbound.len().min(longest + 2)];
    let Some(at) = memchr::memchr(b'\n', window) else {
        let too_long = window.len() == longest + 2;
        return if too_long { Err(Malformed("a line between chunks is too long")) } else { Ok(None) };
    };
    let mut line = inbound.split_to(at + 1);
    if !line.ends_with(b"\r\n") {
        return Err(Malformed("a line between chunks does not end in CR LF"));
    }
    line.truncate(at - 1);
    if line.contains(&b'\r') {
        return Err(Malformed("a line between chunks has a lone CR"));
    }
    Ok(Some(line))
}

/// The size that a chunk's line names; extensions are dropped.
fn size(line: &[u8]) -> Result<u64, Malformed> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let rest = line[end..].trim_ascii_start();
    if end == 0 || end > 16 || !(rest.is_empty() || rest.starts_with(b";")) {
        return Err(Malformed("a chunk's size can't be read"));
    }
    let digits = std::str::from_utf8(&line[..end]).unwrap_or_default();
    u64::from_str_radix(digits, 16).map_err(|_| Malformed("a chunk's size can't be read"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body as it comes out when so many bytes arrive at a time, and what is left behind it.
    fn read(mut decoder: Decoder, wire: &[u8], at_a_time: usize) -> Result<(Vec<u8>, bool, Vec<u8>), Malformed> {
        let (mut inbound, mut body) = (BytesMut::new(), Vec::new());
        for piece in wire.chunks(at_a_time.max(1)) {
            inbound.extend_from_slice(piece);
            while let Step::Piece(piece) = decoder.step(&mut inbound)? {
                assert!(!piece.is_empty());
                body.extend_from_slice(&piece);
            }
        }
        Ok((body, decoder.is_done(), inbound.to_vec()))
    }

    #[test]
    fn by_length() {
        assert_eq!(read(Decoder::of_length(5), b"hellonext", 100), Ok((b"hello".to_vec(), true, b"next".to_vec())));
        assert_eq!(read(Decoder::of_length(6), b"hello", 2), Ok((b"hello".to_vec(), false, vec![])));
        assert_eq!(read(Decoder::of_length(0), b"next", 1), Ok((vec![], true, b"next".to_vec())));
    }

    #[test]
    fn in_chunks() {
        let wire = b"5\r\nhello\r\n6;a=\"b\"\r\n world\r\n0\r\nX-T: dropped\r\n\r\nnext";
        for at_a_time in 1..wire.len() {
            let expected = Ok((b"hello world".to_vec(), true, b"next".to_vec()));
            assert_eq!(read(Decoder::chunked(), wire, at_a_time), expected, "{at_a_time}");
        }
    }

    #[test]
    fn the_last_piece_is_known_to_be_the_last() {
        let mut decoder = Decoder::chunked();
        let mut inbound = BytesMut::from(&b"5\r\nhello\r\n0\r\n\r\n"[..]);
        assert_eq!(decoder.step(&mut inbound), Ok(Step::Piece(Bytes::from_static(b"hello"))));
        assert!(decoder.is_done());
    }

    #[test]
    fn sec_24_chunks_that_could_be_read_in_two_ways_are_refused() {
        for wire in [
            &b"5\nhello\r\n0\r\n\r\n"[..],
            b"5\r\nhelloo\r\n0\r\n\r\n",
            b"5\r\nhelloxx0\r\n\r\n",
            b"5\r\nhello\n0\r\n\r\n",
            b"zz\r\nhello",
            b"\r\nhello",
            b"-5\r\nhello",
            b"+5\r\nhello",
            b"0x5\r\nhello",
            b"5 5\r\nhello",
            b"5,5\r\nhello",
            b"fffffffffffffffff\r\nhello",
            b"5\r;\r\nhello",
            b"0\r\nX: y\n\r\n",
        ] {
            assert!(read(Decoder::chunked(), wire, 100).is_err(), "{}", String::from_utf8_lossy(wire));
        }
        let long = format!("5;{}\r\nhello\r\n", "x".repeat(LONGEST_LINE));
        assert!(read(Decoder::chunked(), long.as_bytes(), 100).is_err());
        let trailers = format!("0\r\n{}\r\n", "X-T: y\r\n".repeat(MOST_TRAILERS / 8 + 1));
        assert!(read(Decoder::chunked(), trailers.as_bytes(), 1000).is_err());
    }

    #[test]
    fn until_the_connection_ends() {
        let mut decoder = Decoder::until_close();
        assert_eq!(decoder.step(&mut BytesMut::from(&b"all"[..])), Ok(Step::Piece(Bytes::from_static(b"all"))));
        assert!(!decoder.is_done() && decoder.ended_by_close() && decoder.is_done());
        assert!(!Decoder::of_length(1).ended_by_close() && !Decoder::chunked().ended_by_close());
    }

    proptest! {
        #[test]
        fn whatever_arrives_ends_in_an_answer(wire in proptest::collection::vec(any::<u8>(), 0..200), at_a_time in 1_usize..50) {
            let _ = read(Decoder::chunked(), &wire, at_a_time);
        }

        #[test]
        fn what_was_chunked_comes_out_whole(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..10),
            at_a_time in 1_usize..50,
        ) {
            let mut wire = Vec::new();
            for piece in &pieces {
                wire.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
                wire.extend_from_slice(piece);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\n\r\nnext");
            prop_assert_eq!(read(Decoder::chunked(), &wire, at_a_time), Ok((pieces.concat(), true, b"next".to_vec())));
        }
    }
}
