//! The Application keys page with its windows, and the page of each application.

pub(crate) mod back;
pub(crate) mod delete;
pub(crate) mod entry;
pub(crate) mod find;
mod history;
pub(crate) mod list;
pub(crate) mod list_query;
pub(crate) mod new;
pub(crate) mod options;
pub(crate) mod page;
pub(crate) mod regenerate;
pub(crate) mod row;
pub(crate) mod settings;
pub(crate) mod shown;
pub(crate) mod switch;
mod usage;

use crate::app::App;
use crate::console::refusal;
use crate::domain::application::{Application, ClientId};
use crate::store::{self, StoreError};
use axum::response::Response;

/// The application that a window is about, or the page that says that it is gone.
async fn wanted(app: &App, client_id: &str) -> Result<Result<Application, Response>, StoreError> {
    let found = match ClientId::parse(client_id) {
        Some(id) => store::application::get(&mut app.store.read().await?, &id).await?,
        None => None,
    };
    Ok(found.ok_or_else(|| {
        refusal::gone(
            "There is no such application",
            "It was deleted, or the address was mistyped. Deleted keys never come back.",
        )
    }))
}
