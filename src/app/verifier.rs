//! The one verifier of access tokens: every surface asks here, and every answer from the cache is checked again.

use super::client_auth::Client;
use super::role_set::RoleSet;
use super::usage::{Refused, Seat};
use super::{App, Stale};
use crate::crypto::token::{Claims, Expected, TokenFault};
use crate::domain::access::{Permit, Refusal, decide};
use crate::domain::application::{CredentialId, network_allowed};
use crate::domain::denial::DenialReason;
use crate::domain::grant::Action;
use crate::domain::resource::Resource;
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use aws_lc_rs::digest;
use std::net::IpAddr;
use std::sync::Arc;

/// How many verified tokens are remembered. One takes about half a kilobyte.
const CACHE_CAPACITY: usize = 32_768;

/// Tokens whose signature and claims were verified lately, by their SHA-256. Only what can't change is remembered.
pub struct Cache(quick_cache::sync::Cache<[u8; 32], Arc<TokenFacts>>);

impl Cache {
    pub(super) fn new() -> Self {
        Self(quick_cache::sync::Cache::new(CACHE_CAPACITY))
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cache({} tokens)", self.0.len())
    }
}

/// What a good signature vouches for, for as long as the signing key is published.
#[derive(Debug)]
pub struct TokenFacts {
    /// The claims as issued.
    pub claims: Claims,
    /// The claim `scope`, parsed.
    pub scope: Scope,
    /// The claim `cred`, parsed.
    pub credential: CredentialId,
    /// Where its requests are counted.
    pub seat: Seat,
    keys: u64,
}

/// An application that has proved who it is with a good token.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The token.
    pub token: Arc<TokenFacts>,
    /// What its roles allow now.
    pub roles: Arc<RoleSet>,
}

impl Verified {
    /// Its `client_id`.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.token.claims.client_id
    }

    /// The application's name now; its `client_id` if it was deleted just now.
    #[must_use]
    pub fn name(&self, app: &App) -> String {
        let named = app.snapshot.with_application(self.client_id(), |application| application.name.to_string());
        named.unwrap_or_else(|| self.client_id().to_owned())
    }

    /// Decides by the token's scope and the roles that the application has now.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn decide(&self, resource: &Resource, action: Action) -> Result<Permit, Refusal> {
        decide(&self.roles.access, &self.token.scope, resource, action)
    }
}

/// Why a token is refused (RFC 6750 §3.1: `invalid_token`), or can't be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// The token itself is not good.
    #[error(transparent)]
    Fault(#[from] TokenFault),
    /// It was issued for something else (RFC 8707).
    #[error("the access token was issued for another resource")]
    WrongAudience,
    /// It was good once.
    #[error("the access token was revoked, or the API key that it was issued with no longer works")]
    Dead,
    /// The application may not come from there.
    #[error("the access token may not be used from this network")]
    Network,
    /// This node can't tell.
    #[error(transparent)]
    Stale(#[from] Stale),
}

/// Where a token is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// At the hub itself.
    Hub,
    /// At the gateway of that name.
    Gateway(&'a str),
}

/// The resource indicator of a gateway, as in `aud` and in the parameter `resource` (RFC 8707).
#[must_use]
pub fn gateway_audience(issuer: &str, name: &str) -> String {
    format!("{issuer}{GATEWAY_AUDIENCE}{name}")
}

/// The name of the gateway that a resource indicator of this hub stands for.
#[must_use]
pub fn audience_gateway<'a>(issuer: &str, audience: &'a str) -> Option<&'a str> {
    audience.strip_prefix(issuer)?.strip_prefix(GATEWAY_AUDIENCE)
}

/// Follows the issuer.
const GATEWAY_AUDIENCE: &str = "/gateways/";

