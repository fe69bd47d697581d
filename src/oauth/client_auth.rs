//! Client authentication: the one place that decides whether offered credentials are those of a usable API key.
//!
//! Every failure costs the same: two keyed hashes, two comparisons and all checks, whether the client exists or not. The
//! decision falls at the end (SECURITY 3). What differs is told to the operator, never to the caller.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;

use super::credentials::Credentials;
use super::error::OauthError;
use super::form::Form;
use super::throttle::{Failure, Method, Throttle};
use crate::app::{App, LiveApplication, LiveSecret, RoleSet, RoleSetId};
use crate::crypto::secret::{SecretHash, SecretShape};
use crate::domain::application::{CredentialId, network_allowed};
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

/// What is known about the application that is claimed; of one that does not exist, what makes every check fail.
struct Candidate {
    secrets: [Option<LiveSecret>; 2],
    exists: bool,
    enabled: bool,
    expires_at: Option<Timestamp>,
    network: bool,
    role_set: Option<RoleSetId>,
    min_seq: u64,
}

/// Authenticates the client of a request by its headers and its form.
///
/// # Errors
/// `invalid_request` for contradicting credentials, one and the same `invalid_client` for every reason to refuse (but a
/// secret whose own checksum is wrong may be told so), 429 after too many failures, and `temporarily_unavailable` while
/// this node can't decide.
pub fn authenticate(
    app: &App,
    throttle: &Throttle,
    headers: &HeaderMap,
    form: &Form<'_>,
    address: IpAddr,
) -> Result<Client, OauthError> {
    let credentials = Credentials::read(headers, form)?;
    app.fresh().map_err(|_| OauthError::unavailable())?;
    let now = app.clock.now();
    verify(app, credentials, address, now).map_err(|failed| {
        let failure = Failure {
            source: address,
            client_id: &failed.credentials.client_id,
            fingerprint: failed.fingerprint,
            method: failed.credentials.method,
            now,
        };
        match throttle.failed(&failure) {
            Some(seconds) => OauthError::too_many_failures(seconds),
            None => failed.answer(),
        }
    })
}

struct Failed {
    credentials: Credentials,
    fingerprint: u64,
}

impl Failed {
    fn answer(&self) -> OauthError {
        let basic = self.credentials.method == Method::Basic;
        match SecretShape::of(&self.credentials.secret) {
            SecretShape::Mistyped => OauthError::mistyped_secret(basic),
            SecretShape::WellFormed | SecretShape::Foreign => OauthError::invalid_client(basic),
        }
    }
}

fn verify(app: &App, credentials: Credentials, address: IpAddr, now: Timestamp) -> Result<Client, Failed> {
    // Before the application is read: the token must not claim to know more than it does.
    let seq = app.snapshot.seq();
    let candidate = app
        .snapshot
        .with_application(&credentials.client_id, |application| Candidate::of(application, address))
        .unwrap_or_else(|| Candidate::nobody(address));

    let keys = app.snapshot.keys();
    let newest = keys.newest_pepper();
    let mut used: Option<LiveSecret> = None;
    let mut fingerprint = 0;
    for secret in &candidate.secrets {
        // Without a secret the work is done all the same, against a hash that no secret has.
        let pepper = secret.and_then(|secret| keys.pepper(secret.pepper)).or(newest);
        let offered = pepper.map_or(SecretHash::NOBODY, |pepper| pepper.hash(&credentials.secret));
        let stored = secret.map_or([0; 32], |secret| secret.hash);
        let same = SecretHash(stored).matches(&offered);
        let live = secret.is_some_and(|secret| secret.is_live(now));
        if same & live & pepper.is_some() {
            used = *secret;
        }
        fingerprint = u64::from_le_bytes(offered.0[..8].try_into().unwrap_or_default());
    }
    let in_time = candidate.expires_at.is_none_or(|end| now < end);
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
            candidate.explain(&credentials, used.is_some(), in_time);
            Err(Failed { credentials, fingerprint })
        }
    }
}

impl Candidate {
    fn of(application: &LiveApplication, address: IpAddr) -> Self {
        Self {
            secrets: application.secrets,
            exists: true,
            enabled: application.enabled,
            expires_at: application.expires_at,
            network: network_allowed(&application.networks, address),
            role_set: Some(application.role_set),
            min_seq: application.min_seq,
        }
    }

    fn nobody(address: IpAddr) -> Self {
        Self {
            secrets: [None, None],
            exists: false,
            enabled: false,
            expires_at: None,
            network: network_allowed(&[], address),
            role_set: None,
            min_seq: 0,
        }
    }

    /// Tells the operator why, in the debug log. A client id that is none of ours is not repeated: it could be a secret
    /// in the wrong place.
    fn explain(&self, credentials: &Credentials, secret: bool, in_time: bool) {
        let reason = match (self.exists, secret, self.enabled, in_time) {
            (false, ..) => "unknown client",
            (_, false, ..) => "no live secret matches",
            (_, _, false, _) => "disabled",
            (.., false) => "expired",
            _ => "network not allowed",
        };
        let client_id = if self.exists { credentials.client_id.as_str() } else { "" };
        tracing::debug!(client_id, reason, "client authentication failed");
    }
}
