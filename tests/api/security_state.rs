//! No application changes a security setting, whatever its roles; and nobody hands out more than they have.

use serde_json::json;

use crate::support::{Application, ConsoleUser, Hub, Request, html};

const SECURITY: [&str; 6] = ["applications", "roles", "users", "gateways", "settings", "audit"];
const UNSAFE: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

/// Ways by which a server may be talked into another method than the one it was asked with.
const OVERRIDES: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

#[tokio::test]
async fn sec_29_no_token_changes_security_state_on_any_route() {
    let hub = Hub::start().await;
    let mut administrator = hub.application(&["Administrator"]).await;
    let victim = hub.application(&["Operator"]).await;
    let person = hub.console_user("Administrator").await;
    let role = hub.role("Fx", &["entities:view"], None).await;
    let before = hub.rows().await;

    let fill = |path: &str| {
        let mut filled = path.to_owned();
        for name in ["{client_id}", "{id}", "{application}"] {
            filled = filled.replace(name, &victim.client_id);
        }
        filled.replace("{role}", &role).replace("{name}", "Fx").replace("{slug}", "console-only")
    };
    let body = json!({
        "name": "taken over", "roles": ["Administrator"], "grants": ["entities:edit"], "password": "correct horse battery",
        "enabled": false, "client_id": victim.client_id,
    });
    let mut walked = 0;
    for route in crate::routes::all() {
        let target = fill(&route.path);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            // The exceptions of rule 4 that a client may use with its own key are not called with a bearer token;
            // entities are data and not security state.
            if target.starts_with("/api/v1/entities") && method != "GET" {
                continue;
            }
            let json = administrator.send(method, &target, &body).await;
            let form = Request::new(method, &target).form(&[("name", "taken over"), ("role", "Administrator")]);
            let form = administrator.ask(form).await;
            for answer in [&json, &form] {
                let good = (200..300).contains(&answer.status);
                let reads = method == "GET";
                assert!(reads || !good, "{method} {target} was answered {}", answer.status);
            }
            walked += 2;
        }
    }
    assert!(walked > 100, "the route table is walked");
    let after = hub.rows().await;
    assert_eq!(before.security_state(), after.security_state(), "not one row of security state changed");
    assert!(victim.key_works().await && victim.is_in().await);
    administrator.sign_in().await;
    drop(person);
}

#[tokio::test]
async fn sec_29_the_refusal_says_to_use_the_console() {
    let hub = Hub::start().await;
    let administrator = hub.application(&["Administrator"]).await;
    let poor = hub.application(&["Operator"]).await;
    let before = hub.rows().await;
    for resource in SECURITY {
        for method in UNSAFE {
            for target in [
                format!("/api/v1/{resource}"),
                format!("/api/v1/{resource}/{}", poor.client_id),
                format!("/api/v1/{resource}/a/b/c"),
                format!("/api/v1/{resource}?_method=GET"),
            ] {
                for caller in [&administrator, &poor] {
                    let answer = caller.send(method, &target, &json!({"name": "x", "roles": ["Administrator"]})).await;
                    assert_eq!(answer.status, 403, "{method} {target}: {}", answer.everything());
                    assert_eq!(answer.problem(), "console-only", "{method} {target}");
                    assert!(answer.text().contains("Web Console"), "{}", answer.text());
                }
                let nobody = hub.site.ask(Request::new(method, &target)).await;
                assert_eq!(nobody.status, 401, "{method} {target}");
            }
        }
        for name in OVERRIDES {
            for method in ["DELETE", "PUT", "POST"] {
                let target = format!("/api/v1/{resource}");
                let request = Request::get(&target).header(name, method);
                administrator.ask(request).await;
            }
        }
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());
}

