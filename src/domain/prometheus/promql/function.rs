//! The functions that are known to read nothing but their arguments.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::types::Type::{self, Matrix, Scalar, Text, Vector};

/// A function of Prometheus 2 or 3.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Function {
    pub(in super::super) name: &'static str,
    pub(super) parameters: &'static [Type],
    /// How many of the last parameters may be left out.
    pub(super) optional: usize,
    /// Whether the last parameter may be repeated.
    pub(super) repeats: bool,
    pub(super) returns: Type,
}

/// Functions for which it matters that the argument is a selector and not an expression of equal value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ReadsRaw {
    /// The answer's labels come from the selector's `=` matchers: `absent`, `absent_over_time`.
    Matchers,
    /// The answer is the time of the sample: `timestamp`.
    SampleTimes,
}

impl Function {
    /// Whether it looks at the selector itself.
    pub(in super::super) fn reads_raw(&self) -> Option<ReadsRaw> {
        match self.name {
            "absent" | "absent_over_time" => Some(ReadsRaw::Matchers),
            "timestamp" | "start_timestamp" => Some(ReadsRaw::SampleTimes),
            _ => None,
        }
    }

    pub(super) fn find(name: &str) -> Option<&'static Self> {
        BY_NAME.get(name).copied()
    }

    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        FUNCTIONS.iter()
    }
}

/// Aggregations, and what their parameter is.
pub(super) const AGGREGATIONS: [(&str, Option<Type>); 14] = [
    ("avg", None),
    ("bottomk", Some(Scalar)),
    ("count", None),
    ("count_values", Some(Text)),
    ("group", None),
    ("limit_ratio", Some(Scalar)),
    ("limitk", Some(Scalar)),
    ("max", None),
    ("min", None),
    ("quantile", Some(Scalar)),
    ("stddev", None),
    ("stdvar", None),
    ("sum", None),
    ("topk", Some(Scalar)),
];

static BY_NAME: LazyLock<HashMap<&str, &Function>> =
    LazyLock::new(|| FUNCTIONS.iter().map(|function| (function.name, function)).collect());

const fn plain(name: &'static str, parameters: &'static [Type]) -> Function {
    Function { name, parameters, optional: 0, repeats: false, returns: Vector }
}

const fn scalar(name: &'static str, parameters: &'static [Type]) -> Function {
    Function { name, parameters, optional: 0, repeats: false, returns: Scalar }
}

const fn optional(name: &'static str, parameters: &'static [Type]) -> Function {
    Function { name, parameters, optional: 1, repeats: false, returns: Vector }
}

const fn repeating(name: &'static str, parameters: &'static [Type]) -> Function {
    Function { name, parameters, optional: 1, repeats: true, returns: Vector }
}

/// `info()` is not among them: it reads series that its arguments don't name.
static FUNCTIONS: &[Function] = &[
    plain("abs", &[Vector]),
    plain("absent", &[Vector]),
    plain("absent_over_time", &[Matrix]),
    plain("acos", &[Vector]),
    plain("acosh", &[Vector]),
    plain("asin", &[Vector]),
    plain("asinh", &[Vector]),
    plain("atan", &[Vector]),
    plain("atanh", &[Vector]),
    plain("avg_over_time", &[Matrix]),
    plain("ceil", &[Vector]),
    plain("changes", &[Matrix]),
    plain("clamp", &[Vector, Scalar, Scalar]),
    plain("clamp_max", &[Vector, Scalar]),
    plain("clamp_min", &[Vector, Scalar]),
    plain("cos", &[Vector]),
    plain("cosh", &[Vector]),
    plain("count_over_time", &[Matrix]),
    optional("day_of_month", &[Vector]),
    optional("day_of_week", &[Vector]),
    optional("day_of_year", &[Vector]),
    optional("days_in_month", &[Vector]),
    plain("deg", &[Vector]),
    plain("delta", &[Matrix]),
    plain("deriv", &[Matrix]),
    plain("double_exponential_smoothing", &[Matrix, Scalar, Scalar]),
    plain("exp", &[Vector]),
    plain("first_over_time", &[Matrix]),
    plain("floor", &[Vector]),
    plain("histogram_avg", &[Vector]),
    plain("histogram_count", &[Vector]),
    plain("histogram_fraction", &[Scalar, Scalar, Vector]),
    plain("histogram_quantile", &[Scalar, Vector]),
    plain("histogram_stddev", &[Vector]),
    plain("histogram_stdvar", &[Vector]),
    plain("histogram_sum", &[Vector]),
    plain("holt_winters", &[Matrix, Scalar, Scalar]),
    optional("hour", &[Vector]),
    plain("idelta", &[Matrix]),
    plain("increase", &[Matrix]),
    plain("irate", &[Matrix]),
    repeating("label_join", &[Vector, Text, Text, Text]),
    plain("label_replace", &[Vector, Text, Text, Text, Text]),
    plain("last_over_time", &[Matrix]),
    plain("ln", &[Vector]),
    plain("log10", &[Vector]),
    plain("log2", &[Vector]),
    plain("mad_over_time", &[Matrix]),
    plain("max_over_time", &[Matrix]),
    plain("min_over_time", &[Matrix]),
    optional("minute", &[Vector]),
    optional("month", &[Vector]),
    scalar("pi", &[]),
    plain("predict_linear", &[Matrix, Scalar]),
    plain("present_over_time", &[Matrix]),
    plain("quantile_over_time", &[Scalar, Matrix]),
    plain("rad", &[Vector]),
    plain("rate", &[Matrix]),
    plain("resets", &[Matrix]),
    optional("round", &[Vector, Scalar]),
    scalar("scalar", &[Vector]),
    plain("sgn", &[Vector]),
    plain("sin", &[Vector]),
    plain("sinh", &[Vector]),
    plain("sort", &[Vector]),
    repeating("sort_by_label", &[Vector, Text]),
    repeating("sort_by_label_desc", &[Vector, Text]),
    plain("sort_desc", &[Vector]),
    plain("sqrt", &[Vector]),
    plain("start_timestamp", &[Vector]),
    plain("stddev_over_time", &[Matrix]),
    plain("stdvar_over_time", &[Matrix]),
    plain("sum_over_time", &[Matrix]),
    plain("tan", &[Vector]),
    plain("tanh", &[Vector]),
    scalar("time", &[]),
    plain("timestamp", &[Vector]),
    plain("ts_of_first_over_time", &[Matrix]),
    plain("ts_of_last_over_time", &[Matrix]),
    plain("ts_of_max_over_time", &[Matrix]),
    plain("ts_of_min_over_time", &[Matrix]),
    plain("vector", &[Scalar]),
    optional("year", &[Vector]),
];
