//! The addresses of the console: shared by the route table, redirects, templates and tests.

/// The start: leads to the overview.
pub const ROOT: &str = "/";
/// The console's start: leads to the overview.
pub const CONSOLE: &str = "/console";
/// The same, as people type it.
pub const CONSOLE_SLASH: &str = "/console/";
/// The overview page.
pub const OVERVIEW: &str = "/console/overview";
/// Signing in.
pub const SIGN_IN: &str = "/console/sign-in";
/// Signing out.
pub const SIGN_OUT: &str = "/console/sign-out";
/// Where the one-time link leads.
pub const FIRST_RUN: &str = "/console/first-run";
/// The Application keys page; a POST makes an API key.
pub const APPLICATIONS: &str = "/console/applications";
/// The New API Key window, first step.
pub const APPLICATION_NEW: &str = "/console/applications/new";
/// The New API Key window, second step.
pub const APPLICATION_NEW_ROLES: &str = "/console/applications/new/roles";
/// The Find by secret window.
pub const APPLICATION_FIND: &str = "/console/applications/find";
/// The route of an application's page; a POST saves its settings.
pub const APPLICATION: &str = "/console/applications/{client_id}";
/// The route of the button that disables an application.
pub const APPLICATION_DISABLE: &str = "/console/applications/{client_id}/disable";
/// The route of the button that enables an application.
pub const APPLICATION_ENABLE: &str = "/console/applications/{client_id}/enable";
/// The route of the button that ends an overlap.
pub const APPLICATION_END_OVERLAP: &str = "/console/applications/{client_id}/end-overlap";
/// The route of the Regenerate API key window.
pub const APPLICATION_REGENERATE: &str = "/console/applications/{client_id}/regenerate";
/// The route of the Delete API key window.
pub const APPLICATION_DELETE: &str = "/console/applications/{client_id}/delete";
/// The Roles page; a POST makes a role.
pub const ROLES: &str = "/console/roles";
/// The editor of a new role.
pub const ROLE_NEW: &str = "/console/roles/new";
/// Where the editor asks what is wrong with a filter.
pub const ROLE_FILTER: &str = "/console/roles/filter";
/// The route of a role's page; a POST saves it.
pub const ROLE: &str = "/console/roles/{id}";
/// The route of the Delete role window.
pub const ROLE_DELETE: &str = "/console/roles/{id}/delete";
/// The Gateways page; a POST connects a service.
pub const GATEWAYS: &str = "/console/gateways";
/// The form of a new gateway.
pub const GATEWAY_NEW: &str = "/console/gateways/new";
/// The route of a gateway's page; a POST saves its settings.
pub const GATEWAY: &str = "/console/gateways/{id}";
/// The route of the Delete gateway window.
pub const GATEWAY_DELETE: &str = "/console/gateways/{id}/delete";
/// The Entities page.
pub const ENTITIES: &str = "/console/entities";
/// The route of the button that asks a gateway's upstream whether it answers.
pub const GATEWAY_TEST: &str = "/console/gateways/{id}/test";
/// The route of the page that sends a request through a gateway and shows its answer.
pub const GATEWAY_TRY: &str = "/console/gateways/{id}/try";
/// The OAuth documentation page.
pub const DOCUMENTATION: &str = "/console/documentation";

/// The Nodes page.
pub const NODES: &str = "/console/nodes";
/// The route of the page that tells where a change is in effect.
pub const CHANGE: &str = "/console/changes/{seq}";

/// The page that tells where a change is in effect.
#[must_use]
pub fn change(seq: u64) -> String {
    CHANGE.replace("{seq}", &seq.to_string())
}

/// The page of an application.
#[must_use]
pub fn application(client_id: &str) -> String {
    APPLICATION.replace("{client_id}", client_id)
}

/// The button that disables an application.
#[must_use]
pub fn application_disable(client_id: &str) -> String {
    APPLICATION_DISABLE.replace("{client_id}", client_id)
}

/// The button that enables an application.
#[must_use]
pub fn application_enable(client_id: &str) -> String {
    APPLICATION_ENABLE.replace("{client_id}", client_id)
}

/// The button that ends an overlap.
#[must_use]
pub fn application_end_overlap(client_id: &str) -> String {
    APPLICATION_END_OVERLAP.replace("{client_id}", client_id)
}

/// The Regenerate API key window of an application.
#[must_use]
pub fn application_regenerate(client_id: &str) -> String {
    APPLICATION_REGENERATE.replace("{client_id}", client_id)
}

/// The Delete API key window of an application.
#[must_use]
pub fn application_delete(client_id: &str) -> String {
    APPLICATION_DELETE.replace("{client_id}", client_id)
}

/// The page of a role.
#[must_use]
pub fn role(id: &str) -> String {
    ROLE.replace("{id}", id)
}

/// The Delete role window.
#[must_use]
pub fn role_delete(id: &str) -> String {
    ROLE_DELETE.replace("{id}", id)
}

/// The page of a gateway.
#[must_use]
pub fn gateway(id: &str) -> String {
    GATEWAY.replace("{id}", id)
}

/// The button that asks a gateway's upstream whether it answers.
#[must_use]
pub fn gateway_test(id: &str) -> String {
    GATEWAY_TEST.replace("{id}", id)
}

/// The page that sends a request through a gateway and shows its answer.
#[must_use]
pub fn gateway_try(id: &str) -> String {
    GATEWAY_TRY.replace("{id}", id)
}

/// The Delete gateway window.
#[must_use]
pub fn gateway_delete(id: &str) -> String {
    GATEWAY_DELETE.replace("{id}", id)
}

/// The sign-in page that leads back to a page of the console.
#[must_use]
pub fn sign_in_and_return(next: &str) -> String {
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("{SIGN_IN}?next={next}")
}

/// The page to show after signing in: `next` if it is a page of this console, else the overview.
///
/// A name of 200 characters is up to 2,400 here. Anything that a browser could read as another host (`//host`, `/\host`) or that would end a header line is not one.
#[must_use]
pub fn local(next: &str) -> &str {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let inside = path == CONSOLE || path.starts_with("/console/");
    let page = path != SIGN_IN && path != SIGN_OUT && !path.contains("//") && !path.contains("..");
    if plain && inside && page && next.len() <= 16_000 { next } else { OVERVIEW }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_console_are_returned_to() {
        for good in [APPLICATIONS, "/console/applications?q=a%20b", "/console"] {
            assert_eq!(local(good), good);
        }
        for bad in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/console/",
            "/\\evil.example",
            "/console/\\evil",
            "/console//evil.example",
            "/console/../..//evil",
            "/consolevil",
            "/console/a\r\nSet-Cookie: a=b",
            "/console/sign-in?next=/console/sign-in",
            "/console/sign-out",
            "javascript:alert(1)",
        ] {
            assert_eq!(local(bad), OVERVIEW, "{bad:?}");
        }
    }

    #[test]
    fn what_is_returned_to_is_encoded_into_the_query() {
        assert_eq!(sign_in_and_return("/console/roles?a=b&c"), "/console/sign-in?next=%2Fconsole%2Froles%3Fa%3Db%26c");
    }
}