#[tokio::test]
async fn sec_29_the_console_takes_no_token() {
    let hub = Hub::start().await;
    let administrator = hub.application(&["Administrator"]).await;
    let mut person = hub.console_user("Administrator").await;
    let request = person.new_key_request("Smuggled", &["Administrator"]).await;
    let before = hub.rows().await;
    // A token instead of a session, and a token beside a session: never.
    let alone = administrator.ask(request.clone()).await;
    assert!(matches!(alone.status, 401 | 403), "{alone:?}");
    let beside = person.send(request.clone().bearer(&administrator.token)).await;
    assert!(matches!(beside.status, 401 | 403), "{beside:?}");
    let basic = person.send(request.basic(&administrator.client_id, &administrator.client_secret)).await;
    assert!(matches!(basic.status, 401 | 403), "{basic:?}");
    assert_eq!(before.security_state(), hub.rows().await.security_state());
    // Writes without session or CSRF token are refused, never redirected.
    for route in
        crate::routes::all().into_iter().filter(|route| route.path.starts_with("/console") && route.method != "GET")
    {
        let target =
            route.path.replace("{client_id}", &administrator.client_id).replace("{id}", &administrator.client_id);
        for request in
            [Request::new(route.method, &target).form(&[]), Request::new(route.method, &target).form(&[("name", "x")])]
        {
            let anonymous = hub.site.ask(request.clone()).await;
            assert!(matches!(anonymous.status, 400 | 401 | 403), "{} {target}: {}", route.method, anonymous.status);
            let token = administrator.ask(request).await;
            assert!(matches!(token.status, 400 | 401 | 403), "{} {target}: {}", route.method, token.status);
        }
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());
}

#[tokio::test]
async fn sec_30_an_operator_cannot_make_or_touch_keys_through_the_console() {
    let hub = Hub::start().await;
    let victim = hub.application(&["Operator"]).await;
    let powerful = hub.application(&["Administrator"]).await;
    let mut administrator = hub.console_user("Administrator").await;
    let mut operator = hub.console_user("Operator").await;
    // The operator replays the administrator's requests with a session and CSRF token of their own.
    let requests = [
        administrator.new_key_request("Not yours", &["Operator"]).await,
        administrator.new_key_request("Nor this", &["Administrator"]).await,
        row_request(&mut administrator, &victim, "Regenerate", "Regenerate API key").await,
        row_request(&mut administrator, &powerful, "Regenerate", "Regenerate API key").await,
        row_request(&mut administrator, &victim, "Delete", "Delete API key").await,
        row_request(&mut administrator, &powerful, "Delete", "Delete API key").await,
    ];
    let page = operator.get("/console/applications").await.expect(200);
    let before = hub.rows().await;
    let own = csrf(&mut operator).await;
    for request in requests {
        let answer = operator.send(with_csrf(request.clone(), &own)).await;
        assert_eq!(answer.status, 403, "{} {}: {}", request.method, request.target, answer.text());
        assert!(html::shown(&answer, "client_secret").is_none());
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());
    assert!(victim.key_works().await && powerful.key_works().await);
    let text = page.text();
    assert!(text.contains(&victim.client_id), "an operator sees the keys");
}

/// The request that the last button of a row's window makes.
async fn row_request(person: &mut ConsoleUser, key: &Application, open: &str, last: &str) -> Request {
    let page = person.get("/console/applications").await.expect(200);
    let form = html::forms(&page).into_iter().find(|form| {
        let names =
            form.action.contains(&key.client_id) || form.fields.iter().any(|field| field.value == key.client_id);
        names && form.buttons.iter().any(|(text, ..)| text.starts_with(open))
    });
    let form = form.unwrap_or_else(|| panic!("no {open} for {}: {}", key.client_id, page.text()));
    let text = form.buttons[0].0.clone();
    let window = person.go(form.press(&text, "/console/applications")).await.expect(200);
    html::form_with(&window, last).press(last, "/console/applications")
}

/// The hidden field that carries the CSRF token: the only one that a sign-out form needs.
async fn csrf(person: &mut ConsoleUser) -> (String, String) {
    let page = person.get("/console/applications").await.expect(200);
    let hidden = html::forms(&page).into_iter().flat_map(|form| form.fields);
    let field = hidden.into_iter().find(|field| field.kind == "hidden" && field.name.contains("csrf"));
    field.map(|field| (field.name, field.value)).expect("a CSRF token")
}

fn with_csrf(mut request: Request, (name, value): &(String, String)) -> Request {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(&request.body)
        .map(|(key, old)| (key.to_string(), if key == name.as_str() { value.clone() } else { old.to_string() }))
        .collect();
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(pairs);
    request.body = body.finish().into_bytes();
    request
}

