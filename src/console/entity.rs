//! The Entities page: the inventory as the person's own roles let them see it, found by the filter language.

use super::answer;
use super::form::{Fields, FromFields, InQuery};
use super::frame::{Frame, Section};
use super::paths;
use super::refusal::{self, Link};
use super::role::filter::Verdict;
use super::session::SignedIn;
use crate::actions::attribute;
use crate::actions::entity::{self, EntityQuery};
use crate::app::App;
use crate::domain::access::decide_for_person;
use crate::domain::data_filter::DataFilter;
use crate::domain::entity::{Attributes, EntityAccess};
use crate::domain::grant::Action;
use crate::domain::resource::Resource;
use crate::http::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// How many entities the table shows at once.
const PAGE: usize = 50;
/// How many values the bars show.
const BARS: usize = 12;
/// How many values are counted for them.
const COUNTED: usize = 1_000;
/// How many attributes are offered to count by.
const OFFERED: usize = 200;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// A filter, as typed.
    filter: String,
    /// The attribute to count by.
    by: String,
    cursor: String,
}

impl FromFields for Asked {
    fn from_fields(fields: &Fields) -> Self {
        Self { filter: fields.one("filter"), by: fields.one("by"), cursor: fields.one("cursor") }
    }
}

impl Asked {
    fn path(&self, cursor: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let pairs = [("filter", self.filter.as_str()), ("by", &self.by), ("cursor", cursor.unwrap_or_default())];
        query.extend_pairs(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() { paths::ENTITIES.to_owned() } else { format!("{}?{query}", paths::ENTITIES) }
    }
}

/// An entity of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) attributes: Vec<(String, String)>,
}

/// A value with how many have it.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// Empty for entities without the attribute.
    pub(crate) value: String,
    pub(crate) count: u64,
    /// Of the most frequent one, in whole per cent: how long the bar is.
    pub(crate) share: u64,
    /// The address of the entities that have it.
    pub(crate) path: String,
}

/// The page.
#[derive(Template)]
#[template(path = "entity/list.html")]
pub(crate) struct EntitiesPage {
    pub(crate) frame: Frame,
    pub(crate) asked: Asked,
    /// What is wrong with the filter that was typed.
    pub(crate) fault: Option<Verdict>,
    pub(crate) rows: Vec<Row>,
    /// The names of attributes to count by.
    pub(crate) keys: Vec<String>,
    pub(crate) bars: Vec<Bar>,
    /// How many values there are beyond the bars, if that was counted to the end.
    pub(crate) more_values: Option<String>,
    /// The address of the next page.
    pub(crate) next: Option<String>,
    /// The person's own filters, if they don't see everything.
    pub(crate) limited: bool,
    /// Whether there is nothing at all to see.
    pub(crate) empty: bool,
    /// The hub's address, for the command that loads entities.
    pub(crate) public_url: String,
}

/// `GET /console/entities`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    InQuery(asked): InQuery<Asked>,
) -> Result<Response, Problem> {
    let permit = decide_for_person(&signed_in.access, &Resource::Entities, Action::View);
    let reach = signed_in.access.reach(&Resource::Entities, Action::View);
    let limited = !matches!(reach, Some(crate::domain::access::Reach::All));
    let access = EntityAccess::of(permit.ok(), reach);
    let mut page = EntitiesPage {
        frame: signed_in.frame(Section::Entities),
        fault: None,
        rows: Vec::new(),
        keys: attribute::names(&app, &access, "", OFFERED).await?,
        bars: Vec::new(),
        more_values: None,
        next: None,
        limited,
        empty: false,
        public_url: app.issuer().to_owned(),
        asked,
    };
    let filter = match page.asked.filter.trim() {
        "" => None,
        text => {
            let Ok(filter) = DataFilter::parse(text) else {
                page.fault = Some(Verdict::of(text));
                return Ok(answer::page(StatusCode::OK, &page));
            };
            Some(filter)
        }
    };
    let after = match page.asked.cursor.as_str() {
        "" => String::new(),
        cursor => match app.keyring.reveal(cursor) {
            Some(after) => after,
            None => return Ok(no_such_place(&page.asked)),
        },
    };
    let found =
        entity::list(&app, &access, EntityQuery { filter: filter.as_ref(), after: &after, limit: PAGE }).await?;
    page.next =
        found.next_after.and_then(|id| app.keyring.conceal(id.as_str())).map(|place| page.asked.path(Some(&place)));
    page.rows = found
        .items
        .into_iter()
        .map(|entity| Row { id: entity.id.to_string(), attributes: entity.attributes.into_map().into_iter().collect() })
        .collect();
    page.empty = page.rows.is_empty() && filter.is_none() && page.asked.cursor.is_empty() && page.next.is_none();
    if is_key(&page.asked.by) {
        count(&app, &access, filter.as_ref(), &mut page).await?;
    }
    Ok(answer::page(StatusCode::OK, &page))
}

