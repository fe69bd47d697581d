//! What a failed client authentication costs, in instructions, under valgrind: nobody learns from the time why it failed.

#[path = "support/callgrind.rs"]
mod callgrind;

use std::path::PathBuf;

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
    callgrind::instructions("gateway_hub::oauth::client_auth::authenticate", &example(), &[kind, &count.to_string()])
}

/// `cargo test` builds the examples beside the tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("this test is a program");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("it lies in target/PROFILE/deps");
    folder.join("examples/client_authentication_cost")
}
