//! For every query and filter, what the rewritten query answers from a full store equals what the query itself answers
//! from a store that holds only the permitted series: with Debian's Prometheus and Debian's `VictoriaMetrics`. Then the same
//! through a running hub, with an application for each filter.
//!
//! `PROMETHEUS_DIFFERENTIAL=long` asks many more generated queries at more times.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    unreachable_pub,
    reason = "made-up values are small, answers are compared as they are, and all is one binary"
)]

#[path = "../support/mod.rs"]
mod support;

mod answer;
mod api;
mod data;
mod difference;
mod filters;
mod gaps;
mod generated;
mod limited;
mod queries;
mod store;

use difference::{Length, differences};
use limited::Way;
use store::Kind;

#[test]
fn sec_25_prometheus_answers_as_a_store_of_permitted_series_would() {
    differences(Kind::Prometheus, Way::Rewriting, Length::of_environment());
}

#[test]
fn sec_25_victoriametrics_answers_as_a_store_of_permitted_series_would() {
    differences(Kind::VictoriaMetrics, Way::Rewriting, Length::of_environment());
}

#[test]
fn sec_25_prometheus_behind_the_hub_answers_as_a_store_of_permitted_series_would() {
    differences(Kind::Prometheus, Way::Hub, Length::of_environment().through_the_hub());
}

#[test]
fn sec_25_victoriametrics_behind_the_hub_answers_as_a_store_of_permitted_series_would() {
    differences(Kind::VictoriaMetrics, Way::Hub, Length::of_environment().through_the_hub());
}
