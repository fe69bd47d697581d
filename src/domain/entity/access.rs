//! Who may see and write which entity (DESIGN, *Filters and edits*).

use super::Attributes;
use crate::domain::access::{Permit, Reach};
use crate::domain::grant::Action;
use crate::domain::resource::Resource;

/// A caller's reach over the entities. Built from permits only, so that nobody gets here undecided; views and edits never
/// stand in for each other.
#[derive(Clone, Debug)]
pub struct EntityAccess {
    view: Option<Reach>,
    edit: Option<Reach>,
    sight: Option<Reach>,
}

/// Why a caller may not do something to an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntityRefusal {
    /// There is none, or none that this caller may know of.
    #[error("there is no such entity")]
    NotFound,
    /// It is there for viewing only.
    #[error("this entity is outside what your roles may edit")]
    NotEditable,
    /// The entity would have attributes that no edit filter of the caller selects.
    #[error("with these attributes the entity would be outside what your roles may edit")]
    Outside,
    /// The id belongs to an entity that the caller may not know of.
    #[error("this id is not available; choose another")]
    IdUnavailable,
}

impl EntityAccess {
    /// The reach that these permits give; those for anything but entities give none.
    ///
    /// `sight` is what the caller's roles let it view, whatever the token's scope: it decides which entities are hidden
    /// from a writer. Were it the scope, a token for less would reach more.
    pub fn of(permits: impl IntoIterator<Item = Permit>, sight: Option<Reach>) -> Self {
        let mut access = Self { view: None, edit: None, sight };
        for permit in permits.into_iter().filter(|permit| *permit.resource() == Resource::Entities) {
            match permit.action() {
                Action::View => access.view = Some(permit.reach().clone()),
                Action::Edit => access.edit = Some(permit.reach().clone()),
            }
        }
        access
    }

    /// What the caller may view; `None` for nothing.
    #[must_use]
    pub const fn view(&self) -> Option<&Reach> {
        self.view.as_ref()
    }

    /// Whether the caller may be answered with an entity of these attributes.
    #[must_use]
    pub fn may_view(&self, attributes: &Attributes) -> bool {
        selects(self.view.as_ref(), attributes)
    }

    fn may_edit(&self, attributes: &Attributes) -> bool {
        selects(self.edit.as_ref(), attributes)
    }

    /// Whether the caller may know of an entity. One whose roles let it view nothing at all knows of what it may edit:
    /// otherwise a writer without view could write nothing twice.
    fn may_know(&self, attributes: &Attributes) -> bool {
        if self.sight.is_some() { selects(self.sight.as_ref(), attributes) } else { self.may_edit(attributes) }
    }

    /// Whether an entity may be written with these attributes, whatever is there now.
    ///
    /// # Errors
    /// [`EntityRefusal::Outside`].
    pub fn check_after(&self, attributes: &Attributes) -> Result<(), EntityRefusal> {
        if self.may_edit(attributes) { Ok(()) } else { Err(EntityRefusal::Outside) }
    }

    /// Whether an entity may be put in the place of what is there now.
    ///
    /// # Errors
    /// [`EntityRefusal::IdUnavailable`] for a hidden one, [`EntityRefusal::NotEditable`].
    pub fn check_replaced(&self, existing: Option<&Attributes>) -> Result<(), EntityRefusal> {
        match existing {
            Some(attributes) if !self.may_know(attributes) => Err(EntityRefusal::IdUnavailable),
            Some(attributes) if !self.may_edit(attributes) => Err(EntityRefusal::NotEditable),
            _ => Ok(()),
        }
    }

    /// The attributes of an entity that may be changed or deleted.
    ///
    /// # Errors
    /// [`EntityRefusal::NotFound`] for none and for a hidden one, [`EntityRefusal::NotEditable`].
    pub fn check_before<'a>(&self, existing: Option<&'a Attributes>) -> Result<&'a Attributes, EntityRefusal> {
        match existing {
            Some(attributes) if !self.may_know(attributes) => Err(EntityRefusal::NotFound),
            Some(attributes) if !self.may_edit(attributes) => Err(EntityRefusal::NotEditable),
            Some(attributes) => Ok(attributes),
            None => Err(EntityRefusal::NotFound),
        }
    }
}

fn selects(reach: Option<&Reach>, attributes: &Attributes) -> bool {
    match reach {
        None => false,
        Some(Reach::All) => true,
        Some(Reach::Filtered(filters)) => filters.iter().any(|filter| filter.matches(attributes.as_map())),
    }
}
