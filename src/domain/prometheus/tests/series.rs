//! Matchers, filters and the judgement of single series say the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;

use super::super::{Enforcement, MatchOp, Matcher};
use super::labels;
use crate::domain::data_filter::DataFilter;

/// As Prometheus judges: the expression stands for the whole value.
fn holds(matcher: &Matcher, series: &BTreeMap<String, String>) -> bool {
    let value = series.get(matcher.label.as_str()).map_or("", String::as_str);
    let regex = || Regex::new(&format!("^(?:{})$", matcher.value)).expect("an expression");
    match matcher.op {
        MatchOp::Equal => value == matcher.value,
        MatchOp::NotEqual => value != matcher.value,
        MatchOp::Regex => regex().is_match(value),
        MatchOp::NotRegex => !regex().is_match(value),
    }
}

fn value() -> impl Strategy<Value = String> + Clone {
    select(vec!["", "eu", "us", "eu-1", "eu.1", "a|b", "(", "\\", "é", "EU"]).prop_map(str::to_owned)
}

/// Values of series also hold what no filter can.
fn wild_value() -> impl Strategy<Value = String> + Clone {
    prop_oneof![value(), select(vec!["e\nu", "\n", "eu\n", "e\0u"]).prop_map(str::to_owned)]
}

fn condition() -> impl Strategy<Value = String> {
    let key = select(vec!["user.department", "region", "job", "metric"]);
    let quoted = |value: String| format!("\"{}\"", value.replace('\\', "\\\\"));
    let test = prop_oneof![
        value().prop_map(move |value| format!("= {}", quoted(value))),
        value().prop_map(move |value| format!("!= {}", quoted(value))),
        vec(value(), 1..4)
            .prop_map(move |all| format!("IN ({})", all.into_iter().map(quoted).collect::<Vec<_>>().join(","))),
        vec(value(), 1..4)
            .prop_map(move |all| format!("NOT IN ({})", all.into_iter().map(quoted).collect::<Vec<_>>().join(","))),
        select(vec!["EXISTS", "NOT EXISTS", "LIKE \"eu*\"", "LIKE \"*\"", "LIKE \"*u*1\"", "LIKE \"a|*\""])
            .prop_map(str::to_owned),
        select(vec![
            "e.*",
            ".",
            ".+",
            "[a-z]+",
            "[^e]*",
            "(eu|us)(-1)?",
            "eu|us",
            "",
            "^e.u$",
            "[|(]",
            "e{1,2}u",
            "\\\\\\\\|é",
            "()|us",
        ])
        .prop_map(|pattern| format!("MATCHES \"{pattern}\"")),
    ];
    (key, test).prop_map(|(key, test)| format!("{key} {test}"))
}

fn filter() -> impl Strategy<Value = String> {
    condition().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" AND "))),
            vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("NOT {part}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn sec_25_matchers_say_what_the_filters_say(
        texts in vec(filter(), 1..4),
        rows in vec(btree_map(select(vec!["department", "region", "job", "__name__"]).prop_map(str::to_owned), wild_value(), 0..4), 1..12),
    ) {
        let filters: Vec<Arc<DataFilter>> = texts.iter().map(|text| Arc::new(text.parse().expect(text))).collect();
        let Ok(enforcement) = Enforcement::compile(&filters, &labels()) else { return Ok(()) };
        for series in rows {
            let all = enforcement.conjunctions().iter();
            let satisfied = all.filter(|all| all.matchers().iter().all(|own| holds(own, &series))).count();
            prop_assert!(satisfied < 2 || enforcement.overlap());
            let permitted = enforcement.permits(&|label| series.get(label).map(String::as_str));
            prop_assert_eq!(satisfied > 0, permitted, "{:?} {:?} {:?}", texts, series, enforcement.conjunctions());
        }
    }
}
