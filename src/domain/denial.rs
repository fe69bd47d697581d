//! Refusals, as they are counted: why, whose, and where from.

/// Why a request was refused. Its name is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DenialReason {
    /// The `client_id` is none of ours.
    UnknownClient,
    /// The application is known, and no live secret of it matches.
    WrongSecret,
    /// The secret was right, the application is disabled.
    Disabled,
    /// The secret was right, the application has expired.
    Expired,
    /// Secret or token were right, and came from a network that is not allowed.
    Network,
    /// The application asked for a scope that its roles don't give, or for an unknown resource.
    Scope,
    /// The access token is not one of ours, or damaged.
    InvalidToken,
    /// The access token has expired.
    ExpiredToken,
    /// The access token was revoked, or its API key no longer works.
    DeadToken,
    /// The access token was issued for another resource (RFC 8707).
    WrongAudience,
    /// Token or roles don't allow this request.
    NotAllowed,
    /// An application tried to change security settings.
    ConsoleOnly,
    /// Somebody tried to sign in to the Web Console with a wrong name or password, or too often at once.
    SignIn,
}

impl DenialReason {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::UnknownClient,
        Self::WrongSecret,
        Self::Disabled,
        Self::Expired,
        Self::Network,
        Self::Scope,
        Self::InvalidToken,
        Self::ExpiredToken,
        Self::DeadToken,
        Self::WrongAudience,
        Self::NotAllowed,
        Self::ConsoleOnly,
        Self::SignIn,
    ];

    /// Its name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownClient => "unknown-client",
            Self::WrongSecret => "wrong-secret",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Network => "network",
            Self::Scope => "scope",
            Self::InvalidToken => "invalid-token",
            Self::ExpiredToken => "expired-token",
            Self::DeadToken => "dead-token",
            Self::WrongAudience => "wrong-audience",
            Self::NotAllowed => "not-allowed",
            Self::ConsoleOnly => "console-only",
            Self::SignIn => "sign-in",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// What to tell an administrator.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::UnknownClient => "No application has this client_id",
            Self::WrongSecret => "Wrong client_secret, or one that no longer works",
            Self::Disabled => "The application is disabled",
            Self::Expired => "The application has expired",
            Self::Network => "Came from a network that is not allowed",
            Self::Scope => "Asked for a scope or resource that its roles do not give",
            Self::InvalidToken => "The access token is not valid",
            Self::ExpiredToken => "The access token has expired",
            Self::DeadToken => "The access token was revoked, or its API key no longer works",
            Self::WrongAudience => "The access token was issued for another resource",
            Self::NotAllowed => "The token or the roles do not allow the request",
            Self::ConsoleOnly => "Tried to change security settings",
            Self::SignIn => "Could not sign in to the Web Console",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DenialReason;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        for reason in DenialReason::ALL {
            assert_eq!(DenialReason::named(reason.as_str()), Some(reason));
        }
        assert_eq!(DenialReason::named("other"), None);
    }
}
