//! What one secret of one application did on one day.

use crate::app::live_application::ClientKey;
use crate::domain::application::CredentialId;
use crate::domain::grant::Action;
use crate::domain::resource::{Resource, SecurityResource};

/// Whose count it is. Ordered by application, as the database writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TallyKey {
    pub(super) client: ClientKey,
    pub(super) day: i32,
    /// The secret; none where no secret was proved.
    pub(super) credential: Option<CredentialId>,
}

/// Counts, taken at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) tokens: u64,
    pub(super) requests: u64,
    pub(super) refusals: u64,
    /// The grants that were used, one bit each.
    pub(super) grants: u32,
    /// The last minute, counted from 1970; 0 for none.
    pub(super) minute: i64,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.tokens += other.tokens;
        self.requests += other.requests;
        self.refusals += other.refusals;
        self.grants |= other.grants;
        self.minute = self.minute.max(other.minute);
    }
}

/// A grant on a gateway that was used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GatewayGrant {
    pub(super) client: ClientKey,
    pub(super) day: i32,
    pub(super) text: String,
}

/// The resources that every hub has, in the order of their bits.
fn built_in() -> impl Iterator<Item = (Resource, Action)> {
    let resources = std::iter::once(Resource::Entities).chain(SecurityResource::ALL.map(Resource::Security));
    resources.flat_map(|resource| [(resource.clone(), Action::View), (resource, Action::Edit)])
}

/// The bit of a grant on a built-in resource; `None` for gateways.
pub(super) fn bit(resource: &Resource, action: Action) -> Option<u32> {
    let place = match resource {
        Resource::Entities => 0,
        Resource::Security(security) => 1 + SecurityResource::ALL.iter().position(|other| other == security)?,
        Resource::Gateway(_) => return None,
    };
    Some(1 << (2 * place + usize::from(action == Action::Edit)))
}

/// The grants of these bits, as texts.
pub(super) fn grants(bits: u32) -> impl Iterator<Item = String> {
    let set = move |position: usize| bits & (1 << position) != 0;
    built_in().enumerate().filter(move |(at, _)| set(*at)).map(|(_, (resource, action))| format!("{resource}:{action}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_grant_has_a_bit_of_its_own() {
        for (resource, action) in built_in() {
            let bits = bit(&resource, action).expect("a bit");
            assert_eq!(grants(bits).collect::<Vec<_>>(), [format!("{resource}:{action}")]);
        }
        assert_eq!(grants(u32::MAX).count(), 18);
    }
}
