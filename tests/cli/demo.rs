//! `serve --demo`: what it prints does what it says.

use std::{path::Path, process::Command};

use super::support::process::Installation;

/// The printed lines between the two marks.
fn commands(printed: &str) -> &str {
    let (_, rest) = printed.split_once("--- paste from here").expect("the beginning");
    let (_, rest) = rest.split_once('\n').expect("a line end");
    rest.split_once("--- to here ---").expect("the end").0
}

#[test]
fn the_printed_commands_do_what_they_say() {
    let hub = Installation::new();
    let serve = hub.serve(&["--demo"]);
    let printed = serve.stdout();
    assert!(printed.contains(" entities, 3 roles, 2 applications and a console user"), "{printed}");
    let (_, afterwards) = printed.split_once("still holds:").expect("what comes after");
    let script = format!("{}\necho; echo '8. dead'\n{afterwards}", commands(&printed));
    let program = Path::new(env!("CARGO_BIN_EXE_gateway-hub")).parent().expect("a folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let ran = Command::new("sh").args(["-e", "-c", &script]).env("PATH", path).output().expect("sh");
    let (stdout, stderr) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && stderr.is_empty(), "{stdout}{stderr}");
    let step = |number: u32| {
        let (_, rest) =
            stdout.split_once(&format!("\n{number}. ")).unwrap_or_else(|| panic!("step {number}: {stdout}"));
        rest.split(&format!("\n{}. ", number + 1)).next().expect("a first part").to_owned()
    };
    let whoami = step(1);
    assert!(whoami.contains("-> 200") && whoami.contains("FX viewer"), "{whoami}");
    let list = step(2);
    assert!(list.contains("-> 200") && list.contains("\"items\":["), "{list}");
    assert_eq!(list.matches("\"user.department\":\"fx\"").count(), 2, "{list}");
    assert!(step(3).contains("-> 404"), "{}", step(3));
    let refused = step(4);
    assert!(refused.contains("-> 403") && refused.contains("entities:edit"), "{refused}");
    let edited = step(5);
    assert!(edited.contains("-> 200") && edited.contains("INC-1042"), "{edited}");
    let other = step(6);
    assert!(other.contains("-> 200") && other.contains("-> 403") && other.contains("PostgreSQL"), "{other}");
    assert!(step(7).contains("-> 401") && step(7).contains("invalid_client"), "{}", step(7));
    let dead = step(8);
    assert!(dead.contains("ServiceNow sync is deleted") && dead.contains("-> 401"), "{dead}");
}

#[test]
fn a_demo_is_for_an_empty_database_on_loopback() {
    let hub = Installation::new();
    hub.key("Grafana", &["Operator"]);
    let refused = hub.run(&["serve", "--demo", "--listen", "127.0.0.1:0"]).code(1);
    assert!(refused.stderr.contains("empty") && refused.stderr.contains("--data-dir"), "{refused:?}");
    let far =
        ["serve", "--demo", "--listen", "0.0.0.0:0", "--public-url", "https://h.example", "--behind-proxy", "10.0.0.1"];
    assert!(hub.run(&far).code(1).stderr.contains("loopback"));
}
