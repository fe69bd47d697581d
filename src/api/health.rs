//! `GET /healthz` and `GET /readyz`: status only; the details stand on `--ops-listen`.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;

use super::list::Json;
use crate::app::App;

/// Whether the process answers at all.
pub(super) async fn healthz() -> Response {
    "ok\n".into_response()
}

/// Whether new callers should come here: 503 while the node has not heard from its store for too long, and once it was told
/// to stop.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    if app.is_ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

#[derive(Serialize)]
struct Details {
    ready: bool,
    /// What people call this node.
    node: String,
    /// The number of the last change that this node has applied.
    sequence: u64,
    /// How long ago the last good poll of the store began, in milliseconds; `null` while the store is read anew.
    last_poll_ms: Option<u128>,
    /// From when on the node refuses, in milliseconds.
    staleness_limit_ms: u128,
    version: &'static str,
}

/// The same with details, on `--ops-listen` only.
pub(super) async fn readyz_details(State(app): State<Arc<App>>) -> Response {
    let ready = app.is_ready();
    let details = Details {
        ready,
        node: app.identity.name.clone(),
        sequence: app.snapshot.seq(),
        last_poll_ms: app.snapshot.last_good_poll().map(|began| app.clock.now().since(began).as_millis()),
        staleness_limit_ms: app.config.timing.staleness_limit.as_millis(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(details)).into_response()
}
