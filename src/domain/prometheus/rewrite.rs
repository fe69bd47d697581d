//! A query in which every selector reaches permitted series only.
//!
//! With several alternatives C1, C2, … of the filter:
//! - an instant selector `s` becomes `(s{C1} or s{C2})`;
//! - a function of a range selector, `f(s[d])`, becomes `(f(s{C1}[d]) or f(s{C2}[d]))`, and so does `timestamp(s)`,
//!   which asks for the times of samples and not of values;
//! - `absent(s)` becomes `(absent(s{C1}) and absent(s{C2}))`.
//!
//! Everything else is taken apart and put together again, parameters of aggregations included.

use super::promql::{
    BinaryOperator, Expression, Fault, Function, LabelMatcher, Limits, Matching, REWRITTEN_BYTES, ReadsRaw, Selector,
    parse, parse_selector, selectors,
};
use super::selector::{is_limited, limited, limited_for_absent, limited_to_join};
use super::{Enforcement, LabelName, MatchOp};

/// Why a query can't be answered under a filter: it does not parse, is too large, or reads what can't be limited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct QueryFault {
    reason: String,
    ours: bool,
}

impl QueryFault {
    pub(super) fn new(reason: &str) -> Self {
        Self { reason: reason.to_owned(), ours: false }
    }

    /// Whether the hub is at fault (500) and not the caller (400): what it made did not pass its own check.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        self.ours
    }
}

impl From<Fault> for QueryFault {
    fn from(Fault(reason): Fault) -> Self {
        Self { reason, ours: false }
    }
}

/// Rewrites a whole expression so that its answer is that of a store which holds only permitted series.
///
/// # Errors
/// [`QueryFault`] says what is not possible; the caller's mistake (400) but for [`QueryFault::is_ours`].
pub fn rewrite(query: &str, enforcement: &Enforcement) -> Result<String, QueryFault> {
    let query = parse(query, Limits::QUERY)?;
    let mut rewriter = Rewriter { enforcement, bytes_left: REWRITTEN_BYTES };
    let text = rewriter.expression(&query)?.to_string();
    // What is sent is read once more, by other means: whatever may be wrong above, nothing unlimited leaves.
    let limited = selectors(&text).is_ok_and(|all| all.iter().all(|selector| is_limited(selector, enforcement)));
    if !limited {
        return Err(QueryFault { reason: "the query could not be limited to permitted series".to_owned(), ours: true });
    }
    Ok(text)
}

/// Rewrites one `match[]`: a selector for each conjunction.
///
/// # Errors
/// [`QueryFault`], as [`rewrite`].
pub fn rewrite_selectors(selector: &str, enforcement: &Enforcement) -> Result<Vec<String>, QueryFault> {
    let selector = parse_selector(selector, Limits::QUERY)?;
    let limited = limited(&selector, enforcement)?;
    Ok(limited.iter().map(ToString::to_string).collect())
}

/// The selectors of everything that is permitted, for requests without `match[]`.
#[must_use]
pub fn all_selectors(enforcement: &Enforcement) -> Vec<String> {
    let selectors = enforcement.alternatives().iter().map(|alternative| {
        let mut matchers: Vec<_> = alternative.matchers().into_iter().map(Into::into).collect();
        if alternative.lets_nothing_through() {
            // No upstream takes a selector that would match a series without any label.
            matchers.push(LabelMatcher {
                label: LabelName::METRIC_NAME.to_owned(),
                op: MatchOp::NotEqual,
                value: String::new(),
            });
        }
        Selector { matchers, ..Selector::default() }.to_string()
    });
    selectors.collect()
}

struct Rewriter<'a> {
    enforcement: &'a Enforcement,
    /// What the rewritten query may still grow by, about.
    bytes_left: usize,
}

