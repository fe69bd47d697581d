//! What the commands under `users` take.

use clap::{Args, Subcommand};

/// Make and manage console users
#[derive(Subcommand)]
pub(in crate::cli) enum Users {
    Create(Create),
    /// List the console users
    List,
    ResetPassword(ResetPassword),
    /// End all sessions of a console user, who must sign in again
    EndSessions(UserArgument),
    /// Delete a console user and end their sessions; the last administrator can't be deleted
    Delete(UserArgument),
}

/// Names one console user.
#[derive(Args)]
pub(in crate::cli) struct UserArgument {
    /// The user's name
    #[arg(value_name = "NAME")]
    pub(super) name: String,
}

/// Make a console user
#[derive(Args)]
#[command(after_help = "\
Example:
  gateway-hub users create ana --role Administrator --password-stdin < password.txt

The password has at least 12 characters; one trailing newline is dropped.")]
pub(in crate::cli) struct Create {
    /// The name to sign in with, unique whatever its capitals
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// A role of the user; once per role
    #[arg(long, value_name = "ROLE", required = true)]
    pub(super) role: Vec<String>,
    /// Read the password from standard input
    #[arg(long, required = true)]
    pub(super) password_stdin: bool,
}

/// Give a console user a new password and end their sessions
#[derive(Args)]
#[command(after_help = "\
Example:
  gateway-hub users reset-password ana --password-stdin < password.txt")]
pub(in crate::cli) struct ResetPassword {
    /// The user's name
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// Read the password from standard input
    #[arg(long, required = true)]
    pub(super) password_stdin: bool,
}
