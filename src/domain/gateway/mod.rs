//! Gateways: connected services behind the hub.

mod address;
mod authentication;
mod enforceable;
mod forward_path;
mod header;
mod limits;
mod path_rule;

pub use address::{AddressFault, UpstreamAddress};
pub use authentication::UpstreamAuthentication;
pub use enforceable::{NotEnforced, Reaching, Unenforced, reaching};
pub use forward_path::{ForwardPath, PathFault};
pub use header::{FixedHeader, HeaderFault, HeaderName, header_value};
pub use limits::{Limits, Timeouts};
pub use path_rule::{METHODS, PathRule, PathRuleFault, RuleOutcome};

use super::grant::Action;
use super::prometheus::LabelMap;
use super::resource::{GatewayName, Resource};
use super::time::Timestamp;
use std::fmt;

/// A gateway's id: given once, never used again, so that re-creating a name revives nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayId(String);

impl GatewayId {
    /// An id as the store holds it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a gateway speaks, which decides how requests are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GatewayKind {
    /// Any HTTP API: methods and path rules decide between view and edit.
    Http,
    /// A Prometheus-compatible store: its endpoint table decides, and data filters are enforced.
    Prometheus,
}

impl GatewayKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Http, Self::Prometheus];

    /// Its name on the command line and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Prometheus => "prometheus",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for GatewayKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A gateway's settings, without what is secret: credentials are kept apart, wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its id.
    pub id: GatewayId,
    /// Its name, a slug, unique.
    pub name: GatewayName,
    /// What it is, in the administrator's words; may be empty.
    pub description: String,
    /// What it speaks.
    pub kind: GatewayKind,
    /// Where it is: at least one, tried in this order.
    pub addresses: Vec<UpstreamAddress>,
    /// How the hub proves itself to the upstream.
    pub authentication: UpstreamAuthentication,
    /// The authorities (PEM) that vouch for the upstream's certificate; `None` for those of the system.
    pub ca: Option<String>,
    /// The certificate chain (PEM) that the hub presents to the upstream; its key is kept apart, wrapped.
    pub client_certificate: Option<String>,
    /// Headers that every request to the upstream carries, such as a tenant's.
    pub headers: Vec<FixedHeader>,
    /// How long the upstream may take.
    pub timeouts: Timeouts,
    /// How much is let through.
    pub limits: Limits,
    /// Which requests are view, edit or refused, the first that fits; otherwise the kind decides. Kind `http` only.
    pub path_rules: Vec<PathRule>,
    /// Whether the upstream gets a signed assertion of who calls.
    pub assertion: bool,
    /// Whether that assertion carries the caller's data filter, for an upstream that enforces it. Kind `http` only.
    pub forward_filter: bool,
    /// Which label carries which attribute of a data filter. Kind `prometheus` only.
    pub labels: LabelMap,
    /// Since when it exists.
    pub created_at: Timestamp,
}

impl Gateway {
    /// The resource that grants name.
    #[must_use]
    pub fn resource(&self) -> Resource {
        Resource::Gateway(self.name.clone())
    }

    /// Whether requests to the upstream carry an assertion of who calls; a filter travels in one.
    #[must_use]
    pub const fn asserts(&self) -> bool {
        self.assertion || self.forward_filter
    }
}

impl Gateway {
    /// What a request takes on a gateway of kind `http`: the first path rule that fits says so, otherwise the method. `None`
    /// if a rule refuses it for everybody.
    #[must_use]
    pub fn action_of(&self, method: &str, path: &ForwardPath<'_>) -> Option<Action> {
        if self.path_rules.is_empty() {
            return Some(default_action(method));
        }
        let path = path.decoded();
        // Most services take a path with and without its last slash for the same; so do the rules.
        let twin = if path == "/" {
            None
        } else {
            Some(path.strip_suffix('/').map_or_else(|| format!("{path}/"), ToOwned::to_owned))
        };
        let judged = self.path_rules.iter().find_map(|rule| {
            rule.judge(method, path).or_else(|| twin.as_ref().and_then(|twin| rule.judge(method, twin)))
        });
        match judged {
            Some(RuleOutcome::Takes(action)) => Some(action),
            Some(RuleOutcome::Refused) => None,
            None => Some(default_action(method)),
        }
    }
}

/// The action that a method takes on a gateway of kind `http` when no path rule says otherwise: GET and HEAD view,
/// everything else edits.
#[must_use]
pub fn default_action(method: &str) -> Action {
    if matches!(method, "GET" | "HEAD") { Action::View } else { Action::Edit }
}
