//! What the tests of requests and messages have in common: filters, permits, and series as they stand in messages.

use std::sync::Arc;

use super::wire::{Fields, put};
use super::{LabelMap, LabelName, Limit, Memory};
use crate::domain::access::{AccessTable, Permit, decide_for_person};
use crate::domain::data_filter::DataFilter;
use crate::domain::grant::{Action, Grant};
use crate::domain::name::Name;
use crate::domain::resource::{GatewayName, Resource, ResourcePattern};
use crate::domain::role::{Role, RoleId};

/// The attributes `team`, `env` and `name`, under labels that tell them apart from attributes.
pub(super) fn labels() -> LabelMap {
    let pairs = [("team", "l_team"), ("env", "l_env"), ("name", "__name__")];
    let label = |text: &str| LabelName::parse(text).expect("a label name");
    pairs.into_iter().map(|(attribute, name)| (attribute.to_owned(), label(name))).collect()
}

/// A permit under these filters, one role for each; without any, one role without a filter.
pub(super) fn permit(action: Action, filters: &[&str]) -> Permit {
    let resource = Resource::Gateway(GatewayName::parse("prom").expect("a name"));
    let role = |filter: Option<&str>| {
        let filter = filter.map(|text| Arc::new(DataFilter::parse(text).expect(text)));
        role_with(&resource, action, filter)
    };
    let roles: Vec<Role> =
        if filters.is_empty() { vec![role(None)] } else { filters.iter().map(|filter| role(Some(filter))).collect() };
    decide_for_person(&AccessTable::compile(&roles), &resource, action).expect("granted")
}

pub(super) fn limit(action: Action, filters: &[&str]) -> Limit {
    Memory::new().limit(&permit(action, filters), 1, &labels()).expect("matchers can say it")
}

fn role_with(resource: &Resource, action: Action, filter: Option<Arc<DataFilter>>) -> Role {
    let grant = Grant { resource: ResourcePattern::One(resource.clone()), action };
    let name = Name::parse("Tester").expect("a name");
    Role { id: RoleId::new("role_tester"), name, grants: vec![grant], filter, built_in: false }
}

/// A label as it stands in a message.
pub(super) fn label(name: &str, value: &str) -> Vec<u8> {
    let mut message = Vec::new();
    put(1, name.as_bytes(), &mut message);
    put(2, value.as_bytes(), &mut message);
    message
}

/// A series with these labels and one sample.
pub(super) fn series(labels: &[(&str, &str)]) -> Vec<u8> {
    let mut message = Vec::new();
    for (name, value) in labels {
        put(1, &label(name, value), &mut message);
    }
    let mut sample = vec![0x09];
    sample.extend(1.5_f64.to_le_bytes());
    sample.extend([0x10, 0x7b]);
    put(2, &sample, &mut message);
    message
}

/// The labels of a series in a message.
pub(super) fn labels_of(series: &[u8]) -> Vec<(String, String)> {
    let text = |message: &[u8], number| {
        let found = Fields(message).filter_map(Result::ok).filter(|(known, _)| *known == number).last();
        let bytes = found.and_then(|(_, content)| content).unwrap_or_default();
        String::from_utf8(bytes.to_vec()).expect("UTF-8")
    };
    Fields(series)
        .map(|field| field.expect("a field"))
        .filter(|(number, _)| *number == 1)
        .map(|(_, content)| content.expect("a label"))
        .map(|label| (text(label, 1), text(label, 2)))
        .collect()
}
