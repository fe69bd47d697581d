//! One transaction, on either database.

use super::changes::{Change, Recorded};
use super::{StoreError, changes};
use crate::domain::audit_event::AuditEvent;
use sqlx::{Postgres, Sqlite, Transaction};

/// A transaction. Dropped without [`Tx::commit`] it leaves nothing behind.
pub struct Tx {
    inner: Inner,
    notifies: bool,
    recorded: Vec<Recorded>,
}

pub(super) enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub(super) const fn new(inner: Inner) -> Self {
        Self { inner, notifies: false, recorded: Vec::new() }
    }

    /// The same, and its changes are told to the other nodes at once.
    pub(super) const fn notifying(mut self, notifies: bool) -> Self {
        self.notifies = notifies;
        self
    }

    pub(super) const fn notifies(&self) -> bool {
        self.notifies
    }

    pub(super) const fn inner(&mut self) -> &mut Inner {
        &mut self.inner
    }

    /// Records a change of security state. There is no way to tell the nodes of a change without its audit event, and
    /// [`Tx::commit`] writes both (rule 7).
    pub fn record(&mut self, change: Change, event: AuditEvent) {
        self.recorded.push(Recorded { changes: vec![change], event });
    }

    /// Records one act that changes several things at once: one audit event, a change each.
    pub fn record_all(&mut self, changes: Vec<Change>, event: AuditEvent) {
        self.recorded.push(Recorded { changes, event });
    }

    /// Makes it durable: writes the audit events, then takes the change numbers (last, so that the row that all writers
    /// share is held for as short as can be), then commits. Gives the number of the last change, or `None` if nothing
    /// was recorded that the nodes need to know.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed then, unless the connection broke in the very commit.
    pub async fn commit(mut self) -> Result<Option<u64>, StoreError> {
        let recorded = std::mem::take(&mut self.recorded);
        let seq = changes::write(&mut self, recorded).await?;
        match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await?,
            Inner::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(seq)
    }
}
