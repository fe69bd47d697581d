//! The argument of `LIKE`.

use std::fmt;

/// Text in which `*` stands for any run of characters, the empty one included. There is no escape: a filter that needs
/// a literal star uses `MATCHES`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    /// The text between the stars: at least one piece, and only the first and the last may be empty.
    pieces: Vec<String>,
}

impl Glob {
    pub(super) fn new(text: &str) -> Self {
        let mut pieces: Vec<String> = text.split('*').map(str::to_owned).collect();
        let last = pieces.len() - 1;
        let mut index = 0;
        // Stars in a row mean the same as one.
        pieces.retain(|piece| {
            let keep = index == 0 || index == last || !piece.is_empty();
            index += 1;
            keep
        });
        Self { pieces }
    }

    /// The pieces between the stars, in order; one piece means that there is no star.
    #[must_use]
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// Whether the whole of `value` is of this form.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == value);
        };
        let Some(mut rest) = value.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()))
        else {
            return false;
        };
        // Taking each piece at its first place leaves the most room for the next, so no second try is needed.
        for piece in middle {
            match rest.split_once(piece.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pieces.join("*"))
    }
}
