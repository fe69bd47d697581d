//! What tests of connections found, as long as this process lives.

use crate::console::when::When;
use crate::domain::gateway::GatewayId;
use crate::domain::time::Timestamp;
use crate::upstream::Found;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// So many are remembered; beyond that all are forgotten, and a new test says it again.
const MOST: usize = 1_000;

/// The last test of each gateway.
#[derive(Default)]
pub(crate) struct Findings(Mutex<HashMap<GatewayId, Finding>>);

/// What a test found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) at: When,
    /// What the upstream is.
    pub(crate) found: Option<String>,
    /// What is not as it should be, or why the upstream does not answer.
    pub(crate) fault: Option<String>,
}

impl Findings {
    pub(crate) fn note(&self, id: &GatewayId, looked: &Result<Found, String>, now: Timestamp) {
        let (found, fault) = match looked {
            Ok(found) => (Some(found.words.clone()), found.warning.clone()),
            Err(reason) => (None, Some(reason.clone())),
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(id.clone(), Finding { at: When::new(now), found, fault });
    }

    pub(crate) fn of(&self, id: &GatewayId) -> Option<Finding> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}
