//! Signing in to the Web Console and out of it.

use super::actor::Target;
use super::{ActionError, Actor, transact};
use crate::app::App;
use crate::crypto::base62;
use crate::crypto::password;
use crate::domain::console_user::{ConsoleUser, Session};
use crate::domain::name::Name;
use crate::domain::time::Timestamp;
use crate::store;
use crate::store::changes::Change;
use aws_lc_rs::digest;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;

/// A session that was not used for so long is over.
pub const IDLE_TIMEOUT: Duration = Duration::from_mins(30);
/// A session that was begun so long ago is over.
pub const ABSOLUTE_TIMEOUT: Duration = Duration::from_hours(12);
/// How exactly the last use is noted.
const SEEN_STEP: Duration = Duration::from_mins(1);

/// The form in which session and link tokens are stored: SHA-256 in hexadecimal. The tokens have 256 random bits, so
/// that nothing slower is needed.
#[must_use]
pub fn token_hash(token: &str) -> String {
    let hash = digest::digest(&digest::SHA256, token.as_bytes());
    hash.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A new session's token, for the cookie, and whose session it is.
#[derive(Debug)]
pub struct SignedIn {
    /// 256 random bits in base62. Never logged, never stored.
    pub token: String,
    /// The person.
    pub user: ConsoleUser,
}

/// Signs a person in. The answer is the same, and takes as long, for an unknown user and a wrong password.
///
/// # Errors
/// [`ActionError::Forbidden`] for either.
pub async fn sign_in(app: &App, name: &str, password: &str, source: &str) -> Result<SignedIn, ActionError> {
    let wrong = || ActionError::Forbidden("the username or the password is wrong".to_owned());
    let found = match Name::parse(name) {
        Ok(name) if password.len() <= 1024 => {
            let mut tx = app.store.read().await?;
            match store::console_user::by_name(&mut tx, &name).await? {
                Some(user) => store::console_user::password_hash(&mut tx, &user.id).await?.map(|hash| (user, hash)),
                None => None,
            }
        }
        _ => None,
    };
    let (user, stored) = found.unzip();
    let password = if password.len() <= 1024 { password.to_owned() } else { String::new() };
    let compare_with = stored.clone();
    let matches = tokio::task::spawn_blocking(move || match compare_with {
        Some(stored) => password::verify(&password, &stored),
        None => password::verify_nobody(&password),
    });
    let matches = matches.await.unwrap_or(false);
    let (Some(user), Some(stored), true) = (user, stored, matches) else { return Err(wrong()) };
    let token: String = base62::encode::<43>(&app.randomness.bytes::<32>());
    transact!(app, async |tx| {
        // The password may have been reset, or the user removed, while it was compared.
        if store::console_user::password_hash(tx, &user.id).await?.as_deref() != Some(stored.as_str()) {
            return Err(wrong());
        }
        let now = app.clock.now();
        let session =
            Session { token_hash: token_hash(&token), user_id: user.id.clone(), signed_in_at: now, seen_at: now };
        store::session::insert(tx, &session).await?;
        let actor = Actor::console_user(&user, [], source);
        let target = Target { kind: "console_user", id: &user.id, name: user.name.as_str() };
        let event = actor.event(app, "session.sign_in", target, Value::Null, Value::Null);
        tx.record(Change::ConsoleUser(user.id.clone()), event);
        Ok(())
    })?;
    Ok(SignedIn { token, user })
}

/// The living session of a cookie's token, and its person; notes its use once a minute.
///
/// # Errors
/// [`ActionError::Store`].
pub async fn find(app: &App, token: &str) -> Result<Option<(Session, ConsoleUser)>, ActionError> {
    let hash = token_hash(token);
    let mut tx = app.store.read().await?;
    let Some(session) = store::session::get(&mut tx, &hash).await? else { return Ok(None) };
    let now = app.clock.now();
    if is_over(&session, now) {
        return Ok(None);
    }
    let Some(user) = store::console_user::get(&mut tx, &session.user_id).await? else { return Ok(None) };
    drop(tx);
    if now.since(session.seen_at) >= SEEN_STEP {
        transact!(app, async |tx| { Ok(store::session::seen(tx, &hash, now).await?) })?;
    }
    Ok(Some((session, user)))
}

fn is_over(session: &Session, now: Timestamp) -> bool {
    now.since(session.seen_at) >= IDLE_TIMEOUT || now.since(session.signed_in_at) >= ABSOLUTE_TIMEOUT
}

/// Ends a session.
///
/// # Errors
/// [`ActionError::Store`].
pub async fn sign_out(app: &App, token: &str) -> Result<(), ActionError> {
    let hash = token_hash(token);
    transact!(app, async |tx| { Ok(store::session::delete(tx, &hash).await?) })
}
