//! The audit log's entries.

use super::time::Timestamp;

/// One change of security state: who did what to what, from where, and how it was before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its place in the order of appending.
    pub sequence: i64,
    /// Random, made with the event: it names the changes that the event stands for in the feed.
    pub nonce: u128,
    /// When.
    pub at: Timestamp,
    /// `console-user`, `operator`, `application` or `system`.
    pub actor_kind: String,
    /// The actor's id; empty for the operator and the system.
    pub actor_id: String,
    /// The actor's name at the time.
    pub actor_name: String,
    /// Where the request came from: an address, or `command-line`.
    pub source: String,
    /// What was done, for example `api_key.regenerate`.
    pub action: String,
    /// What it was done to: `application`, `role`, `console_user`, …
    pub target_kind: String,
    /// The target's id.
    pub target_id: String,
    /// The target's name at the time.
    pub target_name: String,
    /// The state before, as JSON; empty if there was none.
    pub before: String,
    /// The state after, as JSON; empty if there is none.
    pub after: String,
}

impl AuditEvent {
    /// The random id of this event's change number `seq`.
    #[must_use]
    pub fn id_for(&self, seq: i64) -> String {
        format!("{:032x}-{seq}", self.nonce)
    }
}
