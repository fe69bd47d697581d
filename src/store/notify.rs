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
/// Leaves a mark on a connection that other connections do not have.
const MARK: &str = "SELECT set_config('gateway_hub.listener', $1, false)";
const SEE: &str = "SELECT current_setting('gateway_hub.listener', true)";
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

    /// Listens from now on; `None` if this database has no notifications, or they are switched off. `word` is one that
    /// nobody else says.
    ///
    /// A pooler that gives each transaction another connection takes `LISTEN` without a complaint, for a connection that
    /// others use next and that they would find notifications on. So it is never sent through one, as far as that can be
    /// seen.
    ///
    /// # Errors
    /// [`StoreError::Refused`] behind such a pooler; [`StoreError::Unavailable`].
    pub async fn listen(&self, word: &str) -> Result<Option<Listener>, StoreError> {
        let (Db::Postgres { pool, prepared }, true) = (&self.security, self.notify) else { return Ok(None) };
        if !prepared {
            return Err(pooled());
        }
        let mut listener = PgListener::connect_with(pool).await?;
        sqlx::query(MARK).bind(word).execute(&mut listener).await?;
        let (seen,): (Option<String>,) = sqlx::query_as(SEE).fetch_one(pool).await?;
        if seen.as_deref() == Some(word) {
            return Err(pooled());
        }
        // A lost connection is told, not mended in silence: what was sent meanwhile is lost (see [`Listener::next`]).
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(Some(Listener(listener)))
    }

    /// Makes sure that `listener` hears what is sent.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if it does not; [`StoreError::Unavailable`].
    pub async fn prove(&self, listener: &mut Listener, word: &str) -> Result<(), StoreError> {
        let mut tx = self.write_behind().await?;
        send(&mut tx, word).await?;
        tx.commit().await?;
        let heard = async {
            while let Some(notification) = listener.0.try_recv().await? {
                if notification.payload() == word {
                    return Ok(());
                }
            }
            Err(pooled())
        };
        tokio::time::timeout(PROOF, heard).await.unwrap_or_else(|_| Err(pooled()))
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

fn pooled() -> StoreError {
    StoreError::Refused(
        "the connection carries no notifications: there is a pooler in transaction mode on the way".to_owned(),
    )
}

/// Tells the other nodes, once this transaction is committed.
pub(super) async fn send(tx: &mut Tx, word: &str) -> Result<(), StoreError> {
    if let Inner::Postgres(transaction) = tx.inner() {
        sqlx::query(NOTIFY).bind(word).execute(&mut **transaction).await?;
    }
    Ok(())
}
