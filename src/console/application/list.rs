//! The Application keys page: the table that every window stands over.

use crate::console::frame::Frame;
use crate::console::paths;
use crate::console::when::When;
use askama::Template;

/// One application in the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) roles: Vec<String>,
    pub(crate) disabled: bool,
    pub(crate) key_made: When,
}

/// What the table shows: a page of the applications whose names begin with what was looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    pub(crate) rows: Vec<Row>,
    /// What was looked for; empty for all.
    pub(crate) query: String,
    /// Whether no page comes before.
    pub(crate) first_page: bool,
    /// The cursor of the next page.
    pub(crate) next: Option<String>,
    /// Whether the person may make, regenerate and delete keys.
    pub(crate) editable: bool,
    /// How many applications there are in all.
    pub(crate) total: usize,
}

impl List {
    /// How many there are, in words.
    pub(crate) fn count_words(&self) -> String {
        match (self.query.is_empty(), self.total) {
            (true, 1) => "1 application".to_owned(),
            (true, total) => format!("{total} applications"),
            (false, total) => format!("{} shown of {total} in all", self.rows.len()),
        }
    }

    /// The list from its beginning.
    pub(crate) fn first_path(&self) -> String {
        self.path(None)
    }

    /// The next page of the list.
    pub(crate) fn next_path(&self) -> Option<String> {
        self.next.as_deref().map(|cursor| self.path(Some(cursor)))
    }

    fn path(&self, cursor: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.query.is_empty() {
            query.append_pair("q", &self.query);
        }
        if let Some(cursor) = cursor {
            query.append_pair("after", cursor);
        }
        match query.finish() {
            empty if empty.is_empty() => paths::APPLICATIONS.to_owned(),
            query => format!("{}?{query}", paths::APPLICATIONS),
        }
    }
}

/// The page without a window.
#[derive(Template)]
#[template(path = "application/list.html")]
pub(crate) struct ListPage {
    pub(crate) frame: Frame,
    pub(crate) list: List,
}

#[cfg(test)]
impl List {
    /// A list whose names try to be markup.
    pub(crate) fn sample() -> Self {
        use crate::domain::time::Timestamp;
        let row = |name: &str, client_id: &str, roles: &[&str], disabled| Row {
            name: name.to_owned(),
            client_id: client_id.to_owned(),
            roles: roles.iter().map(ToString::to_string).collect(),
            disabled,
            key_made: When::new(Timestamp::from_seconds(1_795_000_000)),
        };
        Self {
            rows: vec![
                row("<script>alert('name')</script>", "gh_0123456789abcdefghijAB", &["<script>role</script>"], true),
                row("Grafana", "gh_Zz23456789abcdefghijAB", &["Operator", "fx desk"], false),
            ],
            query: String::new(),
            first_page: true,
            next: Some("gra&fana".into()),
            editable: true,
            total: 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn names_are_text_and_rows_have_their_actions() {
        let page = ListPage { frame: Frame::sample(Section::Applications), list: List::sample() };
        let html = page.render().expect("renders");
        assert!(!html.contains("<script>alert"), "a name became markup");
        assert!(!html.contains("<script>role"), "a role became markup");
        assert!(html.contains("New API Key</button>"));
        assert_eq!(html.matches(">Regenerate</button>").count(), 2);
        assert_eq!(html.matches(">Delete</button>").count(), 2);
        assert!(html.contains("/console/applications?after=gra%26fana"));
    }

    #[test]
    fn who_may_not_edit_sees_no_buttons() {
        let list = List { editable: false, ..List::sample() };
        let html = ListPage { frame: Frame::sample(Section::Applications), list }.render().expect("renders");
        for absent in ["New API Key", ">Regenerate<", ">Delete<"] {
            assert!(!html.contains(absent), "{absent}");
        }
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        let list = List { first_page: true, editable: true, ..List::default() };
        let html = ListPage { frame: Frame::sample(Section::Applications), list }.render().expect("renders");
        assert!(html.contains("No application has a key yet"));
    }
}
