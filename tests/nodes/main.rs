//! Three nodes on one PostgreSQL, as processes of their own: no key that is dead lives on anywhere, whatever fails.
//!
//! `just nodes` runs all of it at length. Every test prints its seed; `GATEWAY_HUB_TEST_SEED` repeats it.

#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    unreachable_pub,
    reason = "in tests the shorter way is the better one"
)]

#[path = "../support/mod.rs"]
mod support;

mod fleet;
mod many_changes;
mod pooler;
mod rolling;
mod storm;
mod wire;
