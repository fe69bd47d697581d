//! The Web Console: where people manage application keys. Server-rendered, works by keyboard and without scripts.
//!
//! A request passes [`guard`] (where a write may come from, who is signed in, what they may do); a handler reads its form
//! through [`form::Guarded`], which checks the CSRF token, calls one action, and renders the typed page beside it.

mod answer;
mod application;
mod documentation;
mod effect;
mod entity;
mod first_run;
mod form;
mod frame;
mod gateway;
mod guard;
mod history;
mod nodes;
mod overview;
pub mod paths;
mod refusal;
mod resume;
mod role;
pub mod routes;
mod session;
mod sign_in;
mod snippet;
mod throttle;
mod when;
mod words;
