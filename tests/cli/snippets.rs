//! Every snippet of the OAuth documentation, taken from the page and run against the program.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use crate::support::{ConsoleUser, Installation, html};

const PASSWORD: &str = "correct horse battery staple";

/// The snippets of the page, by their ids.
async fn snippets(person: &mut ConsoleUser) -> BTreeMap<String, String> {
    let page = person.get("/console/documentation").await.expect(200).text();
    let parts = page.split("<code id=\"snippet-").skip(1);
    let read = |part: &str| {
        let (id, rest) = part.split_once("\">").expect("an id");
        let (text, _) = rest.split_once("</code>").expect("an end");
        (id.to_owned(), html::unescape(text))
    };
    parts.map(read).collect()
}

/// Runs a command in a folder and gives what it printed.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        // Go: Debian's own copy of golang.org/x/oauth2, so that nothing is fetched.
        .envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", "")])
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error} (`bash tests/install` installs what the tests need)"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_snippet_of_the_documentation_does_what_it_says() {
    let installation = Installation::new();
    installation.user("ana", "Administrator", PASSWORD);
    let (id, secret) = installation.key("Snippets", &["Operator"]);
    let process = installation.serve(&[]);
    let mut person = ConsoleUser::sign_in(&process.site, "ana", PASSWORD).await;
    let mut texts = snippets(&mut person).await;
    for text in texts.values_mut() {
        *text = text.replace("YOUR_CLIENT_ID", &id).replace("YOUR_CLIENT_SECRET", &secret) + "\n";
    }
    let mut take = |id: &str| texts.remove(id).unwrap_or_else(|| panic!("no snippet {id}"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("written");
    };
    let knows_itself = |printed: String, what: &str| {
        assert!(printed.contains(&id) && printed.contains("Snippets"), "{what}: {printed}");
        printed
    };

    let (curl, revoke) = (take("curl"), take("revoke"));
    file("curl.sh", &curl);
    let printed = knows_itself(run(folder.path(), "sh", &["-eu", "curl.sh"]), "curl");
    assert!(printed.contains("\"items\""), "{printed}");
    let last = format!("curl --silent -H \"Authorization: Bearer $TOKEN\" {}/api/v1/whoami\n", process.site.issuer);
    file("revoke.sh", &format!("{curl}{revoke}{last}"));
    assert!(run(folder.path(), "sh", &["-eu", "revoke.sh"]).contains("invalid-token"), "it is revoked");

    file("python.py", &take("python"));
    knows_itself(run(folder.path(), "/usr/bin/python3", &["python.py"]), "python");
    file("javascript.mjs", &take("javascript"));
    knows_itself(run(folder.path(), "node", &["javascript.mjs"]), "JavaScript");
    file("main.go", &take("go"));
    knows_itself(run(folder.path(), "go", &["run", "main.go"]), "Go");

    let described = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/clients/described.py");
    file("prometheus.yml", &take("prometheus"));
    run(folder.path(), "promtool", &["check", "config", "prometheus.yml"]);
    let metrics = run(folder.path(), "/usr/bin/python3", &[described, "prometheus.yml"]);
    assert!(metrics.contains("# TYPE"), "{metrics}");
    file("otel-collector.yml", &take("otel-collector"));
    knows_itself(run(folder.path(), "/usr/bin/python3", &[described, "otel-collector.yml"]), "Collector");

    file("key.env", &take("env"));
    let script = "set -a; . ./key.env; exec curl --silent --fail-with-body -u \"$OAUTH_CLIENT_ID:$OAUTH_CLIENT_SECRET\" \
                  -d grant_type=client_credentials \"$OAUTH_TOKEN_URL\"";
    assert!(run(folder.path(), "sh", &["-euc", script]).contains("access_token"));

    assert!(texts.is_empty(), "snippets that nothing runs: {:?}", texts.keys());
}
