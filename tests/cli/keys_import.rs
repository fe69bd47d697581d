//! `keys import` and `entities load`: many at once from the host, and where the secrets go.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use serde_json::{Value, json};

use super::support::{postgres::PostgresDatabase, process::Installation, wire::Request};

fn write(hub: &Installation, name: &str, lines: &[Value]) -> PathBuf {
    let path = hub.folder().join(name);
    fs::write(&path, lines.iter().map(|line| line.to_string() + "\n").collect::<String>()).expect("a file");
    path
}

fn keys(path: &PathBuf) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the secrets");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn count(hub: &Installation) -> usize {
    hub.run(&["keys", "list", "--json"]).good().json().as_array().expect("a list").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_11_imported_secrets_stand_in_their_file_and_nowhere_else() {
    let database = PostgresDatabase::create();
    for url in [None, Some(database.url.clone())] {
        let mut hub = Installation::new();
        hub.database_url = url;
        hub.user("ada", "Administrator", "correct horse battery staple");
        let running = hub.serve(&[]);
        let mut lines: Vec<Value> =
            (0..150).map(|at| json!({"name": format!("sync {at}"), "roles": ["Operator"]})).collect();
        lines.push(json!({
            "name": "Grafana", "roles": ["Operator", "Administrator", "Operator"], "description": "charts", "owner": "ada",
            "expires": "90d", "networks": ["10.2.0.7/16", "::1"], "allow_basic": true,
        }));
        let file = write(&hub, "keys.ndjson", &lines);
        let done = hub.run(&["keys", "import", "keys.ndjson", "--json"]).good();
        let secrets = hub.folder().join("keys.ndjson.secrets");
        assert_eq!(done.json(), json!({"made": 151, "secrets": "keys.ndjson.secrets"}));
        assert_eq!(fs::metadata(&secrets).expect("the file").permissions().mode() & 0o777, 0o600);
        let made = keys(&secrets);
        assert_eq!(made.len(), 151);
        let all: BTreeSet<&str> = made.iter().filter_map(|key| key["client_secret"].as_str()).collect();
        assert_eq!(all.len(), 151);

        // Each works when the command answers, as the file says.
        for key in [&made[0], &made[63], &made[64], &made[150]] {
            let text = |member: &str| key[member].as_str().expect(member).to_owned();
            let form = [
                ("grant_type", "client_credentials"),
                ("client_id", &text("client_id")),
                ("client_secret", &text("client_secret")),
            ];
            let answer = running.site.ask(Request::post("/oauth2/token").form(&form)).await;
            // Grafana may not come from here.
            assert_eq!(answer.status, if key["name"] == "Grafana" { 401 } else { 200 }, "{key}");
        }
        let shown = hub.run(&["keys", "show", "Grafana", "--json"]).good().json();
        assert_eq!(shown["roles"], json!(["Administrator", "Operator"]));
        assert_eq!((&shown["owner"], &shown["description"]), (&json!("ada"), &json!("charts")));
        assert_eq!((&shown["networks"], &shown["allow_basic"]), (&json!(["10.2.0.0/16", "::1/128"]), &json!(true)));
        assert!(shown["expires_at"].is_string());

        // No secret in any other file, in what was printed, or in the database's rows.
        let printed = done.stdout + &done.stderr + &running.stdout() + &running.stderr();
        let rows = if hub.database_url.is_some() {
            database.sql("SELECT row_to_json(t) FROM audit_event t")
                + &database.sql("SELECT row_to_json(t) FROM api_secret t")
        } else {
            String::new()
        };
        let files = hub.files();
        for secret in &all {
            assert!(!printed.contains(secret) && !rows.contains(secret));
        }
        let begin: Vec<&[u8]> = all.iter().map(|secret| &secret.as_bytes()[4..20]).collect();
        for (path, content) in files.iter().filter(|(path, _)| *path != secrets && *path != file) {
            for secret in &begin[..10] {
                assert!(!content.windows(secret.len()).any(|window| window == *secret), "{}", path.display());
            }
        }
        // An audit event each.
        let history = hub.run(&["keys", "list", "--json"]).good().json();
        assert_eq!(history.as_array().map(Vec::len), Some(151));

        // A file that is there is not touched.
        let before = fs::read(&secrets).expect("the secrets");
        let more = write(&hub, "more.ndjson", &[json!({"name": "more", "roles": ["Operator"]})]);
        let more = more.to_str().expect("a path");
        let refused = hub.run(&["keys", "import", more, "--secrets-out", "keys.ndjson.secrets"]).code(1);
        assert!(refused.stderr.contains("is there already"), "{refused:?}");
        assert_eq!(fs::read(&secrets).expect("the secrets"), before);
        hub.run(&["keys", "show", "more"]).code(1);
        // Nor through a link.
        std::os::unix::fs::symlink("elsewhere", hub.folder().join("link")).expect("a link");
        hub.run(&["keys", "import", more, "--secrets-out", "link"]).code(1);
        assert!(!hub.folder().join("elsewhere").exists());
    }
}