impl Rewriter<'_> {
    fn expression(&mut self, expression: &Expression) -> Result<Expression, QueryFault> {
        Ok(match expression {
            Expression::Number(_) | Expression::Text(_) => expression.clone(),
            Expression::Selector(selector) => {
                let selectors = limited_to_join(selector, self.enforcement)?;
                self.grow(&selectors)?;
                joined(BinaryOperator::OR, selectors.into_iter().map(Expression::Selector).collect())
            }
            Expression::Range { selector, range } => self.bare_range(selector, range)?,
            Expression::Subquery { inner, range, step, shift } => Expression::Subquery {
                inner: self.boxed(inner)?,
                range: range.clone(),
                step: step.clone(),
                shift: shift.clone(),
            },
            Expression::Parentheses(inner) => Expression::Parentheses(self.boxed(inner)?),
            Expression::Unary { negative, operand } => {
                Expression::Unary { negative: *negative, operand: self.boxed(operand)? }
            }
            Expression::Binary { operator, matching, left, right } => Expression::Binary {
                operator: *operator,
                matching: matching.clone(),
                left: self.boxed(left)?,
                right: self.boxed(right)?,
            },
            Expression::Aggregation { operator, grouping, parameter, operand } => Expression::Aggregation {
                operator,
                grouping: grouping.clone(),
                parameter: parameter.as_deref().map(|parameter| self.boxed(parameter)).transpose()?,
                operand: self.boxed(operand)?,
            },
            Expression::Call { function, arguments } => self.call(function, arguments)?,
        })
    }

    fn boxed(&mut self, expression: &Expression) -> Result<Box<Expression>, QueryFault> {
        self.expression(expression).map(Box::new)
    }

    /// A range that no function takes.
    fn bare_range(&mut self, selector: &Selector, range: &str) -> Result<Expression, QueryFault> {
        let selectors = limited_to_join(selector, self.enforcement)?;
        self.grow(&selectors)?;
        match <[Selector; 1]>::try_from(selectors) {
            Ok([selector]) => Ok(Expression::Range { selector, range: range.to_owned() }),
            Err(_) => Err(QueryFault::new(
                "the data filter has alternatives, so a range selector can only stand in a function such as rate()",
            )),
        }
    }

    fn call(&mut self, function: &'static Function, arguments: &[Expression]) -> Result<Expression, QueryFault> {
        let raw = function.reads_raw();
        let wanted = |argument: &Expression| match argument.bare() {
            Expression::Range { .. } => true,
            Expression::Selector(_) => raw.is_some(),
            Expression::Number(_)
            | Expression::Text(_)
            | Expression::Subquery { .. }
            | Expression::Parentheses(_)
            | Expression::Unary { .. }
            | Expression::Binary { .. }
            | Expression::Aggregation { .. }
            | Expression::Call { .. } => false,
        };
        let position = arguments.iter().position(wanted);
        let mut rewritten = Vec::new();
        for (at, argument) in arguments.iter().enumerate() {
            // The place of the selector is filled below.
            let whole = if Some(at) == position { argument.bare().clone() } else { self.expression(argument)? };
            rewritten.push(whole);
        }
        let Some(position) = position else { return Ok(Expression::Call { function, arguments: rewritten }) };
        let (Expression::Range { selector, .. } | Expression::Selector(selector)) = &rewritten[position] else {
            return Err(QueryFault { reason: "a selector got lost".to_owned(), ours: true });
        };
        let (operator, selectors) = match raw {
            Some(ReadsRaw::Matchers) => (BinaryOperator::AND, limited_for_absent(selector, self.enforcement)?),
            Some(ReadsRaw::SampleTimes) | None => (BinaryOperator::OR, limited_to_join(selector, self.enforcement)?),
        };
        self.grow(&selectors)?;
        let mut calls = Vec::new();
        for selector in selectors {
            self.spend(rewritten.iter().map(size).sum())?;
            let mut arguments = rewritten.clone();
            match &mut arguments[position] {
                Expression::Range { selector: place, .. } | Expression::Selector(place) => *place = selector,
                _ => return Err(QueryFault { reason: "a selector got lost".to_owned(), ours: true }),
            }
            calls.push(Expression::Call { function, arguments });
        }
        Ok(joined(operator, calls))
    }

    fn grow(&mut self, selectors: &[Selector]) -> Result<(), QueryFault> {
        self.spend(selectors.iter().map(selector_size).sum())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), QueryFault> {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => Err(QueryFault::new("with the data filter the query becomes too long")),
        }
    }
}

/// All of them, in parentheses if there are several.
fn joined(operator: BinaryOperator, expressions: Vec<Expression>) -> Expression {
    let several = expressions.len() > 1;
    let chain = expressions.into_iter().reduce(|left, right| Expression::Binary {
        operator,
        matching: Matching::default(),
        left: Box::new(left),
        right: Box::new(right),
    });
    match chain {
        Some(chain) if several => Expression::Parentheses(Box::new(chain)),
        Some(single) => single,
        // There is always one; a number reads nothing.
        None => Expression::Number("NaN".to_owned()),
    }
}

/// About how many bytes the expression has as text.
fn size(expression: &Expression) -> usize {
    8 + match expression {
        Expression::Number(text) | Expression::Text(text) => text.len(),
        Expression::Selector(selector) | Expression::Range { selector, .. } => selector_size(selector),
        Expression::Subquery { inner, .. }
        | Expression::Parentheses(inner)
        | Expression::Unary { operand: inner, .. } => size(inner),
        Expression::Binary { left, right, .. } => size(left) + size(right),
        Expression::Aggregation { parameter, operand, .. } => parameter.as_deref().map_or(0, size) + size(operand),
        Expression::Call { arguments, .. } => arguments.iter().map(size).sum(),
    }
}

fn selector_size(selector: &Selector) -> usize {
    selector.matchers.iter().map(|matcher| 8 + matcher.label.len() + matcher.value.len()).sum()
}
