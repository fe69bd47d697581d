//! What `serve --demo` prints: who is who, and commands to paste that show the idea at work.

use std::fmt::Write as _;

use super::Demo;
use crate::cli::table::facts;

/// Stands before the commands; a test runs everything between the two lines as it is printed.
pub(super) const BEGIN: &str = "--- paste from here into another terminal (sh, curl and sed are enough) ---";
/// Stands after them.
pub(super) const END: &str = "--- to here ---";

/// The whole sheet.
pub(super) fn sheet(demo: &Demo, public_url: &str, command: &str) -> String {
    let mut text =
        format!("This is a demonstration: {} entities, 3 roles, 2 applications and a console user.\n\n", demo.entities);
    let mut lines = vec![("  Username", demo.user.to_owned()), ("  Password", demo.password.to_string())];
    for application in &demo.applications {
        lines.push((application.label, application.what.to_owned()));
    }
    text.push_str(&facts(&lines));
    let _ = write!(text, "\n{BEGIN}\n{}{END}\n\n", commands(demo, public_url));
    let _ = write!(
        text,
        "Then delete a key, and ask again with the token that the application still holds:\n\n\
         \x20 {command} keys delete 'ServiceNow sync'\n\
         \x20 ask \"$HUB/api/v1/whoami\"\n\n"
    );
    text
}

/// The commands, without the lines around them.
fn commands(demo: &Demo, public_url: &str) -> String {
    let [viewer, editor] = &demo.applications;
    format!(
        r#"HUB='{public_url}'
token() {{ curl -sS -u "$1:$2" -d grant_type=client_credentials "$HUB/oauth2/token" | sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p'; }}
ask() {{ curl -sS -w '\n-> %{{http_code}}\n' -H "Authorization: Bearer $TOKEN" "$@"; }}

echo; echo '1. Grafana FX gets an access token with its API key, and asks what it may do'
TOKEN=$(token '{viewer_id}' '{viewer_secret}')
ask "$HUB/api/v1/whoami"

echo; echo '2. It sees the entities of the FX department only'
ask "$HUB/api/v1/entities?limit=2"

echo; echo '3. For it, a payments host does not exist'
ask "$HUB/api/v1/entities/host%2Fpayments-ldn-swift-gateway-01"

echo; echo '4. It may view but not edit: refused, with the reason'
ask -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{{"attributes":{{"user.ticket":"INC-1042"}}}}' "$HUB/api/v1/entities/host%2Ffx-ldn-pricing-01"

echo; echo '5. ServiceNow sync edits what runs in production in London'
TOKEN=$(token '{editor_id}' '{editor_secret}')
ask -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{{"attributes":{{"user.ticket":"INC-1042"}}}}' "$HUB/api/v1/entities/host%2Ffx-ldn-pricing-01"

echo; echo '6. Its other role shows it the databases elsewhere; editing one is refused'
ask "$HUB/api/v1/entities/database%2Fpayments-fra-instant"
ask -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{{"attributes":{{"user.ticket":"INC-1042"}}}}' "$HUB/api/v1/entities/database%2Fpayments-fra-instant"

echo; echo '7. A wrong secret gets no token'
curl -sS -w '\n-> %{{http_code}}\n' -u '{viewer_id}:wrong' -d grant_type=client_credentials "$HUB/oauth2/token"
"#,
        viewer_id = viewer.client_id,
        viewer_secret = *viewer.client_secret,
        editor_id = editor.client_id,
        editor_secret = *editor.client_secret,
    )
}
