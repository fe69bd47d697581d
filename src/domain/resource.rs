//! What can be viewed and edited: data, and the security resources that govern it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Security state and what the hub tells about itself; applications may at most view it (DESIGN: rule 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecurityResource {
    /// Applications and their API keys.
    Applications,
    /// Roles and their grants.
    Roles,
    /// Console users.
    Users,
    /// Connection settings of gateways.
    Gateways,
    /// The hub's own settings.
    Settings,
    /// The audit log.
    Audit,
    /// The hub's metrics; view only.
    Metrics,
    /// Introspection of other applications' tokens (RFC 7662); view only.
    Introspection,
}

impl SecurityResource {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Applications,
        Self::Roles,
        Self::Users,
        Self::Gateways,
        Self::Settings,
        Self::Audit,
        Self::Metrics,
        Self::Introspection,
    ];

    /// Its name in grants and scopes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applications => "applications",
            Self::Roles => "roles",
            Self::Users => "users",
            Self::Gateways => "gateways",
            Self::Settings => "settings",
            Self::Audit => "audit",
            Self::Metrics => "metrics",
            Self::Introspection => "introspection",
        }
    }

    /// True for those that nobody can edit.
    #[must_use]
    pub const fn is_view_only(self) -> bool {
        matches!(self, Self::Metrics | Self::Introspection)
    }
}

/// A gateway's name: a slug of 1 to 63 lower-case letters, digits and inner hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayName(Arc<str>);

impl GatewayName {
    /// Parses a slug; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let valid = (1..=63).contains(&text.len())
            && text.bytes().all(is_slug_byte)
            && !text.starts_with('-')
            && !text.ends_with('-');
        valid.then(|| Self(text.into()))
    }

    /// The slug.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A table by name can be asked with a text.
impl std::borrow::Borrow<str> for GatewayName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

fn is_slug_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// One thing that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The built-in inventory.
    Entities,
    /// A connected service.
    Gateway(GatewayName),
    /// Security state.
    Security(SecurityResource),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entities => f.write_str("entities"),
            Self::Gateway(name) => write!(f, "gateway/{}", name.as_str()),
            Self::Security(security) => f.write_str(security.as_str()),
        }
    }
}

/// What a grant names: a resource, or all gateways whose name starts with a prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourcePattern {
    /// Exactly this one.
    One(Resource),
    /// `gateway/PREFIX*`; the empty prefix stands for every gateway.
    GatewayPrefix(String),
}

impl ResourcePattern {
    /// Whether the resource is named by this pattern.
    #[must_use]
    pub fn includes(&self, resource: &Resource) -> bool {
        match (self, resource) {
            (Self::One(own), other) => own == other,
            (Self::GatewayPrefix(prefix), Resource::Gateway(name)) => name.as_str().starts_with(prefix.as_str()),
            (Self::GatewayPrefix(_), _) => false,
        }
    }

    /// Whether everything that `other` names is named by this pattern.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (own, Self::One(resource)) => own.includes(resource),
            (Self::GatewayPrefix(own), Self::GatewayPrefix(prefix)) => prefix.starts_with(own.as_str()),
            (Self::One(_), Self::GatewayPrefix(_)) => false,
        }
    }

    /// The security resource, if it names one.
    #[must_use]
    pub const fn security(&self) -> Option<SecurityResource> {
        match self {
            Self::One(Resource::Security(security)) => Some(*security),
            _ => None,
        }
    }
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(resource) => resource.fmt(f),
            Self::GatewayPrefix(prefix) => write!(f, "gateway/{prefix}*"),
        }
    }
}

/// A text that names no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no resource {0:?}; one of entities, gateway/NAME, gateway/PREFIX*, applications, roles, users, gateways, \
     settings, audit, metrics, introspection"
)]
pub struct UnknownResource(pub String);

impl FromStr for ResourcePattern {
    type Err = UnknownResource;

    fn from_str(text: &str) -> Result<Self, UnknownResource> {
        let unknown = || UnknownResource(text.to_owned());
        if text == "entities" {
            return Ok(Self::One(Resource::Entities));
        }
        if let Some(gateway) = text.strip_prefix("gateway/") {
            return match gateway.strip_suffix('*') {
                Some(prefix) if prefix.len() <= 63 && prefix.bytes().all(is_slug_byte) && !prefix.starts_with('-') => {
                    Ok(Self::GatewayPrefix(prefix.to_owned()))
                }
                Some(_) => Err(unknown()),
                None => GatewayName::parse(gateway).map(|name| Self::One(Resource::Gateway(name))).ok_or_else(unknown),
            };
        }
        SecurityResource::ALL
            .into_iter()
            .find(|security| security.as_str() == text)
            .map(|security| Self::One(Resource::Security(security)))
            .ok_or_else(unknown)
    }
}
