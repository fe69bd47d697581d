//! What the address of the Application keys page asks for. It says everything: links and bookmarks lead to the same part
//! of the list, with or without scripts.

use crate::console::form::{Fields, FromFields};
use crate::console::paths;
use crate::domain::application::ClientId;
use crate::domain::role::RoleId;
use crate::store::application_list::{Order, Position, Search, Standing};

/// The filters by standing: their values in addresses and their words.
const STANDINGS: [(Standing, &str, &str); 5] = [
    (Standing::Active, "active", "Active"),
    (Standing::Overlap, "overlap", "In overlap"),
    (Standing::Expiring, "expiring", "Expires within 30 days"),
    (Standing::Expired, "expired", "Expired"),
    (Standing::Disabled, "disabled", "Disabled"),
];

/// The orders: their values in addresses, and whether a first press shows the last ones first.
const ORDERS: [(Order, &str, bool); 3] =
    [(Order::Name, "name", false), (Order::Created, "created", true), (Order::LastUsed, "used", true)];

/// An entry of a drop-down list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

/// Which part of the list is asked for. What can't be read asks for nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListQuery {
    pub(crate) search: Search,
    /// What has just happened.
    pub(crate) notice: Option<String>,
}

impl FromFields for ListQuery {
    fn from_fields(fields: &Fields) -> Self {
        let status = fields.one("status");
        let sort = fields.one("sort");
        let order = ORDERS.iter().find(|(_, name, _)| *name == sort.trim_start_matches('-'));
        let search = Search {
            words: fields.one("q").trim().replace('\0', ""),
            role: fields.some("role").filter(|role| !role.contains('\0')).map(RoleId::new),
            standing: STANDINGS.iter().find(|(_, name, _)| *name == status).map(|(standing, ..)| *standing),
            order: order.map(|(order, ..)| *order).unwrap_or_default(),
            descending: order.is_some() && sort.starts_with('-'),
            from: fields.some("cursor").as_deref().and_then(read_cursor),
        };
        Self { search, notice: fields.some("notice") }
    }
}

impl ListQuery {
    /// What a query asks for.
    pub(crate) fn read(query: &str) -> Self {
        Self::from_fields(&Fields::parse(query.as_bytes()))
    }

    /// Whether anything narrows the list.
    pub(crate) fn is_filtered(&self) -> bool {
        let search = &self.search;
        !search.words.is_empty() || search.role.is_some() || search.standing.is_some()
    }

    /// The value of the order in addresses; empty for the usual one.
    pub(crate) fn sort(&self) -> String {
        sort_value(self.search.order, self.search.descending)
    }

    /// The same list from this place, or from its beginning.
    pub(crate) fn path(&self, from: Option<&Position>) -> String {
        path_of(&self.query(from))
    }

    /// The same as the query of an address.
    pub(crate) fn query(&self, from: Option<&Position>) -> String {
        query_of(&self.pairs(from))
    }

    /// The same as fields of a form.
    pub(crate) fn pairs(&self, from: Option<&Position>) -> Vec<(&'static str, String)> {
        self.pairs_sorted(&self.sort(), from)
    }

    /// The list in the order that a heading of the table leads to: another one, or the same turned round.
    pub(crate) fn path_sorted(&self, name: &str) -> String {
        let (order, _, last_first) = ORDERS.iter().find(|(_, known, _)| *known == name).copied().unwrap_or(ORDERS[0]);
        let descending = if order == self.search.order { !self.search.descending } else { last_first };
        path_of(&query_of(&self.pairs_sorted(&sort_value(order, descending), None)))
    }

    /// The value of `aria-sort` of a heading.
    pub(crate) fn aria_sort(&self, name: &str) -> &'static str {
        let current = ORDERS.iter().any(|(order, known, _)| *known == name && *order == self.search.order);
        match (current, self.search.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }

    /// The choices of the filter by standing.
    pub(crate) fn standings(&self) -> Vec<Choice> {
        let choice = |(standing, value, label): &(Standing, &str, &str)| Choice {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            chosen: self.search.standing == Some(*standing),
        };
        STANDINGS.iter().map(choice).collect()
    }

    fn pairs_sorted(&self, sort: &str, from: Option<&Position>) -> Vec<(&'static str, String)> {
        let search = &self.search;
        let standing = STANDINGS.iter().find(|(standing, ..)| search.standing == Some(*standing));
        let mut pairs = vec![
            ("q", search.words.clone()),
            ("role", search.role.as_ref().map_or("", RoleId::as_str).to_owned()),
            ("status", standing.map_or("", |(_, name, _)| name).to_owned()),
            ("sort", sort.to_owned()),
            ("cursor", from.map(cursor).unwrap_or_default()),
        ];
        pairs.retain(|(_, value)| !value.is_empty());
        pairs
    }
}

fn query_of(pairs: &[(&'static str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn path_of(query: &str) -> String {
    if query.is_empty() { paths::APPLICATIONS.to_owned() } else { format!("{}?{query}", paths::APPLICATIONS) }
}

fn sort_value(order: Order, descending: bool) -> String {
    let name = ORDERS.iter().find(|(known, ..)| *known == order).map_or("", |(_, name, _)| name);
    match (order, descending) {
        (Order::Name, false) => String::new(),
        (_, false) => name.to_owned(),
        (_, true) => format!("-{name}"),
    }
}

/// A place of the list as one text: the direction, the `client_id`, the value.
fn cursor(place: &Position) -> String {
    let direction = if place.backwards { 'b' } else { 'a' };
    format!("{direction}{}{}", place.client_id, place.value)
}

fn read_cursor(text: &str) -> Option<Position> {
    let backwards = match text.get(..1)? {
        "a" => false,
        "b" => true,
        _ => return None,
    };
    let client_id = ClientId::parse(text.get(1..26)?)?;
    Some(Position { backwards, client_id, value: text.get(26..)?.replace('\0', "") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> ListQuery {
        ListQuery::from_fields(&Fields::parse(query.as_bytes()))
    }

    #[test]
    fn an_address_leads_to_itself() {
        for query in [
            "",
            "?q=a%26b&role=role_x&status=expiring&sort=-created&cursor=agh_0123456789abcdefghijABx%C3%A4",
            "?sort=-name&cursor=bgh_0123456789abcdefghijABgra%26fana",
        ] {
            let read = read(query.trim_start_matches('?'));
            assert_eq!(read.path(read.search.from.as_ref()), format!("{}{query}", paths::APPLICATIONS));
        }
    }

    #[test]
    fn what_cannot_be_read_asks_for_nothing() {
        for query in ["status=on&sort=size&cursor=x", "cursor=agh_1", "cursor=%C3%A4%C3%A4", "role=%00&q=%00"] {
            let read = read(query);
            assert_eq!(read.path(read.search.from.as_ref()), paths::APPLICATIONS, "{query}");
            assert!(!read.is_filtered());
        }
    }

    #[test]
    fn a_heading_leads_to_its_order_and_back() {
        let by_name = read("q=x");
        assert_eq!(by_name.path_sorted("name"), format!("{}?q=x&sort=-name", paths::APPLICATIONS));
        assert_eq!(by_name.path_sorted("used"), format!("{}?q=x&sort=-used", paths::APPLICATIONS));
        assert_eq!(by_name.aria_sort("name"), "ascending");
        assert_eq!(read("sort=-used").path_sorted("used"), format!("{}?sort=used", paths::APPLICATIONS));
    }
}
