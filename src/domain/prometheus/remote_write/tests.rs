//! Remote write.

use std::sync::Arc;

use proptest::prelude::*;

use super::checked;
use crate::domain::data_filter::DataFilter;
use crate::domain::prometheus::samples::{labels, labels_of, series};
use crate::domain::prometheus::wire::{Fields, close, open, put};
use crate::domain::prometheus::{Enforcement, RequestFault};

fn enforcement(filter: &str) -> Enforcement {
    Enforcement::compile(&[Arc::new(DataFilter::parse(filter).unwrap())], &labels()).unwrap()
}

fn message(series: &[Vec<u8>]) -> Vec<u8> {
    let mut message = Vec::new();
    for one in series {
        put(1, one, &mut message);
    }
    message
}

fn block(series: &[Vec<u8>]) -> Vec<u8> {
    close(&message(series)).unwrap().to_vec()
}

fn opened(block: &[u8]) -> Vec<u8> {
    open(block, 1 << 20).unwrap()
}

const METADATA: &[u8] = b"\x1a\x02up";

#[test]
fn labels_are_sorted_and_empty_ones_left_out() {
    let given = block(&[series(&[("l_team", "a"), ("__name__", "up"), ("x", "")])]);
    let made = opened(&checked(&given, None).unwrap());
    assert_eq!(made, message(&[series(&[("__name__", "up"), ("l_team", "a")])]));
}

#[test]
fn values_keep_their_bits() {
    let mut one = series(&[("__name__", "up")]);
    for bits in [0x7ff0_0000_0000_0002_u64, 0x8000_0000_0000_0000, u64::MAX] {
        let mut sample = vec![0x09];
        sample.extend(bits.to_le_bytes());
        put(2, &sample, &mut one);
    }
    put(4, b"\x08\x01histogram", &mut one);
    assert_eq!(opened(&checked(&block(&[one.clone()]), None).unwrap()), message(&[one]));
}

#[test]
fn what_is_not_known_is_not_passed_on() {
    let mut given = message(&[[series(&[("__name__", "up")]), b"\x7a\x01x".to_vec()].concat()]);
    given.extend_from_slice(METADATA);
    put(9, b"unknown", &mut given);
    let mut wanted = message(&[series(&[("__name__", "up")])]);
    assert_eq!(opened(&checked(&close(&given).unwrap(), Some(&enforcement("team NOT EXISTS"))).unwrap()), wanted);
    // Metadata speaks of a metric whatever the team: it passes without a filter only.
    wanted.extend_from_slice(METADATA);
    assert_eq!(opened(&checked(&close(&given).unwrap(), None).unwrap()), wanted);
}

/// SECURITY 27: an edit filter holds for every series of a write.
#[test]
fn sec_27_one_series_outside_the_filter_refuses_all() {
    let filter = enforcement("team = a OR env = test");
    let good = [
        series(&[("__name__", "up"), ("l_team", "a")]),
        series(&[("__name__", "up"), ("l_team", "b"), ("l_env", "test")]),
    ];
    checked(&block(&good), Some(&filter)).unwrap();
    for bad in [
        &[("__name__", "up")][..],
        &[("__name__", "up"), ("l_team", "b")],
        &[("__name__", "up"), ("team", "a")],
        &[("__name__", "up"), ("L_team", "a")],
        &[("__name__", "up"), ("l_team", "a ")],
        &[("__name__", "up"), ("l_team", "ab"), ("l_env", "")],
    ] {
        let fault = checked(&block(&[good[0].clone(), series(bad)]), Some(&filter)).unwrap_err();
        assert!(matches!(&fault, RequestFault::Outside { series } if series.starts_with("up")), "{bad:?} {fault:?}");
        checked(&block(&[series(bad)]), None).unwrap();
    }
}

