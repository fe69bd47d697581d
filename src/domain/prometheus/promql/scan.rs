//! The selectors of a printed query, found without the parser: a second opinion on what an upstream will read.

use super::Fault;
use super::expression::{BinaryOperator, LabelMatcher};
use super::function::{AGGREGATIONS, Function};
use super::lexer::{Kind, Token, tokens};
use crate::domain::prometheus::MatchOp;

/// The matchers of every selector, in order.
///
/// # Errors
/// Whatever the printer would not write, a metric name without braces among it.
pub(in super::super) fn selectors(text: &str) -> Result<Vec<Vec<LabelMatcher>>, Fault> {
    let tokens = tokens(text)?;
    let mut rest = tokens.as_slice();
    let mut selectors = Vec::new();
    let unexpected = || Err(Fault("the printed query is not as it should be".to_owned()));
    while let [token, after @ ..] = rest {
        let next = after.first().map(|token| &token.kind);
        rest = match &token.kind {
            Kind::Mark("{") => {
                let Some((selector, after)) = matchers(after) else { return unexpected() };
                selectors.push(selector);
                after
            }
            Kind::Word(word) => match word.as_str() {
                "by" | "without" | "on" | "ignoring" | "group_left" | "group_right" => {
                    let Some(after) = labels(after) else { return unexpected() };
                    after
                }
                "bool" | "offset" => after,
                "start" | "end" if next == Some(&Kind::Mark("(")) => after,
                word if BinaryOperator::of(word).is_some() => after,
                word if AGGREGATIONS.iter().any(|(name, _)| *name == word) => after,
                word if next == Some(&Kind::Mark("(")) && Function::find(word).is_some() => after,
                _ => return unexpected(),
            },
            Kind::Mark("}") => return unexpected(),
            Kind::Number(_) | Kind::Duration(_) | Kind::Text(_) | Kind::Mark(_) | Kind::End => after,
        };
    }
    Ok(selectors)
}

/// `label="value",…}`
fn matchers(mut rest: &[Token]) -> Option<(Vec<LabelMatcher>, &[Token])> {
    let mut matchers = Vec::new();
    loop {
        let [label, op, value, separator, after @ ..] = rest else { return None };
        let (Kind::Word(label) | Kind::Number(label) | Kind::Text(label)) = &label.kind else { return None };
        let op = match op.kind {
            Kind::Mark("=") => MatchOp::Equal,
            Kind::Mark("!=") => MatchOp::NotEqual,
            Kind::Mark("=~") => MatchOp::Regex,
            Kind::Mark("!~") => MatchOp::NotRegex,
            _ => return None,
        };
        let Kind::Text(value) = &value.kind else { return None };
        matchers.push(LabelMatcher { label: label.clone(), op, value: value.clone() });
        rest = after;
        match separator.kind {
            Kind::Mark("}") => return Some((matchers, rest)),
            Kind::Mark(",") => {}
            _ => return None,
        }
    }
}

/// `(label, …)`
fn labels(rest: &[Token]) -> Option<&[Token]> {
    let [Token { kind: Kind::Mark("("), .. }, after @ ..] = rest else { return None };
    let end = after.iter().position(|token| token.kind == Kind::Mark(")"))?;
    let is_list = after[..end]
        .iter()
        .all(|token| matches!(token.kind, Kind::Word(_) | Kind::Number(_) | Kind::Text(_) | Kind::Mark(",")));
    is_list.then_some(&after[end + 1..])
}
