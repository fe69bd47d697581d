//! A filter's expression as an OR of ANDs over labels, made small.

use std::collections::BTreeMap;

use super::label_map::{LabelMap, LabelName};
use super::label_test::LabelTest;
use super::matchers::Matcher;
use super::{MOST_ALTERNATIVES, Unenforceable};
use crate::domain::data_filter::Expression;

/// How many may arise on the way before they are made fewer.
const MOST_UNDERWAY: usize = 512;

/// What all must hold of a series: a test for each label named. No test at all lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Alternative {
    tests: BTreeMap<LabelName, LabelTest>,
}

impl Alternative {
    fn one(label: LabelName, test: LabelTest) -> Self {
        Self { tests: BTreeMap::from([(label, test)]) }
    }

    /// What no series satisfies.
    pub(super) fn nothing() -> Self {
        Self::one(LabelName::metric_name(), LabelTest::nothing())
    }

    pub(super) fn test(&self, label: &str) -> Option<&LabelTest> {
        self.tests.iter().find(|(name, _)| name.as_str() == label).map(|(_, test)| test)
    }

    pub(super) fn tests(&self) -> impl Iterator<Item = (&LabelName, &LabelTest)> {
        self.tests.iter()
    }

    /// Whether a series with no labels would do.
    pub(super) fn lets_nothing_through(&self) -> bool {
        self.tests.values().all(|test| test.matches(""))
    }

    pub(super) fn matchers(&self) -> Vec<Matcher> {
        self.tests.iter().flat_map(|(label, test)| test.matchers(label, false)).collect()
    }

    fn is_possible(&self) -> bool {
        !self.tests.values().any(LabelTest::is_nothing)
    }

    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (label, test) in &other.tests {
            let joined = both.tests.get(label).map_or_else(|| test.clone(), |own| own.and(test));
            both.tests.insert(label.clone(), joined);
        }
        both
    }

    fn implies(&self, other: &Self) -> bool {
        let anything = LabelTest::default();
        other.tests.iter().all(|(label, test)| self.tests.get(label).unwrap_or(&anything).implies(test))
    }

    /// What either lets through, where one alternative can say that: they differ in one label.
    fn or(&self, other: &Self) -> Option<Self> {
        if self.implies(other) {
            return Some(other.clone());
        }
        if other.implies(self) {
            return Some(self.clone());
        }
        if !self.tests.keys().eq(other.tests.keys()) {
            return None;
        }
        let mut differing = self.tests.iter().filter(|(label, test)| other.tests.get(*label) != Some(*test));
        let ((label, test), None) = (differing.next()?, differing.next()) else { return None };
        let joined = test.or(other.tests.get(label)?)?;
        let mut either = self.clone();
        if joined.is_anything() {
            either.tests.remove(label);
        } else {
            either.tests.insert(label.clone(), joined);
        }
        Some(either)
    }

    /// What this lets through and the other does not, in parts that don't overlap.
    fn without(&self, other: &Self) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut so_far = self.clone();
        for (label, test) in &other.tests {
            let fails = test.complement().into_iter().map(|fails| so_far.and(&Self::one(label.clone(), fails)));
            parts.extend(fails.filter(Self::is_possible));
            so_far = so_far.and(&Self::one(label.clone(), test.clone()));
        }
        parts
    }
}

/// The same, so that no series satisfies two of them; `None` if that takes too many.
pub(super) fn apart(all: &[Alternative]) -> Option<Vec<Alternative>> {
    let mut apart: Vec<Alternative> = Vec::new();
    for (at, next) in all.iter().enumerate() {
        let mut parts = vec![next.clone()];
        for earlier in &all[..at] {
            parts = parts.iter().flat_map(|part| part.without(earlier)).collect();
            if apart.len() + parts.len() > MOST_ALTERNATIVES {
                return None;
            }
        }
        apart.extend(parts);
    }
    Some(apart)
}

/// All alternatives of the expressions' OR; none if nothing is selected.
///
/// # Errors
/// Attributes without a label, operators that matchers can't say, too many alternatives.
pub(super) fn alternatives<'a>(
    expressions: impl Iterator<Item = &'a Expression>,
    labels: &LabelMap,
) -> Result<Vec<Alternative>, Unenforceable> {
    let mut all = Vec::new();
    for expression in expressions {
        all.extend(of(expression, false, labels)?);
        all = simplified(all)?;
    }
    if all.len() > MOST_ALTERNATIVES {
        return Err(Unenforceable::TooManyAlternatives { most: MOST_ALTERNATIVES });
    }
    Ok(all)
}

/// Of the expression or its negation, which is pushed down to the conditions.
fn of(expression: &Expression, negated: bool, labels: &LabelMap) -> Result<Vec<Alternative>, Unenforceable> {
    match (expression, negated) {
        (Expression::Not(part), _) => of(part, !negated, labels),
        (Expression::Or(parts), false) | (Expression::And(parts), true) => {
            let mut either = Vec::new();
            for part in parts {
                either.extend(of(part, negated, labels)?);
                either = simplified(either)?;
            }
            Ok(either)
        }
        (Expression::And(parts), false) | (Expression::Or(parts), true) => {
            let mut both = vec![Alternative::default()];
            for part in parts {
                // All parts are looked at, so that an unknown attribute is never passed over.
                let more = of(part, negated, labels)?;
                if both.len() * more.len() > MOST_UNDERWAY {
                    return Err(Unenforceable::TooManyAlternatives { most: MOST_ALTERNATIVES });
                }
                both = simplified(both.iter().flat_map(|left| more.iter().map(|right| left.and(right))).collect())?;
            }
            Ok(both)
        }
        (Expression::Condition { key, test }, _) => {
            let label =
                labels.get(key).ok_or_else(|| Unenforceable::UnknownAttribute { attribute: key.clone() })?.clone();
            let test = LabelTest::of(key, test, negated)?;
            Ok(if test.is_anything() { vec![Alternative::default()] } else { vec![Alternative::one(label, test)] })
        }
    }
}

/// Without what is impossible or contained in another, and joined where one can say both.
fn simplified(all: Vec<Alternative>) -> Result<Vec<Alternative>, Unenforceable> {
    if all.len() > MOST_UNDERWAY {
        return Err(Unenforceable::TooManyAlternatives { most: MOST_ALTERNATIVES });
    }
    let mut kept: Vec<Alternative> = Vec::new();
    for mut next in all.into_iter().filter(Alternative::is_possible) {
        // What is joined may be joined again, so it starts anew with those kept.
        while let Some((at, joined)) = kept.iter().enumerate().find_map(|(at, own)| Some((at, own.or(&next)?))) {
            kept.remove(at);
            next = joined;
        }
        kept.push(next);
    }
    Ok(kept)
}
