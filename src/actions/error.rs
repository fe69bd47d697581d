//! Why a change was not made.

use crate::app::Stale;
use crate::domain::name::NameFault;
use crate::store::StoreError;

/// Why a change was not made. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// A value that can't be taken.
    #[error("{field}: {message}")]
    Invalid {
        /// Which field of the form, flag or member.
        field: &'static str,
        /// What is wrong with it and what would be right.
        message: String,
    },
    /// It goes against the state of things: a name that is taken, a form submitted twice.
    #[error("{0}")]
    Conflict(String),
    /// A form that was submitted before: its key was made then, and its secret was shown then.
    #[error("this key was already made; its client_secret was shown once and can't be shown again")]
    AlreadySubmitted,
    /// What it is about is not there.
    #[error("there is no {kind} {name:?}")]
    NotFound {
        /// The kind of thing.
        kind: &'static str,
        /// The name or id that was asked for.
        name: String,
    },
    /// The actor may not do it.
    #[error("{0}")]
    Forbidden(String),
    /// The store failed. Nothing was changed, unless the text says otherwise.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was saved, but this node can't confirm that it is in effect here.
    #[error("the change is saved, but {0}")]
    Unconfirmed(#[from] Stale),
}

impl ActionError {
    /// A value that can't be taken.
    pub(super) fn invalid(field: &'static str, message: impl std::fmt::Display) -> Self {
        Self::Invalid { field, message: message.to_string() }
    }

    /// Something that is not there.
    pub(super) fn not_found(kind: &'static str, name: impl std::fmt::Display) -> Self {
        Self::NotFound { kind, name: name.to_string() }
    }

    /// A name that another one has.
    pub(super) fn name_taken(kind: &str, name: &impl std::fmt::Display) -> Self {
        Self::Invalid {
            field: "name", message: format!("there is already {kind} named “{name}”; choose another name")
        }
    }
}

impl From<NameFault> for ActionError {
    fn from(fault: NameFault) -> Self {
        Self::invalid("name", fault)
    }
}
