//! Client authentication: the one place that decides whether offered credentials are those of a usable API key.
//!
//! Every failure costs the same: two keyed hashes, two comparisons and all checks, whether the client exists or not. The
//! decision falls at the end (SECURITY 3). What differs is told to the operator, never to the caller.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net};
use zeroize::Zeroizing;

use super::throttle::{Failure, Method};
use super::{App, LiveApplication, LiveSecret, RoleSet, RoleSetId, usage};
use crate::crypto::secret::{SecretHash, SecretShape};
use crate::domain::application::{CredentialId, network_allowed};
use crate::domain::denial::DenialReason;
use crate::domain::time::Timestamp;

/// An application that has proved who it is with its API key.
pub struct Client {
    /// Its `client_id`.
    pub client_id: String,
    /// The id of the secret that it used.
    pub credential: CredentialId,
    /// What its roles allow now.
    pub roles: Arc<RoleSet>,
    /// The snapshot's sequence that all of this is at least as new as.
    pub seq: u64,
    /// When its key or the used secret ends, if that is known.
    pub ends_at: Option<Timestamp>,
}

/// What is known about the application that is claimed; one that does not exist looks like one that does until the end.
struct Candidate {
    exists: bool,
    secrets: [Option<LiveSecret>; 2],
    enabled: bool,
    expires_at: Option<Timestamp>,
    network: bool,
    role_set: Option<RoleSetId>,
    min_seq: u64,
}

/// A client id and a secret, as offered. Nothing is known yet about whether they are right.
pub struct Credentials {
    /// Which client it claims to be.
    pub client_id: String,
    /// The offered secret.
    pub secret: Zeroizing<String>,
    /// Where they stood.
    pub method: Method,
}

/// A client authentication that failed; of the reason no more than may be told to everybody.
pub struct Refused {
    /// Whether it came as HTTP Basic.
    pub basic: bool,
    /// Whether the offered secret can be told to be mistyped.
    pub shape: SecretShape,
    /// After too many failures, how many seconds to wait; those that succeed are never refused.
    pub wait_seconds: Option<i64>,
}

/// Authenticates a client. Who calls has asked [`App::fresh`] before.
///
/// # Errors
/// [`Refused`], one and the same for every reason; it is counted.
pub fn authenticate(app: &App, credentials: Credentials, address: IpAddr) -> Result<Client, Refused> {
    let now = app.clock.now();
    verify(app, credentials, address, now).map_err(|failed| {
        app.usage.refused(&usage::Refused {
            client_id: if failed.exists { &failed.credentials.client_id } else { "" },
            credential: None,
            reason: failed.reason,
            source: address,
            now,
        });
        let failure = Failure {
            source: address,
            client_id: &failed.credentials.client_id,
            fingerprint: failed.fingerprint,
            method: failed.credentials.method,
            now,
        };
        Refused {
            basic: failed.credentials.method == Method::Basic,
            shape: SecretShape::of(&failed.credentials.secret),
            wait_seconds: app.client_failures.failed(&failure),
        }
    })
}

struct Failed {
    credentials: Credentials,
    fingerprint: u64,
    exists: bool,
    reason: DenialReason,
}

