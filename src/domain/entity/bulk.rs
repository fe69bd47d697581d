//! Many entities in one document: NDJSON, an entity in each line.

use super::{AttributeFault, Attributes, DocumentFault, EntityDocument, EntityId, EntityIdFault, EntityRefusal};
use crate::domain::json;

/// A document as it was sent. Its lines are read whenever they are asked for, because all of them, once read, would take
/// many times the room.
#[derive(Clone, Copy, Debug)]
pub struct BulkDocument<'a>(&'a [u8]);

/// One line: an entity as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkLine {
    /// Its number, counted from 1 as editors do.
    pub number: usize,
    /// The bytes it takes.
    pub bytes: usize,
    /// Which entity.
    pub id: EntityId,
    /// All of its attributes.
    pub attributes: Attributes,
}

/// A line that can't be taken. Nothing of the document is, then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LineFault {
    /// The line's number, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: LineReason,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineReason {
    /// More lines than [`BulkDocument::MAX_LINES`].
    #[error("a document has at most {max} lines", max = BulkDocument::MAX_LINES)]
    TooMany,
    /// Longer than [`BulkDocument::MAX_LINE_BYTES`].
    #[error("a line has at most {max} bytes", max = BulkDocument::MAX_LINE_BYTES)]
    TooLong,
    /// No JSON.
    #[error("it can't be read: {0}")]
    Syntax(String),
    /// JSON of another form.
    #[error("it is not an entity: {0}")]
    Document(#[from] DocumentFault),
    /// It does not say which entity it is.
    #[error("it has no id: give {{\"id\": \"…\", \"attributes\": {{…}}}}")]
    NoId,
    /// An id that can't be one.
    #[error("{0}")]
    Id(#[from] EntityIdFault),
    /// Attributes that can't be kept.
    #[error("{0}")]
    Attributes(#[from] AttributeFault),
    /// The caller may not write it.
    #[error("{0}")]
    Refused(#[from] EntityRefusal),
}

impl<'a> BulkDocument<'a> {
    /// The largest document, in bytes.
    pub const MAX_BYTES: usize = 64 * 1024 * 1024;
    /// The most lines that hold something.
    pub const MAX_LINES: usize = 100_000;
    /// The longest line, in bytes, its end not counted.
    pub const MAX_LINE_BYTES: usize = 1024 * 1024;

    /// A document of that text.
    #[must_use]
    pub const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// Its lines in order, each read when it is reached; those without anything in them are passed over.
    pub fn lines(self) -> impl Iterator<Item = Result<BulkLine, LineFault>> + Send + 'a {
        let numbered = self.0.split(|byte| *byte == b'\n').zip(1..);
        let written = numbered.filter(|(text, _)| !text.trim_ascii().is_empty());
        written.zip(1..).map(|((text, line), position)| {
            let fault = |reason| LineFault { line, reason };
            if position > Self::MAX_LINES {
                return Err(fault(LineReason::TooMany));
            }
            let (id, attributes) = read(text).map_err(fault)?;
            Ok(BulkLine { number: line, bytes: text.len(), id, attributes })
        })
    }
}

fn read(text: &[u8]) -> Result<(EntityId, Attributes), LineReason> {
    if text.len() > BulkDocument::MAX_LINE_BYTES {
        return Err(LineReason::TooLong);
    }
    let value = json::parse(text).map_err(|fault| LineReason::Syntax(json::reason(&fault)))?;
    let document = EntityDocument::try_from(value)?;
    let id = EntityId::parse(document.id.ok_or(LineReason::NoId)?)?;
    Ok((id, Attributes::new(document.attributes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(usize, String)>, LineFault> {
        let lines = BulkDocument::new(text.as_bytes()).lines();
        lines.map(|line| line.map(|line| (line.number, line.id.to_string()))).collect()
    }

    #[test]
    fn lines_keep_their_numbers() {
        let text = "{\"id\":\"a\",\"attributes\":{}}\r\n\n  {\"id\":\"b\",\"attributes\":{\"k\":\"v\"}}\n";
        assert_eq!(read(text), Ok(vec![(1, "a".to_owned()), (3, "b".to_owned())]));
        assert_eq!(read(""), Ok(vec![]));
    }

    #[test]
    fn the_line_that_can_t_be_taken_is_named() {
        let good = "{\"id\":\"a\",\"attributes\":{}}\n\n";
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for (bad, wanted) in [
            ("{\"id\":\"a\"", "can't be read"),
            ("{\"id\":\"a\",\"id\":\"b\",\"attributes\":{}}", "repeated"),
            ("[]", "not an entity"),
            ("{\"attributes\":{}}", "no id"),
            ("{\"id\":\"a\"}", "attributes is missing"),
            ("{\"id\":\"a\",\"attributes\":{\"k\":1}}", "attributes.k must be a string"),
            ("{\"id\":\"bulk\",\"attributes\":{}}", "can't be an entity's id"),
            ("{\"id\":\"a\",\"attributes\":{\"\":\"x\"}}", "attribute's name"),
            ("\u{0}", "can't be read"),
            (&deep, "recursion limit"),
            (&format!("\"{}\"", "x".repeat(BulkDocument::MAX_LINE_BYTES)), "at most 1048576 bytes"),
        ] {
            let fault = read(&format!("{good}{bad}")).expect_err(wanted);
            assert_eq!(fault.line, 3);
            assert!(fault.to_string().contains(wanted), "{fault}");
        }
        let many = "{\"id\":\"a\",\"attributes\":{}}\n".repeat(BulkDocument::MAX_LINES + 1);
        let fault = read(&many).expect_err("too many");
        assert_eq!((fault.line, fault.reason), (BulkDocument::MAX_LINES + 1, LineReason::TooMany));
    }
}
