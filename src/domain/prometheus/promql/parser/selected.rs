//! Selectors and lists of labels.

use super::Parser;
use crate::domain::prometheus::promql::Fault;
use crate::domain::prometheus::promql::expression::{Expression, LabelMatcher, Selector, TimeShift};
use crate::domain::prometheus::promql::lexer::Kind;
use crate::domain::prometheus::{LabelName, MatchOp};

impl Parser<'_> {
    /// `(a, b)`
    pub(super) fn labels(&mut self) -> Result<Vec<String>, Fault> {
        self.expect_mark("(")?;
        let mut labels = Vec::new();
        while !self.skip_mark(")") {
            match self.token().kind.clone() {
                // The lexer takes a label such as `inf` for a number.
                Kind::Word(label) | Kind::Number(label) if LabelName::parse(&label).is_ok() => labels.push(label),
                Kind::Text(label) if !label.is_empty() => labels.push(label),
                _ => return self.unexpected("a label"),
            }
            self.take();
            if !self.at_mark(")") {
                self.expect_mark(",")?;
            }
        }
        Ok(labels)
    }

    /// From the brace, if there is one.
    pub(super) fn selector(&mut self, name: Option<String>) -> Result<Expression, Fault> {
        let mut matchers = Vec::new();
        let has_name = name.is_some();
        matchers.extend(name.map(metric_name));
        if self.skip_mark("{") {
            while !self.skip_mark("}") {
                let matcher = self.matcher()?;
                if has_name && matcher.label == LabelName::METRIC_NAME {
                    return self.fault("the metric name is given twice");
                }
                matchers.push(matcher);
                if self.keyword().is_some_and(|word| word == "or") {
                    return self
                        .fault("`or` within braces can't be used under a data filter; join two selectors instead");
                }
                if !self.at_mark("}") {
                    self.expect_mark(",")?;
                }
            }
        }
        Ok(Expression::Selector(Selector { matchers, shift: TimeShift::default() }))
    }

    fn matcher(&mut self) -> Result<LabelMatcher, Fault> {
        let label = match self.token().kind.clone() {
            Kind::Word(label) | Kind::Number(label) if LabelName::parse(&label).is_ok() => label,
            Kind::Text(name) if matches!(self.token_after(), Kind::Mark("," | "}")) && !name.is_empty() => {
                self.take();
                return Ok(metric_name(name));
            }
            Kind::Text(label) if !label.is_empty() => label,
            _ => return self.unexpected("a label"),
        };
        self.take();
        let op = match self.token().kind {
            Kind::Mark("=") => MatchOp::Equal,
            Kind::Mark("!=") => MatchOp::NotEqual,
            Kind::Mark("=~") => MatchOp::Regex,
            Kind::Mark("!~") => MatchOp::NotRegex,
            _ => return self.unexpected("`=`, `!=`, `=~` or `!~`"),
        };
        self.take();
        match self.token().kind.clone() {
            Kind::Text(value) => {
                self.take();
                Ok(LabelMatcher { label, op, value })
            }
            _ => self.unexpected("a string"),
        }
    }
}

fn metric_name(name: String) -> LabelMatcher {
    LabelMatcher { label: LabelName::METRIC_NAME.to_owned(), op: MatchOp::Equal, value: name }
}
