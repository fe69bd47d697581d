//! The Gateways page, the form of a gateway, its page and its window, a file each.

pub(crate) mod delete;
pub(crate) mod findings;
pub(crate) mod form;
pub(crate) mod health;
mod history;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod page;
pub(crate) mod test;
pub(crate) mod try_it;

use super::paths;
use super::refusal::{self, Link};
use super::session::SignedIn;
use crate::app::App;
use crate::domain::gateway::{Gateway, GatewayId, GatewayKind};
use crate::domain::grant::Action;
use crate::domain::resource::SecurityResource;
use crate::store::gateway::StoredGateway;
use crate::store::{self, StoreError};
use axum::http::StatusCode;
use axum::response::Response;

/// The gateway that a page is about, or the page that says that it is gone.
async fn wanted(app: &App, id: &str) -> Result<Result<StoredGateway, Response>, StoreError> {
    let found = store::gateway::get(&mut app.store.read().await?, &GatewayId::new(id)).await?;
    Ok(found.ok_or_else(gone))
}

fn gone() -> Response {
    let back = Link { path: paths::GATEWAYS.into(), label: "Back to Gateways" };
    let detail = "It was deleted, or the address was mistyped.";
    refusal::page(StatusCode::NOT_FOUND, "There is no such gateway", detail, Some(back))
}

/// Whether this person may change that gateway: its connection settings, and all that it gives (rule 10).
fn is_editable(signed_in: &SignedIn, gateway: &Gateway) -> bool {
    signed_in.may(SecurityResource::Gateways, Action::Edit) && signed_in.actor().has_all_of(&gateway.resource())
}

const fn kind_words(kind: GatewayKind) -> &'static str {
    match kind {
        GatewayKind::Http => "HTTP API",
        GatewayKind::Prometheus => "Prometheus",
    }
}
