//! What can go wrong in the store.

/// A failure of the store. None of these is a caller's mistake.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Two transactions got into each other's way; doing the whole of it again may help.
    #[error("two changes got into each other's way; try again")]
    Contention,
    /// A uniqueness rule was broken; `what` holds the database's name for it.
    #[error("already there: {what}")]
    Duplicate {
        /// The constraint or column.
        what: String,
    },
    /// Something that the row refers to is not there (any more).
    #[error("refers to something that is not there")]
    Dangling,
    /// The store can't be reached, or answers too late.
    #[error("the database can't be reached: {0}")]
    Unavailable(String),
    /// What the store holds can't be read: a newer version's data, or damage.
    #[error("the database holds something unreadable: {0}")]
    Unreadable(String),
    /// The database refused a statement.
    #[error("the database refused a statement: {0}")]
    Refused(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                // SQLSTATE 40001, 40P01, 55P03 (lock_timeout); SQLite 5, 261, 517 (busy), 6 (locked).
                if matches!(code.as_ref(), "40001" | "40P01" | "55P03" | "5" | "261" | "517" | "6") {
                    return Self::Contention;
                }
                if database.is_unique_violation() {
                    let what = database.constraint().map_or_else(|| database.message().to_owned(), ToOwned::to_owned);
                    return Self::Duplicate { what };
                }
                if database.is_foreign_key_violation() {
                    return Self::Dangling;
                }
                // SQLSTATE 57P0x: the server is shutting down or starting.
                if code.starts_with("57P") || code.starts_with("08") {
                    return Self::Unavailable(database.message().to_owned());
                }
                Self::Refused(database.message().to_owned())
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
                Self::Unreadable(error.to_string())
            }
            _ => Self::Unavailable(error.to_string()),
        }
    }
}
