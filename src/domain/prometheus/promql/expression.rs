//! The tree of a query.

use super::function::Function;
use crate::domain::prometheus::MatchOp;

/// A node. Every visitor names every kind, so that a new one can't be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Expression {
    /// A number as written, without sign; the upstream reads it.
    Number(String),
    /// A string.
    Text(String),
    /// An instant selector.
    Selector(Selector),
    /// A range selector, `s[d]`.
    Range { selector: Selector, range: String },
    /// `(…)[d:step]`.
    Subquery { inner: Box<Expression>, range: String, step: Option<String>, shift: TimeShift },
    /// `(…)`.
    Parentheses(Box<Expression>),
    /// `-…` or `+…`.
    Unary { negative: bool, operand: Box<Expression> },
    /// `… op …`.
    Binary { operator: BinaryOperator, matching: Matching, left: Box<Expression>, right: Box<Expression> },
    /// `sum by (…) (parameter, …)`.
    Aggregation {
        operator: &'static str,
        grouping: Option<Grouping>,
        parameter: Option<Box<Expression>>,
        operand: Box<Expression>,
    },
    /// `f(…)`.
    Call { function: &'static Function, arguments: Vec<Expression> },
}

/// Label matchers, which all must hold, and the time at which series are read. A metric name is a matcher of
/// `__name__`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Selector {
    pub(in super::super) matchers: Vec<LabelMatcher>,
    pub(in super::super) shift: TimeShift,
}

/// A matcher of a query. Its label need not be a name that the hub knows, as it may be any text in quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct LabelMatcher {
    pub(in super::super) label: String,
    pub(in super::super) op: MatchOp,
    pub(in super::super) value: String,
}

/// `offset …` and `@ …`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct TimeShift {
    /// With its sign, as written.
    pub(in super::super) offset: Option<String>,
    pub(in super::super) at: Option<At>,
}

/// What follows `@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum At {
    /// A number with its sign, as written.
    Time(String),
    Start,
    End,
}

/// `by (…)`, `without (…)`, `on (…)`, `ignoring (…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Grouping {
    /// Whether only these labels count (`by`, `on`), or all but these.
    pub(in super::super) only: bool,
    pub(in super::super) labels: Vec<String>,
}

/// How the sides of a binary operator find each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Matching {
    pub(in super::super) bool: bool,
    pub(in super::super) labels: Option<Grouping>,
    pub(in super::super) many: Option<(Side, Vec<String>)>,
}

/// The side that has many series for each of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Side {
    Left,
    Right,
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct BinaryOperator {
    pub(in super::super) text: &'static str,
    /// The higher, the tighter.
    pub(in super::super) precedence: u8,
}

const BINARY: [BinaryOperator; 16] = [
    BinaryOperator { text: "or", precedence: 1 },
    BinaryOperator { text: "and", precedence: 2 },
    BinaryOperator { text: "unless", precedence: 2 },
    BinaryOperator { text: "==", precedence: 3 },
    BinaryOperator { text: "!=", precedence: 3 },
    BinaryOperator { text: "<", precedence: 3 },
    BinaryOperator { text: "<=", precedence: 3 },
    BinaryOperator { text: ">", precedence: 3 },
    BinaryOperator { text: ">=", precedence: 3 },
    BinaryOperator { text: "+", precedence: 4 },
    BinaryOperator { text: "-", precedence: 4 },
    BinaryOperator { text: "*", precedence: 5 },
    BinaryOperator { text: "/", precedence: 5 },
    BinaryOperator { text: "%", precedence: 5 },
    BinaryOperator { text: "atan2", precedence: 5 },
    BinaryOperator { text: "^", precedence: 6 },
];

impl BinaryOperator {
    /// `or`
    pub(in super::super) const OR: Self = BINARY[0];
    /// `and`
    pub(in super::super) const AND: Self = BINARY[1];
    /// Of unary signs: as tight as `*`, so that `-a ^ b` negates the power.
    pub(super) const SIGN: u8 = 5;

    pub(super) fn of(text: &str) -> Option<Self> {
        BINARY.iter().copied().find(|operator| operator.text == text)
    }

    pub(super) const fn is_right_associative(self) -> bool {
        self.precedence == 6
    }

    pub(super) const fn is_comparison(self) -> bool {
        self.precedence == 3
    }

    pub(super) const fn is_set_operator(self) -> bool {
        self.precedence <= 2
    }
}

impl Selector {
    /// Whether a matcher demands exactly this metric name, and which.
    pub(in super::super) fn fixed_name(&self) -> Option<&str> {
        self.equal_to("__name__").next()
    }

    /// The values that the label must equal.
    pub(in super::super) fn equal_to<'a>(&'a self, label: &'a str) -> impl Iterator<Item = &'a str> {
        self.matchers
            .iter()
            .filter(move |matcher| matcher.op == MatchOp::Equal && matcher.label == label)
            .map(|matcher| matcher.value.as_str())
    }
}

impl Expression {
    /// What stands within any parentheses around the whole.
    pub(in super::super) fn bare(&self) -> &Self {
        let mut inner = self;
        while let Self::Parentheses(within) = inner {
            inner = within;
        }
        inner
    }
}
