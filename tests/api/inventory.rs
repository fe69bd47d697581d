//! What tests of entities begin with: callers with filters, ids, attributes, and a hub on each database.

use std::sync::Arc;

use gateway_hub::{
    app::App,
    domain::{
        access::{AccessTable, decide},
        entity::{Attributes, EntityAccess, EntityId},
        grant::{Action, Grant},
        name::Name,
        resource::Resource,
        role::{Role, RoleId},
    },
};

use crate::support::Hub;

/// A caller that views and edits what the filter selects; everything if it is empty.
pub(crate) fn access(filter: &str) -> EntityAccess {
    let grants: Vec<Grant> = ["entities:view", "entities:edit"].map(|grant| grant.parse().expect("a grant")).into();
    let role = Role {
        id: RoleId::new("role"),
        name: Name::parse("role").expect("a name"),
        grants,
        filter: (!filter.is_empty()).then(|| Arc::new(filter.parse().expect("a filter"))),
        built_in: false,
    };
    let table = AccessTable::compile([&role]);
    let permits = [Action::View, Action::Edit]
        .map(|action| decide(&table, &table.full_scope(), &Resource::Entities, action).expect("a permit"));
    EntityAccess::of(permits, table.reach(&Resource::Entities, Action::View))
}

pub(crate) fn id(text: &str) -> EntityId {
    EntityId::parse(text).expect("an id")
}

pub(crate) fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Attributes::new(pairs.collect()).expect("attributes")
}

pub(crate) async fn on_both_databases<F: Future<Output = ()>>(story: impl Fn(Arc<App>) -> F) {
    for hub in [Hub::start().await, Hub::start_on_postgres().await] {
        story(Arc::clone(&hub.app)).await;
        hub.stop().await;
    }
}
