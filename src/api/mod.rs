//! The Hub API, health and metrics: a file per noun, all routes in [`routes`].

pub mod application;
pub mod attribute;
pub mod audit;
pub mod entity;
pub mod entity_bulk;
pub mod gateway;
pub mod health;
pub mod list;
pub mod metrics;
pub mod openapi;
pub mod problems;
pub mod role;
pub mod routes;
pub mod whoami;

#[cfg(test)]
mod tests;
