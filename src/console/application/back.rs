//! Where a window leads when it is left: to the page that it was opened from.

use super::list_query::ListQuery;
use crate::console::form::{Fields, FromFields};
use crate::console::paths;

/// The name of the field by which forms hand it on.
pub(crate) const FIELD: &str = "back";
/// The value for the application's own page; every other value is a query of the list.
pub(crate) const PAGE: &str = "page";

/// What the field says. It never is an address: from here one gets to these two pages only.
#[derive(Clone, Debug, Default)]
pub(crate) struct BackField(String);

impl FromFields for BackField {
    fn from_fields(fields: &Fields) -> Self {
        Self(fields.one(FIELD))
    }
}

impl BackField {
    /// The application's own page.
    pub(crate) fn page() -> Self {
        Self(PAGE.to_owned())
    }

    /// The page that it means in a window about this application.
    pub(crate) fn of(&self, client_id: &str) -> Back {
        match self.0.as_str() {
            PAGE => Back::Page(client_id.to_owned()),
            query => Back::List(Box::new(ListQuery { notice: None, ..ListQuery::read(query) })),
        }
    }
}

/// The page that a window was opened from.
#[derive(Clone, Debug)]
pub(crate) enum Back {
    /// The list, as it was searched, sorted and turned to.
    List(Box<ListQuery>),
    /// The page of the application with this `client_id`.
    Page(String),
}

impl Default for Back {
    fn default() -> Self {
        Self::List(Box::default())
    }
}

impl Back {
    /// Its address.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::List(query) => query.path(query.search.from.as_ref()),
            Self::Page(client_id) => paths::application(client_id),
        }
    }

    /// Its address with something to say.
    pub(crate) fn path_saying(&self, notice: &str) -> String {
        let path = self.path();
        let sign = if path.contains('?') { '&' } else { '?' };
        format!("{path}{sign}notice={notice}")
    }

    /// The address as a form that only leads there has it: without its query, which such a form sends as fields.
    pub(crate) fn action(&self) -> String {
        match self {
            Self::List(_) => paths::APPLICATIONS.to_owned(),
            Self::Page(_) => self.path(),
        }
    }

    /// The fields of such a form.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::List(query) => query.pairs(query.search.from.as_ref()),
            Self::Page(_) => Vec::new(),
        }
    }

    /// The value of the field that hands it on; empty for the list from its beginning.
    pub(crate) fn value(&self) -> String {
        match self {
            Self::List(query) => query.query(query.search.from.as_ref()),
            Self::Page(_) => PAGE.to_owned(),
        }
    }

    /// The list, once there is no such application any more.
    pub(crate) fn without_the_page(self) -> Self {
        match self {
            Self::Page(_) => Self::default(),
            list @ Self::List(_) => list,
        }
    }

    /// The part of the list that stands behind the window.
    pub(crate) fn list_query(&self) -> ListQuery {
        match self {
            Self::List(query) => (**query).clone(),
            Self::Page(_) => ListQuery::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "gh_0123456789abcdefghijAB";

    fn back(value: &str) -> Back {
        BackField(value.to_owned()).of(ID)
    }

    #[test]
    fn it_leads_to_the_list_as_it_was_or_to_the_page() {
        assert_eq!(back("").path(), "/console/applications");
        assert_eq!(back("page").path(), format!("/console/applications/{ID}"));
        let query = "q=a%26b&status=overlap&sort=-used";
        let list = back(query);
        assert_eq!((list.path(), list.value()), (format!("/console/applications?{query}"), query.to_owned()));
        assert_eq!(list.pairs()[0], ("q", "a&b".to_owned()));
        assert_eq!(list.path_saying("deleted"), format!("/console/applications?{query}&notice=deleted"));
        assert_eq!(back("page").without_the_page().path_saying("deleted"), "/console/applications?notice=deleted");
    }

    #[test]
    fn it_leads_nowhere_else() {
        for foreign in ["https://evil.example", "//evil.example", "notice=deleted", "cursor=x", "/console/roles"] {
            assert_eq!(back(foreign).path(), "/console/applications", "{foreign}");
        }
    }
}
