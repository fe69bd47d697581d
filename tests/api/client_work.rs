//! SECURITY 3, counted: every failure of client authentication takes the same instructions, within 1 %.
//!
//! The counting runs this test binary again under Valgrind, which counts what each of the functions below costs.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    process::Command,
};

use axum::response::IntoResponse as _;
use gateway_hub::{
    app::App,
    oauth::{client_auth::authenticate, form::Form},
};
use http::HeaderMap;

use crate::{support::Hub, token::failures};

/// How often each kind fails; the throttle of failures is not reached, as the clock moves on in between.
const ROUNDS: usize = 40;

/// The largest difference between two kinds, in parts of the cheaper one.
const TOLERANCE: f64 = 0.01;

struct Work<'a> {
    app: &'a App,
    body: &'a [u8],
}

impl Work<'_> {
    /// From the read form to the written answer.
    fn fail(&self) {
        let form = Form::parse(self.body).expect("a form");
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let refused = authenticate(self.app, &HeaderMap::new(), &form, here);
        let error = refused.err().expect("these credentials are refused");
        assert_eq!(error.into_response().status(), 401);
    }
}

/// Functions of their own, so that Valgrind tells them apart.
macro_rules! kinds {
    ($($name:ident: $kind:literal),* $(,)?) => {
        $(#[inline(never)]
        fn $name(work: &Work<'_>) {
            work.fail();
        })*

        fn measured(kind: &str) -> fn(&Work<'_>) {
            match kind {
                $($kind => $name,)*
                _ => panic!("no function for {kind}"),
            }
        }

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

kinds! {
    failing_unknown_client: "unknown client",
    failing_others_secret: "another's secret",
    failing_expired: "expired",
    failing_deleted: "deleted",
    failing_replaced_secret: "replaced secret",
    failing_disabled: "disabled",
    failing_network: "network not allowed",
}

#[tokio::test]
#[ignore = "run under Valgrind by sec_03_every_failure_of_a_client_takes_the_same_work"]
async fn each_kind_of_failure() {
    let hub = Hub::with_manual_clock().await;
    let kinds = failures(&hub).await;
    for round in 0..ROUNDS + 2 {
        for (kind, id, secret) in &kinds {
            let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
            let work = Work { app: &hub.app, body: body.as_bytes() };
            // The first rounds fill tables and make lazy things.
            if round < 2 { work.fail() } else { measured(kind)(&work) }
        }
        hub.advance(5).await;
    }
}

#[test]
fn sec_03_every_failure_of_a_client_takes_the_same_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let counts = folder.path().join("callgrind.out");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(std::env::current_exe().expect("this program"))
        .args(["--ignored", "--exact", "client_work::each_kind_of_failure", "--test-threads=1"])
        .output()
        .expect("valgrind (Debian: apt-get install valgrind)");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let table = Command::new("callgrind_annotate")
        .args(["--inclusive=yes", "--threshold=100"])
        .arg(&counts)
        .output()
        .expect("callgrind_annotate, which comes with valgrind");
    let table = text(&table.stdout);
    let costs: BTreeMap<&str, f64> =
        NAMES.iter().filter_map(|name| Some((*name, cost(&table, name)? / ROUNDS as f64))).collect();
    println!("instructions for each failure: {costs:#?}");
    assert_eq!(costs.len(), NAMES.len(), "every kind was measured: {costs:?}");
    let lowest = costs.values().copied().fold(f64::INFINITY, f64::min);
    let highest = costs.values().copied().fold(0.0, f64::max);
    assert!(lowest > 1_000.0, "two keyed hashes cost more than that: {costs:?}");
    assert!(highest / lowest <= 1.0 + TOLERANCE, "{costs:#?}");
}

/// The inclusive cost of a function in the table, `1,234,567 (12.3%) file:name [object]`.
fn cost(table: &str, name: &str) -> Option<f64> {
    let line = table.lines().find(|line| line.contains(name))?;
    line.split_whitespace().next()?.replace(',', "").parse().ok()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
