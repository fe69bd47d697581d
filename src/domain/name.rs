//! Names that people give: shown as typed, compared case-folded.

use std::fmt;

/// Why a text can't be a name; its `Display` says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Nothing but white space.
    #[error("enter a name")]
    Empty,
    /// More than [`Name::MAX_CHARACTERS`].
    #[error("a name has at most {max} characters, this one has {found}", max = Name::MAX_CHARACTERS)]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// A control character or an invisible direction mark, by which two names could look alike.
    #[error("a name can't contain the invisible character U+{0:04X}")]
    Invisible(u32),
}

/// A name of an application, a role or a console user: 1 to 200 characters, trimmed, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The longest name, in characters.
    pub const MAX_CHARACTERS: usize = 200;

    /// Parses what a person typed.
    ///
    /// # Errors
    /// [`NameFault`] for a text that is empty, too long or has invisible characters.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(NameFault::Empty);
        }
        let found = trimmed.chars().count();
        if found > Self::MAX_CHARACTERS {
            return Err(NameFault::TooLong { found });
        }
        if let Some(invisible) = trimmed.chars().find(|&c| is_invisible(c)) {
            return Err(NameFault::Invisible(u32::from(invisible)));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The name as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form by which names are compared: two names with one key are the same name.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_invisible(c: char) -> bool {
    // Zero-width joiners stay allowed: emoji and several scripts need them.
    c.is_control()
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}
