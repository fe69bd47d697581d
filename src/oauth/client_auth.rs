//! Client authentication at `/oauth2/*`: the credentials of header or form, judged by `src/app/client_auth.rs`.

use std::net::IpAddr;

use http::HeaderMap;

use super::error::OauthError;
use super::form::Form;
use crate::app::App;
use crate::app::client_auth::{self, Credentials, Refused};
use crate::crypto::secret::SecretShape;

pub use crate::app::client_auth::Client;

/// Authenticates the client of a request by its headers and its form.
///
/// # Errors
/// `invalid_request` for contradicting credentials, one and the same `invalid_client` for every reason to refuse (but a
/// secret whose own checksum is wrong may be told so), 429 after too many failures, and `temporarily_unavailable` while
/// this node can't decide.
pub fn authenticate(app: &App, headers: &HeaderMap, form: &Form<'_>, address: IpAddr) -> Result<Client, OauthError> {
    let credentials = Credentials::read(headers, form)?;
    app.fresh().map_err(|_| OauthError::unavailable())?;
    client_auth::authenticate(app, credentials, address).map_err(|refused| answer(&refused))
}

fn answer(refused: &Refused) -> OauthError {
    match (refused.wait_seconds, refused.shape) {
        (Some(seconds), _) => OauthError::too_many_failures(seconds),
        (None, SecretShape::Mistyped) => OauthError::mistyped_secret(refused.basic),
        (None, SecretShape::WellFormed | SecretShape::Foreign) => OauthError::invalid_client(refused.basic),
    }
}
