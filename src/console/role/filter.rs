//! What is said about a filter below its field: as it is typed, and after a submit.

use crate::console::answer;
use crate::console::form::{Fields, FromFields, Guarded};
use crate::console::words;
use crate::domain::data_filter::{DataFilter, FilterError};
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// How much of the filter is shown on either side of the place where it goes wrong.
const AROUND: usize = 40;

/// What is said about a filter.
#[derive(Clone, Debug, Template)]
#[template(path = "role/filter.html")]
pub(crate) enum Verdict {
    /// There is none.
    Empty,
    /// It can be read, and this is how the hub writes it.
    Good(String),
    /// It can't be read.
    Wrong(Fault),
    /// It can be read, but does not go with the rest of the role.
    Misplaced(String),
}

/// Where a filter can't be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    /// What stands before the place, at it, and after it; shortened, and of one line.
    pub(crate) before: String,
    pub(crate) at: String,
    pub(crate) after: String,
}

impl Verdict {
    pub(crate) fn of(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::Empty;
        }
        match DataFilter::parse(text) {
            Ok(filter) => Self::Good(filter.to_string()),
            Err(error) => Self::Wrong(Fault::new(text, &error)),
        }
    }

    /// Whether it stops the role from being saved.
    pub(crate) const fn is_bad(&self) -> bool {
        matches!(self, Self::Wrong(_) | Self::Misplaced(_))
    }
}

impl Fault {
    fn new(text: &str, error: &FilterError) -> Self {
        let characters: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let place = error.column.saturating_sub(1).min(characters.len());
        let from = place.saturating_sub(AROUND);
        let to = (place + 1 + AROUND).min(characters.len());
        let mut before: String = characters[from..place].iter().collect();
        if from > 0 {
            before.insert(0, '…');
        }
        let at = characters.get(place).copied().unwrap_or(' ').to_string();
        let mut after: String = characters.get(place + 1..to).unwrap_or_default().iter().collect();
        if to < characters.len() {
            after.push('…');
        }
        Self { message: words::sentence(&error.to_string()), before, at, after }
    }
}

/// The text to read.
pub(crate) struct FilterForm {
    filter: String,
}

impl FromFields for FilterForm {
    fn from_fields(fields: &Fields) -> Self {
        Self { filter: fields.one("filter").replace("\r\n", "\n") }
    }
}

/// `POST /console/roles/filter`: reads a filter and says what is wrong with it. Changes nothing.
pub(crate) async fn read(Guarded { form, .. }: Guarded<FilterForm>) -> Response {
    answer::page(StatusCode::OK, &Verdict::of(&form.filter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_shown() {
        let Verdict::Wrong(fault) = Verdict::of("a == b") else { panic!("not a filter") };
        assert_eq!((fault.before.as_str(), fault.at.as_str(), fault.after.as_str()), ("a =", "=", " b"));
        assert!(fault.message.starts_with("Column 4: "), "{}", fault.message);
        let Verdict::Wrong(fault) = Verdict::of("a =") else { panic!("not a filter") };
        assert_eq!((fault.before.as_str(), fault.at.as_str(), fault.after.as_str()), ("a =", " ", ""));
        let long = format!("{} = = <script>", "a".repeat(100));
        let Verdict::Wrong(fault) = Verdict::of(&long) else { panic!("not a filter") };
        assert!(fault.before.starts_with('…') && fault.before.chars().count() == AROUND + 1);
        assert!(!Verdict::Wrong(fault).render().expect("renders").contains("<script>"));
    }

    #[test]
    fn a_good_one_is_written_as_the_hub_writes_it() {
        assert!(matches!(Verdict::of("a=b and c exists"), Verdict::Good(text) if text.contains("AND")));
        assert!(matches!(Verdict::of("  \n"), Verdict::Empty));
    }
}
