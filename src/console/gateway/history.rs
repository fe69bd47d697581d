//! A gateway's history, in words.

use crate::config::{Size, Span};
use crate::console::history::{Line, Piece, Told, changed, plain, state};
use crate::domain::audit_event::AuditEvent;
use serde_json::{Map, Value};
use std::time::Duration;

/// How many labels of a change are named.
const NAMED: usize = 6;

/// An event of a gateway.
pub(super) fn tell(event: &AuditEvent) -> Told {
    let (before, after) = (state(&event.before), state(&event.after));
    match event.action.as_str() {
        "gateway.create" => {
            let addresses = after.get("addresses").map(plain).unwrap_or_default();
            ("Made the gateway".to_owned(), vec![vec![Piece::text(format!("address: {addresses}"))]])
        }
        "gateway.update" => ("Changed the settings".to_owned(), details(&before, after)),
        "gateway.delete" => ("Deleted it".to_owned(), Vec::new()),
        other => (other.to_owned(), Vec::new()),
    }
}

fn details(before: &Map<String, Value>, mut after: Map<String, Value>) -> Vec<Line> {
    let credentials = after.remove("credentials_changed") == Some(Value::Bool(true));
    let labels = (before.get("labels").cloned(), after.remove("labels"));
    let mut details = changed(before, &after, label, |key, value| Piece::text(in_words(key, value)));
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = labels {
        details.extend(mapped(&before, &after));
    }
    if credentials {
        let none = after.get("authentication").is_none_or(|now| now == "none")
            && after.get("client_certificate").is_none_or(Value::is_null);
        let words = if none { "the stored credentials were erased" } else { "other credentials were stored" };
        details.push(vec![Piece::text(words)]);
    }
    details
}

/// The names of the form.
fn label(key: &str) -> &str {
    match key {
        "addresses" => "address",
        "ca" => "authorities",
        "client_certificate" => "client certificate",
        "connect_timeout_ms" => "connect timeout",
        "answer_timeout_ms" => "answer timeout",
        "idle_timeout_ms" => "idle timeout",
        "body_limit" => "longest request body",
        "concurrent" => "requests at once",
        "path_rules" => "path rules",
        "assertion" => "sign who calls",
        "forward_filter" => "hand the data filter on",
        other => other,
    }
}

fn in_words(key: &str, value: &Value) -> String {
    let number = value.as_u64();
    match (key, value) {
        ("ca", Value::Null) => "those of the system".to_owned(),
        ("client_certificate", Value::Null) => "none".to_owned(),
        ("body_limit", Value::Null) => "any length".to_owned(),
        ("ca" | "client_certificate", Value::String(digest)) => {
            // Enough to tell two apart; the whole one is in the audit log.
            digest.strip_prefix("sha256:").map_or_else(|| plain(value), |hex| format!("SHA-256 {hex:.12}…"))
        }
        ("authentication" | "kind", Value::String(word)) => word.clone(),
        ("body_limit", _) => number.and_then(Size::of).map_or_else(|| plain(value), |size| size.to_string()),
        (key, _) if key.ends_with("_ms") => {
            number.map_or_else(|| plain(value), |ms| Span::from(Duration::from_millis(ms)).to_string())
        }
        _ => plain(value),
    }
}

/// What differs in the label map, which can be long.
fn mapped(before: &Map<String, Value>, after: &Map<String, Value>) -> Option<Line> {
    let new = after.iter().filter(|(key, label)| before.get(*key) != Some(*label));
    let new = new.map(|(key, label)| format!("{key}={}", label.as_str().unwrap_or_default()));
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| format!("without {key}"));
    let all: Vec<String> = new.chain(gone).collect();
    let named = all.get(..NAMED).unwrap_or(&all).join(", ");
    match all.len() {
        0 => None,
        count if count > NAMED => {
            Some(vec![Piece::text(format!("label map: {named}, and {} more changes", count - NAMED))])
        }
        _ => Some(vec![Piece::text(format!("label map: {named}"))]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::history::tests::said;

    #[test]
    fn a_change_is_told_by_what_differs() {
        let before = state(
            r#"{"addresses":["http://a"],"authentication":"basic","ca":null,"answer_timeout_ms":60000,"body_limit":null,
                "path_rules":[],"labels":{"app.team":"team","env":"env"}}"#,
        );
        let after = state(
            r#"{"addresses":["http://b","http://c"],"authentication":"none","ca":"sha256:0123456789abcdef0123",
                "answer_timeout_ms":1500,"body_limit":10485760,"path_rules":["GET /x = edit"],
                "labels":{"app.team":"squad"},"credentials_changed":true}"#,
        );
        let lines = details(&before, after.clone());
        assert_eq!(
            lines.iter().map(said).collect::<Vec<_>>(),
            [
                "address: http://a → http://b, http://c",
                "authentication: basic → none",
                "authorities: those of the system → SHA-256 0123456789ab…",
                "answer timeout: 1m → 1s500ms",
                "longest request body: any length → 10MiB",
                "path rules: none → GET /x = edit",
                "label map: app.team=squad, without env",
                "the stored credentials were erased",
            ]
        );
        let mut same = after.clone();
        same.insert("credentials_changed".to_owned(), Value::Bool(false));
        assert!(details(&after, same).is_empty());
    }

    #[test]
    fn a_long_label_map_is_counted() {
        let many: Map<String, Value> = (0..9).map(|n| (format!("k{n}"), Value::from(format!("l{n}")))).collect();
        let line = mapped(&Map::new(), &many).expect("a line");
        assert_eq!(said(&line), "label map: k0=l0, k1=l1, k2=l2, k3=l3, k4=l4, k5=l5, and 3 more changes");
    }
}
