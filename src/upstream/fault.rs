//! Why a request could not be forwarded.

/// Why there is no answer of the upstream. The texts are for administrators: they may name addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardFault {
    /// As many requests as the gateway allows are under way.
    #[error("as many requests as the gateway allows are under way")]
    Busy,
    /// Every address failed lately; nothing is tried before so many seconds have passed.
    #[error("every address failed lately; the next try is in {0} s")]
    Resting(u32),
    /// No connection to any address.
    #[error("{0}")]
    Unreachable(String),
    /// The upstream took longer than the gateway allows.
    #[error("no answer in time")]
    Slow,
    /// The answer broke off or is not HTTP.
    #[error("{0}")]
    Broken(String),
    /// The upstream does not accept the hub's credentials, or asks for some that the gateway does not have.
    #[error("the upstream does not accept the hub's credentials (status {0})")]
    Credentials(u16),
    /// The request's body is longer than the gateway allows, in bytes.
    #[error("the body is longer than {0} bytes")]
    TooLarge(u64),
    /// The caller stopped sending its body.
    #[error("the caller stopped sending")]
    CallerStalled,
    /// The caller's body broke off.
    #[error("the caller broke off")]
    CallerBroke,
    /// The caller's key, token or role ended meanwhile.
    #[error("the caller's key ended")]
    Dead,
    /// The request was enforced for another gateway: a fault of the hub.
    #[error("enforced for another gateway")]
    Misdirected,
}
