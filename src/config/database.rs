//! Where the state is kept.

use std::fmt;

/// The database of the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// SQLite, in the data folder: one node.
    Sqlite,
    /// PostgreSQL: as many nodes as wanted.
    Postgres(DatabaseUrl),
}

impl Database {
    /// What may be shown to people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite => "SQLite in the data folder".to_owned(),
            Self::Postgres(url) => format!("PostgreSQL at {url}"),
        }
    }
}

/// The address of a PostgreSQL database. It may hold a password: printing it, in whatever form, leaves that out.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        match rest {
            Some(rest) if !rest.is_empty() && !rest.chars().any(|c| c.is_whitespace() || c.is_control()) => {
                Ok(Self(text.to_owned()))
            }
            _ => {
                Err("postgres://USER:PASSWORD@HOST:5432/DATABASE; leave the setting out for SQLite in the data folder"
                    .to_owned())
            }
        }
    }

    /// Whether prepared statements may outlive a transaction. Not behind a pooler that gives each transaction another
    /// connection, which the parameter `statement-cache-capacity=0` says.
    #[must_use]
    pub fn may_prepare(&self) -> bool {
        let parameters = self.0.split_once('?').map_or("", |(_, parameters)| parameters);
        !parameters.split('&').any(|parameter| parameter == "statement-cache-capacity=0")
    }

    /// The whole address, password included: only for the connection itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// A database address without password and parameters (which may hold one too); it need not be well-formed.
pub(super) fn redacted(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        // Not a URL at all: it may be a bare password.
        return "…".to_owned();
    };
    let (user, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (login.split([':', '/']).next(), place),
        None => (None, rest),
    };
    let (place, parameters) = place.split_once('?').map_or((place, ""), |(place, _)| (place, "?…"));
    match user {
        Some(user) => format!("{scheme}://{user}:…@{place}{parameters}"),
        None => format!("{scheme}://{place}{parameters}"),
    }
}
