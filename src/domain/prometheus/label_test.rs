//! What one label's value must be, in a form in which tests can be joined, compared and written as matchers.

use std::collections::BTreeSet;

use super::label_map::LabelName;
use super::matchers::{MatchOp, Matcher};
use super::{Unenforceable, regex_text};
use crate::domain::data_filter::{Comparison, Test};

/// Values that no label has both, for a selector of nothing.
pub(super) const IMPOSSIBLE: [&str; 2] = ["-none-", "-never-"];

/// A regular expression and what it stands for in memory.
#[derive(Clone, Debug)]
struct Form {
    /// For the upstream, of the whole value.
    text: String,
    /// Matches what any of these does.
    any_of: Vec<Test>,
}

impl Form {
    fn matches(&self, value: &str) -> bool {
        self.any_of.iter().any(|test| test.matches(value))
    }
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Form {}

/// All that a conjunction says about one label. Without `only` and the rest empty it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LabelTest {
    /// The value is one of these; then nothing else is said.
    only: Option<BTreeSet<String>>,
    /// The value is none of these.
    not: BTreeSet<String>,
    /// All of these match.
    like: Vec<Form>,
    /// None of these matches.
    unlike: Vec<Form>,
}

impl LabelTest {
    /// A condition of a filter, or its negation.
    ///
    /// # Errors
    /// Operators that matchers can't say.
    pub(super) fn of(attribute: &str, test: &Test, negated: bool) -> Result<Self, Unenforceable> {
        let unenforceable =
            |operator: &str| Unenforceable::Operator { attribute: attribute.to_owned(), operator: operator.to_owned() };
        let values = |values: &[String]| values.iter().cloned().collect::<BTreeSet<_>>();
        let empty = || BTreeSet::from([String::new()]);
        let (only, positive) = match test {
            Test::Compare(Comparison::Equal, value) => (values(std::slice::from_ref(value)), true),
            Test::Compare(Comparison::NotEqual, value) => (values(std::slice::from_ref(value)), false),
            Test::Compare(
                comparison @ (Comparison::Greater
                | Comparison::GreaterOrEqual
                | Comparison::Less
                | Comparison::LessOrEqual),
                _,
            ) => return Err(unenforceable(comparison.symbol())),
            Test::In(list) => (values(list), true),
            Test::NotIn(list) => (values(list), false),
            Test::Exists => (empty(), false),
            Test::NotExists => (empty(), true),
            Test::Like(glob) => match glob.pieces() {
                [whole] => (values(std::slice::from_ref(whole)), true),
                _ => return Ok(Self::form(regex_text::glob(glob), test, !negated)),
            },
            Test::Matches(pattern) => {
                if let Some(list) = pattern.literals() {
                    (values(list), true)
                } else {
                    let written = regex_text::pattern(pattern).ok_or_else(|| unenforceable("MATCHES"))?;
                    return Ok(Self::form(written, test, !negated));
                }
            }
        };
        Ok(if positive == negated {
            Self { not: only, ..Self::default() }
        } else {
            Self { only: Some(only), ..Self::default() }
        })
    }

    fn form(written: String, test: &Test, positive: bool) -> Self {
        let form = vec![Form { text: written, any_of: vec![test.clone()] }];
        if positive { Self { like: form, ..Self::default() } } else { Self { unlike: form, ..Self::default() } }
    }

    /// No value passes.
    pub(super) fn nothing() -> Self {
        Self { only: Some(BTreeSet::new()), ..Self::default() }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.only.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// Every value passes.
    pub(super) fn is_anything(&self) -> bool {
        self.only.is_none() && self.not.is_empty() && self.like.is_empty() && self.unlike.is_empty()
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(value)) && !self.not.contains(value) && self.fits(value)
    }

    fn fits(&self, value: &str) -> bool {
        self.like.iter().all(|form| form.matches(value)) && !self.unlike.iter().any(|form| form.matches(value))
    }

    /// What passes both.
    pub(super) fn and(&self, other: &Self) -> Self {
        if let Some(only) = self.only.as_ref().or(other.only.as_ref()) {
            let only = only.iter().filter(|value| self.matches(value) && other.matches(value)).cloned().collect();
            return Self { only: Some(only), ..Self::default() };
        }
        let mut both = self.clone();
        both.like.extend(other.like.iter().filter(|form| !self.like.contains(form)).cloned());
        both.unlike.extend(other.unlike.iter().filter(|form| !self.unlike.contains(form)).cloned());
        let not = self.not.union(&other.not);
        both.not = not.filter(|value| both.fits(value)).cloned().collect();
        both
    }

