//! What of a filter a database can decide, as a condition that never leaves out a row which memory would select.

use super::{Expression, Test};

/// Each condition costs the database a look-up for every row. With more of them it is faster to let memory decide.
const MOST_CONDITIONS: usize = 16;

/// A condition over the table `entity` under the alias `e` (column `id`) and the table
/// `entity_attribute (entity_id, key, value)`, in which values are never empty and all columns compare by bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlSuperset {
    /// A boolean expression, in parentheses where needed, with placeholders `$n`; the same for every database.
    pub sql: String,
    /// The values of the placeholders, in their order.
    pub binds: Vec<String>,
}

pub(super) fn superset(expression: &Expression, first_bind: usize) -> Option<SqlSuperset> {
    let mut rows = rows(expression, false);
    rows.narrow_to(MOST_CONDITIONS);
    if matches!(rows, Rows::All) {
        return None;
    }
    let mut writer = Writer { first_bind, binds: Vec::new() };
    let sql = writer.write(&rows);
    Some(SqlSuperset { sql, binds: writer.binds })
}

/// A set of entities.
pub(super) enum Rows<'a> {
    All,
    Every(Vec<Rows<'a>>),
    Either(Vec<Rows<'a>>),
    /// Those whose attribute, the empty string if absent, is such or (`negated`) is not.
    Attribute {
        key: &'a str,
        negated: bool,
        value: Value<'a>,
    },
}

/// A set of values that SQL tells apart exactly as memory does.
pub(super) enum Value<'a> {
    Empty,
    Compared(&'static str, &'a str),
    OneOf(&'a [String]),
    BeginningWith(&'a str),
}

/// The rows that the expression, or its negation, selects, or more. Negation is pushed to the conditions, because the
/// complement of a superset is not one.
pub(super) fn rows(expression: &Expression, negated: bool) -> Rows<'_> {
    match (expression, negated) {
        (Expression::Not(part), _) => rows(part, !negated),
        (Expression::And(parts), false) | (Expression::Or(parts), true) => {
            Rows::Every(parts.iter().map(|part| rows(part, negated)).collect())
        }
        (Expression::Or(parts), false) | (Expression::And(parts), true) => {
            Rows::Either(parts.iter().map(|part| rows(part, negated)).collect())
        }
        (Expression::Condition { key, test }, _) => condition(key, test, negated),
    }
}

fn condition<'a>(key: &'a str, test: &'a Test, negated: bool) -> Rows<'a> {
    let exactly = |value| Rows::Attribute { key, negated, value };
    let not = |value| Rows::Attribute { key, negated: !negated, value };
    // Where SQL can only say what is necessary for the test, the negation says nothing.
    let at_least = |rows| if negated { Rows::All } else { rows };
    match test {
        Test::Compare(comparison, value) => exactly(Value::Compared(comparison.symbol(), value)),
        Test::In(values) => exactly(Value::OneOf(values)),
        Test::NotIn(values) => not(Value::OneOf(values)),
        Test::NotExists => exactly(Value::Empty),
        Test::Exists => not(Value::Empty),
        Test::Like(glob) => match glob.pieces() {
            [only] => exactly(Value::Compared("=", only)),
            [prefix, last] if last.is_empty() => exactly(Value::BeginningWith(prefix)),
            // There is text after a star, so the value is not empty.
            [prefix, ..] if prefix.is_empty() => at_least(not(Value::Empty)),
            [prefix, ..] => at_least(exactly(Value::BeginningWith(prefix))),
            [] => Rows::All,
        },
        Test::Matches(pattern) => match pattern.literals() {
            Some(literals) => exactly(Value::OneOf(literals)),
            None if !pattern.prefix().is_empty() => at_least(exactly(Value::BeginningWith(pattern.prefix()))),
            None if !pattern.matches("") => at_least(not(Value::Empty)),
            None => Rows::All,
        },
    }
}

impl Rows<'_> {
    /// Widens the set until at most so many conditions describe it.
    fn narrow_to(&mut self, mut most: usize) {
        match self {
            Self::Attribute { .. } if most == 0 => *self = Self::All,
            // A prefix of nothing is no condition. (Its negation selects nothing, which is one.)
            Self::Attribute { negated: false, value: Value::BeginningWith(""), .. } => *self = Self::All,
            Self::All | Self::Attribute { .. } => {}
            Self::Every(parts) => {
                parts.retain_mut(|part| {
                    part.narrow_to(most);
                    most -= part.conditions();
                    !matches!(part, Self::All)
                });
                if parts.is_empty() {
                    *self = Self::All;
                }
            }
            Self::Either(parts) => {
                for part in parts.iter_mut() {
                    part.narrow_to(most);
                    if matches!(part, Self::All) {
                        *self = Self::All;
                        return;
                    }
                    most -= part.conditions();
                }
            }
        }
    }

    fn conditions(&self) -> usize {
        match self {
            Self::All => 0,
            Self::Attribute { .. } => 1,
            Self::Every(parts) | Self::Either(parts) => parts.iter().map(Self::conditions).sum(),
        }
    }
}

struct Writer {
    first_bind: usize,
    binds: Vec<String>,
}

impl Writer {
    fn write(&mut self, rows: &Rows<'_>) -> String {
        match rows {
            Rows::All => "1 = 1".to_owned(),
            Rows::Every(parts) => self.joined(parts, " AND "),
            Rows::Either(parts) => self.joined(parts, " OR "),
            Rows::Attribute { key, negated, value } => {
                let not = if *negated { "NOT " } else { "" };
                format!("{not}({})", self.test(key, value))
            }
        }
    }

    fn joined(&mut self, parts: &[Rows<'_>], operator: &str) -> String {
        let written: Vec<String> = parts.iter().map(|part| self.write(part)).collect();
        format!("({})", written.join(operator))
    }

    /// A scalar subquery, not EXISTS: PostgreSQL would turn many of those into joins, and plan them for seconds.
    fn test(&mut self, key: &str, value: &Value<'_>) -> String {
        let key = self.bind(key);
        let attribute = format!(
            "COALESCE((SELECT a.value FROM entity_attribute a WHERE a.entity_id = e.id AND a.key = {key}), '')"
        );
        match value {
            Value::Empty => format!("{attribute} = ''"),
            Value::Compared(operator, wanted) => format!("{attribute} {operator} {}", self.bind(wanted)),
            Value::OneOf(values) => {
                let values: Vec<String> = values.iter().map(|value| self.bind(value)).collect();
                format!("{attribute} IN ({})", values.join(", "))
            }
            // Not SQL's LIKE, which ignores case on one database and not on the other.
            Value::BeginningWith(prefix) => {
                format!("substr({attribute}, 1, {}) = {}", prefix.chars().count(), self.bind(prefix))
            }
        }
    }

    fn bind(&mut self, value: &str) -> String {
        self.binds.push(value.to_owned());
        format!("${}", self.first_bind + self.binds.len() - 1)
    }
}
