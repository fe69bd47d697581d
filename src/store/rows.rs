//! Statements that take many rows at once: a text for one row, widened to as many as go into one statement.

/// How many rows one widened statement takes. Fewer are filled up with rows that match nothing.
pub(super) const ROWS: usize = 64;

/// The text of a statement whose `VALUES (…)` holds one row of parameters, for [`ROWS`] of them.
///
/// # Panics
/// If the text holds no such group: a mistake in a statement, found by the first test.
pub(super) fn widened(sql: &str) -> String {
    let start = sql.find("VALUES (").expect("the statement takes rows") + "VALUES ".len();
    let mut depth = 0_usize;
    let length = sql[start..].find(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    let end = start + length.expect("the group is closed") + 1;
    let group = &sql[start..end];
    let columns = group.matches('$').count();
    let rows: Vec<String> = (0..ROWS).map(|row| shifted(group, row * columns)).collect();
    format!("{}{}{}", &sql[..start], rows.join(", "), &sql[end..])
}

/// The same group with its parameters' numbers raised.
fn shifted(group: &str, by: usize) -> String {
    let mut parts = group.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
        let number: usize = part[..digits].parse().expect("a parameter's number");
        text.push('$');
        text.push_str(&(number + by).to_string());
        text.push_str(&part[digits..]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_for_one_row_becomes_one_for_many() {
        let many = widened("WITH f (a, b) AS (VALUES (CAST($1 AS TEXT), $2)) DELETE FROM t WHERE (a) = 'x'");
        assert!(
            many.starts_with("WITH f (a, b) AS (VALUES (CAST($1 AS TEXT), $2), (CAST($3 AS TEXT), $4), "),
            "{many}"
        );
        let last = format!("(CAST(${} AS TEXT), ${})) DELETE FROM t WHERE (a) = 'x'", 2 * ROWS - 1, 2 * ROWS);
        assert!(many.ends_with(&last), "{many}");
    }
}
