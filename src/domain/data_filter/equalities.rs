//! What of a filter an index by attribute and value can find.

use super::Expression;
use super::sql::{Rows, Value, rows};

/// Attributes with values, none of them empty: a row that the filter selects has at least one of them.
pub type Equalities<'a> = Vec<(&'a str, &'a str)>;

/// More look-ups than these for one page are not worth it.
const MOST: usize = 64;
/// So many sets are enough to choose the best from.
const SETS: usize = 6;

pub(super) fn of(expression: &Expression) -> Vec<Equalities<'_>> {
    let mut found = Vec::new();
    collect(rows(expression, false), &mut found);
    found.sort_by_key(Vec::len);
    found.truncate(SETS);
    found
}

fn collect<'a>(rows: Rows<'a>, found: &mut Vec<Equalities<'a>>) {
    match rows {
        Rows::All => {}
        Rows::Every(parts) => parts.into_iter().for_each(|part| collect(part, found)),
        Rows::Either(parts) => {
            let mut together = Vec::new();
            for part in parts {
                let mut sets = Vec::new();
                collect(part, &mut sets);
                // One part that an index can't find is enough for all rows to be looked at.
                let Some(smallest) = sets.into_iter().min_by_key(Vec::len) else { return };
                together.extend(smallest);
                if together.len() > MOST {
                    return;
                }
            }
            together.sort_unstable();
            together.dedup();
            found.push(together);
        }
        Rows::Attribute { key, negated, value } => {
            let values = match (negated, value) {
                (false, Value::Compared("=", value)) | (true, Value::Compared("!=", value)) => vec![value],
                (false, Value::OneOf(values)) => values.iter().map(String::as_str).collect(),
                _ => return,
            };
            // The empty value is an absent attribute, of which there is no entry to find.
            if values.len() <= MOST && !values.contains(&"") {
                found.push(values.into_iter().map(|value| (key, value)).collect());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::data_filter::DataFilter;

    fn sets(text: &str) -> String {
        let filter: DataFilter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let set = |set: Vec<(&str, &str)>| set.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
        let sets: Vec<String> = filter.equalities().into_iter().map(|equalities| set(equalities).join("|")).collect();
        sets.join(" & ")
    }

    #[test]
    fn equalities_are_found_wherever_they_bind() {
        for (filter, wanted) in [
            ("a = x", "a=x"),
            ("NOT a != x", "a=x"),
            ("a IN (x, y)", "a=x|a=y"),
            ("NOT a NOT IN (x, y)", "a=x|a=y"),
            ("a MATCHES \"x|y\"", "a=x|a=y"),
            ("a IN (x, y) AND b = z AND c > d", "b=z & a=x|a=y"),
            ("a = x OR b = z", "a=x|b=z"),
            ("(a = x AND c > d) OR (b IN (y, z) AND a = x)", "a=x"),
            ("NOT (a != x OR b != y)", "a=x & b=y"),
            ("a LIKE \"x\"", "a=x"),
        ] {
            assert_eq!(sets(filter), wanted, "{filter}");
        }
        for filter in
            ["a != x", "a = \"\"", "a IN (x, \"\")", "a = x OR b > y", "a EXISTS", "a LIKE \"x*\"", "NOT a = x"]
        {
            assert_eq!(sets(filter), "", "{filter}");
        }
    }
}
