//! The session of a signed-in person: its cookie, its CSRF token, and what its owner may do.

use super::frame::{Frame, Section};
use crate::actions::{self, ActionError, Actor};
use crate::app::App;
use crate::domain::access::{AccessTable, decide_for_person};
use crate::domain::console_user::ConsoleUser;
use crate::domain::grant::Action;
use crate::domain::resource::{Resource, SecurityResource};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::store::role;
use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::net::IpAddr;
use std::time::Duration;

/// Making, regenerating and deleting keys needs a password given so recently (SECURITY 34).
pub(crate) const RECENT: Duration = Duration::from_hours(1);

/// Who calls, for handlers behind the guard.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) user: ConsoleUser,
    /// What their roles allow now: roles are read at every request.
    pub(crate) access: AccessTable,
    /// Their roles.
    pub(crate) roles: Vec<Role>,
    /// The CSRF token of the session.
    pub(crate) csrf: String,
    /// When the password was given.
    pub(crate) since: Timestamp,
    /// Where the request came from.
    pub(crate) address: IpAddr,
}

impl SignedIn {
    /// Whether their roles allow it.
    pub(crate) fn may(&self, resource: SecurityResource, action: Action) -> bool {
        decide_for_person(&self.access, &Resource::Security(resource), action).is_ok()
    }

    /// What stands around a page of theirs.
    pub(crate) fn frame(&self, section: Section) -> Frame {
        Frame {
            user: self.user.name.to_string(),
            roles: self.roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>().join(", "),
            csrf: self.csrf.clone(),
            section,
            notice: None,
            effect: None,
        }
    }

    /// Whether the password was given within the last hour.
    pub(crate) fn is_recent(&self, now: Timestamp) -> bool {
        now.since(self.since) < RECENT
    }

    /// The person as actions know them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::console_user(&self.user, &self.roles, &self.address.to_string())
    }
}

/// The name of the session's cookie. On https the prefix binds it to this host alone (RFC 6265bis §4.1.3.2); on a
/// loopback address without TLS browsers would not keep such a cookie.
pub(crate) const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-gateway-hub-session" } else { "gateway-hub-session" }
}

/// The header that gives the browser its session; the value is the token, whose hash alone is stored.
///
/// `SameSite=Lax` and not `Strict`: a link to a page of the console, in a ticket or a chat, should not look signed out. A
/// GET changes nothing here, and writes are guarded by the CSRF token and Fetch Metadata besides.
pub(crate) fn set_cookie(https: bool, token: &str) -> HeaderValue {
    cookie(https, token, "")
}

/// The header that takes the session from the browser.
pub(crate) fn clear_cookie(https: bool) -> HeaderValue {
    cookie(https, "", "; Max-Age=0")
}

fn cookie(https: bool, value: &str, more: &str) -> HeaderValue {
    let name = cookie_name(https);
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("invalid="))
}

/// The token in the request's cookie.
pub(crate) fn token_of(https: bool, headers: &HeaderMap) -> Option<&str> {
    let name = cookie_name(https);
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value).filter(|value| !value.is_empty() && value.len() <= 200)
}

/// The CSRF token of a session: derived from its own token, which no other site can read, so nothing needs storing.
fn csrf_of(token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"gateway-hub console csrf"))
}

/// The session that a request comes with, if it is alive and its owner still exists.
pub(crate) async fn resume(app: &App, headers: &HeaderMap, address: IpAddr) -> Result<Option<SignedIn>, ActionError> {
    let Some(token) = token_of(app.config.public_url.is_https(), headers) else { return Ok(None) };
    let Some((session, user)) = actions::session::find(app, token).await? else { return Ok(None) };
    let mut roles: Vec<Role> = role::all(&mut app.store.read().await?).await?;
    roles.retain(|role| user.roles.contains(&role.id));
    Ok(Some(SignedIn {
        access: AccessTable::compile(&roles),
        roles,
        csrf: csrf_of(token),
        since: session.signed_in_at,
        user,
        address,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_32_the_cookie_is_bound_to_the_host_on_https() {
        let cookie = set_cookie(true, "token");
        assert_eq!(cookie, "__Host-gateway-hub-session=token; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(set_cookie(false, "token"), "gateway-hub-session=token; Path=/; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; gateway-hub-session=token; c=d"));
        assert_eq!(token_of(false, &headers), Some("token"));
        assert_eq!(token_of(true, &headers), None, "a cookie without the prefix counts for nothing on https");
    }

    #[test]
    fn each_session_has_a_csrf_token_of_its_own() {
        assert_ne!(csrf_of("one"), csrf_of("two"));
    }
}
