//! A request of the list, as SQL.

use super::super::{StoreError, Tx};
use super::bound::{Listed, Sql, rows};
use super::{FEW, Order, Position, SOON, Search, Standing, WINDOW};
use crate::domain::application::ClientId;
use crate::domain::time::Timestamp;

/// One request of the list, as SQL. Texts are made of our own words and placeholders; every value is bound.
pub(super) struct Asked<'a> {
    search: &'a Search,
    now: i64,
    /// The words, case-folded as names are.
    name_start: String,
    /// The words, if they can begin a `client_id`.
    id_start: Option<String>,
}

/// A filter with an index of its own.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Words,
    Role,
    Standing,
}

impl<'a> Asked<'a> {
    pub(super) fn new(search: &'a Search, now: Timestamp) -> Self {
        let words = search.words.replace('\0', "");
        let words = words.trim();
        // The three characters that all ids share select nothing.
        let words = if words == "gh_" { "" } else { words };
        let id_start = words.starts_with("gh_") && words.is_ascii();
        Self {
            search,
            now: now.micros(),
            name_start: words.to_lowercase(),
            id_start: id_start.then(|| words.to_owned()),
        }
    }

    pub(super) fn backwards(&self) -> bool {
        self.search.from.as_ref().is_some_and(|from| from.backwards)
    }

