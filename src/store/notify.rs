//! PostgreSQL's notifications: a hint that the feed has grown, so that a node need not wait for its next poll. Nothing
//! depends on them.

use super::db::Db;
use super::tx::Inner;
use super::{Store, StoreError, Tx};
use sqlx::postgres::PgListener;
use std::time::Duration;

/// All nodes of one database listen here.
const CHANNEL: &str = "gateway_hub";
/// Sent in the transaction of a change: PostgreSQL delivers it once that is committed.
const NOTIFY: &str = "SELECT pg_notify('gateway_hub', $1)";
/// How long a connection is given to show that it carries notifications.
const PROOF: Duration = Duration::from_secs(3);

/// A connection that hears of changes.
pub struct Listener(PgListener);

impl Store {
    /// Whether nodes of this store tell each other of changes.
    #[must_use]
    pub fn notifies(&self) -> bool {
        self.notify
    }

    /// Listens from now on; `None` if this database has no notifications, or they are switched off.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        let (Db::Postgres { pool, .. }, true) = (&self.security, self.notify) else { return Ok(None) };
        let mut listener = PgListener::connect_with(pool).await?;
        // A lost connection is told, not mended in silence: what was sent meanwhile is lost (see [`Listener::next`]).
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(Some(Listener(listener)))
    }

    /// Whether `listener` hears what is sent. A pooler that gives each transaction another connection takes `LISTEN`
    /// without a complaint and delivers nothing. `word` is one that nobody else sends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_heard(&self, listener: &mut Listener, word: &str) -> Result<bool, StoreError> {
        let mut tx = self.write_behind().await?;
        send(&mut tx, word).await?;
        tx.commit().await?;
        let heard = async {
            while let Some(notification) = listener.0.try_recv().await? {
                if notification.payload() == word {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        tokio::time::timeout(PROOF, heard).await.unwrap_or(Ok(false))
    }
}

impl Listener {
    /// Waits for the next hint; false if the connection was lost, and with it perhaps hints.
    ///
    /// # Errors
    /// [`StoreError`]; the connection is of no use any more then.
    pub async fn next(&mut self) -> Result<bool, StoreError> {
        Ok(self.0.try_recv().await?.is_some())
    }
}

/// Tells the other nodes, once this transaction is committed.
pub(super) async fn send(tx: &mut Tx, word: &str) -> Result<(), StoreError> {
    if let Inner::Postgres(transaction) = tx.inner() {
        sqlx::query(NOTIFY).bind(word).execute(&mut **transaction).await?;
    }
    Ok(())
}
