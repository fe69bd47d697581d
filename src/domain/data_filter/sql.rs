//! What of a filter a database can decide, as a condition that never leaves out a row which memory would select.

use super::{Comparison, Expression, Test};

/// More than this and the text is not worth sending: databases bound both.
const MOST_BINDS: usize = 4_000;
const MOST_CONDITIONS: usize = 400;

/// A condition over the table `entity` under the alias `e` (column `id`) and the table
/// `entity_attribute (entity_id, key, value)`, in which values are never empty and both columns compare by bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlSuperset {
    /// A boolean expression, in parentheses where needed, with placeholders `$n`; the same for every database.
    pub sql: String,
    /// The values of the placeholders, in their order.
    pub binds: Vec<String>,
}

pub(super) fn superset(expression: &Expression, first_bind: usize) -> Option<SqlSuperset> {
    let mut writer = Writer { first_bind, binds: Vec::new(), conditions: 0 };
    let sql = match rows(expression, false) {
        Rows::All => return None,
        rows => writer.write(&rows),
    };
    (writer.binds.len() <= MOST_BINDS && writer.conditions <= MOST_CONDITIONS)
        .then_some(SqlSuperset { sql, binds: writer.binds })
}

/// A set of entities.
enum Rows {
    All,
    Nothing,
    Every(Vec<Rows>),
    Either(Vec<Rows>),
    /// Those that have (or, if not `present`, do not have) an attribute row with this key and such a value.
    Attribute {
        present: bool,
        key: String,
        value: Value,
    },
}

/// The stored, so never empty, values of an attribute.
enum Value {
    Any,
    Compared(Comparison, String),
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
    /// From the first, up to but without the second.
    Between(String, Option<String>),
}

/// The rows that the expression, or its negation, selects, or more. Negation is pushed to the conditions, because the
/// complement of a superset is not one.
fn rows(expression: &Expression, negated: bool) -> Rows {
    match (expression, negated) {
        (Expression::Not(part), _) => rows(part, !negated),
        (Expression::And(parts), false) | (Expression::Or(parts), true) => {
            every(parts.iter().map(|part| rows(part, negated)))
        }
        (Expression::Or(parts), false) | (Expression::And(parts), true) => {
            either(parts.iter().map(|part| rows(part, negated)))
        }
        (Expression::Condition { key, test }, _) => condition(key, test, negated),
    }
}

fn every(parts: impl Iterator<Item = Rows>) -> Rows {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            Rows::All => {}
            Rows::Nothing => return Rows::Nothing,
            part => kept.push(part),
        }
    }
    if kept.is_empty() { Rows::All } else { Rows::Every(kept) }
}

fn either(parts: impl Iterator<Item = Rows>) -> Rows {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            Rows::All => return Rows::All,
            Rows::Nothing => {}
            part => kept.push(part),
        }
    }
    if kept.is_empty() { Rows::Nothing } else { Rows::Either(kept) }
}

fn condition(key: &str, test: &Test, negated: bool) -> Rows {
    let attribute = |present, value| Rows::Attribute { present, key: key.to_owned(), value };
    let (rows, exact) = match test {
        Test::Compare(comparison, value) => (compared(attribute, *comparison, value), true),
        Test::In(values) => (one_of(attribute, values), true),
        Test::NotIn(values) => (one_of(attribute, values).complement(), true),
        Test::Exists => (attribute(true, Value::Any), true),
        Test::NotExists => (attribute(false, Value::Any), true),
        Test::Like(glob) => match glob.pieces() {
            [only] => (compared(attribute, Comparison::Equal, only), true),
            [prefix, last] if last.is_empty() => (beginning_with(attribute, prefix), true),
            // There is text after a star, so the value is not empty.
            [prefix, ..] if prefix.is_empty() => (attribute(true, Value::Any), false),
            [prefix, ..] => (beginning_with(attribute, prefix), false),
            [] => (Rows::All, false),
        },
        Test::Matches(pattern) => match pattern.literals() {
            Some(literals) => (one_of(attribute, literals), true),
            None if !pattern.prefix().is_empty() => (beginning_with(attribute, pattern.prefix()), false),
            None if !pattern.matches("") => (attribute(true, Value::Any), false),
            None => (Rows::All, false),
        },
    };
    match (negated, exact) {
        (false, _) => rows,
        (true, true) => rows.complement(),
        (true, false) => Rows::All,
    }
}

