//! The history of one thing: its events of the audit log, in words that its noun gives.

use super::session::SignedIn;
use super::when::When;
use crate::domain::audit_event::AuditEvent;
use crate::domain::grant::Action;
use crate::domain::resource::SecurityResource;
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
    pub(crate) details: Vec<Line>,
}

/// A line of an entry.
pub(crate) type Line = Vec<Piece>;

/// What was done, and what was changed.
pub(crate) type Told = (String, Vec<Line>);

/// A piece of a line: instants are shown in the reader's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    At(When),
}

impl Piece {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An instant as events hold it.
    pub(crate) fn instant(written: &str) -> Option<Self> {
        let at: jiff::Timestamp = written.parse().ok()?;
        Some(Self::At(When::new(Timestamp::from_micros(at.as_microsecond()))))
    }
}

/// A page of the history, as a card shows it (`templates/history.html`).
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Newest first; `None` for a person who may not see the audit log.
    pub(crate) entries: Option<Vec<Entry>>,
    /// Whether it begins with the newest event.
    pub(crate) newest: bool,
    /// The number before which older events stand.
    pub(crate) older: Option<i64>,
    /// Of the page that it stands on.
    pub(crate) path: String,
}

impl History {
    /// The events of this thing before number `before`, told by its noun, on the page at `path`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn load(
        tx: &mut Tx,
        signed_in: &SignedIn,
        (kind, id): (&str, &str),
        path: String,
        before: Option<i64>,
        tell: impl Fn(&AuditEvent) -> Told,
    ) -> Result<Self, StoreError> {
        let newest = before.is_none();
        if !signed_in.may(SecurityResource::Audit, Action::View) {
            return Ok(Self { entries: None, newest, older: None, path });
        }
        let mut events = store::audit_event::of_target(tx, kind, id, before, PAGE + 1).await?;
        let more = events.len() > PAGE as usize;
        events.truncate(PAGE as usize);
        let older = events.last().filter(|_| more).map(|event| event.sequence);
        let entry = |event: &AuditEvent| {
            let (what, details) = tell(event);
            let (actor, source) = (event.actor_name.clone(), event.source.clone());
            Entry { at: When::new(event.at), actor, source, what, details }
        };
        Ok(Self { entries: Some(events.iter().map(entry).collect()), newest, older, path })
    }
}

/// What an event says of the thing's state.
pub(crate) fn state(json: &str) -> Map<String, Value> {
    match serde_json::from_str(json) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// The members that differ, a line each: `name: old → new`, in the noun's words.
pub(crate) fn changed(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    label: impl Fn(&str) -> &str,
    in_words: impl Fn(&str, &Value) -> Piece,
) -> Vec<Line> {
    let differs = |(key, value): &(&String, &Value)| before.get(*key) != Some(*value);
    let line = |(key, value): (&String, &Value)| {
        let was = before.get(key).unwrap_or(&Value::Null);
        vec![Piece::text(format!("{}: ", label(key))), in_words(key, was), Piece::text(" → "), in_words(key, value)]
    };
    after.iter().filter(differs).map(line).collect()
}

/// A value in words, where its noun has none of its own.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => format!("“{text}”"),
        other => other.to_string(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A line as it is read.
    pub(in crate::console) fn said(line: &Line) -> String {
        let pieces = line.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::At(when) => when.full.clone(),
        });
        pieces.collect()
    }

    /// One with texts that try to be markup.
    pub(in crate::console) fn sample() -> History {
        let markup = || "<script>alert(1)</script>".to_owned();
        let at = When::new(Timestamp::from_seconds(1_700_000_000));
        let details = vec![vec![Piece::Text(markup()), Piece::At(at.clone())]];
        let entry = Entry { at, actor: markup(), source: markup(), what: markup(), details };
        History { entries: Some(vec![entry]), newest: false, older: Some(7), path: markup() }
    }

    #[test]
    fn what_is_no_state_differs_in_nothing() {
        let lines = changed(&state(""), &state("not JSON"), |key| key, |_, value| Piece::text(plain(value)));
        assert!(lines.is_empty());
    }
}
