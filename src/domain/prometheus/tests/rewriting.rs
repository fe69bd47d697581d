//! What is sent, what is refused, and attacks on it (line 25 of the security contract).

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::promql::{Limits, parse, selectors};
use super::super::selector::is_limited;
use super::super::{Enforcement, all_selectors, rewrite, rewrite_selectors};
use super::enforcement;

const ONE: &[&str] = &["user.department = fx"];
const TWO: &[&str] = &["user.department = fx OR region = eu"];
const THREE: &[&str] = &["region = eu AND job = a", "region = us AND job = b", "user.department LIKE \"f*\""];
const ABSENT: &[&str] = &["region NOT EXISTS"];

#[track_caller]
fn sent(query: &str, filters: &[&str]) -> String {
    rewrite(query, &enforcement(filters)).unwrap_or_else(|fault| panic!("{query}: {fault}"))
}

#[track_caller]
fn refused(query: &str, filters: &[&str]) -> String {
    match rewrite(query, &enforcement(filters)) {
        Ok(text) => panic!("{query} became {text}"),
        Err(fault) => {
            assert!(!fault.is_ours(), "{query}: {fault}");
            fault.to_string()
        }
    }
}

#[test]
fn sec_25_one_conjunction_is_appended() {
    for (query, wanted) in [
        ("up", r#"{__name__="up",department="fx"}"#),
        ("up{a=\"b\"}[5m] offset 1m", r#"{__name__="up",a="b",department="fx"}[5m] offset 1m"#),
        ("rate(up[5m])", r#"rate({__name__="up",department="fx"}[5m])"#),
        ("{__name__=\"up\"}", r#"{__name__="up",department="fx"}"#),
        // Always AND: another's series give nothing.
        ("up{department=\"it\"}", r#"{__name__="up",department="it",department="fx"}"#),
        ("up{department=~\".*\"}", r#"{__name__="up",department=~".*",department="fx"}"#),
        ("1 + 1", "1 + 1"),
        ("vector(time())", "vector(time())"),
    ] {
        assert_eq!(sent(query, ONE), wanted);
    }
}

#[test]
fn several_conjunctions_are_joined() {
    let s1 = r#"{__name__="up",department="fx"}"#;
    let s2 = r#"{__name__="up",department!="fx",region="eu"}"#;
    for (query, wanted) in [
        ("up", format!("({s1} or {s2})")),
        ("sum by (a) (up)", format!("sum by (a) (({s1} or {s2}))")),
        ("rate(up[5m])", format!("(rate({s1}[5m]) or rate({s2}[5m]))")),
        ("rate((up[5m]))", format!("(rate({s1}[5m]) or rate({s2}[5m]))")),
        ("rate(up[5m:1m])", format!("rate(({s1} or {s2})[5m:1m])")),
        ("up @ 5 offset 1m", format!("({s1} @ 5 offset 1m or {s2} @ 5 offset 1m)")),
        ("timestamp(up)", format!("(timestamp({s1}) or timestamp({s2}))")),
        ("timestamp((up))", format!("(timestamp({s1}) or timestamp({s2}))")),
        ("timestamp(-up)", format!("timestamp(-({s1} or {s2}))")),
        (
            "quantile_over_time(scalar(up), up[5m])",
            format!(
                "(quantile_over_time(scalar(({s1} or {s2})), {s1}[5m]) or quantile_over_time(scalar(({s1} or {s2})), {s2}[5m]))"
            ),
        ),
        ("predict_linear(up[5m], 60)", format!("(predict_linear({s1}[5m], 60) or predict_linear({s2}[5m], 60))")),
        ("-up", format!("-({s1} or {s2})")),
        ("scalar(up) + up", format!("scalar(({s1} or {s2})) + ({s1} or {s2})")),
        ("up or vector(0)", format!("({s1} or {s2}) or vector(0)")),
        // What the query itself rules out is left out.
        ("up{region=\"us\"}", r#"{__name__="up",region="us",department="fx"}"#.to_owned()),
        (
            "up{region=\"us\",department=\"it\"}",
            r#"{__name__="up",region="us",department="it",department="fx"}"#.to_owned(),
        ),
    ] {
        assert_eq!(sent(query, TWO), wanted);
    }
}

/// `absent()` copies `=` matchers into its answer, and drops a label that has two.
#[test]
fn sec_25_absent_answers_with_the_callers_labels_only() {
    for (query, filters, wanted) in [
        ("absent(up)", ONE, r#"absent({__name__="up",department=~"fx"})"#),
        ("absent(up{department=\"fx\"})", ONE, r#"absent({__name__="up",department="fx"})"#),
        (
            "absent(up{department=\"it\"})",
            ONE,
            r#"absent({__name__="up",department="it",__name__="-none-",__name__="-never-"})"#,
        ),
        ("absent_over_time(up[5m])", ONE, r#"absent_over_time({__name__="up",department=~"fx"}[5m])"#),
        ("absent(((up)))", ONE, r#"absent({__name__="up",department=~"fx"})"#),
        ("absent(up)", ABSENT, r#"absent({__name__="up",region=~""})"#),
        ("absent(sum(up))", ONE, r#"absent(sum({__name__="up",department="fx"}))"#),
        (
            "absent(up{a=\"b\"} offset 1m)",
            TWO,
            r#"(absent({__name__="up",a="b",department=~"fx"} offset 1m) and absent({__name__="up",a="b",department!="fx",region=~"eu"} offset 1m))"#,
        ),
        (
            "absent_over_time(up[5m:1m])",
            TWO,
            r#"absent_over_time(({__name__="up",department="fx"} or {__name__="up",department!="fx",region="eu"})[5m:1m])"#,
        ),
    ] {
        assert_eq!(sent(query, filters), wanted);
    }
}

#[test]
fn every_match_becomes_selectors_for_all_conjunctions() {
    let selectors = |text: &str, filters: &[&str]| rewrite_selectors(text, &enforcement(filters));
    assert_eq!(selectors("up", ONE).expect("good"), [r#"{__name__="up",department="fx"}"#]);
    let two = [r#"{__name__="up",department="fx"}"#, r#"{__name__="up",department!="fx",region="eu"}"#];
    assert_eq!(selectors("up", TWO).expect("good"), two);
    for bad in ["up[5m]", "up offset 5m", "sum(up)", "up or up", "{}", "{a=\"\"}", ""] {
        assert!(selectors(bad, ONE).is_err(), "{bad}");
    }
    // Nothing is joined, so a metric name may be filtered by without being given.
    let by_name = ["metric = up OR region = eu"];
    assert_eq!(selectors("{a=\"b\"}", &by_name).expect("good").len(), 2);

    assert_eq!(all_selectors(&enforcement(TWO)), [r#"{department="fx"}"#, r#"{department!="fx",region="eu"}"#]);
    assert_eq!(all_selectors(&enforcement(ABSENT)), [r#"{region="",__name__!=""}"#]);
    assert_eq!(all_selectors(&enforcement(&["region EXISTS OR region NOT EXISTS"])), [r#"{__name__!=""}"#]);
    assert_eq!(all_selectors(&enforcement(&[])), [r#"{__name__="-none-",__name__="-never-"}"#]);
}

/// The parameter of an aggregation reads series too: `quantile(scalar(secret)/100, x)` tells the value of `secret`.
#[test]
fn sec_25_the_parameter_of_an_aggregation_is_limited() {
    for filters in [ONE, TWO, THREE] {
        for query in ["quantile(scalar(secret) / 100, up)", "topk(scalar(secret), up)", "limitk(scalar(secret), up)"] {
            let text = sent(query, filters);
            assert!(!text.contains(r#"{__name__="secret"}"#), "{text}");
            let count = enforcement(filters).conjunctions().len();
            assert_eq!(text.matches(r#"{__name__="secret","#).count(), count, "{text}");
        }
    }
}

#[test]
fn sec_25_every_selector_carries_a_whole_conjunction() {
    let everywhere = "sum by (a) (rate(a[5m])) / on (a) group_left () (quantile_over_time(scalar(b), c[5m]) or absent(d)) \
        unless label_replace(timestamp(e), \"x\", \"$1\", \"y\", \"(.*)\") + topk(scalar(f), -g ^ scalar(h @ start())) \
        > bool max_over_time((i offset 5m - j)[1h:5m] offset 1d) and absent_over_time(k[5m]) \
        or histogram_quantile(scalar(l), m) or count_values(\"v\", n) or vector(scalar(o)) or (((p)))";
    for filters in [ONE, TWO, THREE, ABSENT] {
        let enforcement = enforcement(filters);
        let text = rewrite(everywhere, &enforcement).expect("good");
        let found = selectors(&text).expect("as printed");
        for name in "abcdefghijklmnop".chars() {
            let named =
                |own: &super::super::promql::LabelMatcher| own.label == "__name__" && own.value == name.to_string();
            let of_name: Vec<_> = found.iter().filter(|selector| selector.iter().any(named)).collect();
            assert!(of_name.len() >= enforcement.conjunctions().len(), "{name}: {text}");
            assert!(of_name.iter().all(|selector| is_limited(selector, &enforcement)), "{name}: {text}");
        }
    }
}

/// Where a query could reach beyond its matchers, it is refused.
#[test]
fn sec_25_what_cannot_be_limited_is_refused() {
    for (query, reason) in [
        ("info(up)", "info()"),
        ("info(up, {a=\"b\"})", "info()"),
        ("{a=\"b\" or __name__=\"secret\"}", "`or` within braces"),
        ("up{a=\"b\" or c=\"d\"}", "`or` within braces"),
        ("{a=\"\\xff\"}", "single byte"),
        ("{}", "needs a metric name"),
        ("{a=\"\"}", "needs a metric name"),
        ("{a=~\".*\"}", "needs a metric name"),
        ("{a!=\"b\"}", "needs a metric name"),
        ("{a!~\"b\",c=~\"(d|)\"}", "needs a metric name"),
        ("{a=~\"(?P<x\"}", "can't be read"),
        ("{a=~\"(((((a{1,1000}){1,1000}){1,1000})\"}", "can't be read"),
        ("exec(up)", "is not known"),
        ("up and", "expected an expression"),
        ("foo[1e30] + 1", "can't take"),
        ("union(up, secret)", "is not known"),
        ("WITH (x = up) x", "is not known"),
        ("up if secret", "expected an operator"),
        ("up keep_metric_names", "expected an operator"),
        ("rate(up)", "expected a range vector"),
        ("up[5i]", "expected a number"),
        ("(up, secret)", "expected `)`"),
        ("up{a=\"b\"}{c=\"d\"}", "expected an operator"),
    ] {
        for filters in [ONE, TWO] {
            let found = refused(query, filters);
            assert!(found.contains(reason), "{query}: {found}");
        }
    }
    assert!(refused("up[5m]", TWO).contains("can only stand in a function"));
    assert!(refused("{a=\"b\"}", &["metric = up OR region = eu"]).contains("needs a metric name"));
    let by_name = ["metric = up OR region = eu"];
    assert_eq!(sent("up", &by_name), r#"{__name__="up",__name__="up"}"#);
    assert_eq!(sent("secret", &by_name), r#"{__name__="secret",__name__!="up",region="eu"}"#);
}

/// What looks like matchers within strings and comments is neither.
#[test]
fn sec_25_strings_and_comments_do_not_close_braces() {
    for query in [
        r#"up{a="}"}"#,
        r#"up{a="\"}", b='"}'}"#,
        "up{a=`\"}`}",
        "up # {} \n",
        "up{ # } \n a=\"b\"}",
        r#"label_replace(up, "a", "{__name__=\"secret\"}", "b", "(.*)")"#,
        r#"count_values("} or secret", up)"#,
        "up{a=\"\\x22} or secret{b=\\x22\"}",
    ] {
        let enforcement = enforcement(TWO);
        let text = rewrite(query, &enforcement).unwrap_or_else(|fault| panic!("{query}: {fault}"));
        let found = selectors(&text).expect("as printed");
        assert!(found.iter().all(|selector| is_limited(selector, &enforcement)), "{text}");
        assert_eq!(found.len(), 2, "{text}");
    }
}

/// Printed as written: a negative `@`, empty lists, numbers beyond any type.
#[test]
fn numbers_and_modifiers_reach_the_upstream_as_they_are() {
    for (query, wanted) in [
        ("up @ -100", "} @ -100"),
        ("up[1e30]", "}[1e30]"),
        ("up offset 1e30", "} offset 1e30"),
        ("up[5m:1e300]", "}[5m:1e300]"),
        ("up[0.]", "}[0.]"),
        ("up offset 0", "} offset 0"),
        ("up * ignoring() group_left() up", " * ignoring () group_left () "),
        ("up * on() group_right(a) up", " * on () group_right (a) "),
    ] {
        let text = sent(query, ONE);
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn sec_25_bombs_are_refused() {
    for count in [2_000, 200_000] {
        for (open, close) in [("(", ")"), ("-", ""), ("up+", ""), ("up^", ""), ("absent(", ")"), ("sum(", ")")] {
            refused(&format!("{}up{}", open.repeat(count), close.repeat(count)), TWO);
        }
    }
    // Each level would double the query.
    let mut query = "up".to_owned();
    for _ in 0..40 {
        query = format!("quantile_over_time(scalar({query}), up[5m])");
    }
    assert!(refused(&query, TWO).contains("too long"));
    let wide = vec!["up{a=~\"x+\"}"; 480].join("+");
    assert!(rewrite(&wide, &enforcement(THREE)).is_ok());
    let many: Vec<String> = (0..32).map(|n| format!("region = r{n} AND job = j{n}")).collect();
    let text = rewrite(&wide, &enforcement(&[&many.join(" OR ")])).map(|text| text.len());
    assert!(text.is_err() || text.is_ok_and(|length| length < 2 * 512 * 1024));
}

/// The largest queries that are read take little of a worker's stack, in a build without optimisation too.
#[test]
fn sec_25_the_largest_queries_need_little_stack() {
    let work = || {
        for (open, close, count) in [
            ("(", ")", 98),
            ("-", "", 98),
            ("sum(", ")", 98),
            ("abs(", ")", 98),
            ("absent(", ")", 98),
            ("quantile(scalar(", "), up)", 48),
            ("max_over_time((", ")[5m:1m])", 48),
            ("up ^ ", "", 98),
            ("up - ", "", 499),
            ("(up - up * -up ^ ", ")", 19),
        ] {
            let query = format!("{}up{}", open.repeat(count), close.repeat(count));
            for filters in [ONE, TWO, THREE] {
                assert!(rewrite(&query, &enforcement(filters)).is_ok(), "{query}");
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(1536 * 1024).spawn(work).expect("a thread");
    thread.join().expect("it survives");
}

/// A query of any shape, many of them without sense.
fn query() -> impl Strategy<Value = String> {
    let selector = select(vec![
        "up",
        "up{a=\"b\"}",
        "{job=~\"a.*\"}",
        "up{region=\"eu\"}",
        "up{department=\"it\"}",
        "up offset 5m",
        "up @ end()",
        "{__name__=\"secret\",region!=\"\"}",
        "sum",
        "up{department=\"fx\",region=\"us\"}",
    ])
    .prop_map(str::to_owned);
    let leaf = prop_oneof![4 => selector, 1 => select(vec!["1", "time()", "vector(1)"]).prop_map(str::to_owned)];
    leaf.prop_recursive(6, 40, 3, |inner| {
        let range = select(vec!["rate", "absent_over_time", "last_over_time", "deriv"]);
        let plain = select(vec![
            "abs",
            "absent",
            "timestamp",
            "sort",
            "scalar",
            "sum",
            "sum by (a)",
            "count without ()",
            "-",
            "",
        ]);
        let operator =
            select(vec!["+", "-", "*", "^", "==", "> bool", "and", "or", "unless on (a)", "/ on (a) group_left ()"]);
        prop_oneof![
            (plain, inner.clone()).prop_map(|(name, inner)| format!("{name}({inner})")),
            (range.clone(), inner.clone()).prop_map(|(name, inner)| format!("{name}(({inner})[5m:1m])")),
            (range, select(vec!["up", "up{region=\"eu\"}"]))
                .prop_map(|(name, inner)| format!("{name}({inner}[5m] offset 1m)")),
            (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("quantile(scalar({left}), {right})")),
            (inner.clone(), inner).prop_map(|(left, _)| format!("quantile_over_time(scalar({left}), up[5m])")),
        ]
    })
}

fn check(query: &str, enforcement: &Enforcement) -> Result<bool, TestCaseError> {
    match rewrite(query, enforcement) {
        Err(fault) => prop_assert!(!fault.is_ours(), "{query}: {fault}"),
        Ok(text) => {
            let asked = selectors(&parse(query, Limits::QUERY).expect("it was read").to_string()).expect("as printed");
            let found = selectors(&text).expect("as printed");
            prop_assert!(found.len() >= asked.len(), "{text}");
            prop_assert!(found.iter().all(|selector| is_limited(selector, enforcement)), "{text}");
            return Ok(true);
        }
    }
    Ok(false)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sec_25_whatever_is_asked_every_selector_carries_a_whole_conjunction(query in query(), which in 0..4_usize) {
        check(&query, &enforcement([ONE, TWO, THREE, ABSENT][which]))?;
    }

    #[test]
    fn no_text_makes_it_panic(text in vec(any::<char>(), 0..80).prop_map(String::from_iter), pieces in vec(select(vec![
        "up", "{", "}", "a=\"b\"", ",", "(", ")", "[5m]", "[5m:]", "sum", "rate(", "absent(", " or ", "\"", "\\", "@ 1", "offset",
    ]), 0..12)) {
        check(&text, &enforcement(TWO))?;
        check(&pieces.concat(), &enforcement(TWO))?;
    }
}