/// Exact. An absent attribute is empty, and the empty string is below every other.
fn compared(attribute: impl Fn(bool, Value) -> Rows, comparison: Comparison, value: &str) -> Rows {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let stored = |comparison| Value::Compared(comparison, value.to_owned());
    match (comparison, value.is_empty()) {
        (Equal | LessOrEqual, true) => attribute(false, Value::Any),
        (NotEqual | Greater, true) => attribute(true, Value::Any),
        (GreaterOrEqual, true) => Rows::All,
        (Less, true) => Rows::Nothing,
        (Equal | Greater | GreaterOrEqual, false) => attribute(true, stored(comparison)),
        (NotEqual, false) => attribute(false, stored(Equal)),
        (Less, false) => attribute(false, stored(GreaterOrEqual)),
        (LessOrEqual, false) => attribute(false, stored(Greater)),
    }
}

/// Exact.
fn one_of(attribute: impl Fn(bool, Value) -> Rows, values: &[String]) -> Rows {
    let stored: Vec<String> = values.iter().filter(|value| !value.is_empty()).cloned().collect();
    match (stored.is_empty(), stored.len() < values.len()) {
        (true, _) => attribute(false, Value::Any),
        (false, false) => attribute(true, Value::OneOf(stored)),
        (false, true) => attribute(false, Value::NoneOf(stored)),
    }
}

/// Exact. As a range, because SQL's own LIKE ignores case on one database and not on the other.
fn beginning_with(attribute: impl Fn(bool, Value) -> Rows, prefix: &str) -> Rows {
    if prefix.is_empty() {
        return Rows::All;
    }
    attribute(true, Value::Between(prefix.to_owned(), after_all_with(prefix)))
}

/// The least text above every text that begins so. UTF-8 sorts by bytes as its characters do by number.
fn after_all_with(prefix: &str) -> Option<String> {
    let mut rest = prefix.to_owned();
    while let Some(last) = rest.pop() {
        let next = match last {
            char::MAX => continue,
            '\u{D7FF}' => '\u{E000}',
            c => char::from_u32(u32::from(c) + 1)?,
        };
        rest.push(next);
        return Some(rest);
    }
    None
}

impl Rows {
    /// The other entities. Only ever asked of a single, exact condition.
    fn complement(self) -> Self {
        match self {
            Self::Attribute { present, key, value } => Self::Attribute { present: !present, key, value },
            Self::Nothing | Self::Every(_) | Self::Either(_) => Self::All,
            Self::All => Self::Nothing,
        }
    }
}

struct Writer {
    first_bind: usize,
    binds: Vec<String>,
    conditions: usize,
}

impl Writer {
    fn write(&mut self, rows: &Rows) -> String {
        match rows {
            Rows::All => "1 = 1".to_owned(),
            Rows::Nothing => "1 = 0".to_owned(),
            Rows::Every(parts) => self.joined(parts, " AND "),
            Rows::Either(parts) => self.joined(parts, " OR "),
            Rows::Attribute { present, key, value } => {
                self.conditions += 1;
                let not = if *present { "" } else { "NOT " };
                let key = self.bind(key);
                let value = self.value(value);
                format!(
                    "{not}EXISTS (SELECT 1 FROM entity_attribute a WHERE a.entity_id = e.id AND a.key = {key}{value})"
                )
            }
        }
    }

    fn joined(&mut self, parts: &[Rows], operator: &str) -> String {
        let written: Vec<String> = parts.iter().map(|part| self.write(part)).collect();
        format!("({})", written.join(operator))
    }

    fn value(&mut self, value: &Value) -> String {
        match value {
            Value::Any => String::new(),
            Value::Compared(comparison, wanted) => {
                format!(" AND a.value {} {}", comparison.symbol(), self.bind(wanted))
            }
            Value::OneOf(values) => format!(" AND a.value IN ({})", self.bind_all(values)),
            Value::NoneOf(values) => format!(" AND a.value NOT IN ({})", self.bind_all(values)),
            Value::Between(from, Some(to)) => {
                format!(" AND a.value >= {} AND a.value < {}", self.bind(from), self.bind(to))
            }
            Value::Between(from, None) => format!(" AND a.value >= {}", self.bind(from)),
        }
    }

    fn bind_all(&mut self, values: &[String]) -> String {
        values.iter().map(|value| self.bind(value)).collect::<Vec<_>>().join(", ")
    }

    fn bind(&mut self, value: &str) -> String {
        self.binds.push(value.to_owned());
        format!("${}", self.first_bind + self.binds.len() - 1)
    }
}
