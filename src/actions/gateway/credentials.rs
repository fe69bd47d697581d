//! What the hub proves itself with at an upstream: taken, checked, and wrapped at once.

use super::GatewayInput;
use crate::actions::ActionError;
use crate::app::App;
use crate::app::live_gateway::{client_key_context, secret_context};
use crate::crypto::pem;
use crate::domain::gateway::{Gateway, HeaderName, UpstreamAuthentication, header_value};
use crate::store::gateway::StoredGateway;
use aws_lc_rs::digest;
use std::fmt;
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// The hub's credential at an upstream, as given. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub enum CredentialInput {
    /// None, from now on.
    None,
    /// HTTP Basic (RFC 7617).
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Zeroizing<String>,
    },
    /// A bearer token (RFC 6750).
    Bearer(Zeroizing<String>),
    /// A header of its own, `NAME: VALUE`.
    Header(Zeroizing<String>),
}

/// A client certificate, as given; empty texts for none. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ClientCertificateInput {
    /// The chain, as PEM.
    pub chain: String,
    /// The key of its first certificate, as PEM.
    pub key: Zeroizing<String>,
}

impl fmt::Debug for CredentialInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialInput(…)")
    }
}

impl fmt::Debug for ClientCertificateInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificateInput(…)")
    }
}

/// The longest user name or password, in bytes.
const LONGEST: usize = 4_096;

/// Wrapped credentials on their way to the store.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    secret: Option<String>,
    client_key: Option<String>,
}

impl Credentials {
    pub(super) fn of(stored: &StoredGateway) -> Self {
        Self { secret: stored.wrapped_secret.clone(), client_key: stored.wrapped_client_key.clone() }
    }

    pub(super) fn with(self, gateway: Gateway) -> StoredGateway {
        StoredGateway { gateway, wrapped_secret: self.secret, wrapped_client_key: self.client_key }
    }

    /// Forgets them. What is left is a gateway without authentication, which says so.
    pub(super) fn erase(&mut self, gateway: &mut Gateway) {
        *self = Self::default();
        gateway.authentication = UpstreamAuthentication::None;
        gateway.client_certificate = None;
    }

    /// Takes what the input gives; what it doesn't mention stays.
    pub(super) fn take(&mut self, app: &App, gateway: &mut Gateway, input: &GatewayInput) -> Result<(), ActionError> {
        if let Some(credential) = &input.credential {
            let (authentication, secret) = check(credential)?;
            gateway.authentication = authentication;
            let context = secret_context(&gateway.id);
            self.secret = secret.map(|secret| app.keyring.wrap(&context, secret.as_bytes(), &app.randomness));
        }
        match &input.client_certificate {
            None => {}
            Some(given) if given.chain.trim().is_empty() && given.key.trim().is_empty() => {
                gateway.client_certificate = None;
                self.client_key = None;
            }
            Some(given) => {
                pem::identity(&given.chain, &given.key).map_err(|fault| ActionError::invalid("cert", fault))?;
                gateway.client_certificate = Some(given.chain.clone());
                let context = client_key_context(&gateway.id);
                self.client_key = Some(app.keyring.wrap(&context, given.key.as_bytes(), &app.randomness));
            }
        }
        Ok(())
    }
}

/// No fault shows the secret.
fn check(given: &CredentialInput) -> Result<(UpstreamAuthentication, Option<&str>), ActionError> {
    let header = |field, name: &HeaderName, text| {
        header_value(name, text)
            .map_err(|_| ActionError::invalid(field, "give one line of at most 4,096 visible ASCII characters"))
    };
    Ok(match given {
        CredentialInput::None => (UpstreamAuthentication::None, None),
        CredentialInput::Basic { user, password } => {
            let fits = |text: &str| !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
            if !fits(user) || user.contains(':') {
                return Err(ActionError::invalid(
                    "basic_user",
                    "give a user name without colons and control characters",
                ));
            }
            if !fits(password) {
                return Err(ActionError::invalid("password", "give the password, one line of at most 4,096 bytes"));
            }
            (UpstreamAuthentication::Basic { user: user.clone() }, Some(password.as_str()))
        }
        CredentialInput::Bearer(token) => {
            let name = HeaderName::parse_credential("authorization").expect("it is the name of such a header");
            let token = header("bearer", &name, token)?;
            if token.contains(' ') {
                return Err(ActionError::invalid(
                    "bearer",
                    "give the token alone, without spaces and without “Bearer”",
                ));
            }
            (UpstreamAuthentication::Bearer, Some(token))
        }
        CredentialInput::Header(line) => {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| ActionError::invalid("header_credential", "give it as 'NAME: VALUE'"))?;
            // A text without a good name may be the secret itself: the fault does not repeat it.
            let name = HeaderName::parse_credential(name.trim()).map_err(|_| {
                ActionError::invalid(
                    "header_credential",
                    "give it as 'NAME: VALUE', where NAME is a header that the connection and the hub don't need",
                )
            })?;
            let value = header("header_credential", &name, value)?;
            (UpstreamAuthentication::Header { name }, Some(value))
        }
    })
}

/// SHA-256 of a text, by which the audit log tells certificates apart.
pub(super) fn digest(text: &str) -> String {
    let mut hex = String::from("sha256:");
    for byte in digest::digest(&digest::SHA256, text.as_bytes()).as_ref() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
