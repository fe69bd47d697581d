//! People who sign in to the Web Console, and their sessions.

use super::name::Name;
use super::role::RoleId;
use super::time::Timestamp;

/// A person with a password of the hub's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleUser {
    /// Given once, never used again.
    pub id: String,
    /// The name to sign in with, unique case-folded.
    pub name: Name,
    /// Their roles, sorted by id.
    pub roles: Vec<RoleId>,
    /// When the user was made.
    pub created_at: Timestamp,
}

impl ConsoleUser {
    /// Whether they have the built-in role Administrator.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.roles.iter().any(RoleId::is_administrator)
    }
}

/// A signed-in browser. The cookie holds a random token; the store holds its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the cookie's token, in hexadecimal.
    pub token_hash: String,
    /// Whose it is.
    pub user_id: String,
    /// When the password was given.
    pub signed_in_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
}

/// Why a text can't be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Too short to resist guessing.
    #[error("a password has at least {min} characters", min = MIN_PASSWORD_CHARACTERS)]
    TooShort,
    /// So long that hashing it would be an attack.
    #[error("a password has at most 1,024 bytes")]
    TooLong,
}

/// The shortest password (NIST SP 800-63B asks for 8; administrators of a gateway get 12).
pub const MIN_PASSWORD_CHARACTERS: usize = 12;

/// Checks a new password.
///
/// # Errors
/// [`PasswordFault`].
pub fn check_password(password: &str) -> Result<(), PasswordFault> {
    if password.chars().count() < MIN_PASSWORD_CHARACTERS {
        return Err(PasswordFault::TooShort);
    }
    if password.len() > 1024 {
        return Err(PasswordFault::TooLong);
    }
    Ok(())
}
