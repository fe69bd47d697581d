//! The rules of entities: limits, patches, preconditions, and *Filters and edits*.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::domain::access::{AccessTable, decide};
use crate::domain::grant::{Action, Grant};
use crate::domain::name::Name;
use crate::domain::resource::Resource;
use crate::domain::role::{Role, RoleId};

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    let map = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Attributes::new(map).unwrap_or_else(|fault| panic!("{fault}"))
}

/// The access of somebody with these roles, each a grant with a filter.
fn access(roles: &[(&str, &str)], scope: &[&str]) -> EntityAccess {
    let roles: Vec<Role> = roles
        .iter()
        .map(|(grant, filter)| Role {
            id: RoleId::new(*grant),
            name: Name::parse(grant).unwrap_or_else(|fault| panic!("{fault}")),
            grants: vec![grant.parse::<Grant>().unwrap_or_else(|fault| panic!("{fault}"))],
            filter: (!filter.is_empty()).then(|| Arc::new(filter.parse().unwrap_or_else(|error| panic!("{error}")))),
            built_in: false,
        })
        .collect();
    let table = AccessTable::compile(&roles);
    let scope = crate::domain::scope::Scope::parse(&scope.join(" ")).unwrap_or_else(|unknown| panic!("{unknown:?}"));
    let permits = [Action::View, Action::Edit]
        .map(|action| decide(&table, &scope, &Resource::Entities, action))
        .into_iter()
        .flatten();
    EntityAccess::of(permits, table.reach(&Resource::Entities, Action::View))
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn patched(text: &str) -> Result<EntityPatch, DocumentFault> {
    EntityPatch::try_from(json(text))
}

const BOTH: [&str; 2] = ["entities:view", "entities:edit"];

#[test]
fn ids_are_bounded_and_have_an_address() {
    for id in ["a", "host/web-1", "ü ü", "...", &"x".repeat(256)] {
        assert!(EntityId::parse(id).is_ok(), "{id}");
    }
    for id in ["", "a\nb", "a\u{0}", "\u{85}", ".", "..", "bulk", "summary", &"x".repeat(257)] {
        assert!(EntityId::parse(id).is_err(), "{id}");
    }
}

#[test]
fn attributes_are_bounded_and_never_empty() {
    let new = |pairs: Vec<(String, String)>| Attributes::new(pairs.into_iter().collect());
    let one = |key: &str, value: &str| new(vec![(key.to_owned(), value.to_owned())]);
    assert_eq!(attributes(&[("a", ""), ("b", "1")]), attributes(&[("b", "1")]));
    assert!(one("k", "two\nlines\tand a tab").is_ok());
    assert!(one(&"k".repeat(128), &"v".repeat(4096)).is_ok());
    assert!(matches!(one("", "v"), Err(AttributeFault::KeyLength { .. })));
    assert!(matches!(one(&"k".repeat(129), "v"), Err(AttributeFault::KeyLength { .. })));
    assert!(matches!(one("k\n", "v"), Err(AttributeFault::KeyControl { .. })));
    assert!(matches!(one("k", &"v".repeat(4097)), Err(AttributeFault::ValueLength { .. })));
    assert!(matches!(one("k", "\u{0}"), Err(AttributeFault::ValueControl { .. })));
    let many = |count: usize, value: &str| new((0..count).map(|at| (at.to_string(), value.to_owned())).collect());
    assert!(many(200, "x").is_ok());
    assert!(many(201, "").is_ok(), "absent attributes do not count");
    assert_eq!(many(201, "x"), Err(AttributeFault::TooMany { found: 201 }));
    assert!(matches!(many(17, &"x".repeat(4096)), Err(AttributeFault::TooLarge { .. })));
}

#[test]
fn a_patch_merges_as_rfc_7396_says() {
    let before = attributes(&[("a", "1"), ("b", "2")]);
    for (patch, after) in [
        (r"{}", vec![("a", "1"), ("b", "2")]),
        (r#"{"id": "x", "attributes": {}}"#, vec![("a", "1"), ("b", "2")]),
        (r#"{"attributes": null}"#, vec![]),
        (r#"{"attributes": {"a": null, "c": "3", "missing": null}}"#, vec![("b", "2"), ("c", "3")]),
        (r#"{"attributes": {"a": "", "b": "5"}}"#, vec![("b", "5")]),
    ] {
        let patch = patched(patch).unwrap_or_else(|fault| panic!("{patch}: {fault}"));
        assert_eq!(patch.apply(&before), Ok(attributes(&after)));
    }
    for wrong in ["[]", "1", "null", r#"{"attributes": []}"#, r#"{"attributes": {"a": 1}}"#, r#"{"other": 1}"#] {
        assert!(patched(wrong).is_err(), "{wrong}");
    }
    for wrong in
        ["{}", r#"{"attributes": null}"#, r#"{"attributes": {"a": null}}"#, r#"{"id": null, "attributes": {}}"#]
    {
        assert!(EntityDocument::try_from(json(wrong)).is_err(), "{wrong}");
    }
    let fault = patched(r#"{"attributes": {"user.department": 1}}"#).expect_err("a number");
    assert_eq!(fault.to_string(), "attributes.user.department must be a string");
}

#[test]
fn preconditions_compare_as_rfc_9110_says() {
    let version = EntityVersion::new("v1");
    let tags = |text: &str, weak| EntityTags::parse(text, weak).unwrap_or_else(|| panic!("{text}"));
    for (text, strong, weak) in [
        ("*", true, true),
        (r#""v1""#, true, true),
        (r#"W/"v1""#, false, true),
        (r#" "v0" , "v1""#, true, true),
        (r#""v0""#, false, false),
        ("", false, false),
    ] {
        assert_eq!(tags(text, false).include(Some(&version)), strong, "{text}");
        assert_eq!(tags(text, true).include(Some(&version)), weak, "{text}");
        assert!(!tags(text, true).include(None), "{text}");
    }
    for text in ["v1", "\"v1", "'v1'", "\"a\", b"] {
        assert_eq!(EntityTags::parse(text, true), None, "{text}");
    }
    let create_only = Precondition { if_match: None, if_none_match: Some(EntityTags::Any) };
    assert!(create_only.holds(None) && !create_only.holds(Some(&version)));
    let update_only = Precondition { if_match: Some(EntityTags::Any), if_none_match: None };
    assert!(!update_only.holds(None) && update_only.holds(Some(&version)));
}

#[test]
fn visibility_comes_first_and_views_never_stand_in_for_edits() {
    let (fx, rates) = (attributes(&[("dept", "fx")]), attributes(&[("dept", "rates")]));
    let equities = attributes(&[("dept", "equities")]);
    let caller =
        access(&[("entities:view", "dept IN (fx, rates)"), ("entities:edit", "dept IN (fx, equities)")], &BOTH);
    assert!(caller.may_view(&fx) && caller.may_view(&rates) && !caller.may_view(&equities));
    // Before: hidden is not there, viewable but not editable is refused.
    assert_eq!(caller.check_before(Some(&fx)), Ok(&fx));
    assert_eq!(caller.check_before(Some(&rates)), Err(EntityRefusal::NotEditable));
    assert_eq!(caller.check_before(Some(&equities)), Err(EntityRefusal::NotFound));
    assert_eq!(caller.check_before(None), Err(EntityRefusal::NotFound));
    // After: the same whether or not there is something.
    assert_eq!(caller.check_after(&equities), Ok(()));
    assert_eq!(caller.check_after(&rates), Err(EntityRefusal::Outside));
    // In the place of something.
    assert_eq!(caller.check_replaced(None), Ok(()));
    assert_eq!(caller.check_replaced(Some(&fx)), Ok(()));
    assert_eq!(caller.check_replaced(Some(&rates)), Err(EntityRefusal::NotEditable));
    assert_eq!(caller.check_replaced(Some(&equities)), Err(EntityRefusal::IdUnavailable));
}

#[test]
fn a_token_for_less_does_not_reach_more() {
    let roles = [("entities:view", "dept = fx"), ("entities:edit", "")];
    let rates = attributes(&[("dept", "rates")]);
    for scope in [BOTH.as_slice(), &["entities:edit"]] {
        assert_eq!(access(&roles, scope).check_before(Some(&rates)), Err(EntityRefusal::NotFound), "{scope:?}");
    }
    assert!(!access(&roles, &["entities:edit"]).may_view(&attributes(&[("dept", "fx")])));
}

#[test]
fn a_writer_without_view_writes_what_it_may_edit() {
    let caller = access(&[("entities:edit", "dept = fx")], &["entities:edit"]);
    let (fx, rates) = (attributes(&[("dept", "fx")]), attributes(&[("dept", "rates")]));
    assert!(!caller.may_view(&fx));
    assert_eq!(caller.check_before(Some(&fx)), Ok(&fx));
    assert_eq!(caller.check_before(Some(&rates)), Err(EntityRefusal::NotFound));
    assert_eq!(caller.check_replaced(Some(&rates)), Err(EntityRefusal::IdUnavailable));
}

#[test]
fn nobody_does_anything_without_a_permit() {
    let caller = access(&[("applications:view", "")], &["applications:view"]);
    let any = Attributes::new(BTreeMap::new()).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(!caller.may_view(&any));
    assert_eq!(caller.check_before(Some(&any)), Err(EntityRefusal::NotFound));
    assert_eq!(caller.check_after(&any), Err(EntityRefusal::Outside));
}
