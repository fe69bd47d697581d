//! How a gateway is shown: as the Hub API does, with the values of its headers, and with the roles that reach it.

use serde::Serialize;

use crate::{
    api::gateway::GatewayView,
    cli::table::{Table, facts},
    config::{Size, Span},
    domain::gateway::{Gateway, Reaching, UpstreamAuthentication},
};

/// A gateway with those who reach it.
#[derive(Serialize)]
pub(super) struct ShownGateway<'a> {
    #[serde(flatten)]
    view: GatewayView,
    roles: Vec<RoleReach>,
    #[serde(skip)]
    gateway: &'a Gateway,
}

/// A role that reaches a gateway, by which of its grants.
#[derive(Serialize)]
pub(super) struct RoleReach {
    pub(super) role: String,
    pub(super) grants: Vec<String>,
    filter: Option<String>,
}

impl From<&Reaching> for RoleReach {
    fn from(reaching: &Reaching) -> Self {
        Self {
            role: reaching.role.name.to_string(),
            grants: reaching.grants.iter().map(ToString::to_string).collect(),
            filter: reaching.role.filter.as_ref().map(ToString::to_string),
        }
    }
}

impl<'a> ShownGateway<'a> {
    pub(super) fn of(gateway: &'a Gateway, reached_by: &[Reaching]) -> Self {
        let mut view = GatewayView::from(gateway);
        view.headers = gateway.headers.iter().map(ToString::to_string).collect();
        Self { view, roles: reached_by.iter().map(RoleReach::from).collect(), gateway }
    }

    /// All about one gateway.
    pub(super) fn describe(&self) -> String {
        let gateway = self.gateway;
        let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
        let labels = gateway.labels.iter().map(|(attribute, label)| {
            if attribute == label.as_str() { attribute.to_owned() } else { format!("{attribute}={label}") }
        });
        facts(&[
            ("name", self.view.name.clone()),
            ("description", gateway.description.clone()),
            ("kind", gateway.kind.to_string()),
            ("addresses", self.view.addresses.join(", ")),
            ("authentication", authentication(&gateway.authentication)),
            ("authorities", if gateway.ca.is_some() { "its own" } else { "the system's" }.to_owned()),
            ("client certificate", yes(gateway.client_certificate.is_some())),
            ("headers", self.view.headers.join(", ")),
            ("connect timeout", Span::from(gateway.timeouts.connect).to_string()),
            ("answer timeout", Span::from(gateway.timeouts.answer).to_string()),
            ("idle timeout", Span::from(gateway.timeouts.idle).to_string()),
            ("body limit", gateway.limits.body.and_then(Size::of).map_or("none".to_owned(), |size| size.to_string())),
            ("concurrent", gateway.limits.concurrent.to_string()),
            ("path rules", self.view.path_rules.join("; ")),
            ("assertion", yes(gateway.assertion)),
            ("forwards filter", yes(gateway.forward_filter)),
            ("labels", labels.collect::<Vec<_>>().join(", ")),
            ("roles", self.roles()),
        ])
    }

    fn roles(&self) -> String {
        let role = |reach: &RoleReach| format!("{} ({})", reach.role, reach.grants.join(", "));
        self.roles.iter().map(role).collect::<Vec<_>>().join("; ")
    }
}

fn authentication(authentication: &UpstreamAuthentication) -> String {
    match authentication {
        UpstreamAuthentication::None => "none".to_owned(),
        UpstreamAuthentication::Basic { user } => format!("basic, as {user}"),
        UpstreamAuthentication::Bearer => "bearer token".to_owned(),
        UpstreamAuthentication::Header { name } => format!("header {}", name.as_str()),
    }
}

/// The list of gateways.
pub(super) fn list(views: &[GatewayView]) -> String {
    let mut table = Table::new(&["name", "kind", "addresses", "authentication", "description"]);
    for view in views {
        table.row([
            view.name.clone(),
            view.kind.to_owned(),
            view.addresses.join(", "),
            view.authentication.to_owned(),
            view.description.lines().next().unwrap_or_default().to_owned(),
        ]);
    }
    table.render("No gateway yet: connect a service with `gateway-hub gateways create`.")
}
