//! `GET /api/v1/gateways` and `GET /api/v1/gateways/{name}`: read-only.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::list::{Json, List};
use crate::{
    app::App,
    domain::{gateway::Gateway, resource::GatewayName, time::Timestamp},
    http::{
        gate::Permitted,
        parameters::{Query, Segment},
        problem::Problem,
    },
    store,
};

/// A gateway's settings as the API shows them; of the credentials only the form.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Gateway)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, and a member of the document")]
pub struct GatewayView {
    /// Its id, for life.
    pub id: String,
    /// Its name: applications reach it at `/gateways/NAME/`.
    pub name: String,
    /// What it is; may be empty.
    pub description: String,
    /// `http` or `prometheus`.
    pub kind: &'static str,
    /// Where its upstream is, tried in this order.
    pub addresses: Vec<String>,
    /// How the hub proves itself to the upstream: `none`, `basic`, `bearer` or `header`.
    pub authentication: &'static str,
    /// Whether authorities of its own vouch for the upstream's certificate, instead of those of the system.
    pub own_ca: bool,
    /// Whether the hub presents a client certificate to the upstream.
    pub client_certificate: bool,
    /// The names of the headers that the hub adds to every request.
    pub headers: Vec<String>,
    /// How long a connection may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long the answer may take to begin, in milliseconds.
    pub answer_timeout_ms: u64,
    /// How long a body may pause, in milliseconds.
    pub idle_timeout_ms: u64,
    /// The longest request body, in bytes; `null` for any.
    pub body_limit: Option<u64>,
    /// The most requests at once, on each node.
    pub concurrent: u32,
    /// Which requests are view, edit or refused, before the kind decides.
    pub path_rules: Vec<String>,
    /// Whether the upstream gets a signed assertion of who calls.
    pub assertion: bool,
    /// Whether the assertion carries the caller's data filter.
    pub forward_filter: bool,
    /// Which label carries which attribute of a data filter.
    pub labels: BTreeMap<String, String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<&Gateway> for GatewayView {
    fn from(gateway: &Gateway) -> Self {
        let milliseconds = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            id: gateway.id.as_str().to_owned(),
            name: gateway.name.as_str().to_owned(),
            description: gateway.description.clone(),
            kind: gateway.kind.as_str(),
            addresses: gateway.addresses.iter().map(ToString::to_string).collect(),
            authentication: gateway.authentication.as_str(),
            own_ca: gateway.ca.is_some(),
            client_certificate: gateway.client_certificate.is_some(),
            headers: gateway.headers.iter().map(|header| header.name.as_str().to_owned()).collect(),
            connect_timeout_ms: milliseconds(gateway.timeouts.connect),
            answer_timeout_ms: milliseconds(gateway.timeouts.answer),
            idle_timeout_ms: milliseconds(gateway.timeouts.idle),
            body_limit: gateway.limits.body,
            concurrent: gateway.limits.concurrent,
            path_rules: gateway.path_rules.iter().map(ToString::to_string).collect(),
            assertion: gateway.assertion,
            forward_filter: gateway.forward_filter,
            labels: gateway.labels.iter().map(|(attribute, label)| (attribute.to_owned(), label.to_string())).collect(),
            created_at: gateway.created_at,
        }
    }
}

/// The list, by name.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Permitted(_permit): Permitted,
    RawQuery(query): RawQuery,
) -> Result<Json<List<GatewayView>>, Problem> {
    let page = Query::parse(query.as_deref(), &["limit", "cursor"])?.page()?;
    let mut tx = app.store.read().await?;
    let found: Vec<Gateway> = store::gateway::all(&mut tx).await?.into_iter().map(|stored| stored.gateway).collect();
    let list = List::cut(found, &page, |gateway| gateway.name.as_str());
    Ok(Json(list.map(|gateway| GatewayView::from(&gateway))))
}

/// One gateway.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Permitted(_permit): Permitted,
    Segment(name): Segment,
) -> Result<Json<GatewayView>, Problem> {
    let unknown = || Problem::not_found("There is no gateway with this name.");
    let name = GatewayName::parse(&name).ok_or_else(unknown)?;
    let mut tx = app.store.read().await?;
    let stored = store::gateway::by_name(&mut tx, &name).await?.ok_or_else(unknown)?;
    Ok(Json(GatewayView::from(&stored.gateway)))
}
