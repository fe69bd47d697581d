//! Aligned tables for people.

use std::fmt::Write as _;

/// Rows under headings; a column is as wide as its widest cell.
pub(super) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table, or `nothing` when it has no row.
    pub(super) fn render(&self, nothing: &str) -> String {
        if self.rows.is_empty() {
            return format!("{nothing}\n");
        }
        let headings: Vec<String> = self.headings.iter().map(|heading| heading.to_uppercase()).collect();
        let mut text = String::new();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = std::iter::once(&headings).chain(&self.rows).filter_map(|row| row.get(column));
                let width = width.map(|cell| cell.chars().count()).max().unwrap_or(0);
                let _ = write!(line, "{cell:<width$}  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Names with their values, one per line; an empty value is shown as a dash.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| {
        let value = if value.is_empty() { "-" } else { value.as_str() };
        format!("{name:<width$}  {value}\n")
    };
    facts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::{Table, facts};

    #[test]
    fn columns_are_aligned_and_lines_not_padded() {
        let mut table = Table::new(&["name", "roles"]);
        table.row(["Müller".to_owned(), "Operator".to_owned()]);
        table.row(["a".to_owned(), String::new()]);
        assert_eq!(table.render("none"), "NAME    ROLES\nMüller  Operator\na\n");
        assert_eq!(Table::new(&["name"]).render("No key yet."), "No key yet.\n");
        assert_eq!(facts(&[("name", "x".to_owned()), ("ends", String::new())]), "name  x\nends  -\n");
    }
}
