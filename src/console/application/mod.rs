//! The Application keys page and its windows, a file each.

pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod regenerate;
pub(crate) mod shown;
