//! The canonical text of a filter: keywords in capitals, quotes and parentheses only where they are needed.

use std::fmt::{self, Display, Formatter, Write};

use super::lexer::{Keyword, is_word_character};
use super::{Expression, Test};

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => separated(f, parts, " AND ", |f, part| match part {
                Self::Or(_) => write!(f, "({part})"),
                _ => part.fmt(f),
            }),
            Self::Or(parts) => separated(f, parts, " OR ", |f, part| part.fmt(f)),
            Self::Not(part) => match part.as_ref() {
                Self::And(_) | Self::Or(_) => write!(f, "NOT ({part})"),
                _ => write!(f, "NOT {part}"),
            },
            Self::Condition { key, test } => {
                word(f, key)?;
                f.write_char(' ')?;
                test.fmt(f)
            }
        }
    }
}

/// The operator and its argument.
impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(comparison, value) => {
                write!(f, "{} ", comparison.symbol())?;
                word(f, value)
            }
            Self::In(values) => list(f, "IN", values),
            Self::NotIn(values) => list(f, "NOT IN", values),
            Self::Exists => f.write_str("EXISTS"),
            Self::NotExists => f.write_str("NOT EXISTS"),
            Self::Like(glob) => {
                f.write_str("LIKE ")?;
                quoted(f, &glob.to_string())
            }
            Self::Matches(pattern) => {
                f.write_str("MATCHES ")?;
                quoted(f, pattern.text())
            }
        }
    }
}

fn list(f: &mut Formatter<'_>, operator: &str, values: &[String]) -> fmt::Result {
    write!(f, "{operator} (")?;
    separated(f, values, ", ", |f, value| word(f, value))?;
    f.write_char(')')
}

fn separated<T>(
    f: &mut Formatter<'_>,
    parts: &[T],
    separator: &str,
    print: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        print(f, part)?;
    }
    Ok(())
}

/// A name or value, quoted if it would not be read back as it is.
fn word(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    if !text.is_empty() && text.chars().all(is_word_character) && Keyword::of(text).is_none() {
        f.write_str(text)
    } else {
        quoted(f, text)
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}
