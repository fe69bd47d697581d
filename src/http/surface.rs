//! The surfaces of the hub, told apart by path, so that an error speaks the language of the surface it happened on.

/// A surface of the hub: who listens there and how errors look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Surface {
    /// `/oauth2/*` and `/.well-known/*`: errors as in RFC 6749 §5.2.
    OAuth,
    /// `/api/*`: errors as problem details (RFC 9457).
    Api,
    /// `/gateways/*`: errors as problem details.
    Gateways,
    /// `/console/*` and `/`: errors are pages.
    Console,
    /// Health, metrics, problem pages and every unknown path: errors as problem details.
    Other,
}

impl Surface {
    /// Every surface, in the order of [`Surface::index`].
    pub const ALL: [Self; 5] = [Self::OAuth, Self::Api, Self::Gateways, Self::Console, Self::Other];

    /// The surface that a request path belongs to, whether the path exists or not.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let first = path.strip_prefix('/').unwrap_or(path).split('/').next().unwrap_or("");
        match first {
            "oauth2" | ".well-known" => Self::OAuth,
            "api" => Self::Api,
            "gateways" => Self::Gateways,
            "console" => Self::Console,
            "" if path == "/" => Self::Console,
            _ => Self::Other,
        }
    }

    /// A dense number, for tables.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name used in metrics and in the access log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OAuth => "oauth",
            Self::Api => "api",
            Self::Gateways => "gateways",
            Self::Console => "console",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Surface;

    #[test]
    fn paths_belong_to_their_surface() {
        assert_eq!(Surface::of("/oauth2/token"), Surface::OAuth);
        assert_eq!(Surface::of("/.well-known/oauth-authorization-server"), Surface::OAuth);
        assert_eq!(Surface::of("/api/v1/whoami"), Surface::Api);
        assert_eq!(Surface::of("/gateways/prom/api/v1/query"), Surface::Gateways);
        assert_eq!(Surface::of("/console"), Surface::Console);
        assert_eq!(Surface::of("/"), Surface::Console);
        assert_eq!(Surface::of("/consoles"), Surface::Other);
        assert_eq!(Surface::of("//api"), Surface::Other);
        assert_eq!(Surface::of("*"), Surface::Other);
    }

    #[test]
    fn indexes_are_dense() {
        for (index, surface) in Surface::ALL.into_iter().enumerate() {
            assert_eq!(surface.index(), index);
        }
    }
}
