//! Names the state that a form was filled with, so that nobody overwrites what they have not seen.

use super::ActionError;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// The name of a state. It travels with the form, and is compared with the state that there is when the form comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen(String);

impl Seen {
    /// A name as a form sent it.
    #[must_use]
    pub const fn named(text: String) -> Self {
        Self(text)
    }

    /// The name of a state, written out in full.
    pub(super) fn of(state: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(&digest::digest(&digest::SHA256, state.as_bytes()).as_ref()[..16]))
    }
}

/// Refuses a change that was made in view of another state than there is now.
pub(super) fn check(seen: Option<&Seen>, now: &Seen) -> Result<(), ActionError> {
    match seen {
        Some(seen) if seen != now => {
            Err(ActionError::Conflict("somebody else changed it meanwhile; nothing was saved".to_owned()))
        }
        _ => Ok(()),
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
