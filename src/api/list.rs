//! Lists: `{"items":[…],"next_cursor":…}`.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ArrayBuilder, ObjectBuilder, RefOr,
        schema::{Ref, Schema, SchemaType, Type},
    },
};

use crate::http::parameters::{Page, cursor};

/// One page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct List<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// The page made of `found`, which holds one item more than asked for if there is a next page. `key` is what a page
    /// continues after.
    pub fn of(mut found: Vec<T>, page: &Page, key: impl Fn(&T) -> String) -> Self {
        let more = found.len() > page.limit;
        found.truncate(page.limit);
        let next_cursor = if more { found.last().map(|last| cursor(&key(last))) } else { None };
        Self { items: found, next_cursor }
    }

    /// The page cut from all items of a table that has few, in the order of their keys.
    pub fn cut(mut all: Vec<T>, page: &Page, key: impl Fn(&T) -> &str) -> Self {
        all.sort_unstable_by(|left, right| key(left).cmp(key(right)));
        if let Some(after) = &page.after {
            all.retain(|item| key(item) > after.as_str());
        }
        Self::of(all, page, |item| key(item).to_owned())
    }

    /// The same page with its items as they are shown.
    pub fn map<U>(self, show: impl FnMut(T) -> U) -> List<U> {
        List { items: self.items.into_iter().map(show).collect(), next_cursor: self.next_cursor }
    }
}

/// How many items to ask the store for, to learn whether there is a next page.
#[must_use]
pub fn one_more(page: &Page) -> u32 {
    u32::try_from(page.limit).unwrap_or(u32::MAX).saturating_add(1)
}

impl<T: ToSchema> PartialSchema for List<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("What to send as cursor for the next page; null on the last one."));
        ObjectBuilder::new()
            .property("items", items)
            .required("items")
            .property("next_cursor", next)
            .required("next_cursor")
            .into()
    }
}

impl<T: ToSchema> ToSchema for List<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}List", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// A JSON answer.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(http::header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(fault) => {
                tracing::error!(%fault, "an answer could not be written as JSON");
                crate::http::problem::Problem::internal().into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_has_no_cursor() {
        let page = Page { limit: 2, after: None };
        let key = |item: &u8| item.to_string();
        assert_eq!(List::of(vec![1, 2, 3], &page, key).next_cursor, Some(cursor("2")));
        assert_eq!(List::of(vec![1, 2], &page, key).next_cursor, None);
        assert_eq!(one_more(&page), 3);
    }
}