/// The link leads to a place that this hub did not make, or made under a key that it no longer has.
fn no_such_place(asked: &Asked) -> Response {
    let detail = "The place in the list that it leads to was altered or cut short, or it was made before the hub's key was \
                  changed. Begin at the first page.";
    let first = Link { path: asked.path(None).into(), label: "First page" };
    refusal::page(StatusCode::BAD_REQUEST, "This link is no longer good", detail, Some(first))
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= Attributes::MAX_KEY_BYTES && !text.chars().any(char::is_control)
}

/// Counts by the chosen attribute; the most frequent values first.
async fn count(
    app: &App,
    access: &EntityAccess,
    filter: Option<&DataFilter>,
    page: &mut EntitiesPage,
) -> Result<(), Problem> {
    let by = page.asked.by.clone();
    let mut counts = attribute::summary(app, access, &by, filter, None, COUNTED).await?;
    let whole = counts.len() < COUNTED;
    counts.sort_by(|left, right| right.entities.cmp(&left.entities).then_with(|| left.value.cmp(&right.value)));
    let beyond = counts.len().saturating_sub(BARS);
    page.more_values = (beyond > 0).then(|| {
        if whole {
            format!("and {beyond} more values")
        } else {
            format!("the most frequent of the first {COUNTED} values by name; there are more")
        }
    });
    let most = counts.first().map_or(1, |count| count.entities).max(1);
    for count in counts.into_iter().take(BARS) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let test = match count.value.as_str() {
            "" => format!("{} NOT EXISTS", quoted(&by)),
            value => format!("{} = {}", quoted(&by), quoted(value)),
        };
        let narrowed = match filter {
            Some(_) => format!("({}) AND {test}", page.asked.filter.trim()),
            None => test,
        };
        let asked = Asked { filter: narrowed, by: by.clone(), cursor: String::new() };
        let share = (count.entities * 100).div_ceil(most);
        page.bars.push(Bar { value: count.value, count: count.entities, share, path: asked.path(None) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> EntitiesPage {
        EntitiesPage {
            frame: Frame::sample(Section::Entities),
            asked: Asked { filter: "a = \"<script>\"".into(), by: "user.department".into(), cursor: String::new() },
            fault: None,
            rows: vec![Row {
                id: "<script>id".into(),
                attributes: vec![("<script>key".into(), "<script>value\nline".into())],
            }],
            keys: vec!["<script>offered".into(), "user.department".into()],
            bars: vec![
                Bar { value: "<script>bar".into(), count: 3, share: 100, path: "/console/entities?by=a".into() },
                Bar { value: String::new(), count: 1, share: 34, path: "/console/entities?by=b".into() },
            ],
            more_values: None,
            next: Some("/console/entities?cursor=x".into()),
            limited: true,
            empty: false,
            public_url: "https://hub.example".into(),
        }
    }

    #[test]
    fn sec_37_attributes_are_text() {
        let html = sample().render().expect("renders");
        for markup in ["<script>id", "<script>key", "<script>value", "<script>offered", "<script>bar", "\"<script>"] {
            assert!(!html.contains(markup), "{markup}");
        }
        assert!(html.contains("rel=\"next\"") && html.contains("without it"));
    }

    #[test]
    fn a_fault_shows_its_place_and_an_empty_inventory_how_to_fill_it() {
        let fault = Some(Verdict::of("a = = <script>"));
        let html =
            EntitiesPage { fault, rows: vec![], bars: vec![], next: None, ..sample() }.render().expect("renders");
        assert!(html.contains("Column 5") && html.contains("aria-invalid") && !html.contains("= <script>"), "{html}");
        let html =
            EntitiesPage { empty: true, rows: vec![], bars: vec![], next: None, ..sample() }.render().expect("renders");
        assert!(html.contains("https://hub.example/api/v1/entities/bulk"), "{html}");
    }

    #[test]
    fn an_address_keeps_what_was_asked() {
        let asked = Asked { filter: "a = b&c".into(), by: String::new(), cursor: "old".into() };
        assert_eq!(asked.path(Some("new")), "/console/entities?filter=a+%3D+b%26c&cursor=new");
        assert_eq!(Asked::default().path(None), "/console/entities");
    }
}