    /// What does not pass, in parts of which no value passes two.
    pub(super) fn complement(&self) -> Vec<Self> {
        let not = |values: &BTreeSet<String>| Self { not: values.clone(), ..Self::default() };
        let only = |values: &BTreeSet<String>| Self { only: Some(values.clone()), ..Self::default() };
        let like = |form: &Form| Self { like: vec![form.clone()], ..Self::default() };
        let unlike = |form: &Form| Self { unlike: vec![form.clone()], ..Self::default() };
        let mut conditions = Vec::new();
        conditions.extend(self.only.as_ref().map(|values| (only(values), not(values))));
        if !self.not.is_empty() {
            conditions.push((not(&self.not), only(&self.not)));
        }
        conditions.extend(self.like.iter().map(|form| (like(form), unlike(form))));
        conditions.extend(self.unlike.iter().map(|form| (unlike(form), like(form))));
        let mut so_far = Self::default();
        let mut parts = Vec::new();
        for (holds, fails) in conditions {
            parts.push(so_far.and(&fails));
            so_far = so_far.and(&holds);
        }
        parts
    }

    /// Whether all that passes this surely passes the other.
    pub(super) fn implies(&self, other: &Self) -> bool {
        if let Some(only) = &self.only {
            return only.iter().all(|value| other.matches(value));
        }
        other.only.is_none()
            && other.not.iter().all(|value| !self.matches(value))
            && other.like.iter().all(|form| self.like.contains(form))
            && other.unlike.iter().all(|form| self.unlike.contains(form))
    }

    /// What passes either, where one test can say that.
    pub(super) fn or(&self, other: &Self) -> Option<Self> {
        if self.implies(other) {
            return Some(other.clone());
        }
        if other.implies(self) {
            return Some(self.clone());
        }
        match (&self.only, &other.only) {
            (Some(own), Some(more)) => Some(Self { only: Some(own | more), ..Self::default() }),
            _ => self.or_ordered(other).or_else(|| other.or_ordered(self)),
        }
    }

    /// The joins that differ by which side is which.
    fn or_ordered(&self, other: &Self) -> Option<Self> {
        // All but some values: what the other lets in is not excluded.
        if self.only.is_none() && self.like.is_empty() && self.unlike.is_empty() {
            let not = self.not.iter().filter(|value| !other.matches(value)).cloned().collect();
            return Some(Self { not, ..Self::default() });
        }
        // Two expressions, or one and some values, become one with alternatives.
        let own = self.positive_form()?;
        let more = other.positive_form()?;
        let any_of = [own.any_of, more.any_of].concat();
        let like = vec![Form { text: format!("(?:{})|(?:{})", own.text, more.text), any_of }];
        Some(Self { like, ..Self::default() })
    }

    /// As a single expression that must match.
    fn positive_form(&self) -> Option<Form> {
        if let Some(only) = &self.only {
            let values: Vec<String> = only.iter().cloned().collect();
            return Some(Form { text: alternatives(&values), any_of: vec![Test::In(values)] });
        }
        match self.like.as_slice() {
            [form] if self.not.is_empty() && self.unlike.is_empty() => Some(form.clone()),
            _ => None,
        }
    }

    /// As matchers. With `as_regex`, `=` is written as `=~`, which `absent()` does not copy into its answer.
    pub(super) fn matchers(&self, label: &LabelName, as_regex: bool) -> Vec<Matcher> {
        let matcher = |op, value: String| Matcher { label: label.clone(), op, value };
        let mut matchers = Vec::new();
        if let Some(only) = &self.only {
            let values: Vec<String> = only.iter().cloned().collect();
            match values.as_slice() {
                [] => matchers.extend(IMPOSSIBLE.map(|value| matcher(MatchOp::Equal, value.to_owned()))),
                [value] if !as_regex => matchers.push(matcher(MatchOp::Equal, value.clone())),
                values => matchers.push(matcher(MatchOp::Regex, alternatives(values))),
            }
        }
        let (empty, not): (Vec<String>, Vec<String>) = self.not.iter().cloned().partition(String::is_empty);
        matchers.extend(empty.into_iter().map(|value| matcher(MatchOp::NotEqual, value)));
        match not.as_slice() {
            [] => {}
            [value] => matchers.push(matcher(MatchOp::NotEqual, value.clone())),
            values => matchers.push(matcher(MatchOp::NotRegex, alternatives(values))),
        }
        matchers.extend(self.like.iter().map(|form| matcher(MatchOp::Regex, form.text.clone())));
        matchers.extend(self.unlike.iter().map(|form| matcher(MatchOp::NotRegex, form.text.clone())));
        matchers
    }
}

fn alternatives(values: &[String]) -> String {
    values.iter().map(|value| regex_text::literal(value)).collect::<Vec<_>>().join("|")
}
