//! Tokens to tree.

mod called;
mod selected;
mod shifted;

use super::expression::{BinaryOperator, Expression, Grouping, Matching, Selector, Side, TimeShift};
use super::lexer::{Kind, Token, tokens};
use super::{Fault, Limits, types};

/// Reads a whole query.
///
/// # Errors
/// Text that is no query, or beyond the limits.
pub(in super::super) fn parse(text: &str, limits: Limits) -> Result<Expression, Fault> {
    let mut parser = Parser::new(text, limits)?;
    let expression = parser.expression(0)?;
    parser.end()?;
    Ok(expression)
}

/// Reads a selector without a range or a time, as in `match[]`.
///
/// # Errors
/// As [`parse`].
pub(in super::super) fn parse_selector(text: &str, limits: Limits) -> Result<Selector, Fault> {
    let mut parser = Parser::new(text, limits)?;
    let offset = parser.token().offset;
    let operand = parser.operand()?;
    parser.end()?;
    match operand {
        Expression::Selector(selector) if selector.shift == TimeShift::default() => Ok(selector),
        _ => Err(Fault::at(text, offset, "expected a selector such as up{job=\"node\"} and nothing else")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    limits: Limits,
    depth: usize,
    operators: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, limits: Limits) -> Result<Self, Fault> {
        if text.len() > limits.bytes {
            return Err(Fault(format!("the query has {} bytes; at most {} are read", text.len(), limits.bytes)));
        }
        Ok(Self { text, tokens: tokens(text)?, next: 0, limits, depth: 0, operators: 0 })
    }

    fn token(&self) -> &Token {
        &self.tokens[self.next]
    }

    /// The token after the next; the end follows the end.
    fn token_after(&self) -> &Kind {
        &self.tokens[(self.next + 1).min(self.tokens.len() - 1)].kind
    }

    fn take(&mut self) -> Kind {
        let kind = self.token().kind.clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        kind
    }

    fn fault<T>(&self, what: &str) -> Result<T, Fault> {
        Err(Fault::at(self.text, self.token().offset, what))
    }

    fn unexpected<T>(&self, wanted: &str) -> Result<T, Fault> {
        let found = match &self.token().kind {
            Kind::Word(text) | Kind::Number(text) | Kind::Duration(text) => format!("`{text}`"),
            Kind::Text(_) => "a string".to_owned(),
            Kind::Mark(mark) => format!("`{mark}`"),
            Kind::End => "the end".to_owned(),
        };
        self.fault(&format!("expected {wanted}, found {found}"))
    }

    fn at_mark(&self, mark: &str) -> bool {
        matches!(self.token().kind, Kind::Mark(found) if found == mark)
    }

    fn skip_mark(&mut self, mark: &str) -> bool {
        let found = self.at_mark(mark);
        if found {
            self.take();
        }
        found
    }

    fn expect_mark(&mut self, mark: &str) -> Result<(), Fault> {
        if self.skip_mark(mark) { Ok(()) } else { self.unexpected(&format!("`{mark}`")) }
    }

    /// The next token in lower case, if it is a word.
    fn keyword(&self) -> Option<String> {
        match &self.token().kind {
            Kind::Word(word) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }

    fn skip_keyword(&mut self, keyword: &str) -> bool {
        let found = self.keyword().is_some_and(|word| word == keyword);
        if found {
            self.take();
        }
        found
    }

    fn end(&self) -> Result<(), Fault> {
        match self.token().kind {
            Kind::End => Ok(()),
            _ => self.unexpected("an operator or the end"),
        }
    }

    /// Checks the types of a new node.
    fn checked(&self, offset: usize, expression: Expression) -> Result<Expression, Fault> {
        match types::check(&expression) {
            Ok(()) => Ok(expression),
            Err(Fault(what)) => Err(Fault::at(self.text, offset, &what)),
        }
    }

    fn count_operator(&mut self) -> Result<(), Fault> {
        self.operators += 1;
        if self.operators > self.limits.operators {
            return self.fault(&format!("more than {} operators", self.limits.operators));
        }
        Ok(())
    }

    /// Operands joined by operators that bind at least as tight.
    fn expression(&mut self, precedence: u8) -> Result<Expression, Fault> {
        self.descend()?;
        let offset = self.token().offset;
        let mut left = self.signed()?;
        while let Some(operator) = self.operator().filter(|operator| operator.precedence >= precedence) {
            self.take();
            self.count_operator()?;
            let matching = self.matching()?;
            let right = self.expression(operator.precedence + u8::from(!operator.is_right_associative()))?;
            left = self.binary(offset, (operator, matching), left, right)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn descend(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > self.limits.nesting {
            return self.fault(&format!("nested deeper than {} levels", self.limits.nesting));
        }
        Ok(())
    }

    fn binary(
        &self,
        offset: usize,
        (operator, matching): (BinaryOperator, Matching),
        left: Expression,
        right: Expression,
    ) -> Result<Expression, Fault> {
        let (left, right) = (Box::new(left), Box::new(right));
        self.checked(offset, Expression::Binary { operator, matching, left, right })
    }

    fn operator(&self) -> Option<BinaryOperator> {
        match &self.token().kind {
            Kind::Mark(mark) => BinaryOperator::of(mark),
            Kind::Word(word) => BinaryOperator::of(&word.to_ascii_lowercase()),
            _ => None,
        }
    }

    fn signed(&mut self) -> Result<Expression, Fault> {
        let negative = self.at_mark("-");
        if !negative && !self.at_mark("+") {
            return self.operand();
        }
        let offset = self.token().offset;
        self.take();
        self.count_operator()?;
        let operand = Box::new(self.expression(BinaryOperator::SIGN + 1)?);
        self.checked(offset, Expression::Unary { negative, operand })
    }

    fn matching(&mut self) -> Result<Matching, Fault> {
        let mut matching = Matching { bool: self.skip_keyword("bool"), ..Matching::default() };
        let only = self.skip_keyword("on");
        if only || self.skip_keyword("ignoring") {
            matching.labels = Some(Grouping { only, labels: self.labels()? });
            let left = self.skip_keyword("group_left");
            if left || self.skip_keyword("group_right") {
                let labels = if self.at_mark("(") { self.labels()? } else { Vec::new() };
                matching.many = Some((if left { Side::Left } else { Side::Right }, labels));
            }
        }
        let fill = self.keyword().is_some_and(|word| matches!(word.as_str(), "fill" | "fill_left" | "fill_right"));
        if fill && *self.token_after() == Kind::Mark("(") {
            return self.fault("`fill` can't be used under a data filter");
        }
        Ok(matching)
    }

    fn primary(&mut self) -> Result<Expression, Fault> {
        if self.at_mark("(") {
            return self.parentheses();
        }
        if let Some(keyword) = self.keyword() {
            return self.named(&keyword);
        }
        self.literal()
    }

    fn parentheses(&mut self) -> Result<Expression, Fault> {
        self.take();
        let inner = self.expression(0)?;
        self.expect_mark(")")?;
        Ok(Expression::Parentheses(Box::new(inner)))
    }

    fn literal(&mut self) -> Result<Expression, Fault> {
        match self.token().kind.clone() {
            Kind::Number(text) | Kind::Duration(text) => {
                self.take();
                Ok(Expression::Number(text))
            }
            Kind::Text(text) => {
                self.take();
                Ok(Expression::Text(text))
            }
            Kind::Mark("{") => self.selector(None),
            Kind::Word(_) | Kind::Mark(_) | Kind::End => self.unexpected("an expression"),
        }
    }
}
