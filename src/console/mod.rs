//! The Web Console: where people manage application keys. Server-rendered, works by keyboard and without scripts.

mod answer;
mod application;
mod documentation;
mod first_run;
mod frame;
mod overview;
pub mod paths;
mod refusal;
mod role;
mod sign_in;
mod when;
