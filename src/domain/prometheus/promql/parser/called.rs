//! Aggregations and functions.

use super::Parser;
use crate::domain::prometheus::promql::Fault;
use crate::domain::prometheus::promql::expression::{Expression, Grouping};
use crate::domain::prometheus::promql::function::{AGGREGATIONS, Function};
use crate::domain::prometheus::promql::lexer::Kind;

/// Words that mean something of their own where an operand is expected.
const RESERVED: [&str; 7] = ["bool", "group_left", "group_right", "ignoring", "on", "atan2", "fill"];

impl Parser<'_> {
    /// An aggregation, a call or a selector.
    pub(super) fn named(&mut self, keyword: &str) -> Result<Expression, Fault> {
        let called = *self.token_after() == Kind::Mark("(");
        if let Some((operator, parameter)) = AGGREGATIONS.iter().find(|(name, _)| *name == keyword)
            && (called || self.group_follows())
        {
            return self.aggregation(operator, parameter.is_some());
        }
        if RESERVED.contains(&keyword) {
            return self.unexpected("an expression");
        }
        if called {
            return self.call();
        }
        let Kind::Word(name) = self.take() else { return self.unexpected("an expression") };
        self.selector(Some(name))
    }

    fn group_follows(&self) -> bool {
        let Kind::Word(word) = self.token_after() else { return false };
        matches!(word.to_ascii_lowercase().as_str(), "by" | "without")
    }

    fn call(&mut self) -> Result<Expression, Fault> {
        let offset = self.token().offset;
        let function = self.function()?;
        let arguments = self.arguments()?;
        self.checked(offset, Expression::Call { function, arguments })
    }

    fn function(&mut self) -> Result<&'static Function, Fault> {
        let Kind::Word(name) = &self.token().kind else { return self.unexpected("a function") };
        let Some(function) = Function::find(name) else {
            return self.fault(&format!("the function {name}() is not known, or can't be used under a data filter"));
        };
        self.take();
        Ok(function)
    }

    fn aggregation(&mut self, operator: &'static str, has_parameter: bool) -> Result<Expression, Fault> {
        let offset = self.token().offset;
        self.take();
        let mut grouping = self.grouping()?;
        let arguments = self.arguments()?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        self.aggregated(offset, (operator, grouping), arguments, has_parameter)
    }

    fn aggregated(
        &self,
        offset: usize,
        (operator, grouping): (&'static str, Option<Grouping>),
        mut arguments: Vec<Expression>,
        has_parameter: bool,
    ) -> Result<Expression, Fault> {
        match (arguments.pop().map(Box::new), arguments.pop().map(Box::new)) {
            (Some(operand), parameter) if arguments.is_empty() && parameter.is_some() == has_parameter => {
                self.checked(offset, Expression::Aggregation { operator, grouping, parameter, operand })
            }
            _ => Err(Fault::at(self.text, offset, &format!("wrong number of arguments in {operator}(…)"))),
        }
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, Fault> {
        let only = self.skip_keyword("by");
        if only || self.skip_keyword("without") {
            return Ok(Some(Grouping { only, labels: self.labels()? }));
        }
        Ok(None)
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, Fault> {
        self.expect_mark("(")?;
        let mut arguments = Vec::new();
        if self.skip_mark(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression(0)?);
            if self.skip_mark(")") {
                return Ok(arguments);
            }
            self.expect_mark(",")?;
        }
    }
}
