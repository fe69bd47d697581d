//! The Web Console in a real browser (Chromium and chromedriver, found in the path), driven by what a person sees: the
//! words on buttons, the labels of fields, the titles of windows.

mod accessibility;
mod application;
#[path = "../support/postgres.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use more of it")]
mod postgres;

mod axe;
mod browser;
mod effect;
mod first_run;
mod flows;
mod gateways;
mod hands;
mod hub;
mod interruptions;
mod keys;
mod list;
mod options;
mod pictures;
mod pictures_gateways;
mod roles;
