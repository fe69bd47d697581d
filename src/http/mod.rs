//! What all surfaces share: the route table and its gate, the middleware in order, problem details, bodies and parameters.
//!
//! A request goes through [`service::Service::answer`] (the middleware, in one function), then to the one router made by
//! [`route::mount`], whose [`gate`] lets it reach its handler only as the route table says.

pub mod address;
pub mod assets;
pub mod basic;
pub mod bearer;
pub mod body;
pub mod context;
pub mod counters;
pub mod document;
pub mod forwarding;
pub mod gate;
pub mod kind;
pub mod parameters;
pub mod problem;
pub mod refusal;
pub mod route;
pub mod sanity;
pub mod service;
pub mod spool;
pub mod surface;

#[cfg(test)]
mod tests;
