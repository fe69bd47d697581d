//! A tree as text that every upstream reads as the same tree: metric names as matchers, strings in double quotes,
//! parentheses around every operand that is itself an operation.

use std::fmt::{self, Display, Formatter, Write};

use super::expression::{At, Expression, Grouping, LabelMatcher, Matching, Selector, Side, TimeShift};
use crate::domain::prometheus::MatchOp;
use crate::domain::prometheus::label_map::LabelName;

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => quoted(f, text),
            Self::Selector(selector) => selector.fmt(f),
            Self::Range { selector, range } => {
                braces(f, selector)?;
                write!(f, "[{range}]{}", selector.shift)
            }
            Self::Subquery { inner, range, step, shift } => {
                operand(f, inner)?;
                write!(f, "[{range}:{}]{shift}", step.as_deref().unwrap_or_default())
            }
            Self::Parentheses(inner) => write!(f, "({inner})"),
            Self::Unary { negative, operand: inner } => {
                f.write_char(if *negative { '-' } else { '+' })?;
                operand(f, inner)
            }
            Self::Binary { operator, matching, left, right } => {
                match left.as_ref() {
                    // A chain of one precedence reads from the left everywhere, and would else nest without need.
                    Self::Binary { operator: inner, .. }
                        if inner.precedence == operator.precedence && !operator.is_right_associative() =>
                    {
                        left.fmt(f)?;
                    }
                    _ => operand(f, left)?,
                }
                write!(f, " {}{matching} ", operator.text)?;
                operand(f, right)
            }
            Self::Aggregation { operator, grouping, parameter, operand } => {
                f.write_str(operator)?;
                if let Some(grouping) = grouping {
                    f.write_str(if grouping.only { " by " } else { " without " })?;
                    labels(f, &grouping.labels)?;
                    f.write_char(' ')?;
                }
                f.write_char('(')?;
                if let Some(parameter) = parameter {
                    write!(f, "{parameter}, ")?;
                }
                write!(f, "{operand})")
            }
            Self::Call { function, arguments } => {
                write!(f, "{}(", function.name)?;
                separated(f, arguments, |f, argument| argument.fmt(f))?;
                f.write_char(')')
            }
        }
    }
}

/// In parentheses where precedence could matter.
fn operand(f: &mut Formatter<'_>, expression: &Expression) -> fmt::Result {
    match expression {
        Expression::Unary { .. } | Expression::Binary { .. } => write!(f, "({expression})"),
        Expression::Number(_)
        | Expression::Text(_)
        | Expression::Selector(_)
        | Expression::Range { .. }
        | Expression::Subquery { .. }
        | Expression::Parentheses(_)
        | Expression::Aggregation { .. }
        | Expression::Call { .. } => expression.fmt(f),
    }
}

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        braces(f, self)?;
        self.shift.fmt(f)
    }
}

fn braces(f: &mut Formatter<'_>, selector: &Selector) -> fmt::Result {
    f.write_char('{')?;
    for (at, matcher) in selector.matchers.iter().enumerate() {
        if at > 0 {
            f.write_char(',')?;
        }
        matcher.fmt(f)?;
    }
    f.write_char('}')
}

impl Display for LabelMatcher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        label(f, &self.label)?;
        f.write_str(self.op.symbol())?;
        quoted(f, &self.value)
    }
}

impl MatchOp {
    /// How it is written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

impl Display for TimeShift {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.at {
            None => {}
            Some(At::Time(time)) => write!(f, " @ {time}")?,
            Some(At::Start) => f.write_str(" @ start()")?,
            Some(At::End) => f.write_str(" @ end()")?,
        }
        self.offset.as_ref().map_or(Ok(()), |offset| write!(f, " offset {offset}"))
    }
}

impl Display for Matching {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.bool {
            f.write_str(" bool")?;
        }
        if let Some(Grouping { only, labels: names }) = &self.labels {
            f.write_str(if *only { " on " } else { " ignoring " })?;
            labels(f, names)?;
        }
        if let Some((side, names)) = &self.many {
            f.write_str(match side {
                Side::Left => " group_left ",
                Side::Right => " group_right ",
            })?;
            labels(f, names)?;
        }
        Ok(())
    }
}

fn labels(f: &mut Formatter<'_>, labels: &[String]) -> fmt::Result {
    f.write_char('(')?;
    separated(f, labels, |f, name| label(f, name))?;
    f.write_char(')')
}

fn separated<T>(
    f: &mut Formatter<'_>,
    parts: &[T],
    print: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        print(f, part)?;
    }
    Ok(())
}

/// A label, in quotes if only Prometheus 3 can read it.
fn label(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    if LabelName::parse(name).is_ok() { f.write_str(name) } else { quoted(f, name) }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
