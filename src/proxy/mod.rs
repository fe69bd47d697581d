//! The gateways: `ANY /gateways/NAME/PATH`, forwarded to the service behind as roles and rules allow.
//!
//! A request goes through [`handler`]: its path is made canonical, the gateway's kind ([`http_api`]) turns it into an enforced
//! request under a permit, `src/upstream/` forwards that, and [`headers`] decides what of the answer comes down.

mod assertion;
mod handler;
mod headers;
mod http_api;
mod location;
mod problem;
mod prometheus;
mod prometheus_answer;
mod prometheus_problem;
pub mod routes;
mod tether;
