//! What a failed client authentication costs, in instructions, under valgrind: nobody learns from the time why it failed.

use std::path::PathBuf;
use std::process::Command;

/// Each kind of failure of `examples/client_authentication_cost.rs`.
const KINDS: [&str; 7] = ["unknown", "wrong", "expired", "overlap-ended", "deleted", "disabled", "network"];

/// Enough for what happens once, making the tables, to weigh little; it is the same for every kind.
const COUNT: u64 = 200;

#[test]
fn sec_03_every_failure_of_a_client_costs_the_same() {
    let costs: Vec<(&str, u64)> = KINDS.into_iter().map(|kind| (kind, instructions(kind, COUNT) / COUNT)).collect();
    println!("instructions per failure: {costs:?}");
    let least = costs.iter().map(|(_, cost)| *cost).min().expect("several kinds");
    let most = costs.iter().map(|(_, cost)| *cost).max().expect("several kinds");
    assert!(least > 1_000, "something was measured: {costs:?}");
    assert!((most - least) * 100 <= least, "more than 1 % apart: {costs:?}");
}

/// The instructions of `count` authentications of this kind.
fn instructions(kind: &str, count: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=gateway_hub::oauth::client_auth::authenticate")
        .arg(example())
        .args([kind, &count.to_string()])
        .output()
        .expect("valgrind is installed: see tests/install");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{kind}: {log}");
    let collected =
        log.lines().find_map(|line| line.split_once("Collected :")).expect("callgrind says what it counted");
    collected.1.trim().parse().expect("a number")
}

/// `cargo test` builds the examples beside the tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a program");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("it lies in target/PROFILE/deps");
    folder.join("examples/client_authentication_cost")
}
