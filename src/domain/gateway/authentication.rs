//! How the hub proves itself to an upstream.

use super::header::HeaderName;

/// The form of the hub's credential at an upstream; the secret part is kept apart, wrapped.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum UpstreamAuthentication {
    /// None.
    #[default]
    None,
    /// HTTP Basic (RFC 7617); the secret is the password.
    Basic {
        /// The user name, without a colon.
        user: String,
    },
    /// A bearer token (RFC 6750); the secret is the token.
    Bearer,
    /// A header of its own; the secret is its value.
    Header {
        /// The header's name.
        name: HeaderName,
    },
}

impl UpstreamAuthentication {
    /// Its name in the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic { .. } => "basic",
            Self::Bearer => "bearer",
            Self::Header { .. } => "header",
        }
    }

    /// Whether a secret belongs to it.
    #[must_use]
    pub const fn has_secret(&self) -> bool {
        !matches!(self, Self::None)
    }
}
