//! Gateways in the store, on both databases: the same acts, the same state, the same refusals.

use gateway_hub::actions::gateway::{CredentialInput, GatewayInput, LabelsInput, create, delete, update};
use gateway_hub::actions::role::{self, RoleInput};
use gateway_hub::actions::{ActionError, Actor};
use gateway_hub::app::App;

use super::Place;

fn input(url: &str) -> GatewayInput {
    GatewayInput {
        kind: Some("http".to_owned()),
        addresses: Some(vec![url.to_owned()]),
        credential: Some(CredentialInput::Bearer("canary-token".to_owned().into())),
        ..GatewayInput::default()
    }
}

fn secret(node: &App, name: &str) -> Option<String> {
    node.snapshot.gateway(name)?.credentials.secret.as_ref().map(|secret| secret.to_string())
}

pub(super) async fn gateways_reach_every_node(place: Place) {
    let (node, other) = (place.node().await, place.node().await);
    let operator = Actor::operator();
    let full = GatewayInput {
        description: Some("Ü ‘search’".to_owned()),
        headers: Some(vec!["X-Scope-OrgID: a".to_owned()]),
        path_rules: Some(vec!["POST /q/** = view".to_owned()]),
        forward_filter: Some(true),
        body_limit: Some(1 << 40),
        ..input("http://127.0.0.1:9/p")
    };
    let made = create(&node, &operator, "search", &full).await.expect("made").gateway;
    assert_eq!(node.snapshot.gateway("search").expect("here").gateway, made, "as it was, read from the store");
    other.poll().await.expect("reads on");
    let there = other.snapshot.gateway("search").expect("there");
    assert_eq!(there.gateway, made);
    assert_eq!(secret(&other, "search").as_deref(), Some("canary-token"));
    let twice = create(&other, &operator, "search", &input("http://127.0.0.1:9")).await;
    assert!(matches!(twice, Err(ActionError::Invalid { field: "name", .. })), "{twice:?}");

    // Kind and label map; what belonged to the other kind is gone, and so are the credentials.
    let labels = LabelsInput { only: Some(vec!["user.department=dep".to_owned()]), ..LabelsInput::default() };
    let change = GatewayInput { kind: Some("prometheus".to_owned()), labels, ..GatewayInput::default() };
    let saved = update(&other, &operator, &made.id, &change).await.expect("changed");
    assert!(saved.erased && saved.gateway.path_rules.is_empty() && !saved.gateway.forward_filter);
    node.poll().await.expect("reads on");
    assert_eq!(node.snapshot.gateway("search").expect("here").gateway, saved.gateway);
    assert_eq!(secret(&node, "search"), None);
    assert!(node.snapshot.gateway("search").expect("here").version > there.version || there.version > 0);

    // A filter that can't be enforced is refused on either side; a grant by name goes with the gateway.
    let new = |name: &str, filter: &str| RoleInput {
        name: name.to_owned(),
        grants: vec!["gateway/search:view".to_owned()],
        filter: filter.to_owned(),
    };
    let typo = role::create(&node, &operator, &new("Typo", "user.departmend = fx")).await;
    assert!(matches!(typo, Err(ActionError::Invalid { field: "filter", .. })), "{typo:?}");
    let fx = role::create(&node, &operator, &new("Fx", "user.department = fx")).await.expect("enforceable");
    let unmapped = LabelsInput { only: Some(Vec::new()), ..LabelsInput::default() };
    let refused =
        update(&node, &operator, &made.id, &GatewayInput { labels: unmapped, ..GatewayInput::default() }).await;
    assert!(matches!(refused, Err(ActionError::Invalid { field: "label", .. })), "{refused:?}");
    let lost = delete(&node, &operator, &made.id).await.expect("deleted");
    assert_eq!(lost.len(), 1);
    other.poll().await.expect("reads on");
    for at in [&node, &other] {
        assert!(at.snapshot.gateway("search").is_none());
        assert!(at.snapshot.role(&fx.id).expect("the role stays").grants.is_empty());
    }
    // A new node reads the same from the tables.
    let again = create(&node, &operator, "search", &input("http://127.0.0.1:9")).await.expect("made").gateway;
    assert_ne!(again.id, made.id, "the name revives nothing");
    let late = place.node().await;
    assert_eq!(late.snapshot.gateway("search").expect("read").gateway, again);
    assert_eq!(secret(&late, "search").as_deref(), Some("canary-token"));
}

/// Of a role's filter and a gateway saved at the same moment, one sees the other.
pub(super) async fn a_filter_and_a_gateway_do_not_slip_past_each_other(place: Place) {
    let (node, other) = (place.node().await, place.node().await);
    let operator = Actor::operator();
    for round in 0..8 {
        let name = format!("g{round}");
        let role = RoleInput {
            name: format!("r{round}"),
            grants: vec![format!("gateway/{name}:view")],
            filter: "a = b".to_owned(),
        };
        let new = input("http://127.0.0.1:9");
        let (gateway, role) =
            tokio::join!(create(&node, &operator, &name, &new), role::create(&other, &operator, &role));
        assert!(gateway.is_ok() != role.is_ok(), "round {round}: {gateway:?} {role:?}");
    }
}
