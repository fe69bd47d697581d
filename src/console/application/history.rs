//! An application's history, in words.

use crate::console::history::{Line, Piece, Told, changed, plain, state};
use crate::domain::audit_event::AuditEvent;
use crate::domain::console_user::ConsoleUser;
use serde_json::{Map, Value};

/// An event of an application.
pub(super) fn tell(event: &AuditEvent, users: &[ConsoleUser]) -> Told {
    let (before, after) = (state(&event.before), state(&event.after));
    let mut details = Vec::new();
    let what = match event.action.as_str() {
        "application.create" => "Made the application with its API key",
        "application.update" => {
            details = changed(&before, &after, label, |key, value| in_words(key, value, users));
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
    (what.to_owned(), details)
}

fn old_secret(after: &Map<String, Value>) -> Option<Line> {
    let end = after.get("old_secret_ends_at").and_then(Value::as_str).and_then(Piece::instant);
    Some(match (after.get("old_secret")?.as_str()?, end) {
        ("overlap", Some(end)) => vec![Piece::text("the old client_secret works until "), end],
        ("leaked", _) => vec![Piece::text("it leaked: all client_secrets and all tokens ended")],
        _ => vec![Piece::text("the old client_secret and its tokens ended at once")],
    })
}

fn label(key: &str) -> &str {
    match key {
        "allow_basic" => "Basic on gateways",
        "expires_at" => "expires",
        other => other,
    }
}

fn in_words(key: &str, value: &Value, users: &[ConsoleUser]) -> Piece {
    Piece::text(match value {
        Value::Null if key == "expires_at" => "never".to_owned(),
        Value::Null => "nobody".to_owned(),
        Value::Array(items) if items.is_empty() => "any".to_owned(),
        Value::String(written) if key == "expires_at" => {
            return Piece::instant(written).unwrap_or_else(|| Piece::text(written));
        }
        Value::String(id) if key == "owner" => {
            let user = users.iter().find(|user| user.id == *id);
            user.map_or_else(|| "somebody who was removed".to_owned(), |user| user.name.to_string())
        }
        other => plain(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::history::tests::said;

    #[test]
    fn a_change_is_told_by_what_differs() {
        let before = state(r#"{"name":"A","roles":["Operator"],"networks":[],"expires_at":null,"owner":null}"#);
        let after =
            state(r#"{"name":"B","roles":["Operator"],"networks":["10.0.0.0/8"],"expires_at":null,"owner":"x"}"#);
        let lines = changed(&before, &after, label, |key, value| in_words(key, value, &[]));
        assert_eq!(
            lines.iter().map(said).collect::<Vec<_>>(),
            ["name: “A” → “B”", "networks: any → 10.0.0.0/8", "owner: nobody → somebody who was removed"]
        );
        let until = state(r#"{"old_secret":"overlap","old_secret_ends_at":"2027-01-01T00:00:00Z"}"#);
        let line = old_secret(&until).expect("a line");
        assert_eq!(said(&line), "the old client_secret works until 2027-01-01 00:00:00 UTC");
    }
}