/// Verifies an access token for use at a place (one for the issuer is good everywhere): signature, `typ`, `iss` and times,
/// then, at every request, that it is not revoked, its secret is alive, its `seq` is not below the application's
/// `min_seq`, and the caller's network is allowed.
///
/// # Errors
/// [`TokenRefusal`].
pub async fn verify(app: &App, token: &str, place: Place<'_>, address: IpAddr) -> Result<Verified, TokenRefusal> {
    let now = app.fresh()?;
    let facts = facts(app, token, now).inspect_err(|refusal| count(app, "", refusal, address))?;
    let outcome = judge(app, Arc::clone(&facts), place, address, now).await;
    outcome.inspect_err(|refusal| count(app, &facts.claims.client_id, refusal, address))
}

async fn judge(
    app: &App,
    facts: Arc<TokenFacts>,
    place: Place<'_>,
    address: IpAddr,
    now: Timestamp,
) -> Result<Verified, TokenRefusal> {
    check_times(&facts.claims, now)?;
    let now = read_on(app, &facts, now).await?;
    let everywhere = facts.claims.is_for(app.issuer());
    if !everywhere && !is_for_gateway(&facts.claims, app.issuer(), place) {
        return Err(TokenRefusal::WrongAudience);
    }
    check_alive_from(app, facts, address, now)
}

/// A token issued by a node that knows more: this one reads on first. A store that never gets there was put back.
async fn read_on(app: &App, facts: &TokenFacts, now: Timestamp) -> Result<Timestamp, Stale> {
    if facts.claims.seq <= app.snapshot.seq() {
        return Ok(now);
    }
    app.catch_up(facts.claims.seq).await?;
    Ok(app.clock.now())
}

/// Counts a refusal; `client_id` is known once the signature is good.
fn count(app: &App, client_id: &str, refusal: &TokenRefusal, source: IpAddr) {
    let reason = match refusal {
        TokenRefusal::Fault(TokenFault::Expired) => DenialReason::ExpiredToken,
        TokenRefusal::Fault(_) => DenialReason::InvalidToken,
        TokenRefusal::WrongAudience => DenialReason::WrongAudience,
        TokenRefusal::Dead => DenialReason::DeadToken,
        TokenRefusal::Network => DenialReason::Network,
        // Not the caller's doing.
        TokenRefusal::Stale(_) => return,
    };
    app.usage.refused(&Refused { client_id, credential: None, reason, source, now: app.clock.now() });
}

/// Verifies for introspection and revocation, which ask about a token rather than use it: wherever at this hub it is good,
/// and without regard to the network, since it is not its bearer who asks.
///
/// # Errors
/// [`TokenRefusal`].
pub async fn inspect(app: &App, token: &str) -> Result<Verified, TokenRefusal> {
    let now = app.fresh()?;
    let facts = facts(app, token, now)?;
    check_times(&facts.claims, now)?;
    let now = read_on(app, &facts, now).await?;
    let is_here = |audience: &String| {
        audience == app.issuer()
            || audience_gateway(app.issuer(), audience).is_some_and(|name| app.snapshot.gateway(name).is_some())
    };
    if !facts.claims.aud.iter().any(is_here) {
        return Err(TokenRefusal::WrongAudience);
    }
    check_alive(app, facts, now, |_| Ok(()))
}

/// The facts of a token with a good signature, from the cache if it was verified lately. What comes from there may have
/// expired since.
fn facts(app: &App, token: &str, now: Timestamp) -> Result<Arc<TokenFacts>, TokenRefusal> {
    let keys = app.snapshot.keys();
    // The cache holds what was verified with a set of keys: another set, and it is verified again.
    let hash = hash(token);
    if let Some(known) = app.verified_tokens.0.get(&hash)
        && known.keys == keys.generation
    {
        return Ok(known);
    }
    let claims = keys.verification.verify(token, &Expected { issuer: app.issuer(), now })?;
    let scope = Scope::parse(&claims.scope).map_err(|_| TokenFault::MissingClaim("scope"))?;
    let credential = CredentialId::parse(&claims.cred).ok_or(TokenFault::MissingClaim("cred"))?;
    let facts = Arc::new(TokenFacts { claims, scope, credential, seat: Seat::default(), keys: keys.generation });
    app.verified_tokens.0.insert(hash, Arc::clone(&facts));
    Ok(facts)
}

fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), TokenFault> {
    if now.seconds() >= claims.exp { Err(TokenFault::Expired) } else { Ok(()) }
}

/// The application whose API key was used directly, as HTTP Basic on gateways: as if it had just got a token for all that its
/// roles give. `None` unless that is allowed for it.
#[must_use]
pub fn of_key(app: &App, client: Client) -> Option<Verified> {
    if !app.snapshot.with_application(&client.client_id, |application| application.allow_basic)? {
        return None;
    }
    let now = app.clock.now();
    let claims = Claims {
        iss: app.issuer().to_owned(),
        client_id: client.client_id,
        aud: Vec::new(),
        iat: now.seconds(),
        exp: i64::MAX,
        jti: String::new(),
        scope: String::new(),
        roles: Vec::new(),
        cred: String::new(),
        seq: client.seq,
    };
    let scope = client.roles.full_scope.clone();
    let facts = TokenFacts { claims, scope, credential: client.credential, seat: Seat::default(), keys: 0 };
    Some(Verified { token: Arc::new(facts), roles: client.roles })
}

fn is_for_gateway(claims: &Claims, issuer: &str, place: Place<'_>) -> bool {
    match place {
        Place::Hub => false,
        Place::Gateway(name) => {
            claims.aud.iter().any(|audience| audience_gateway(issuer, audience).is_some_and(|own| own == name))
        }
    }
}

fn check_alive_from(
    app: &App,
    facts: Arc<TokenFacts>,
    address: IpAddr,
    now: Timestamp,
) -> Result<Verified, TokenRefusal> {
    check_alive(app, facts, now, |application| {
        if network_allowed(application.networks(), address) { Ok(()) } else { Err(TokenRefusal::Network) }
    })
}

/// Whether what was verified at a request's begin may still go on: its key lives, its token was not revoked, and it may come
/// from there. Gives the roles of now.
///
/// A request that began in time may go on when its token expires, for one more token lifetime: the end of a token is the end
/// of beginning something with it, and no client can foresee how long an answer takes.
///
/// # Errors
/// [`TokenRefusal`].
pub fn check_again(app: &App, verified: &Verified, address: IpAddr) -> Result<Arc<RoleSet>, TokenRefusal> {
    let now = app.fresh()?;
    let lifetime = i64::try_from(app.config.token.lifetime.as_secs()).unwrap_or(i64::MAX);
    if now.seconds() >= verified.token.claims.exp.saturating_add(lifetime) {
        return Err(TokenFault::Expired.into());
    }
    check_alive_from(app, Arc::clone(&verified.token), address, now).map(|verified| verified.roles)
}

fn check_alive(
    app: &App,
    facts: Arc<TokenFacts>,
    now: Timestamp,
    also: impl FnOnce(&super::LiveApplication) -> Result<(), TokenRefusal>,
) -> Result<Verified, TokenRefusal> {
    if app.snapshot.is_revoked(&facts.claims.jti) {
        return Err(TokenRefusal::Dead);
    }
    let judge = |application: &super::LiveApplication| {
        let alive = application.is_usable(now)
            && application.has_live_secret(facts.credential, now)
            && facts.claims.seq >= application.min_seq;
        if !alive {
            return Err(TokenRefusal::Dead);
        }
        also(application)?;
        Ok(application.role_set)
    };
    let judged = app.snapshot.with_application(&facts.claims.client_id, judge);
    let role_set = judged.ok_or(TokenRefusal::Dead)??;
    Ok(Verified { token: facts, roles: app.snapshot.role_set(role_set) })
}
