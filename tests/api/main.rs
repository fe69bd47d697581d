//! The hub over HTTP, in this process: a module mirrors each part of the address space.

#[path = "../support/mod.rs"]
mod support;
