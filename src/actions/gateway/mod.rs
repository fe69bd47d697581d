//! Creating, changing and deleting gateways. Where a gateway leads is said by console users and the operator only.

mod credentials;
mod input;

pub use credentials::{ClientCertificateInput, CredentialInput};
pub use input::{GatewayInput, LabelsInput};

use super::actor::Target;
use super::seen::{self, Seen};
use super::{ActionError, Actor, assertion_key, transact};
use crate::app::{App, UpstreamCredentials, live_gateway};
use crate::domain::gateway::{
    Gateway, GatewayId, GatewayKind, Limits, Reaching, Timeouts, UpstreamAuthentication, reaching,
};
use crate::domain::grant::Grant;
use crate::domain::prometheus::LabelMap;
use crate::domain::resource::{GatewayName, Resource, ResourcePattern, SecurityResource};
use crate::domain::role::Role;
use crate::store::changes::Change;
use crate::store::gateway::StoredGateway;
use crate::store::{self, StoreError, Tx};
use credentials::Credentials;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A gateway as it is saved.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Its settings now.
    pub gateway: Gateway,
    /// The roles that reach it, those that named it before it was there included.
    pub reached_by: Vec<Reaching>,
    /// Whether stored credentials were erased, because they would have gone to another place.
    pub erased: bool,
}

/// A gateway that is not saved.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its settings.
    pub gateway: Gateway,
    /// The hub's credentials there.
    pub credentials: UpstreamCredentials,
}

/// Grants that went with a gateway.
#[derive(Clone, Debug)]
pub struct Lost {
    /// The role that had them.
    pub role: Role,
    /// What it lost.
    pub grants: Vec<Grant>,
}

/// Names a gateway as it is, its credentials included.
#[must_use]
pub fn seen(stored: &StoredGateway) -> Seen {
    Seen::of(&format!("{} {:?} {:?}", describe(stored), stored.wrapped_secret, stored.wrapped_client_key))
}

/// Creates a gateway.
///
/// # Errors
/// [`ActionError::Invalid`] names the field.
pub async fn create(app: &App, actor: &Actor, name: &str, input: &GatewayInput) -> Result<Saved, ActionError> {
    let stored = made(app, actor, name, input)?;
    let gateway = &stored.gateway;
    transact!(app, async |tx| {
        store::changes::serialise(tx).await?; // of a role's filter and a gateway saved at once, one sees the other
        let reached_by = check_roles(tx, gateway).await?;
        if gateway.assertion {
            assertion_key::ensure(app, tx).await?;
        }
        store::gateway::insert(tx, &stored).await.map_err(|error| taken(error, &gateway.name))?;
        let event = actor.event(app, "gateway.create", target(gateway), Value::Null, describe(&stored));
        tx.record(Change::Gateway(gateway.id.clone()), event);
        Ok(Saved { gateway: gateway.clone(), reached_by, erased: false })
    })
}

/// The gateway that [`create`] would make, with its credentials, to be tried before.
///
/// # Errors
/// Those of [`create`], as far as they don't depend on what there is.
pub fn draft(app: &App, actor: &Actor, name: &str, input: &GatewayInput) -> Result<Draft, ActionError> {
    open(app, made(app, actor, name, input)?)
}

/// The gateway that [`update`] would leave, with its credentials, to be tried before.
///
/// # Errors
/// Those of [`update`], as far as they don't depend on roles.
pub async fn draft_update(
    app: &App,
    actor: &Actor,
    id: &GatewayId,
    input: &GatewayInput,
) -> Result<Draft, ActionError> {
    actor.require_edit(SecurityResource::Gateways)?;
    let before = existing(&mut app.store.read().await?, id).await?;
    require(actor, &before.gateway.name)?;
    open(app, changed(app, &before, input)?.0)
}

fn open(app: &App, stored: StoredGateway) -> Result<Draft, ActionError> {
    let credentials = live_gateway::open(&app.keyring, &stored)
        .map_err(|fault| ActionError::Store(StoreError::Unreadable(fault.to_string())))?;
    Ok(Draft { gateway: stored.gateway, credentials })
}

