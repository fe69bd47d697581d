//! What stands around every page of a signed-in person: the menu, their name, the CSRF token, a notice.

use super::effect::Told;
use super::paths;

/// The entries of the menu. Only pages that exist are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Applications,
    Roles,
    Gateways,
    Entities,
    Documentation,
}

impl Section {
    const ALL: [Self; 6] =
        [Self::Overview, Self::Applications, Self::Roles, Self::Gateways, Self::Entities, Self::Documentation];

    const fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Applications => "Application keys",
            Self::Roles => "Roles",
            Self::Gateways => "Gateways",
            Self::Entities => "Entities",
            Self::Documentation => "OAuth documentation",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Overview => paths::OVERVIEW,
            Self::Applications => paths::APPLICATIONS,
            Self::Roles => paths::ROLES,
            Self::Gateways => paths::GATEWAYS,
            Self::Entities => paths::ENTITIES,
            Self::Documentation => paths::DOCUMENTATION,
        }
    }

    /// The name of its icon in `templates/parts.html`.
    const fn icon(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Applications => "key",
            Self::Roles => "roles",
            Self::Gateways => "gateway",
            Self::Entities => "entities",
            Self::Documentation => "book",
        }
    }
}

/// One entry of the menu, as the template reads it.
pub(crate) struct Entry {
    pub(crate) label: &'static str,
    pub(crate) path: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) current: bool,
}

/// The surroundings of a page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Who is signed in.
    pub(crate) user: String,
    /// Their roles, in words.
    pub(crate) roles: String,
    /// The session's CSRF token, for the forms of the page.
    pub(crate) csrf: String,
    /// The menu entry that the page belongs to.
    pub(crate) section: Section,
    /// What has just happened.
    pub(crate) notice: Option<&'static str>,
    /// Where that is in effect, with several nodes.
    pub(crate) effect: Option<Told>,
}

impl Frame {
    /// The menu.
    pub(crate) fn menu(&self) -> [Entry; 6] {
        Section::ALL.map(|section| Entry {
            label: section.label(),
            path: section.path(),
            icon: section.icon(),
            current: section == self.section,
        })
    }
}

#[cfg(test)]
impl Frame {
    /// A frame with a name that tries to be markup.
    pub(crate) fn sample(section: Section) -> Self {
        Self {
            user: "<script>alert('user')</script>".into(),
            roles: "Administrator".into(),
            csrf: "csrf-token".into(),
            section,
            notice: None,
            effect: None,
        }
    }
}
