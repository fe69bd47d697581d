//! Text into tokens, each with its column.

use std::iter::Peekable;
use std::str::Chars;

use super::{Comparison, FilterError};

/// The words that mean something unless they are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    In,
    Exists,
    Like,
    Matches,
}

impl Keyword {
    pub(super) fn of(word: &str) -> Option<Self> {
        const ALL: [(&str, Keyword); 7] = [
            ("and", Keyword::And),
            ("or", Keyword::Or),
            ("not", Keyword::Not),
            ("in", Keyword::In),
            ("exists", Keyword::Exists),
            ("like", Keyword::Like),
            ("matches", Keyword::Matches),
        ];
        ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, keyword)| *keyword)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Keyword(Keyword),
    /// A name or a value. For quoted text, the columns of its characters are not simply consecutive.
    Text {
        text: String,
        columns: TextColumns,
    },
    Comparison(Comparison),
    Open,
    Close,
    Comma,
    End,
}

/// Where the characters of a text stand, so that an error inside of it can be pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextColumns {
    From(usize),
    Each(Vec<usize>),
}

impl TextColumns {
    /// The column of the character at this index; of the end of the text for an index past it.
    pub(super) fn at(&self, index: usize) -> usize {
        match self {
            Self::From(first) => first + index,
            Self::Each(columns) => columns.get(index).or(columns.last()).copied().unwrap_or(1),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) column: usize,
    /// As written, for error messages.
    written: String,
}

impl Token {
    /// The token as an error names it.
    pub(super) fn found(&self) -> String {
        const SHOWN: usize = 40;
        match self.kind {
            TokenKind::End => "the end of the filter".to_owned(),
            _ if self.written.chars().count() > SHOWN => {
                format!("`{}…`", self.written.chars().take(SHOWN).collect::<String>())
            }
            _ => format!("`{}`", self.written),
        }
    }
}

/// Whether a character may stand in an unquoted word.
pub(super) fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '/' | ':')
}

/// Reads one token after the other; after the last it gives [`TokenKind::End`] for ever.
pub(super) struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    /// The column of the next character.
    column: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable(), column: 1 }
    }

    pub(super) fn next_token(&mut self) -> Result<Token, FilterError> {
        while self.take_if(|c| matches!(c, ' ' | '\t' | '\r' | '\n')).is_some() {}
        let column = self.column;
        let Some(first) = self.take() else {
            return Ok(Token { kind: TokenKind::End, column, written: String::new() });
        };
        let simple = |kind, written: &str| Ok(Token { kind, column, written: written.to_owned() });
        match first {
            '(' => simple(TokenKind::Open, "("),
            ')' => simple(TokenKind::Close, ")"),
            ',' => simple(TokenKind::Comma, ","),
            '=' => simple(TokenKind::Comparison(Comparison::Equal), "="),
            '>' if self.take_if(|c| c == '=').is_some() => {
                simple(TokenKind::Comparison(Comparison::GreaterOrEqual), ">=")
            }
            '>' => simple(TokenKind::Comparison(Comparison::Greater), ">"),
            '<' if self.take_if(|c| c == '=').is_some() => simple(TokenKind::Comparison(Comparison::LessOrEqual), "<="),
            '<' => simple(TokenKind::Comparison(Comparison::Less), "<"),
            '!' if self.take_if(|c| c == '=').is_some() => simple(TokenKind::Comparison(Comparison::NotEqual), "!="),
            '"' => self.quoted(column),
            c if is_word_character(c) => Ok(self.word(c, column)),
            c => Err(FilterError::new(
                column,
                "a name, a value, an operator or a parenthesis (quote text with other characters)",
                name_of(c),
            )),
        }
    }

    fn word(&mut self, first: char, column: usize) -> Token {
        let mut text = String::from(first);
        while let Some(c) = self.take_if(is_word_character) {
            text.push(c);
        }
        let written = text.clone();
        let kind = match Keyword::of(&text) {
            Some(keyword) => TokenKind::Keyword(keyword),
            None => TokenKind::Text { text, columns: TextColumns::From(column) },
        };
        Token { kind, column, written }
    }

    /// The rest of a quoted text whose opening quote stood at `column`.
    fn quoted(&mut self, column: usize) -> Result<Token, FilterError> {
        let mut text = String::new();
        let mut columns = Vec::new();
        let mut written = String::from('"');
        loop {
            let at = self.column;
            let Some(c) = self.take() else {
                let expected = format!("a closing quote for the text that begins at column {column}");
                return Err(FilterError::new(at, expected, "the end of the filter"));
            };
            written.push(c);
            columns.push(at);
            match c {
                '"' => {
                    return Ok(Token {
                        kind: TokenKind::Text { text, columns: TextColumns::Each(columns) },
                        column,
                        written,
                    });
                }
                '\\' => {
                    let at = self.column;
                    match self.take() {
                        Some(c @ ('"' | '\\')) => {
                            text.push(c);
                            written.push(c);
                        }
                        other => {
                            let found = other.map_or_else(|| "the end of the filter".to_owned(), name_of);
                            return Err(FilterError::new(
                                at,
                                r#"`"` or `\` after a backslash (write `\\` for one)"#,
                                found,
                            ));
                        }
                    }
                }
                // A database refuses some of them, and nobody sees them: such a filter would select what nobody expects.
                c if c.is_control() => return Err(FilterError::new(at, "text without control characters", name_of(c))),
                c => text.push(c),
            }
        }
    }

    fn take(&mut self) -> Option<char> {
        self.take_if(|_| true)
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let taken = self.rest.next_if(|c| wanted(*c));
        if taken.is_some() {
            self.column += 1;
        }
        taken
    }
}

fn name_of(c: char) -> String {
    if c.is_control() { format!("the control character U+{:04X}", u32::from(c)) } else { format!("`{c}`") }
}
