//! What clings to an operand: ranges, `offset`, `@`.

use super::Parser;
use crate::domain::prometheus::promql::Fault;
use crate::domain::prometheus::promql::expression::{At, Expression, TimeShift};
use crate::domain::prometheus::promql::lexer::Kind;

impl Parser<'_> {
    /// An operand with what clings to it: ranges, `offset`, `@`.
    pub(super) fn operand(&mut self) -> Result<Expression, Fault> {
        let offset = self.token().offset;
        let primary = self.primary()?;
        self.postfix(offset, primary)
    }

    fn postfix(&mut self, offset: usize, mut operand: Expression) -> Result<Expression, Fault> {
        loop {
            if self.skip_mark("[") {
                operand = self.range(operand)?;
                operand = self.checked(offset, operand)?;
            } else if self.keyword().is_some_and(|word| word == "offset") {
                let already = shift(&mut operand).map(|shift| shift.offset.is_some());
                let Some(false) = already else { return self.fault("`offset` can't stand here") };
                self.take();
                let written = self.offset_duration()?;
                if let Some(shift) = shift(&mut operand) {
                    shift.offset = Some(written);
                }
            } else if self.at_mark("@") {
                let already = shift(&mut operand).map(|shift| shift.at.is_some());
                let Some(false) = already else { return self.fault("`@` can't stand here") };
                self.take();
                let written = self.at()?;
                if let Some(shift) = shift(&mut operand) {
                    shift.at = Some(written);
                }
            } else {
                return Ok(operand);
            }
        }
    }

    fn sign(&mut self) -> &'static str {
        if self.skip_mark("-") {
            "-"
        } else {
            self.skip_mark("+");
            ""
        }
    }

    fn offset_duration(&mut self) -> Result<String, Fault> {
        let sign = self.sign();
        Ok(format!("{sign}{}", self.duration()?))
    }

    fn duration(&mut self) -> Result<String, Fault> {
        match &self.token().kind {
            Kind::Duration(text) | Kind::Number(text) => {
                let text = text.clone();
                self.take();
                Ok(text)
            }
            _ => self.unexpected("a duration such as 5m (arithmetic is not possible there)"),
        }
    }

    fn at(&mut self) -> Result<At, Fault> {
        if let Some(word @ ("start" | "end")) = self.keyword().as_deref() {
            let start = word == "start";
            self.take();
            self.expect_mark("(")?;
            self.expect_mark(")")?;
            return Ok(if start { At::Start } else { At::End });
        }
        let sign = self.sign();
        match &self.token().kind {
            Kind::Number(text) => {
                let written = format!("{sign}{text}");
                self.take();
                Ok(At::Time(written))
            }
            _ => self.unexpected("a time in seconds, start() or end()"),
        }
    }

    /// `d]` or `d:]` or `d:step]`
    fn range(&mut self, before: Expression) -> Result<Expression, Fault> {
        let range = self.duration()?;
        if self.skip_mark(":") {
            let step = if self.at_mark("]") { None } else { Some(self.duration()?) };
            self.expect_mark("]")?;
            return Ok(Expression::Subquery { inner: Box::new(before), range, step, shift: TimeShift::default() });
        }
        self.expect_mark("]")?;
        match before {
            Expression::Selector(selector) if selector.shift == TimeShift::default() => {
                Ok(Expression::Range { selector, range })
            }
            _ => self.fault("a range can only follow a selector, before `offset` and `@`"),
        }
    }
}

/// Where `offset` and `@` go, if this can have them.
fn shift(expression: &mut Expression) -> Option<&mut TimeShift> {
    match expression {
        Expression::Selector(selector) | Expression::Range { selector, .. } => Some(&mut selector.shift),
        Expression::Subquery { shift, .. } => Some(shift),
        Expression::Number(_)
        | Expression::Text(_)
        | Expression::Parentheses(_)
        | Expression::Unary { .. }
        | Expression::Binary { .. }
        | Expression::Aggregation { .. }
        | Expression::Call { .. } => None,
    }
}