#[tokio::test]
async fn sec_30_the_rules_live_below_the_handlers() {
    // The same, without any handler: a route that forgot every check could do no more.
    let hub = Hub::start().await;
    let victim = hub.application(&["Operator"]).await;
    let powerful = hub.application(&["Administrator"]).await;
    let operator = hub.actor("Operator").await;
    let application = Hub::application_actor(&powerful.client_id);
    let before = hub.rows().await;
    for (who, actor) in [("operator", &operator), ("application", &application)] {
        let tried = hub.every_action_as(actor, &victim.client_id, &powerful.client_id).await;
        assert!(tried.len() >= 10, "{tried:?}");
        for (action, result) in tried {
            let refusal = result.expect_err(action);
            assert!(refusal.contains("Forbidden"), "{who}: {action}: {refusal}");
        }
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());
}

#[tokio::test]
async fn rule_10_who_may_edit_keys_hands_out_no_more_than_they_have() {
    let hub = Hub::start().await;
    hub.role("Key keeper", &["applications:view", "applications:edit", "entities:view"], None).await;
    hub.role("Reader", &["entities:view"], None).await;
    hub.role("Fx keeper", &["gateway/fx-*:view"], None).await;
    hub.role("Fx reader", &["entities:view"], Some("user.department = fx")).await;
    let powerful = hub.application(&["Administrator"]).await;
    let mut keeper = hub.console_user("Key keeper").await;
    let before = hub.rows().await;
    for role in ["Administrator", "Operator", "Fx keeper"] {
        let mut request = keeper.new_key_request("Too much", &["Reader"]).await;
        // The boxes that the page offers bind nobody.
        let body = String::from_utf8(request.body.clone()).expect("a form");
        let other = body.replace("=Reader", &format!("={}", role.replace(' ', "+")));
        assert_ne!(body, other);
        request.body = other.into_bytes();
        let answer = keeper.send(request).await;
        assert!((400..500).contains(&answer.status), "{role}: {}", answer.status);
        assert!(html::shown(&answer, "client_secret").is_none(), "{role}");
    }
    let tried = hub.every_action_as(&hub.actor_of(&keeper.name).await, &powerful.client_id, &powerful.client_id).await;
    for (action, result) in tried.into_iter().filter(|(action, _)| *action != "create") {
        let refusal = result.expect_err(action);
        assert!(refusal.contains("Forbidden"), "{action}: {refusal}");
    }
    assert_eq!(before.security_state(), hub.rows().await.security_state());
    // What they have, they can hand out: all of it, or the rows of it that a filter leaves.
    for role in ["Reader", "Fx reader"] {
        let mut key = keeper.new_key(role, &[role]).await;
        assert!(key.sign_in().await.is_in().await);
    }
}

#[tokio::test]
async fn rule_10_the_last_local_administrator_stays() {
    let hub = Hub::start().await;
    let administrator = hub.console_user("Administrator").await;
    hub.console_user("Operator").await;
    assert!(hub.try_delete_user(&administrator.name).await.is_err());
    let second = hub.console_user("Administrator").await;
    hub.try_delete_user(&administrator.name).await.expect("there is another now");
    assert!(hub.try_delete_user(&second.name).await.is_err());
}

#[tokio::test]
async fn rule_10_built_in_roles_cannot_be_edited_or_removed() {
    let hub = Hub::start().await;
    for role in ["Administrator", "Operator"] {
        assert!(hub.try_set_role(role, &["entities:view"]).await.is_err(), "{role}");
        assert!(hub.try_delete_role(role).await.is_err(), "{role}");
        assert!(hub.try_role(role, &["entities:view"]).await.is_err(), "{role}");
        assert!(hub.try_role(&role.to_lowercase(), &["entities:view"]).await.is_err(), "{role}");
    }
}

#[tokio::test]
async fn a_role_with_a_filter_grants_no_security_resource() {
    let hub = Hub::start().await;
    for resource in ["applications", "roles", "users", "gateways", "settings", "audit", "metrics", "introspection"] {
        let grant = format!("{resource}:view");
        assert!(hub.try_role_with(&["entities:view", &grant], Some("a = b")).await.is_err(), "{resource}");
    }
    hub.try_role_with(&["entities:view"], Some("a = b")).await.expect("data may be filtered");
}