/// The new gateway, as it is stored.
fn made(app: &App, actor: &Actor, name: &str, input: &GatewayInput) -> Result<StoredGateway, ActionError> {
    let name = parse_name(name)?;
    require(actor, &name)?;
    let kind = input.kind.as_deref().ok_or_else(|| ActionError::invalid("kind", "choose http or prometheus"))?;
    let mut gateway = Gateway {
        id: GatewayId::new(app.randomness.id("gateway")),
        name,
        description: String::new(),
        kind: input::parse_kind(kind)?,
        addresses: Vec::new(),
        authentication: UpstreamAuthentication::None,
        ca: None,
        client_certificate: None,
        headers: Vec::new(),
        timeouts: Timeouts::default(),
        limits: Limits::default(),
        path_rules: Vec::new(),
        assertion: false,
        forward_filter: false,
        labels: LabelMap::new(),
        created_at: app.clock.now(),
    };
    input.apply(&mut gateway)?;
    let mut credentials = Credentials::default();
    credentials.take(app, &mut gateway, input)?;
    Ok(credentials.with(gateway))
}

/// The gateway after the change, and whether stored credentials were erased.
fn changed(app: &App, before: &StoredGateway, input: &GatewayInput) -> Result<(StoredGateway, bool), ActionError> {
    let mut gateway = before.gateway.clone();
    input.apply(&mut gateway)?;
    let mut credentials = Credentials::of(before);
    if leads_elsewhere(&before.gateway, &gateway) {
        credentials.erase(&mut gateway);
    }
    credentials.take(app, &mut gateway, input)?;
    let after = credentials.with(gateway);
    let lost = |before: &Option<String>, after: &Option<String>| before.is_some() && after.is_none();
    let erased = leads_elsewhere(&before.gateway, &after.gateway)
        && (lost(&before.wrapped_secret, &after.wrapped_secret)
            || lost(&before.wrapped_client_key, &after.wrapped_client_key));
    Ok((after, erased))
}

/// Changes a gateway; its name stays, because grants and addresses of applications carry it. Another address, authority
/// or kind erases the stored credentials, unless they are given anew with it: they were meant for the place before.
///
/// # Errors
/// [`ActionError::Invalid`] names the field; [`ActionError::Conflict`] if it is not any more what was seen.
pub async fn update(app: &App, actor: &Actor, id: &GatewayId, input: &GatewayInput) -> Result<Saved, ActionError> {
    actor.require_edit(SecurityResource::Gateways)?;
    transact!(app, async |tx| {
        store::changes::serialise(tx).await?;
        let before = existing(tx, id).await?;
        require(actor, &before.gateway.name)?;
        seen::check(input.seen.as_ref(), &seen(&before))?;
        let (after, erased) = changed(app, &before, input)?;
        let reached_by = check_roles(tx, &after.gateway).await?;
        if after.gateway.assertion {
            assertion_key::ensure(app, tx).await?;
        }
        store::gateway::update(tx, &after).await?;
        let mut now = describe(&after);
        now["credentials_changed"] = json!(
            before.wrapped_secret != after.wrapped_secret || before.wrapped_client_key != after.wrapped_client_key
        );
        let event = actor.event(app, "gateway.update", target(&after.gateway), describe(&before), now);
        tx.record(Change::Gateway(id.clone()), event);
        Ok(Saved { gateway: after.gateway, reached_by, erased })
    })
}

/// Deletes a gateway, and removes from roles the grants that name exactly it, so that a new gateway of that name is not
/// reached by them. Patterns stay.
///
/// # Errors
/// [`ActionError::NotFound`].
pub async fn delete(app: &App, actor: &Actor, id: &GatewayId) -> Result<Vec<Lost>, ActionError> {
    actor.require_edit(SecurityResource::Gateways)?;
    transact!(app, async |tx| {
        store::changes::serialise(tx).await?;
        let before = existing(tx, id).await?;
        let lost = naming(&before.gateway.name, store::role::all(tx).await?);
        let mut changes = vec![Change::Gateway(id.clone())];
        for Lost { role, grants } in &lost {
            let mut after = role.clone();
            after.grants.retain(|grant| !grants.contains(grant));
            store::role::update(tx, &after).await?;
            changes.push(Change::Role(role.id.clone()));
        }
        store::gateway::delete(tx, id).await?;
        let mut then = describe(&before);
        then["grants"] =
            lost.iter().map(|lost| json!({ "role": lost.role.name.as_str(), "grants": texts(&lost.grants) })).collect();
        let event = actor.event(app, "gateway.delete", target(&before.gateway), then, Value::Null);
        tx.record_all(changes, event);
        Ok(lost)
    })
}

/// The grants that [`delete`] would remove.
///
/// # Errors
/// [`StoreError`].
pub async fn grants_naming(tx: &mut Tx, name: &GatewayName) -> Result<Vec<Lost>, StoreError> {
    Ok(naming(name, store::role::all(tx).await?))
}

