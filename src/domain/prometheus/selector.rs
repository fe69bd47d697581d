//! One selector and what it becomes: one for each alternative of the filter.

use regex::RegexBuilder;

use super::QueryFault;
use super::alternatives::Alternative;
use super::enforcement::Enforcement;
use super::label_map::LabelName;
use super::label_test::IMPOSSIBLE;
use super::matchers::{MatchOp, Matcher};
use super::promql::{LabelMatcher, Selector};

/// Bytes that a caller's pattern may take when compiled, which is only done for selectors of nothing but patterns.
const COMPILED_BYTES: usize = 256 * 1024;
const PATTERN_NESTING: u32 = 50;

/// The caller's selector, limited to each alternative that it does not contradict; at least one.
///
/// # Errors
/// Selectors that no upstream would take without the filter.
pub(super) fn limited(selector: &Selector, enforcement: &Enforcement) -> Result<Vec<Selector>, QueryFault> {
    let reachable = reachable(selector, enforcement)?;
    // None is left: any alternative makes it a selector of nothing.
    let chosen = if reachable.is_empty() { enforcement.alternatives().iter().take(1).collect() } else { reachable };
    Ok(chosen.into_iter().map(|alternative| with(selector, alternative.matchers())).collect())
}

/// The same for selectors that `or` joins. It tells series apart by all labels but the metric name, and
/// `VictoriaMetrics` fills gaps of series on the left from such on the right. So the metric name must be fixed, unless
/// the other labels tell alternatives apart.
///
/// # Errors
/// As [`limited`], and where series could be lost or mixed.
pub(super) fn limited_to_join(selector: &Selector, enforcement: &Enforcement) -> Result<Vec<Selector>, QueryFault> {
    let limited = limited(selector, enforcement)?;
    let by_name =
        enforcement.alternatives().iter().any(|alternative| alternative.test(LabelName::METRIC_NAME).is_some());
    if limited.len() > 1 && (by_name || enforcement.overlap()) && selector.fixed_name().is_none() {
        return Err(QueryFault::new("under this data filter every selector needs a metric name"));
    }
    Ok(limited)
}

/// The same for `absent()`, which copies `=` matchers into its answer, so that none may be added: not on another label,
/// and nothing at all on one that already has one.
///
/// # Errors
/// As [`limited`].
pub(super) fn limited_for_absent(selector: &Selector, enforcement: &Enforcement) -> Result<Vec<Selector>, QueryFault> {
    let reachable = reachable(selector, enforcement)?;
    if reachable.is_empty() {
        let metric_name =
            |value: &str| Matcher { label: LabelName::metric_name(), op: MatchOp::Equal, value: value.to_owned() };
        return Ok(vec![with(selector, IMPOSSIBLE.map(metric_name).into())]);
    }
    let mut all = Vec::new();
    for alternative in reachable {
        // A value that the caller demands was found to be permitted.
        let tests = alternative.tests().filter(|(label, _)| selector.equal_to(label.as_str()).next().is_none());
        let matchers = tests.flat_map(|(label, test)| test.matchers(label, true)).collect();
        all.push(with(selector, matchers));
    }
    Ok(all)
}

/// The alternatives that the caller's `=` matchers leave open.
fn reachable<'a>(selector: &Selector, enforcement: &'a Enforcement) -> Result<Vec<&'a Alternative>, QueryFault> {
    if !selects_something(selector)? {
        return Err(QueryFault::new(
            "a selector needs a metric name or a matcher that does not match the empty string",
        ));
    }
    let open = |alternative: &&Alternative| {
        alternative.tests().all(|(label, test)| selector.equal_to(label.as_str()).all(|value| test.matches(value)))
    };
    Ok(enforcement.alternatives().iter().filter(open).collect())
}

fn with(selector: &Selector, matchers: Vec<Matcher>) -> Selector {
    let mut limited = selector.clone();
    limited.matchers.extend(matchers.into_iter().map(LabelMatcher::from));
    limited
}

impl From<Matcher> for LabelMatcher {
    fn from(Matcher { label, op, value }: Matcher) -> Self {
        Self { label: label.to_string(), op, value }
    }
}

/// Whether a matcher of the caller's own refuses the empty string, as every upstream demands.
fn selects_something(selector: &Selector) -> Result<bool, QueryFault> {
    let plain = |matcher: &LabelMatcher| match matcher.op {
        MatchOp::Equal => !matcher.value.is_empty(),
        MatchOp::NotEqual => matcher.value.is_empty(),
        MatchOp::Regex | MatchOp::NotRegex => false,
    };
    if selector.matchers.iter().any(plain) {
        return Ok(true);
    }
    for matcher in &selector.matchers {
        let refuses_empty = match matcher.op {
            MatchOp::Regex => !matches_empty(&matcher.value)?,
            MatchOp::NotRegex => matches_empty(&matcher.value)?,
            MatchOp::Equal | MatchOp::NotEqual => false,
        };
        if refuses_empty {
            return Ok(true);
        }
    }
    Ok(false)
}

fn matches_empty(pattern: &str) -> Result<bool, QueryFault> {
    let regex = RegexBuilder::new(&format!("^(?s:{pattern})$"))
        .size_limit(COMPILED_BYTES)
        .dfa_size_limit(COMPILED_BYTES)
        .nest_limit(PATTERN_NESTING)
        .build();
    match regex {
        Ok(regex) => Ok(regex.is_match("")),
        Err(_) => Err(QueryFault::new(
            "a pattern can't be read; a selector with such patterns needs a metric name under a data filter",
        )),
    }
}

/// Whether these matchers reach permitted series only: they hold one whole alternative, or demand values that it
/// permits, or select nothing.
pub(super) fn is_limited(matchers: &[LabelMatcher], enforcement: &Enforcement) -> bool {
    let has_all =
        |wanted: Vec<Matcher>| wanted.into_iter().all(|wanted| matchers.contains(&LabelMatcher::from(wanted)));
    let demands = |label: &LabelName, permitted: &dyn Fn(&str) -> bool| {
        let mut own = matchers.iter().filter(|own| own.op == MatchOp::Equal && own.label == label.as_str());
        own.any(|own| permitted(&own.value))
    };
    let whole = |alternative: &Alternative| {
        alternative.tests().all(|(label, test)| {
            has_all(test.matchers(label, false))
                || has_all(test.matchers(label, true))
                || demands(label, &|value| test.matches(value))
        })
    };
    let nothing = IMPOSSIBLE.iter().all(|name| demands(&LabelName::metric_name(), &|value| value == *name));
    nothing || enforcement.alternatives().iter().any(whole)
}
