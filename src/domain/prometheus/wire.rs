//! Protocol buffers, as far as they are walked field by field, and the few messages that are read whole. Walking first
//! keeps a small message from growing large in memory.

use std::fmt::Write as _;

use bytes::Bytes;
use snap::raw::{Decoder, Encoder, decompress_len};

use super::fault::RequestFault;

/// A message that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a message of this protocol")]
pub(super) struct Malformed;

impl From<Malformed> for RequestFault {
    fn from(fault: Malformed) -> Self {
        Self::Malformed(fault.to_string())
    }
}

impl From<prost::DecodeError> for Malformed {
    fn from(_: prost::DecodeError) -> Self {
        Self
    }
}

/// The fields of a message: number, and content if it is length-delimited.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn next_field(&mut self) -> Result<(u64, Option<&'a [u8]>), Malformed> {
        let key = self.varint()?;
        let content = match key & 7 {
            0 => {
                self.varint()?;
                None
            }
            1 => self.take(8).map(|_| None)?,
            2 => {
                let length = self.varint()?;
                Some(self.take(usize::try_from(length).map_err(|_| Malformed)?)?)
            }
            5 => self.take(4).map(|_| None)?,
            _ => return Err(Malformed),
        };
        Ok((key >> 3, content))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            if shift == 63 && byte > 1 {
                return Err(Malformed);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Option<&'a [u8]>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.next_field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// Writes a length-delimited field.
pub(super) fn put(number: u32, content: &[u8], message: &mut Vec<u8>) {
    prost::encoding::encode_varint(u64::from(number << 3 | 2), message);
    prost::encoding::encode_varint(content.len() as u64, message);
    message.extend_from_slice(content);
}

/// Opens a snappy block of at most so many bytes; its declared size is checked before anything is made for it.
pub(super) fn open(block: &[u8], most: usize) -> Result<Vec<u8>, RequestFault> {
    let broken = |_| RequestFault::Malformed("the body is not a snappy block".to_owned());
    let declared = decompress_len(block).map_err(broken)?;
    if declared > most {
        return Err(RequestFault::TooLarge(format!(
            "the message declares {declared} bytes, at most {most} are read at once"
        )));
    }
    Decoder::new().decompress_vec(block).map_err(broken)
}

/// Closes a message into a snappy block.
pub(super) fn close(message: &[u8]) -> Result<Bytes, RequestFault> {
    let closed = Encoder::new().compress_vec(message);
    closed.map(Bytes::from).map_err(|_| RequestFault::Internal("a message is too large for a snappy block"))
}

/// A label of a series.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, prost::Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// The value of a label.
pub(super) fn value<'a>(labels: &'a [Label], name: &str) -> Option<&'a str> {
    labels.iter().find(|label| label.name == name).map(|label| label.value.as_str())
}

/// A series as a person writes it, shortened.
pub(super) fn text(labels: &[Label]) -> String {
    const MOST: usize = 300;
    let mut text = value(labels, "__name__").unwrap_or_default().to_owned();
    let rest = labels.iter().filter(|label| label.name != "__name__");
    for (at, Label { name, value }) in rest.enumerate() {
        // Writing to a string can't fail.
        let _ = write!(text, "{}{name}={value:?}", if at == 0 { "{" } else { ", " });
        if text.len() > MOST {
            let end = (0..=MOST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
            text.truncate(end);
            return text + "…";
        }
    }
    if text.contains('{') { text + "}" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_walked() {
        let mut message = vec![0x08, 0x96, 0x01];
        put(2, b"ab", &mut message);
        message.extend([0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8]);
        let found: Result<Vec<_>, _> = Fields(&message).collect();
        assert_eq!(found.unwrap(), [(1, None), (2, Some(&b"ab"[..])), (3, None), (4, None)]);
        for bad in [&[0x0a, 5, 1][..], &[0x0b], &[0x80], &[0x0d, 1], &[0x09, 1], &[0x08], &[0xff; 11]] {
            assert!(Fields(bad).any(|field| field.is_err()), "{bad:?}");
        }
    }

    #[test]
    fn a_bomb_is_not_opened() {
        // Declares 4 GiB - 1.
        let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0];
        assert!(matches!(open(&bomb, 1024), Err(RequestFault::TooLarge(_))));
        let much = close(&vec![0; 1_000_000]).unwrap();
        assert!(much.len() < 100_000);
        assert!(matches!(open(&much, 999_999), Err(RequestFault::TooLarge(_))));
        assert_eq!(open(&much, 1_000_000).unwrap().len(), 1_000_000);
        for broken in [&b""[..], b"\x05", b"\x05hello", b"\xff\xff\xff\xff\xff\xff"] {
            assert!(open(broken, 1024).is_err() || open(broken, 1024).unwrap().is_empty(), "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Fields(&bytes).count();
            let _ = open(&bytes, 1 << 20);
        }
    }
}