/// SECURITY 27: which of two labels counts would be the upstream's choice.
#[test]
fn sec_27_forged_labels_are_refused() {
    let filter = enforcement("team = a");
    for bad in [
        &[("__name__", "up"), ("l_team", "a"), ("l_team", "b")][..],
        &[("__name__", "up"), ("l_team", "b"), ("l_team", "a")],
        &[("__name__", "up"), ("l_team", "a"), ("l_team", "a")],
        &[("__name__", "up"), ("l_team", "a"), ("l_team", "")],
        &[("__name__", "up"), ("__name__", "down"), ("l_team", "a")],
        &[("l_team", "a")],
        &[("__name__", ""), ("l_team", "a")],
        &[("__name__", "up"), ("l_team", "a"), ("", "x")],
    ] {
        for filter in [Some(&filter), None] {
            let fault = checked(&block(&[series(bad)]), filter).unwrap_err();
            assert!(matches!(fault, RequestFault::Malformed(_)), "{bad:?} {fault:?}");
        }
    }
    // Some upstreams make underscores of other characters, and so another label; or take a tenant from labels.
    for bad in [
        &[("__name__", "up"), ("l_team", "a"), ("l.team", "b")][..],
        &[("__name__", "up"), ("l_team", "a"), ("l-team", "b")],
        &[("__name__", "up"), ("l_team", "a"), ("l_team\0", "b")],
        &[("__name__", "up.x"), ("l_team", "a")],
        &[("__name__", "up"), ("l_team", "a"), ("vm_account_id", "7")],
        &[("__name__", "up"), ("l_team", "a"), ("vm_project_id", "7")],
    ] {
        assert!(checked(&block(&[series(bad)]), Some(&filter)).is_err(), "{bad:?}");
    }
    checked(&block(&[series(&[("__name__", "job:up:sum"), ("l_team", "a")])]), Some(&filter)).unwrap();
}

#[test]
fn a_label_whose_value_is_given_twice_is_what_is_written() {
    // The last value of a repeated field counts, here and in what is made of it.
    let mut twice = Vec::new();
    put(1, b"l_team", &mut twice);
    put(2, b"a", &mut twice);
    put(2, b"b", &mut twice);
    let mut one = series(&[("__name__", "up")]);
    put(1, &twice, &mut one);
    assert!(checked(&block(&[one.clone()]), Some(&enforcement("team = a"))).is_err());
    let made = opened(&checked(&block(&[one]), Some(&enforcement("team = b"))).unwrap());
    let wanted = message(&[series(&[("__name__", "up"), ("l_team", "b")])]);
    assert_eq!(made, wanted);
}

#[test]
fn bombs_are_not_read() {
    let large = series(&[("__name__", "up"), ("x", &"x".repeat(1 << 20))]);
    assert!(matches!(checked(&block(&[large]), None), Err(RequestFault::TooLarge(_))));
    let bomb = close(&vec![0; 33 << 20]).unwrap();
    assert!(matches!(checked(&bomb, None), Err(RequestFault::TooLarge(_))));
    for bad in [&b"\xff\xff\xff\xff\x0f"[..], b"\x05hello", b""] {
        assert!(checked(bad, None).is_err(), "{bad:?}");
    }
    for bad in [&b"\x0a\xff\x01"[..], b"\x08\x01", b"\x0b", b"\x0a\x02\x0a\x05", b"\x0a\x04\x0a\x02\xff\xff"] {
        assert!(matches!(checked(&close(bad).unwrap(), None), Err(RequestFault::Malformed(_))), "{bad:?}");
    }
}

proptest! {
    /// Whatever the bytes: what passes under a filter holds permitted series only.
    #[test]
    fn what_passes_is_permitted(
        all in proptest::collection::vec(
            proptest::collection::vec(("__name__|l_team|l_env|x", "|a|b|test"), 0..4),
            0..4,
        ),
        noise in proptest::collection::vec(any::<u8>(), 0..8),
        at in any::<prop::sample::Index>(),
    ) {
        let filter = enforcement("team = a OR env = test");
        let all: Vec<Vec<u8>> = all
            .iter()
            .map(|labels| series(&labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>()))
            .collect();
        let mut given = message(&all);
        let at = at.index(given.len() + 1);
        given.splice(at..at, noise);
        if let Ok(made) = checked(&close(&given).unwrap(), Some(&filter)) {
            for field in Fields(&opened(&made)) {
                let (number, content) = field.unwrap();
                prop_assert_eq!(number, 1);
                let found = labels_of(content.unwrap());
                let value = |name: &str| found.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
                prop_assert!(filter.permits(&value), "{:?}", found);
            }
        }
    }
}
