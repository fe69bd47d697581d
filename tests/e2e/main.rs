//! The Web Console in a real browser (Chromium and chromedriver, found in the path), driven by what a person sees: the
//! words on buttons, the labels of fields, the titles of windows.

mod accessibility;
mod application;
mod axe;
mod browser;
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
mod roles;
