//! The hub over HTTP, in this process: a module for each part of the address space and of the security contract.

#![allow(
    clippy::format_push_string,
    clippy::format_collect,
    clippy::cast_precision_loss,
    reason = "in tests the shorter way is the better one"
)]

#[path = "../support/mod.rs"]
mod support;

mod access_token;
mod api_key;
mod attributes;
mod audit;
mod client_work;
mod connections;
mod console;
mod console_application;
mod console_entities;
mod console_gateways;
mod console_guards;
mod console_list;
mod console_sessions;
mod console_try_it;
mod console_way_back;
mod entities;
mod entities_bulk;
mod entities_summary;
mod entity_races;
mod entity_requests;
mod gateways;
mod gateways_access;
mod gateways_endless;
mod gateways_forwarding;
mod gateways_headers;
mod gateways_hostile;
mod gateways_http2;
mod gateways_open;
mod gateways_prometheus;
mod gateways_prometheus_refusals;
mod gateways_prometheus_wire;
mod gateways_tls;
mod introspection;
mod inventory;
mod nodes;
mod prometheus_clients;
mod random_requests;
mod requests;
mod roles;
mod routes;
mod security_state;
mod token;
mod token_cost;
mod usage;