/// The roles that reach the gateway of that name.
///
/// # Errors
/// [`StoreError`].
pub async fn roles_reaching(tx: &mut Tx, name: &GatewayName) -> Result<Vec<Reaching>, StoreError> {
    Ok(reaching(name, store::role::all(tx).await?))
}

/// Refuses a role whose filter can't be enforced on a gateway that it reaches.
pub(super) async fn check_role(tx: &mut Tx, role: &Role) -> Result<(), ActionError> {
    if role.filter.is_none() {
        return Ok(());
    }
    for stored in store::gateway::all(tx).await? {
        stored.gateway.check_role(role).map_err(|fault| ActionError::invalid("filter", fault))?;
    }
    Ok(())
}

/// Refuses a gateway on which the filter of a role that reaches it can't be enforced.
async fn check_roles(tx: &mut Tx, gateway: &Gateway) -> Result<Vec<Reaching>, ActionError> {
    let field = if gateway.kind == GatewayKind::Prometheus { "label" } else { "kind" };
    let reached_by = roles_reaching(tx, &gateway.name).await?;
    for reaching in &reached_by {
        gateway.check_role(&reaching.role).map_err(|fault| ActionError::invalid(field, fault))?;
    }
    Ok(reached_by)
}

fn naming(name: &GatewayName, roles: Vec<Role>) -> Vec<Lost> {
    let exactly = ResourcePattern::One(Resource::Gateway(name.clone()));
    let lost = |role: Role| {
        let grants: Vec<Grant> = role.grants.iter().filter(|grant| grant.resource == exactly).cloned().collect();
        (!grants.is_empty()).then_some(Lost { role, grants })
    };
    roles.into_iter().filter_map(lost).collect()
}

fn require(actor: &Actor, name: &GatewayName) -> Result<(), ActionError> {
    actor.require_edit(SecurityResource::Gateways)?;
    actor.require_all_of(&Resource::Gateway(name.clone()))
}

/// Whether requests, and with them the hub's credentials, could reach a place that they did not reach before.
fn leads_elsewhere(before: &Gateway, after: &Gateway) -> bool {
    before.kind != after.kind
        || before.ca != after.ca
        || after.addresses.iter().any(|address| !before.addresses.contains(address))
}

fn parse_name(text: &str) -> Result<GatewayName, ActionError> {
    GatewayName::parse(text.trim()).ok_or_else(|| {
        ActionError::invalid(
            "name",
            "give 1 to 63 lower-case letters, digits and inner hyphens, for example metrics-eu",
        )
    })
}

async fn existing(tx: &mut Tx, id: &GatewayId) -> Result<StoredGateway, ActionError> {
    store::gateway::get(tx, id).await?.ok_or_else(|| ActionError::not_found("gateway", id.as_str()))
}

fn taken(error: StoreError, name: &GatewayName) -> ActionError {
    match error {
        StoreError::Duplicate { .. } => ActionError::name_taken("a gateway", &name.as_str()),
        error => error.into(),
    }
}

fn target(gateway: &Gateway) -> Target<'_> {
    Target { kind: "gateway", id: gateway.id.as_str(), name: gateway.name.as_str() }
}

fn texts<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// All of it but the credentials, of which only the form is told. Certificates are public, and long: their digests.
fn describe(stored: &StoredGateway) -> Value {
    let gateway = &stored.gateway;
    let labels: BTreeMap<&str, &str> = gateway.labels.iter().map(|(key, label)| (key, label.as_str())).collect();
    json!({
        "name": gateway.name.as_str(),
        "description": gateway.description,
        "kind": gateway.kind.as_str(),
        "addresses": texts(&gateway.addresses),
        "authentication": gateway.authentication.as_str(),
        "ca": gateway.ca.as_deref().map(credentials::digest),
        "client_certificate": gateway.client_certificate.as_deref().map(credentials::digest),
        "headers": texts(&gateway.headers),
        "connect_timeout_ms": milliseconds(gateway.timeouts.connect),
        "answer_timeout_ms": milliseconds(gateway.timeouts.answer),
        "idle_timeout_ms": milliseconds(gateway.timeouts.idle),
        "body_limit": gateway.limits.body,
        "concurrent": gateway.limits.concurrent,
        "path_rules": texts(&gateway.path_rules),
        "assertion": gateway.assertion,
        "forward_filter": gateway.forward_filter,
        "labels": labels,
    })
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
