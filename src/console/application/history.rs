//! An application's history: its events of the audit log, in words.

use crate::console::when::When;
use crate::domain::application::ClientId;
use crate::domain::audit_event::AuditEvent;
use crate::domain::console_user::ConsoleUser;
use crate::domain::time::Timestamp;
use crate::store::{self, StoreError, Tx};
use serde_json::{Map, Value};

/// How many events are shown at once.
const PAGE: u32 = 20;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) at: When,
    pub(crate) actor: String,
    pub(crate) source: String,
    /// What was done.
    pub(crate) what: String,
    /// What was changed, a line each.
    pub(crate) details: Vec<Vec<Piece>>,
}

/// A piece of a line: instants are shown in the reader's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    At(When),
}

fn text(text: impl Into<String>) -> Piece {
    Piece::Text(text.into())
}

/// A page of the history.
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// The number before which the next page stands.
    pub(crate) older: Option<i64>,
}

/// The events before number `before`, newest first.
pub(crate) async fn page(
    tx: &mut Tx,
    id: &ClientId,
    before: Option<i64>,
    users: &[ConsoleUser],
) -> Result<Page, StoreError> {
    let mut events = store::audit_event::of_target(tx, "application", id.as_str(), before, PAGE + 1).await?;
    let more = events.len() > PAGE as usize;
    events.truncate(PAGE as usize);
    let older = events.last().filter(|_| more).map(|event| event.sequence);
    Ok(Page { entries: events.iter().map(|event| Entry::new(event, users)).collect(), older })
}

impl Entry {
    fn new(event: &AuditEvent, users: &[ConsoleUser]) -> Self {
        let before = state(&event.before);
        let after = state(&event.after);
        let mut details = Vec::new();
        let what = match event.action.as_str() {
            "application.create" => "Made the application with its API key",
            "application.update" => {
                details = changed(&before, &after, users);
                "Changed the settings"
            }
            "application.disable" => "Disabled it",
            "application.enable" => "Enabled it",
            "application.delete" => "Deleted it",
            "api_key.regenerate" => {
                details.extend(old_secret(&after));
                "Regenerated the API key"
            }
            "api_key.end_overlap" => "Ended the overlap before its time",
            "api_key.secret_ended" => "The overlap came to its end",
            other => other,
        };
        Self {
            at: When::new(event.at),
            actor: event.actor_name.clone(),
            source: event.source.clone(),
            what: what.to_owned(),
            details,
        }
    }
}

fn state(json: &str) -> Map<String, Value> {
    match serde_json::from_str(json) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn old_secret(after: &Map<String, Value>) -> Option<Vec<Piece>> {
    let end = after.get("old_secret_ends_at").and_then(Value::as_str).and_then(instant);
    Some(match (after.get("old_secret")?.as_str()?, end) {
        ("overlap", Some(end)) => vec![text("the old client_secret works until "), end],
        ("leaked", _) => vec![text("it leaked: all client_secrets and all tokens ended")],
        _ => vec![text("the old client_secret and its tokens ended at once")],
    })
}

fn instant(written: &str) -> Option<Piece> {
    let at: jiff::Timestamp = written.parse().ok()?;
    Some(Piece::At(When::new(Timestamp::from_micros(at.as_microsecond()))))
}

/// The members that differ.
fn changed(before: &Map<String, Value>, after: &Map<String, Value>, users: &[ConsoleUser]) -> Vec<Vec<Piece>> {
    let differs = |(key, value): &(&String, &Value)| before.get(*key) != Some(*value);
    let line = |(key, value): (&String, &Value)| {
        let was = before.get(key).unwrap_or(&Value::Null);
        vec![text(format!("{}: ", label(key))), in_words(key, was, users), text(" → "), in_words(key, value, users)]
    };
    after.iter().filter(differs).map(line).collect()
}

fn label(key: &str) -> &str {
    match key {
        "allow_basic" => "Basic on gateways",
        "expires_at" => "expires",
        other => other,
    }
}

fn in_words(key: &str, value: &Value, users: &[ConsoleUser]) -> Piece {
    let words = match value {
        Value::Null if key == "expires_at" => "never".to_owned(),
        Value::Null => "nobody".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) if items.is_empty() => "any".to_owned(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::String(written) if key == "expires_at" => return instant(written).unwrap_or_else(|| text(written)),
        Value::String(id) if key == "owner" => {
            let user = users.iter().find(|user| user.id == *id);
            user.map_or_else(|| "somebody who was removed".to_owned(), |user| user.name.to_string())
        }
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => format!("“{text}”"),
        other => other.to_string(),
    };
    text(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_by_what_differs() {
        let before = state(r#"{"name":"A","roles":["Operator"],"networks":[],"expires_at":null,"owner":null}"#);
        let after =
            state(r#"{"name":"B","roles":["Operator"],"networks":["10.0.0.0/8"],"expires_at":null,"owner":"x"}"#);
        let said = |line: &Vec<Piece>| {
            let pieces = line.iter().map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::At(when) => when.full.clone(),
            });
            pieces.collect::<String>()
        };
        assert_eq!(
            changed(&before, &after, &[]).iter().map(said).collect::<Vec<_>>(),
            ["name: “A” → “B”", "networks: any → 10.0.0.0/8", "owner: nobody → somebody who was removed"]
        );
        let until = state(r#"{"old_secret":"overlap","old_secret_ends_at":"2027-01-01T00:00:00Z"}"#);
        let line = old_secret(&until).expect("a line");
        assert_eq!(said(&line), "the old client_secret works until 2027-01-01 00:00:00 UTC");
        assert!(changed(&state(""), &state("not JSON"), &[]).is_empty());
    }
}
