//! Tokens into a tree.

use super::lexer::{Keyword, Lexer, TextColumns, Token, TokenKind};
use super::{Expression, FilterError, Glob, Pattern, Test, limits};

pub(super) fn parse(text: &str) -> Result<Expression, FilterError> {
    if text.len() > limits::TEXT_BYTES {
        let within = text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= limits::TEXT_BYTES).count();
        let expected = format!("at most {} bytes", limits::TEXT_BYTES);
        return Err(FilterError::new(within + 1, expected, format!("{} bytes", text.len())));
    }
    let mut lexer = Lexer::new(text);
    let token = lexer.next_token()?;
    let mut parser = Parser { lexer, token, nesting: 0, conditions: 0, patterns: 0 };
    let expression = parser.any()?;
    match parser.token.kind {
        TokenKind::End => Ok(expression),
        _ => Err(parser.refuse("AND, OR or the end of the filter")),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The next token.
    token: Token,
    /// Parentheses and `NOT` around the next token. Bounds the recursion.
    nesting: usize,
    conditions: usize,
    patterns: usize,
}

/// A name or value with its place.
struct Text {
    content: String,
    column: usize,
    columns: TextColumns,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all()?];
        while self.take_keyword(Keyword::Or)? {
            parts.push(self.all()?);
        }
        Ok(Expression::any_of(parts))
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.unary()?];
        while self.take_keyword(Keyword::And)? {
            parts.push(self.unary()?);
        }
        Ok(Expression::all_of(parts))
    }

    fn unary(&mut self) -> Result<Expression, FilterError> {
        match self.token.kind {
            TokenKind::Keyword(Keyword::Not) => {
                self.enter()?;
                let part = self.unary()?;
                self.nesting -= 1;
                Ok(Expression::Not(Box::new(part)))
            }
            TokenKind::Open => {
                self.enter()?;
                let part = self.any()?;
                self.close("AND, OR or `)`")?;
                self.nesting -= 1;
                Ok(part)
            }
            TokenKind::Text { .. } => self.condition(),
            _ => Err(self.refuse("an attribute name, NOT or `(`")),
        }
    }

    /// Steps over the `NOT` or `(` that goes one level deeper.
    fn enter(&mut self) -> Result<(), FilterError> {
        if self.nesting == limits::NESTING {
            return Err(self.too_many(limits::NESTING, "levels of NOT and parentheses"));
        }
        self.nesting += 1;
        self.advance().map(drop)
    }

    fn condition(&mut self) -> Result<Expression, FilterError> {
        if self.conditions == limits::CONDITIONS {
            return Err(self.too_many(limits::CONDITIONS, "conditions"));
        }
        self.conditions += 1;
        let key = self.text("an attribute name")?;
        if key.content.is_empty() {
            return Err(FilterError::new(key.column, "an attribute name", "an empty name"));
        }
        Ok(Expression::Condition { key: key.content, test: self.test()? })
    }

    fn test(&mut self) -> Result<Test, FilterError> {
        const OPERATOR: &str = "an operator (=, !=, >, >=, <, <=, IN, NOT IN, EXISTS, NOT EXISTS, LIKE, MATCHES)";
        match self.token.kind {
            TokenKind::Comparison(comparison) => {
                self.advance()?;
                Ok(Test::Compare(comparison, self.value()?.content))
            }
            TokenKind::Keyword(Keyword::Not) => {
                self.advance()?;
                if self.take_keyword(Keyword::In)? {
                    return Ok(Test::list(true, self.values()?));
                }
                if self.take_keyword(Keyword::Exists)? {
                    return Ok(Test::NotExists);
                }
                Err(self.refuse("IN or EXISTS (for other operators, put NOT before the attribute name)"))
            }
            TokenKind::Keyword(Keyword::In) => {
                self.advance()?;
                Ok(Test::list(false, self.values()?))
            }
            TokenKind::Keyword(Keyword::Exists) => {
                self.advance()?;
                Ok(Test::Exists)
            }
            TokenKind::Keyword(Keyword::Like) => {
                self.advance()?;
                Ok(Test::Like(Glob::new(&self.value()?.content)))
            }
            TokenKind::Keyword(Keyword::Matches) => self.pattern(),
            _ => Err(self.refuse(OPERATOR)),
        }
    }

    fn pattern(&mut self) -> Result<Test, FilterError> {
        if self.patterns == limits::PATTERNS {
            return Err(self.too_many(limits::PATTERNS, "MATCHES conditions"));
        }
        self.patterns += 1;
        self.advance()?;
        let value = self.value()?;
        match Pattern::new(&value.content) {
            Ok(pattern) => Ok(Test::Matches(pattern)),
            Err(refused) => Err(FilterError::new(value.columns.at(refused.index), refused.expected, refused.found)),
        }
    }

    /// The list of `IN`.
    fn values(&mut self) -> Result<Vec<String>, FilterError> {
        if self.token.kind != TokenKind::Open {
            return Err(self.refuse("`(` before the list of values"));
        }
        self.advance()?;
        let mut values = vec![self.value()?.content];
        while self.token.kind == TokenKind::Comma {
            self.advance()?;
            if values.len() == limits::IN_VALUES {
                return Err(self.too_many(limits::IN_VALUES, "values"));
            }
            values.push(self.value()?.content);
        }
        self.close("`,` or `)`")?;
        Ok(values)
    }

    fn value(&mut self) -> Result<Text, FilterError> {
        self.text("a value")
    }

    fn text(&mut self, expected: &str) -> Result<Text, FilterError> {
        match self.token.kind {
            TokenKind::Text { .. } => {
                let token = self.advance()?;
                match token.kind {
                    TokenKind::Text { text, columns } => Ok(Text { content: text, column: token.column, columns }),
                    _ => Err(self.refuse(expected)),
                }
            }
            TokenKind::Keyword(_) => Err(self.refuse(&format!("{expected} (quote it if a keyword is meant as text)"))),
            _ => Err(self.refuse(expected)),
        }
    }

    fn close(&mut self, expected: &str) -> Result<(), FilterError> {
        if self.token.kind == TokenKind::Close { self.advance().map(drop) } else { Err(self.refuse(expected)) }
    }

    fn take_keyword(&mut self, keyword: Keyword) -> Result<bool, FilterError> {
        let there = self.token.kind == TokenKind::Keyword(keyword);
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    /// Gives the next token and reads the one after it.
    fn advance(&mut self) -> Result<Token, FilterError> {
        let following = self.lexer.next_token()?;
        Ok(std::mem::replace(&mut self.token, following))
    }

    fn refuse(&self, expected: &str) -> FilterError {
        FilterError::new(self.token.column, expected, self.token.found())
    }

    fn too_many(&self, limit: usize, what: &str) -> FilterError {
        FilterError::new(self.token.column, format!("at most {limit} {what}"), "one more")
    }
}
