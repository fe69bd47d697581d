//! Gateways as requests need them: settings and credentials, unwrapped and ready.

use super::live_keys::KeyFault;
use crate::crypto::keyring::Keyring;
use crate::domain::gateway::{Gateway, GatewayId};
use crate::domain::resource::GatewayName;
use crate::store::gateway::StoredGateway;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the hub proves itself with at an upstream. Its `Debug` shows nothing of it.
#[derive(Clone, Default)]
pub struct UpstreamCredentials {
    /// The password, token or header value, as [`Gateway::authentication`] says.
    pub secret: Option<Zeroizing<String>>,
    /// The key (PEM) of [`Gateway::client_certificate`].
    pub client_key: Option<Zeroizing<String>>,
}

impl fmt::Debug for UpstreamCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UpstreamCredentials(…)")
    }
}

/// A gateway in use.
#[derive(Clone, Debug)]
pub struct LiveGateway {
    /// Its settings.
    pub gateway: Gateway,
    /// Counts the versions of gateways that this process has had: another number, other settings or credentials, and
    /// connections made by the old ones are not used again.
    pub version: u64,
    /// The hub's credentials there.
    pub credentials: UpstreamCredentials,
}

/// The context under which a gateway's secret is wrapped.
#[must_use]
pub fn secret_context(id: &GatewayId) -> String {
    format!("gateway-secret/{}", id.as_str())
}

/// The context under which the key of a gateway's client certificate is wrapped.
#[must_use]
pub fn client_key_context(id: &GatewayId) -> String {
    format!("gateway-client-key/{}", id.as_str())
}

/// Unwraps what the store holds.
///
/// # Errors
/// [`KeyFault`] if it was wrapped by another key, or altered.
pub fn open(keyring: &Keyring, stored: &StoredGateway) -> Result<UpstreamCredentials, KeyFault> {
    let id = &stored.gateway.id;
    let text = |context: String, wrapped: &Option<String>| {
        let Some(wrapped) = wrapped else { return Ok(None) };
        let fault = |reason: String| KeyFault::new(&context, reason);
        let bytes = keyring.unwrap(&context, wrapped).map_err(|error| fault(error.to_string()))?;
        let text = std::str::from_utf8(&bytes).map_err(|error| fault(error.to_string()))?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    };
    Ok(UpstreamCredentials {
        secret: text(secret_context(id), &stored.wrapped_secret)?,
        client_key: text(client_key_context(id), &stored.wrapped_client_key)?,
    })
}

/// All gateways, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveGateways(BTreeMap<GatewayName, Arc<LiveGateway>>);

impl LiveGateways {
    pub(super) fn get(&self, name: &str) -> Option<&Arc<LiveGateway>> {
        self.0.get(name)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<LiveGateway>> {
        self.0.values()
    }

    pub(super) fn insert(&mut self, gateway: LiveGateway) {
        self.0.insert(gateway.gateway.name.clone(), Arc::new(gateway));
    }

    pub(super) fn remove(&mut self, id: &GatewayId) {
        self.0.retain(|_, live| live.gateway.id != *id);
    }
}