#[test]
fn one_line_that_is_wrong_makes_no_key_and_is_named() {
    let hub = Installation::new();
    hub.key("Taken", &["Operator"]);
    let good = |name: &str| json!({"name": name, "roles": ["Operator"]}).to_string();
    for (bad, wanted) in [
        ("{", "can't be read"),
        ("[]", "line 3"),
        (r#"{"name": "x"}"#, "roles"),
        (r#"{"name": "x", "roles": []}"#, "at least one role"),
        (r#"{"name": "x", "roles": ["Opertor"]}"#, "Opertor"),
        (r#"{"name": "x", "roles": ["Operator"], "role": 1}"#, "role"),
        (r#"{"name": "x", "name": "y", "roles": ["Operator"]}"#, "repeated"),
        (r#"{"name": " ", "roles": ["Operator"]}"#, "name"),
        (r#"{"name": "TAKEN", "roles": ["Operator"]}"#, "already"),
        (r#"{"name": "A", "roles": ["Operator"]}"#, "line 1 too"),
        (r#"{"name": "x", "roles": ["Operator"], "expires": "soon"}"#, "expires"),
        (r#"{"name": "x", "roles": ["Operator"], "networks": ["10.0.0.0/33"]}"#, "networks"),
        (r#"{"name": "x", "roles": ["Operator"], "owner": "nobody"}"#, "nobody"),
    ] {
        let text = format!("{}\n\n{bad}\n{}\n", good("a"), good("b"));
        fs::write(hub.folder().join("keys.ndjson"), text).expect("a file");
        let refused = hub.run(&["keys", "import", "keys.ndjson"]).code(1);
        assert!(refused.stderr.contains("line 3") && refused.stderr.contains(wanted), "{bad}: {refused:?}");
        assert!(!hub.folder().join("keys.ndjson.secrets").exists(), "{bad}");
    }
    assert_eq!(count(&hub), 1);
    hub.run(&["keys", "import", "absent.ndjson"]).code(1);
    hub.run(&["keys", "import", "keys.ndjson", "--from-line", "0"]).code(2);
}

/// The store stops taking audit events in the second thousand: the first is made and its secrets are there, of the second
/// there is neither key nor secret, and the import goes on from the line that it names.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_cut_short_says_where_and_goes_on_there() {
    let hub = Installation::new();
    hub.key("first", &["Operator"]);
    let lines: Vec<Value> = (0..2_100).map(|at| json!({"name": format!("n{at}"), "roles": ["Operator"]})).collect();
    write(&hub, "keys.ndjson", &lines);
    let trigger = "CREATE TRIGGER broken BEFORE INSERT ON audit_event WHEN NEW.target_name = 'n1500' \
                   BEGIN SELECT RAISE(ABORT, 'broken'); END";
    sqlite(&hub, trigger).await;
    let cut = hub.run(&["keys", "import", "keys.ndjson"]).code(1);
    assert!(cut.stderr.contains("1000 keys are made") && cut.stderr.contains("--from-line 1001"), "{cut:?}");
    let first = hub.folder().join("keys.ndjson.secrets");
    assert_eq!((keys(&first).len(), count(&hub)), (1_000, 1_001));
    sqlite(&hub, "DROP TRIGGER broken").await;
    let arguments = ["keys", "import", "keys.ndjson", "--from-line", "1001", "--secrets-out", "rest", "--json"];
    assert_eq!(hub.run(&arguments).good().json()["made"], 1_100);
    let rest = keys(&hub.folder().join("rest"));
    assert_eq!((rest.len(), count(&hub)), (1_100, 2_101));
    assert_eq!(rest[0]["name"], "n1000");
}

async fn sqlite(hub: &Installation, sql: &'static str) {
    use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
    let options = SqliteConnectOptions::new().filename(hub.data().join("gateway-hub.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.expect("the database opens");
    sqlx::query(sql).execute(&mut connection).await.expect("done");
    connection.close().await.expect("the database closes");
}

#[test]
fn entities_are_loaded_from_a_file_and_again_without_a_change() {
    let hub = Installation::new();
    let entities: Vec<Value> =
        (0..6_000).map(|at| json!({"id": format!("host/{at}"), "attributes": {"n": at.to_string()}})).collect();
    write(&hub, "hosts.ndjson", &entities);
    let first = hub.run(&["entities", "load", "hosts.ndjson", "--json"]).good().json();
    assert_eq!(first, json!({"created": 6_000, "updated": 0, "unchanged": 0}));
    let again = hub.run(&["entities", "load", "hosts.ndjson"]).good().stdout;
    assert!(again.contains("6000 unchanged"), "{again}");
    let mut wrong = entities;
    wrong[0]["attributes"]["n"] = json!("changed");
    wrong[5_500]["attributes"] = json!(1);
    write(&hub, "wrong.ndjson", &wrong);
    let refused = hub.run(&["entities", "load", "wrong.ndjson"]).code(1);
    assert!(refused.stderr.contains("line 5501"), "{refused:?}");
    let unchanged = hub.run(&["entities", "load", "hosts.ndjson", "--json"]).good().json();
    assert_eq!(unchanged["unchanged"], 6_000, "nothing of it was written");
}
