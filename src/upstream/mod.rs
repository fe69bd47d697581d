//! The client towards gateways: connections, health, and the forwarding of enforced requests.
//!
//! A request reaches an upstream only as an [`EnforcedRequest`], which takes a permit to make. Connections are driven by the
//! task of the request that uses them: no other task is woken between caller and upstream.

mod answer;
pub mod assertion;
mod breaker;
mod destination;
mod fault;
mod forward;
mod health;
mod line;
mod outgoing;
mod place;
mod probe;
mod registry;
mod request;
mod socket;
mod trust;
mod watch;

pub use answer::{AnswerBody, BrokenAnswer};
pub use fault::ForwardFault;
pub use health::{Health, HealthChange, HealthState};
pub use probe::{Found, Sample, probe};
pub use registry::{Upstreams, follow};
pub use request::{EnforcedRequest, NotEnforced, RequestBody};
pub use watch::Tether;

use std::time::Duration;

/// How often waiting exchanges are looked at: whether their key still lives, and whether anything moves. Timeouts are kept to
/// this grain.
const TICK: Duration = Duration::from_millis(250);

/// How many ticks a time lasts, at least one.
fn ticks(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u32::MAX).max(1)
}