    /// The value by which the list is ordered, for which there is an index. Names are unique; other values are followed by
    /// the `client_id`.
    const fn key(&self) -> &'static str {
        match self.search.order {
            Order::Name => "a.name_key",
            Order::Created => "a.created_at",
            Order::LastUsed => "COALESCE(a.last_used_at, 0)",
        }
    }

    fn order(&self) -> String {
        let direction = if self.search.descending == self.backwards() { "ASC" } else { "DESC" };
        match self.search.order {
            Order::Name => format!("ORDER BY {} {direction}", self.key()),
            _ => format!("ORDER BY {} {direction}, a.client_id {direction}", self.key()),
        }
    }

    /// What lies beyond a place, or up to it.
    fn beside(&self, sql: &mut Sql, place: &Position, beyond: bool) -> String {
        let up = self.search.descending == self.backwards();
        let sign = match (up == beyond, beyond) {
            (true, true) => ">",
            (true, false) => ">=",
            (false, true) => "<",
            (false, false) => "<=",
        };
        let key = self.key();
        if self.search.order == Order::Name {
            return format!("{key} {sign} {}", sql.text(&place.value));
        }
        let value = sql.number(place.value.parse().unwrap_or_default());
        let pair = format!("({key}, a.client_id) {sign} ({value}, {})", sql.text(place.client_id.as_str()));
        // Said of the value alone, too: SQLite does not seek a pair that has an expression in it.
        let bound = if up == beyond { ">=" } else { "<=" };
        format!("{key} {bound} {value} AND {pair}")
    }

    /// Names that begin with the words lie between two texts.
    fn name_range(&self, sql: &mut Sql, key: &str) -> String {
        let from = sql.text(&self.name_start);
        match after_all_that_begin_with(&self.name_start) {
            Some(end) => format!("{key} >= {from} AND {key} < {}", sql.text(&end)),
            None => format!("{key} >= {from}"),
        }
    }

    /// Whether the words are a piece of the order itself, which needs no filter.
    fn is_piece(&self) -> bool {
        !self.name_start.is_empty() && self.id_start.is_none() && self.search.order == Order::Name
    }

    fn conditions(&self, sql: &mut Sql) -> Vec<String> {
        let mut all = Vec::new();
        if !self.name_start.is_empty() && !self.is_piece() {
            // An expression, so that no planner leaves the order of the walk for the index of names.
            let names = self.name_range(sql, "(a.name_key || '')");
            all.push(match &self.id_start {
                Some(id) => format!("(({names}) OR substr(a.client_id, 1, {}) = {})", id.len(), sql.text(id)),
                None => names,
            });
        }
        if let Some(role) = &self.search.role {
            let role = sql.text(role.as_str());
            all.push(format!(
                "EXISTS (SELECT 1 FROM application_role m WHERE m.client_id = a.client_id AND m.role_id = {role})"
            ));
        }
        if let Some(standing) = self.search.standing {
            all.push(self.stands(sql, standing));
        }
        all
    }

    fn stands(&self, sql: &mut Sql, standing: Standing) -> String {
        if standing == Standing::Disabled {
            return "NOT a.enabled".to_owned();
        }
        let now = sql.number(self.now);
        let active = format!("a.enabled AND (a.expires_at IS NULL OR a.expires_at > {now})");
        match standing {
            Standing::Overlap => format!(
                "{active} AND EXISTS (SELECT 1 FROM api_secret s WHERE s.client_id = a.client_id AND s.ends_at > {now})"
            ),
            Standing::Expiring => format!("{active} AND a.expires_at <= {}", sql.number(self.soon())),
            Standing::Expired => format!("a.enabled AND a.expires_at <= {now}"),
            Standing::Active | Standing::Disabled => active,
        }
    }

    const fn soon(&self) -> i64 {
        self.now.saturating_add(SOON.as_secs().cast_signed() * 1_000_000)
    }

    /// The ids that one filter selects, by its index; `None` if it has none that helps.
    fn select(&self, sql: &mut Sql, source: Source) -> Option<String> {
        let search = self.search;
        match source {
            Source::Words if self.name_start.is_empty() || self.is_piece() => None,
            Source::Words => {
                let names =
                    format!("SELECT w.client_id FROM application w WHERE {}", self.name_range(sql, "w.name_key"));
                match &self.id_start {
                    // One character behind the common three is as good as none.
                    Some(id) if id.len() < 5 => None,
                    Some(id) => Some(format!(
                        "{names} UNION ALL SELECT w.client_id FROM application w WHERE substr(w.client_id, 1, 5) = {} \
                         AND substr(w.client_id, 1, {}) = {}",
                        sql.text(&id[..5]),
                        id.len(),
                        sql.text(id)
                    )),
                    None => Some(names),
                }
            }
            Source::Role => {
                let role = sql.text(search.role.as_ref()?.as_str());
                Some(format!("SELECT m.client_id FROM application_role m WHERE m.role_id = {role}"))
            }
            Source::Standing => match search.standing? {
                Standing::Active => None,
                Standing::Overlap => {
                    Some(format!("SELECT s.client_id FROM api_secret s WHERE s.ends_at > {}", sql.number(self.now)))
                }
                Standing::Expiring => Some(format!(
                    "SELECT x.client_id FROM application x WHERE x.expires_at > {} AND x.expires_at <= {}",
                    sql.number(self.now),
                    sql.number(self.soon())
                )),
                Standing::Expired => Some(format!(
                    "SELECT x.client_id FROM application x WHERE x.expires_at <= {}",
                    sql.number(self.now)
                )),
                Standing::Disabled => Some("SELECT x.client_id FROM application x WHERE NOT x.enabled".to_owned()),
            },
        }
    }

    /// A filter that selects few applications, if there is one.
    pub(super) async fn few(&self, tx: &mut Tx) -> Result<Option<Source>, StoreError> {
        for source in [Source::Words, Source::Standing, Source::Role] {
            let mut sql = Sql::default();
            let Some(ids) = self.select(&mut sql, source) else { continue };
            sql.text =
                format!("SELECT COUNT(*) AS n FROM (SELECT i.client_id FROM ({ids}) AS i LIMIT {}) AS f", FEW + 1);
            let counted: Vec<(i64,)> = rows(tx, sql).await?;
            if counted.first().is_some_and(|(count,)| *count <= FEW) {
                return Ok(Some(source));
            }
        }
        Ok(None)
    }

    /// Reads what a filter selects, and sorts it.
    pub(super) async fn sorted(&self, tx: &mut Tx, source: Source, limit: usize) -> Result<Vec<Listed>, StoreError> {
        let mut sql = Sql::default();
        let ids = self.select(&mut sql, source).unwrap_or_default();
        let mut chosen = vec![format!("a.client_id IN (SELECT i.client_id FROM ({ids}) AS i LIMIT {})", FEW + 1)];
        chosen.extend(self.conditions(&mut sql));
        let mut beside = Vec::new();
        if self.is_piece() {
            beside.push(self.name_range(&mut sql, "a.name_key"));
        }
        if let Some(from) = &self.search.from {
            beside.push(self.beside(&mut sql, from, true));
        }
        sql.text = format!(
            "WITH chosen AS MATERIALIZED (SELECT a.* FROM application a WHERE {}) SELECT {COLUMNS} FROM chosen a{} {} \
             LIMIT {}",
            chosen.join(" AND "),
            all_of(&beside),
            self.order(),
            limit + 1
        );
        rows(tx, sql).await
    }

    /// Walks the list in its order. Gives the place up to which it looked, if it did not look at all.
    pub(super) async fn walked(
        &self,
        tx: &mut Tx,
        limit: usize,
    ) -> Result<(Vec<Listed>, Option<Position>), StoreError> {
        let mut sql = Sql::default();
        let mut conditions = Vec::new();
        if self.is_piece() {
            conditions.push(self.name_range(&mut sql, "a.name_key"));
        }
        if let Some(from) = &self.search.from {
            conditions.push(self.beside(&mut sql, from, true));
        }
        let order = self.order();
        let mut end = None;
        if !self.conditions(&mut Sql::default()).is_empty() {
            let mut probe = sql.clone();
            let value = self.key();
            let skip = WINDOW - 1;
            probe.text = format!(
                "SELECT CAST({value} AS TEXT) AS v, a.client_id FROM application a{} {order} LIMIT 1 OFFSET {skip}",
                all_of(&conditions)
            );
            let found: Vec<(String, String)> = rows(tx, probe).await?;
            let place = |(value, id): (String, String)| {
                let client_id = ClientId::parse(&id)?;
                Some(Position { backwards: self.backwards(), value, client_id })
            };
            end = found.into_iter().next().and_then(place);
            if let Some(end) = &end {
                conditions.push(self.beside(&mut sql, end, false));
            }
        }
        conditions.extend(self.conditions(&mut sql));
        sql.text = format!("SELECT {COLUMNS} FROM application a{} {order} LIMIT {}", all_of(&conditions), limit + 1);
        Ok((rows(tx, sql).await?, end))
    }
}

const COLUMNS: &str = "a.client_id, a.name, a.description, a.enabled, a.networks, a.allow_basic, a.expires_at, \
    a.min_seq, a.created_at, a.created_by, a.owner, a.last_used_at";

fn all_of(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

/// The least text that follows every text with this beginning, by bytes of UTF-8.
fn after_all_that_begin_with(start: &str) -> Option<String> {
    let mut end = start.to_owned();
    while let Some(last) = end.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            _ => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_alike_lies_between_two_texts() {
        for (start, end) in [("a", Some("b")), ("gr", Some("gs")), ("\u{D7FF}", Some("\u{E000}")), ("\u{10FFFF}", None)]
        {
            assert_eq!(after_all_that_begin_with(start).as_deref(), end, "{start:?}");
        }
        assert_eq!(after_all_that_begin_with("a\u{10FFFF}").as_deref(), Some("b"));
    }
}
