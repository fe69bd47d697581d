//! `roles` from the host.

use super::support::process::Installation;

#[test]
fn the_life_of_a_role() {
    let hub = Installation::new();
    let create =
        ["roles", "create", "FX hosts", "--grant", "entities:view", "--filter", "user.department=fx and not a exists"];
    hub.run(&create).good();
    let shown = hub.run(&["roles", "show", "fx HOSTS", "--json"]).good().json();
    assert_eq!(shown["name"], "FX hosts");
    assert_eq!(shown["grants"], serde_json::json!(["entities:view"]));
    assert_eq!(shown["built_in"], false);
    let filter = shown["filter"].as_str().expect("a text").to_owned();
    assert!(filter.contains("user.department"), "{filter}");

    hub.run(&["roles", "update", "FX hosts", "--grant", "entities:view", "--grant", "entities:edit", "--no-filter"])
        .good();
    let shown = hub.run(&["roles", "show", "FX hosts", "--json"]).good().json();
    assert_eq!(shown["grants"], serde_json::json!(["entities:view", "entities:edit"]));
    assert!(shown["filter"].is_null());

    let names = |json: serde_json::Value| {
        let roles = json.as_array().expect("a list").clone();
        roles.iter().map(|role| role["name"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    let listed = names(hub.run(&["roles", "list", "--json"]).good().json());
    assert_eq!(listed, ["Administrator", "FX hosts", "Operator"]);
    hub.run(&["roles", "delete", "FX hosts"]).good();
    hub.run(&["roles", "show", "FX hosts"]).code(1);
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let hub = Installation::new();
    let filtered = ["roles", "create", "R", "--grant", "audit:view", "--filter", "a = b"];
    assert!(hub.run(&filtered).code(1).stderr.contains("audit"));
    let grant = hub.run(&["roles", "create", "R", "--grant", "entites:view"]).code(2);
    assert!(grant.stderr.contains("entites") && grant.stderr.contains("gateway/NAME"), "{grant:?}");
    let filter = hub.run(&["roles", "create", "R", "--grant", "entities:view", "--filter", "a == b"]).code(2);
    assert!(filter.stderr.contains("column 4"), "{filter:?}");
    for change in [&["roles", "delete", "Administrator"][..], &["roles", "update", "Operator", "--name", "Op"]] {
        assert!(hub.run(change).code(1).stderr.contains("built"), "{change:?}");
    }
}

#[test]
fn rule_06_a_deleted_role_is_lost_and_its_name_revives_nothing() {
    let hub = Installation::new();
    let create = ["roles", "create", "R", "--grant", "entities:view"];
    hub.run(&create).good();
    hub.key("Grafana", &["R", "Operator"]);
    hub.run(&["roles", "delete", "r"]).good();
    hub.run(&create).good();
    let shown = hub.run(&["keys", "show", "Grafana", "--json"]).good().json();
    assert_eq!(shown["roles"], serde_json::json!(["Operator"]));
}
