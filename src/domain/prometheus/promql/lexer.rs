//! A query's text as tokens.

use super::Fault;

/// A token and where it begins, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) offset: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword; outside braces it may hold `:`.
    Word(String),
    /// A number as written, without sign.
    Number(String),
    /// A duration as written, such as `1h30m`.
    Duration(String),
    /// The content of a string.
    Text(String),
    /// An operator, bracket or separator.
    Mark(&'static str),
    End,
}

/// The longer ones first.
const MARKS: [&str; 24] = [
    "==", "=~", "!=", "!~", "<=", ">=", "(", ")", "{", "}", "[", "]", ",", "@", ":", "=", "<", ">", "+", "-", "*", "/",
    "%", "^",
];

const UNITS: [&str; 7] = ["ms", "s", "m", "h", "d", "w", "y"];

/// Reads all tokens; the last is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { text, offset: 0, in_brackets: false };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let end = token.kind == Kind::End;
        tokens.push(token);
        if end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    offset: usize,
    /// Where `:` is a mark of its own.
    in_brackets: bool,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.offset..]
    }

    fn fault(&self, what: &str) -> Fault {
        Fault::at(self.text, self.offset, what)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &str {
        let start = self.offset;
        let length = self.rest().find(|c| !wanted(c)).unwrap_or(self.rest().len());
        self.offset += length;
        &self.text[start..self.offset]
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if !self.rest().starts_with('#') {
                return;
            }
            self.take_while(|c| !matches!(c, '\n' | '\r'));
        }
    }

    fn next(&mut self) -> Result<Token, Fault> {
        self.skip_blanks();
        let offset = self.offset;
        let kind = self.kind()?;
        Ok(Token { kind, offset })
    }

    fn kind(&mut self) -> Result<Kind, Fault> {
        let mut characters = self.rest().chars();
        let Some(first) = characters.next() else { return Ok(Kind::End) };
        let second = characters.next();
        match first {
            '"' | '\'' => self.quoted(first),
            '`' => self.raw(),
            '0'..='9' => self.number(),
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => self.number(),
            'a'..='z' | 'A'..='Z' | '_' => Ok(self.word()),
            ':' if !self.in_brackets => Ok(self.word()),
            _ => match MARKS.iter().find(|mark| self.rest().starts_with(**mark)) {
                Some(mark) => {
                    self.in_brackets = match *mark {
                        "[" => true,
                        "]" => false,
                        _ => self.in_brackets,
                    };
                    self.offset += mark.len();
                    Ok(Kind::Mark(mark))
                }
                None => Err(self.fault(&format!("unexpected {first:?}"))),
            },
        }
    }

    fn word(&mut self) -> Kind {
        let word = self.take_while(|c| c == '_' || c == ':' || c.is_ascii_alphanumeric());
        match word.to_ascii_lowercase().as_str() {
            "inf" | "nan" => Kind::Number(word.to_owned()),
            _ => Kind::Word(word.to_owned()),
        }
    }

    /// Digits in the form of a number or a duration, to which nothing clings that could make another reader see more.
    fn number(&mut self) -> Result<Kind, Fault> {
        let start = self.offset;
        let written = self.number_length();
        let duration = self.duration_length();
        let (length, is_duration) = if duration > written { (duration, true) } else { (written, false) };
        self.offset += length;
        let clings = |c: char| c == '_' || c == '.' || c.is_alphanumeric() || c == ':' && !self.in_brackets;
        if length == 0 || self.rest().starts_with(clings) {
            self.offset = start;
            return Err(self.fault("expected a number such as 1.5 or 1e3, or a duration such as 1h30m"));
        }
        let text = self.text[start..self.offset].to_owned();
        Ok(if is_duration { Kind::Duration(text) } else { Kind::Number(text) })
    }

    fn number_length(&self) -> usize {
        let rest = self.rest().as_bytes();
        let digits = |from: usize, wanted: fn(&u8) -> bool| rest[from..].iter().take_while(|byte| wanted(byte)).count();
        if rest.len() > 2 && rest[0] == b'0' && matches!(rest[1], b'x' | b'X') {
            let hexadecimal = digits(2, u8::is_ascii_hexdigit);
            return if hexadecimal > 0 { 2 + hexadecimal } else { 0 };
        }
        let mut length = digits(0, u8::is_ascii_digit);
        if rest.get(length) == Some(&b'.') {
            length += 1;
            length += digits(length, u8::is_ascii_digit);
        }
        if matches!(rest.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits((length + 1 + sign).min(rest.len()), u8::is_ascii_digit);
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        length
    }

    fn duration_length(&self) -> usize {
        let rest = self.rest();
        let mut length = 0;
        loop {
            let digits = rest[length..].bytes().take_while(u8::is_ascii_digit).count();
            let unit = UNITS.iter().find(|unit| rest[length + digits..].starts_with(**unit));
            match unit {
                Some(unit) if digits > 0 => length += digits + unit.len(),
                _ => return length,
            }
        }
    }

    fn raw(&mut self) -> Result<Kind, Fault> {
        let content = &self.rest()[1..];
        let Some(length) = content.find('`') else { return Err(self.fault("the string does not end")) };
        let content = content[..length].to_owned();
        self.offset += length + 2;
        Ok(Kind::Text(content))
    }

    fn quoted(&mut self, quote: char) -> Result<Kind, Fault> {
        let start = self.offset;
        self.offset += 1;
        let mut content = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                self.offset = start;
                return Err(self.fault("the string does not end"));
            };
            match c {
                '\n' => return Err(self.fault("a line break within a string")),
                '\\' => content.push(self.escape(quote)?),
                _ => {
                    self.offset += c.len_utf8();
                    if c == quote {
                        return Ok(Kind::Text(content));
                    }
                    content.push(c);
                }
            }
        }
    }

    /// What stands after a backslash, as in Go.
    fn escape(&mut self, quote: char) -> Result<char, Fault> {
        let start = self.offset;
        let mut characters = self.rest().chars().skip(1);
        let Some(c) = characters.next() else { return Err(self.fault("the string does not end")) };
        let simple = match c {
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            '\\' => Some('\\'),
            c if c == quote => Some(c),
            _ => None,
        };
        if let Some(simple) = simple {
            self.offset += 1 + c.len_utf8();
            return Ok(simple);
        }
        let (skipped, digits, radix) = match c {
            'x' => (2, 2, 16),
            'u' => (2, 4, 16),
            'U' => (2, 8, 16),
            '0'..='7' => (1, 3, 8),
            _ => return Err(self.fault("unknown escape in a string")),
        };
        let code = self.text.get(start + skipped..start + skipped + digits);
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = code.and_then(|code| u32::from_str_radix(code, radix).ok());
        let Some(code) = code else { return Err(self.fault("incomplete escape in a string")) };
        if matches!(c, 'x' | '0'..='7') && code > 0x7f {
            return Err(self.fault("an escape of a single byte above \\x7f; write the character itself"));
        }
        let Some(character) = char::from_u32(code) else { return Err(self.fault("an escape of no character")) };
        self.offset = start + skipped + digits;
        Ok(character)
    }
}
