//! Regenerating API keys, ending overlaps, and finding whose a secret is.

use super::application::{existing, target};
use super::shown_key::{ShownKey, make_secret, submit};
use super::{ActionError, Actor, transact};
use crate::app::App;
use crate::app::LiveKeys;
use crate::crypto::secret::{SECRET_PREFIX, SecretShape};
use crate::domain::application::{Application, ClientId, StoredSecret};
use crate::domain::grant::Action;
use crate::domain::resource::SecurityResource;
use crate::domain::time::Timestamp;
use crate::store::changes::Change;
use crate::store::{self, StoreError};
use serde_json::{Value, json};
use std::time::Duration;

/// What becomes of the old secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regeneration {
    /// It and every token issued with it stop at once.
    AtOnce,
    /// It goes on for so long, with a whole second as its end.
    Overlap(Duration),
    /// It leaked: all secrets and all tokens end.
    Leaked,
}

/// The longest overlap.
pub const MAX_OVERLAP: Duration = Duration::from_hours(2160);

/// Replaces the secret of an application's key; the `client_id` stays. Regenerating during an overlap ends the oldest.
///
/// # Errors
/// [`ActionError::AlreadySubmitted`] for a form that was submitted before.
pub async fn regenerate(
    app: &App,
    actor: &Actor,
    id: &ClientId,
    how: Regeneration,
    submission: Option<&str>,
) -> Result<ShownKey, ActionError> {
    actor.require_edit(SecurityResource::Applications)?;
    if matches!(how, Regeneration::Overlap(length) if length > MAX_OVERLAP || length < Duration::from_secs(1)) {
        return Err(ActionError::invalid("overlap", "from 1 second to 90 days, for example 24h"));
    }
    transact!(app, async |tx| {
        let (before, roles) = existing(tx, actor, id).await?;
        let now = app.clock.now();
        if let Some(submission) = submission {
            submit(tx, submission, id, now).await?;
        }
        let ends_at = match how {
            // Rounded up to a whole second, so that the stated second is exact.
            Regeneration::Overlap(length) => {
                Some(Timestamp::from_seconds(now.plus(length).plus(Duration::from_micros(999_999)).seconds()))
            }
            Regeneration::AtOnce | Regeneration::Leaked => None,
        };
        for (age, secret) in before.secrets.iter().enumerate() {
            match ends_at {
                // The newest one goes on for the overlap; the one before it ends.
                Some(ends_at) if age == 0 && secret.is_live(now) => {
                    store::application::end_secret(tx, secret.id, ends_at).await?;
                }
                _ => store::application::delete_secret(tx, secret.id).await?,
            }
        }
        let (stored, shown) = make_secret(app, tx, now).await?;
        store::application::insert_secret(tx, id, &stored).await?;
        let (word, change) = match how {
            Regeneration::AtOnce => ("at once", Change::Application(id.clone())),
            Regeneration::Overlap(_) => ("overlap", Change::Application(id.clone())),
            Regeneration::Leaked => ("leaked", Change::ApplicationTokens(id.clone())),
        };
        let after = json!({
            "credential": stored.id.to_string(),
            "old_secret": word,
            "old_secret_ends_at": ends_at.map(|end| end.to_string()),
        });
        let event = actor.event(app, "api_key.regenerate", target(&before), describe(&before), after);
        tx.record(change, event);
        Ok(ShownKey { old_secret_ends_at: ends_at, ..ShownKey::new(&before, &roles, shown) })
    })
}

/// Ends an overlap before its time: the older secret and every token issued with it are dead, the newer one goes on.
///
/// # Errors
/// [`ActionError::Conflict`] if no overlap is running.
pub async fn end_overlap(app: &App, actor: &Actor, id: &ClientId) -> Result<(), ActionError> {
    actor.require_edit(SecurityResource::Applications)?;
    transact!(app, async |tx| {
        let (before, _) = existing(tx, actor, id).await?;
        let now = app.clock.now();
        let mut ended = Vec::new();
        for secret in before.secrets.iter().filter(|secret| secret.ends_at.is_some() && secret.is_live(now)) {
            store::application::delete_secret(tx, secret.id).await?;
            ended.push(secret.id.to_string());
        }
        if ended.is_empty() {
            return Err(ActionError::Conflict(format!("no overlap is running: {} has one client_secret", before.name)));
        }
        let after = json!({ "ended": ended });
        let event = actor.event(app, "api_key.end_overlap", target(&before), describe(&before), after);
        tx.record(Change::Application(id.clone()), event);
        Ok(())
    })
}

/// What a text that somebody found turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundSecret {
    /// The live secret of this application.
    Of(Box<Application>),
    /// A whole secret that no application has now: it was regenerated, its application deleted, or it is another hub's.
    Nobodys,
    /// A secret that was mistyped or cut short: its checksum does not fit.
    Mistyped,
    /// There is no client secret in it.
    Foreign,
}

/// Finds the application whose live secret stands in a text, such as a line of a log. The text is neither stored nor
/// logged; only its hashes reach the database.
///
/// # Errors
/// [`ActionError::Forbidden`] for who may not view applications.
pub async fn find_by_secret(app: &App, actor: &Actor, text: &str) -> Result<FoundSecret, ActionError> {
    if !actor.may(SecurityResource::Applications, Action::View) {
        return Err(ActionError::Forbidden(
            "your roles do not include applications:view; ask an administrator".to_owned(),
        ));
    }
    let mut looked = FoundSecret::Foreign;
    let mut tx = app.store.read().await?;
    let peppers = store::keys::peppers(&mut tx).await?;
    let keys = LiveKeys::open(&app.keyring, &app.clock, &peppers, &[])
        .map_err(|fault| ActionError::Store(StoreError::Unreadable(fault.to_string())))?;
    for offered in offered_secrets(text).take(MOST_OFFERED) {
        if SecretShape::of(offered) == SecretShape::Mistyped {
            if looked == FoundSecret::Foreign {
                looked = FoundSecret::Mistyped;
            }
            continue;
        }
        looked = FoundSecret::Nobodys;
        for pepper in (0..).map_while(|index| keys.pepper(index)) {
            let hash = pepper.hash(offered);
            let found = store::application::by_secret(&mut tx, &hash.0, pepper.id(), app.clock.now()).await?;
            if let Some(application) = found {
                return Ok(FoundSecret::Of(Box::new(application)));
            }
        }
    }
    Ok(looked)
}

/// So many secrets of one text are looked up.
const MOST_OFFERED: usize = 20;

/// The pieces of a text that begin as client secrets do, without what stands around them.
fn offered_secrets(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(SECRET_PREFIX).map(|(at, prefix)| {
        let rest = &text[at..];
        let digits = rest[prefix.len()..].find(|c: char| !c.is_ascii_alphanumeric());
        digits.map_or(rest, |length| &rest[..prefix.len() + length])
    })
}

fn describe(application: &Application) -> Value {
    let credential = |secret: &StoredSecret| json!({ "credential": secret.id.to_string(), "ends_at": secret.ends_at.map(|end| end.to_string()) });
    json!({ "secrets": application.secrets.iter().map(credential).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_within_a_text() {
        let found: Vec<&str> = offered_secrets("a=ghs_1aB&b=\"ghs_\u{e4}\" curl -u gh_x:ghs_9z\n").collect();
        assert_eq!(found, ["ghs_1aB", "ghs_", "ghs_9z"]);
        assert_eq!(offered_secrets("hunter2").count(), 0);
    }
}
