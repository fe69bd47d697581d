//! How upstreams are doing, as pages show it.

use super::findings::{Finding, Findings};
use crate::app::App;
use crate::console::when::When;
use crate::domain::gateway::GatewayId;
use crate::upstream::{Found, Health, HealthState, Upstreams};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::convert::Infallible;
use std::sync::Arc;

/// What this node knows of upstreams; the guard leaves it with the request.
#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) findings: Arc<Findings>,
}

impl<S: Send + Sync> FromRequestParts<S> for Known {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl Known {
    /// Keeps what a test of a saved gateway found.
    pub(crate) fn note(&self, app: &App, name: &str, id: &GatewayId, looked: &Result<Found, String>) {
        let now = app.clock.now();
        self.findings.note(id, looked, now);
        if let Some(live) = app.snapshot.gateway(name) {
            self.upstreams.note(&live, looked.as_ref().map(drop).map_err(String::as_str), now);
        }
    }

    pub(crate) fn standing(&self, id: &GatewayId) -> Standing {
        Standing::new(self.upstreams.health(id), self.findings.of(id))
    }
}

/// A gateway's health, in words.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// `up`, `down` or `not asked yet`.
    pub(crate) label: &'static str,
    /// The badge's style.
    pub(crate) style: &'static str,
    /// Why it is down.
    pub(crate) reason: String,
    pub(crate) since: Option<When>,
    /// The changes, the newest first.
    pub(crate) history: Vec<Change>,
    /// The last test.
    pub(crate) finding: Option<Finding>,
}

/// A change of health.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) at: When,
    pub(crate) label: &'static str,
    pub(crate) reason: String,
}

impl Standing {
    /// Whether the last test says the reason too.
    pub(crate) fn is_said_below(&self) -> bool {
        self.finding.as_ref().and_then(|finding| finding.fault.as_deref()) == Some(self.reason.as_str())
    }

    fn new(health: Health, finding: Option<Finding>) -> Self {
        let (label, style) = words(health.state);
        let change = |change: crate::upstream::HealthChange| Change {
            at: When::new(change.at),
            label: words(change.state).0,
            reason: change.reason,
        };
        Self {
            label,
            style,
            reason: health.reason,
            since: health.since.map(When::new),
            history: health.history.into_iter().map(change).collect(),
            finding,
        }
    }
}

const fn words(state: HealthState) -> (&'static str, &'static str) {
    match state {
        HealthState::Unknown => ("not asked yet", ""),
        HealthState::Up => ("up", "good"),
        HealthState::Down => ("down", "ended"),
    }
}

#[cfg(test)]
impl Standing {
    /// One with texts that try to be markup.
    pub(crate) fn sample() -> Self {
        let markup = || "<script>alert(1)</script>".to_owned();
        let at = || When::new(crate::domain::time::Timestamp::from_seconds(1_700_000_000));
        Self {
            label: "down",
            style: "ended",
            reason: markup(),
            since: Some(at()),
            history: vec![Change { at: at(), label: "down", reason: markup() }],
            finding: Some(Finding { at: at(), found: Some(markup()), fault: Some(markup()) }),
        }
    }
}