fn verify(app: &App, credentials: Credentials, address: IpAddr, now: Timestamp) -> Result<Client, Failed> {
    // Before the application is read: the token must not claim to know more than it does.
    let seq = app.snapshot.seq();
    let candidate = app
        .snapshot
        .with_application(&credentials.client_id, |application| Candidate::of(application, address))
        .unwrap_or_else(|| Candidate::nobody(address));

    let keys = app.snapshot.keys();
    let mut used: Option<LiveSecret> = None;
    let mut fingerprint = 0;
    for place in &candidate.secrets {
        // Where there is no secret the work is done all the same, against a hash that no secret has.
        let secret = place.unwrap_or(NO_SECRET);
        let pepper = keys.pepper(secret.pepper).or(keys.newest_pepper());
        let offered = pepper.map_or(SecretHash::NOBODY, |pepper| pepper.hash(&credentials.secret));
        let same = SecretHash(secret.hash).matches(&offered);
        if same & secret.is_live(now) & place.is_some() & pepper.is_some() {
            used = Some(secret);
        }
        fingerprint = u64::from_le_bytes(offered.0[..8].try_into().unwrap_or_default());
    }
    let in_time = now < candidate.expires_at.unwrap_or(NEVER);
    let usable = candidate.exists & candidate.enabled & in_time & candidate.network;
    match (used, candidate.role_set) {
        (Some(secret), Some(role_set)) if usable => Ok(Client {
            client_id: credentials.client_id,
            credential: secret.id,
            roles: app.snapshot.role_set(role_set),
            // The application may have been read just after a change that the sequence does not count yet.
            seq: seq.max(candidate.min_seq),
            ends_at: [candidate.expires_at, secret.ends_at].into_iter().flatten().min(),
        }),
        _ => {
            let reason = candidate.explain(&credentials, used.is_some(), in_time);
            Err(Failed { credentials, fingerprint, exists: candidate.exists, reason })
        }
    }
}

/// Stands in for a secret that is not there.
const NO_SECRET: LiveSecret = LiveSecret { id: CredentialId::new(0), hash: [0; 32], pepper: 0, ends_at: None };

/// The end of what has no end.
const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

impl Candidate {
    fn of(application: &LiveApplication, address: IpAddr) -> Self {
        Self {
            exists: true,
            secrets: application.secrets(),
            enabled: application.enabled,
            expires_at: application.expires_at(),
            network: network_allowed_evenly(application.networks(), address),
            role_set: Some(application.role_set),
            min_seq: application.min_seq,
        }
    }

    fn nobody(address: IpAddr) -> Self {
        // By the same way as one that is there, so that it takes the same work.
        Self { exists: false, role_set: None, ..Self::of(LiveApplication::nobody(), address) }
    }

    /// Says why, to the administrator, and to the operator in the debug log. A client id that is none of ours is not
    /// repeated: it could be a secret in the wrong place.
    fn explain(&self, credentials: &Credentials, secret: bool, in_time: bool) -> DenialReason {
        let reason = match (self.exists, secret, self.enabled, in_time) {
            (false, ..) => DenialReason::UnknownClient,
            (_, false, ..) => DenialReason::WrongSecret,
            (_, _, false, _) => DenialReason::Disabled,
            (.., false) => DenialReason::Expired,
            _ => DenialReason::Network,
        };
        let client_id = if self.exists { credentials.client_id.as_str() } else { "" };
        tracing::debug!(client_id, reason = reason.as_str(), "client authentication failed");
        reason
    }
}

/// As [`network_allowed`], but with the same work for every short list, the empty one included.
fn network_allowed_evenly(networks: &[IpNet], address: IpAddr) -> bool {
    const SHORT: usize = 4;
    let mut inside = networks.is_empty();
    for at in 0..networks.len().max(SHORT) {
        let network = networks.get(at..=at).unwrap_or(&NOWHERE);
        inside |= network_allowed(network, address) & (at < networks.len());
    }
    inside
}

/// A network to compare with where there is none.
const NOWHERE: [IpNet; 1] = [IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 32))];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_allowed_as_everywhere() {
        let lists: [&[&str]; 4] = [&[], &["10.0.0.0/8"], &["::1/128", "192.0.2.0/24"], &["0.0.0.0/32"]];
        let many: Vec<String> = (0..9).map(|n| format!("10.{n}.0.0/16")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for list in lists.into_iter().chain([many.as_slice()]) {
            let networks: Vec<IpNet> = list.iter().map(|text| text.parse().expect("a network")).collect();
            for address in ["10.1.2.3", "10.8.0.1", "10.9.0.1", "192.0.2.7", "::1", "::ffff:192.0.2.7", "0.0.0.0"] {
                let address: IpAddr = address.parse().expect("an address");
                let expected = network_allowed(&networks, address);
                assert_eq!(network_allowed_evenly(&networks, address), expected, "{list:?} {address}");
            }
        }
    }
}
