//! `GET /metrics`: the hub's own metrics in the OpenMetrics text format.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::header;
use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::{gauge::ConstGauge, info::Info},
    registry::{Registry, Unit},
};

use crate::{
    app::App,
    http::{
        counters::{Counters, PREFIX},
        problem::Problem,
    },
};

/// The content type of the OpenMetrics text format.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The handler over these counters.
pub(super) fn show(counters: Arc<Counters>) -> impl Fn(&App) -> Response + Clone + Send + Sync + 'static {
    move |app| match text(app, &counters) {
        Ok(text) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(std::fmt::Error) => Problem::internal().into_response(),
    }
}

fn text(app: &App, counters: &Counters) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    encode_registry(&mut text, counters.registry())?;
    encode_registry(&mut text, &state(app))?;
    encode_eof(&mut text)?;
    Ok(text)
}

/// What the node knows right now, read at each scrape.
fn state(app: &App) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let mut gauge = |name: &str, help: &str, value: u64| {
        registry.register(name, help, ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)));
    };
    gauge("applications", "Applications that exist", app.snapshot.application_count() as u64);
    gauge("revoked_tokens", "Revoked access tokens that have not expired yet", app.snapshot.revoked_count() as u64);
    gauge("change_sequence", "The number of the last change that this node has applied", app.snapshot.seq());
    gauge("ready", "1 while this node decides requests, 0 while it refuses", u64::from(app.fresh().is_ok()));
    // How far this node may be behind: everything that was in the store that long ago is in effect here.
    if let Some(began) = app.snapshot.last_good_poll() {
        let age = app.clock.now().since(began).as_secs_f64();
        let help = "How long ago the last good poll of the store began";
        registry.register_with_unit("poll_age", help, Unit::Seconds, ConstGauge::new(age));
    }
    let labels = vec![("name", app.identity.name.clone()), ("version", env!("CARGO_PKG_VERSION").to_owned())];
    registry.register("node", "This node", Info::new(labels));
    registry
}
