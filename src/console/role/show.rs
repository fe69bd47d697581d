//! A role for reading: the built-in ones, and every role for people who may not edit it.

use super::Members;
use super::list::Card;
use crate::console::answer;
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::domain::role::Role;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// The page.
#[derive(Template)]
#[template(path = "role/show.html")]
pub(crate) struct RolePage {
    pub(crate) frame: Frame,
    pub(crate) role: Card,
    pub(crate) members: Members,
}

/// The page of a role.
pub(crate) fn page(signed_in: &SignedIn, role: &Role, members: Members) -> Response {
    let page =
        RolePage { frame: signed_in.frame(Section::Roles), role: Card::new(role, members.count.clone()), members };
    answer::page(StatusCode::OK, &page)
}
