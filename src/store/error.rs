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
                if is_away(&code) {
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

/// Whether a code of PostgreSQL (SQLSTATE) says that it can't serve now, whatever is asked: classes 08 (connection), 53 (out of
/// resources), 57 (an operator's doing, such as a shutdown) and 58 (a fault of its system). SQLite's codes are shorter.
fn is_away(code: &str) -> bool {
    code.len() == 5 && ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::is_away;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for away in ["08006", "53300", "53100", "57P01", "57P03", "57014", "58030"] {
            assert!(is_away(away), "{away}");
        }
        // A syntax error, a violated rule; SQLite's "disk full" and "read only".
        for lasting in ["42601", "23514", "13", "8", "5"] {
            assert!(!is_away(lasting), "{lasting}");
        }
    }
}
