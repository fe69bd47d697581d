//! `/api/v1/attributes` and `/api/v1/entities/summary`: what the entities that the caller may view have in common.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    entity::access,
    list::{Json, List},
};
use crate::{
    actions::attribute::{self, Count},
    app::App,
    domain::{data_filter::DataFilter, entity::Attributes},
    http::{
        gate::Authorised,
        parameters::{Page, Query, Segment, bad_cursor},
        problem::Problem,
    },
    store::attribute::MAX_PREFIX,
};

/// An attribute that some entity has.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Attribute)]
pub struct AttributeView {
    /// Its name.
    #[schema(example = "user.department")]
    pub key: String,
}

/// A value that some entity has.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AttributeValue)]
pub struct ValueView {
    /// The value.
    #[schema(example = "fx")]
    pub value: String,
}

/// How many entities have a value.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AttributeCount)]
pub struct CountView {
    /// The value; empty for entities without the attribute.
    #[schema(example = "fx")]
    pub value: String,
    /// How many entities have it.
    pub count: u64,
}

impl From<Count> for CountView {
    fn from(count: Count) -> Self {
        Self { value: count.value, count: count.entities }
    }
}

/// The names of attributes.
pub(super) async fn names(
    State(app): State<Arc<App>>,
    caller: Authorised,
    RawQuery(query): RawQuery,
) -> Result<Json<List<AttributeView>>, Problem> {
    let page = Query::parse(query.as_deref(), &["limit", "cursor"])?.page()?;
    let after = page.after.as_deref().unwrap_or_default();
    let found = attribute::names(&app, &access(caller), after, page.limit + 1).await?;
    let views = found.into_iter().map(|key| AttributeView { key }).collect();
    Ok(Json(List::of(views, &page, |view: &AttributeView| view.key.clone())))
}

/// The values of one attribute.
pub(super) async fn values(
    State(app): State<Arc<App>>,
    caller: Authorised,
    Segment(key): Segment,
    RawQuery(query): RawQuery,
) -> Result<Json<List<ValueView>>, Problem> {
    let query = Query::parse(query.as_deref(), &["prefix", "limit", "cursor"])?;
    let page = query.page()?;
    check_key("key", &key)?;
    let prefix = query.get("prefix").unwrap_or_default();
    if prefix.contains('\0') || prefix.chars().count() > MAX_PREFIX {
        let expected = format!("prefix has at most {MAX_PREFIX} characters, none of them NUL.");
        return Err(Problem::invalid_parameter("prefix", expected));
    }
    let after = page.after.as_deref().unwrap_or_default();
    let found = attribute::values(&app, &access(caller), &key, prefix, after, page.limit + 1).await?;
    let views = found.into_iter().map(|value| ValueView { value }).collect();
    Ok(Json(List::of(views, &page, |view: &ValueView| view.value.clone())))
}

/// How many entities have each value of one attribute.
pub(super) async fn summary(
    State(app): State<Arc<App>>,
    caller: Authorised,
    RawQuery(query): RawQuery,
) -> Result<Json<List<CountView>>, Problem> {
    let query = Query::parse(query.as_deref(), &["by", "filter", "limit", "cursor"])?;
    let page = query.page()?;
    let Some(by) = query.get("by") else {
        return Err(Problem::invalid_parameter("by", "by is the name of an attribute, such as user.department."));
    };
    check_key("by", by)?;
    let filter = query.get("filter").map(DataFilter::parse).transpose()?;
    let after = counted_after(&page)?;
    let found = attribute::summary(&app, &access(caller), by, filter.as_ref(), after, page.limit + 1).await?;
    let views = found.into_iter().map(CountView::from).collect();
    Ok(Json(List::of(views, &page, |view: &CountView| format!("={}", view.value))))
}

/// The value that a page of counts comes after. The empty value is one of them, so the cursor marks each.
fn counted_after(page: &Page) -> Result<Option<&str>, Problem> {
    match page.after.as_deref() {
        None => Ok(None),
        Some(after) => after.strip_prefix('=').map(Some).ok_or_else(bad_cursor),
    }
}

fn check_key(parameter: &str, key: &str) -> Result<(), Problem> {
    if key.is_empty() || key.len() > Attributes::MAX_KEY_BYTES || key.chars().any(char::is_control) {
        let most = Attributes::MAX_KEY_BYTES;
        return Err(Problem::invalid_parameter(
            parameter,
            format!("The name of an attribute has 1 to {most} bytes and no control characters."),
        ));
    }
    Ok(())
}
