use proptest::prelude::*;

use super::function::{AGGREGATIONS, Function};
use super::{Limits, parse, parse_selector, selectors};

#[track_caller]
fn printed(query: &str) -> String {
    parse(query, Limits::QUERY).unwrap_or_else(|fault| panic!("{query}: {fault}")).to_string()
}

#[track_caller]
fn fault(query: &str) -> String {
    match parse(query, Limits::QUERY) {
        Ok(read) => panic!("{query} was read as {read}"),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn queries_are_printed_so_that_nothing_depends_on_the_reader() {
    for (query, wanted) in [
        ("up", r#"{__name__="up"}"#),
        ("up{}", r#"{__name__="up"}"#),
        ("up{a='b',c!=`d`,}", r#"{__name__="up",a="b",c!="d"}"#),
        (r#"{__name__=~"u.*", a!~"b"}"#, r#"{__name__=~"u.*",a!~"b"}"#),
        ("job:up:sum{a=\"b\"}", r#"{__name__="job:up:sum",a="b"}"#),
        ("up[5m]", r#"{__name__="up"}[5m]"#),
        ("up[5m] offset 1h30m @ 10", r#"{__name__="up"}[5m] @ 10 offset 1h30m"#),
        ("up offset -5m", r#"{__name__="up"} offset -5m"#),
        ("up @ -100", r#"{__name__="up"} @ -100"#),
        ("up @ +1e3", r#"{__name__="up"} @ 1e3"#),
        ("up @ start() offset 1d", r#"{__name__="up"} @ start() offset 1d"#),
        ("up @ END ( )", r#"{__name__="up"} @ end()"#),
        ("up[5m:]", r#"{__name__="up"}[5m:]"#),
        ("up offset 1m [10m:5s]", r#"{__name__="up"} offset 1m[10m:5s]"#),
        ("(up)[5m:1m] offset 1m", r#"({__name__="up"})[5m:1m] offset 1m"#),
        ("sum(up)", r#"sum({__name__="up"})"#),
        ("SUM BY (a, b,) (up)", r#"sum by (a, b) ({__name__="up"})"#),
        ("sum(up) without (a)", r#"sum without (a) ({__name__="up"})"#),
        ("sum by () (up)", r#"sum by () ({__name__="up"})"#),
        ("topk(3, up)", r#"topk(3, {__name__="up"})"#),
        ("quantile(scalar(up), up)", r#"quantile(scalar({__name__="up"}), {__name__="up"})"#),
        ("a + b * c ^ d", r#"{__name__="a"} + ({__name__="b"} * ({__name__="c"} ^ {__name__="d"}))"#),
        ("a ^ b ^ c", r#"{__name__="a"} ^ ({__name__="b"} ^ {__name__="c"})"#),
        ("a - b - c", r#"{__name__="a"} - {__name__="b"} - {__name__="c"}"#),
        ("a - b + c * d", r#"{__name__="a"} - {__name__="b"} + ({__name__="c"} * {__name__="d"})"#),
        ("a or b and c unless d", r#"{__name__="a"} or ({__name__="b"} and {__name__="c"} unless {__name__="d"})"#),
        ("-a ^ b", r#"-({__name__="a"} ^ {__name__="b"})"#),
        ("-a * b", r#"(-{__name__="a"}) * {__name__="b"}"#),
        ("2 ^ -1 * 3", "(2 ^ (-1)) * 3"),
        ("- - 1", "-(-1)"),
        ("+a", r#"+{__name__="a"}"#),
        ("-a[5m:1m]", ""),
        ("a == bool b", r#"{__name__="a"} == bool {__name__="b"}"#),
        ("a * ON (x) GROUP_LEFT b", r#"{__name__="a"} * on (x) group_left () {__name__="b"}"#),
        ("a / ignoring() group_right(y) b", r#"{__name__="a"} / ignoring () group_right (y) {__name__="b"}"#),
        ("a atan2 b", r#"{__name__="a"} atan2 {__name__="b"}"#),
        ("Inf + NaN * 0x1F - .5e-3", "Inf + (NaN * 0x1F) - .5e-3"),
        ("5. + 1e3", "5. + 1e3"),
        ("time() # a comment } \" \n + 1", "time() + 1"),
        ("sum", r#"{__name__="sum"}"#),
        ("and and and", r#"{__name__="and"} and {__name__="and"}"#),
        ("offset offset 5m", r#"{__name__="offset"} offset 5m"#),
        ("start", r#"{__name__="start"}"#),
        ("sum by (by, sum, inf) (a)", r#"sum by (by, sum, inf) ({__name__="a"})"#),
        (r#"{"a.b", "c.d"="e"}"#, r#"{__name__="a.b","c.d"="e"}"#),
        (r#"count_values("x\"y", a)"#, r#"count_values("x\"y", {__name__="a"})"#),
        (r#"label_join(a, "b", "-", "c", "d")"#, r#"label_join({__name__="a"}, "b", "-", "c", "d")"#),
        ("{a=\"\\x41\\u00e9\\n\\t\\\\\\101\\U0001F600\\\"\"}", "{a=\"Aé\\n\\x09\\\\A😀\\\"\"}"),
        (r"{a=`\d{1}`}", r#"{a="\\d{1}"}"#),
        (r"{a='it\'s'}", r#"{a="it's"}"#),
        ("up[0.]", r#"{__name__="up"}[0.]"#),
        ("up offset 0", r#"{__name__="up"} offset 0"#),
        ("up > 5m", r#"{__name__="up"} > 5m"#),
        ("label_replace(a, \"\", \"{}\", \"or }\", \"b\")", r#"label_replace({__name__="a"}, "", "{}", "or }", "b")"#),
    ] {
        if wanted.is_empty() {
            fault(query);
            continue;
        }
        let first = printed(query);
        assert_eq!(first, wanted, "{query}");
        assert_eq!(printed(&first), first, "what is printed is read as the same");
    }
}

#[test]
fn what_is_no_query_or_read_differently_is_refused_by_name() {
    for (query, reason) in [
        ("", "expected an expression, found the end"),
        ("a b", "character 3: expected an operator or the end, found `b`"),
        ("(a", "expected `)`"),
        ("a)", "expected an operator or the end, found `)`"),
        ("sum(a, b)", "wrong number of arguments in sum(…)"),
        ("topk(a)", "wrong number of arguments in topk(…)"),
        ("topk(a, b)", "expected a scalar in topk(…), found an instant vector"),
        ("rate(a)", "expected a range vector in rate(…), found an instant vector"),
        ("abs(a[5m])", "expected an instant vector in abs(…), found a range vector"),
        ("a[5m] + 1", "`+` can't take a range vector"),
        ("\"a\" + 1", "`+` can't take a string"),
        ("1 and 2", "`and` takes instant vectors"),
        ("1 > 2", "needs `bool`"),
        ("1 + bool 2", "`bool` stands only after comparisons"),
        ("a and on(x) group_left() b", "takes no group_left"),
        ("1 + on(x) a", "`on` and `ignoring` stand only between instant vectors"),
        ("info(a)", "the function info() is not known"),
        ("median_over_time(a[5m])", "the function median_over_time() is not known"),
        ("a{b=\"c\" or d=\"e\"}", "`or` within braces"),
        ("{or b=\"c\"}", "expected"),
        ("a{__name__=\"b\"}", "given twice"),
        ("a{\"b\"}", "given twice"),
        ("{a=\"\\xff\"}", "single byte above"),
        ("{a=\"\\377\"}", "single byte above"),
        ("{a=\"\\ud800\"}", "no character"),
        ("{a=\"\\q\"}", "unknown escape"),
        ("{a=\"\\x4\"}", "incomplete escape"),
        ("{a=\"b}", "does not end"),
        ("{a=`b}", "does not end"),
        ("{a=\"b\nc\"}", "line break"),
        ("{a=5}", "expected a string"),
        ("{5=\"a\"}", "expected a label"),
        ("{a:b=\"c\"}", "expected a label"),
        ("{a}", "expected `=`"),
        ("{a=\"b\" c=\"d\"}", "expected `,`"),
        ("a[5m", "expected `]`"),
        ("a[b]", "expected a duration"),
        ("a[-5m]", "expected a duration"),
        ("a[5m*2]", "expected `]`"),
        ("a offset (5m)", "expected a duration"),
        ("a @ b", "expected a time"),
        ("a @ 1 @ 2", "`@` can't stand here"),
        ("a offset 1m offset 2m", "`offset` can't stand here"),
        ("(a) offset 1m", "`offset` can't stand here"),
        ("a offset 1m [5m]", "a range can only follow a selector"),
        ("a[5m][5m]", "a range can only follow a selector"),
        ("sum(a)[5m]", "a range can only follow a selector"),
        ("a[5m][5m:]", "expected an instant vector before the range"),
        ("a + fill(0) b", "`fill` can't be used"),
        ("a + group_left() b", "expected an expression"),
        ("5mm", "expected a number"),
        ("0x", "expected a number"),
        ("1_000", "expected a number"),
        ("1.2.3", "expected a number"),
        ("a ? b", "unexpected '?'"),
        ("a; b", "unexpected ';'"),
        ("sum(a) by (b) by (c)", "expected an operator or the end"),
        ("sum by (b) (a) by (c)", "expected an operator or the end"),
        ("rate(a[5m],)", "expected an expression"),
        ("rate()", "wrong number of arguments"),
        ("-\"a\"", "a sign can't stand before a string"),
        ("é", "unexpected 'é'"),
        ("a smoothed", "expected an operator or the end"),
    ] {
        let found = fault(query);
        assert!(found.contains(reason), "{query}: {found}");
    }
}

#[test]
fn only_a_selector_is_a_selector() {
    for query in ["up", "{a=\"b\"}", "up{a=\"b\"}"] {
        assert!(parse_selector(query, Limits::QUERY).is_ok(), "{query}");
    }
    for query in ["up[5m]", "up offset 5m", "up @ 1", "(up)", "sum(up)", "up or up", "1", "", "up up"] {
        assert!(parse_selector(query, Limits::QUERY).is_err(), "{query}");
    }
}

/// As many bytes of stack as a worker has, in a build without optimisation.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(work).expect("a thread");
    thread.join().expect("it survives");
}

#[test]
fn bombs_are_refused_and_the_largest_queries_need_little_stack() {
    on_a_small_stack(|| {
        for count in [2_000, 200_000] {
            for (open, close) in [("(", ")"), ("-", ""), ("sum(", ")"), ("a ^ ", ""), ("a + ", ""), ("abs(", ")")] {
                fault(&format!("{}a{}", open.repeat(count), close.repeat(count)));
            }
            fault(&"a[5m:1m]".replace("5m", &"1".repeat(count)).repeat(count.min(10_000)));
            fault(&"{".repeat(count));
        }
        let deep = |open: &str, close: &str, count| printed(&format!("{}a{}", open.repeat(count), close.repeat(count)));
        for text in [
            deep("(", ")", 99),
            deep("-", "", 99),
            deep("sum(", ")", 99),
            deep("a^", "", 99),
            deep("a - ", "", 500),
            deep("(a-a*-a^", ")", 19),
        ] {
            assert!(!selectors(&text).expect("the printed query").is_empty());
        }
    });
}

#[test]
fn every_function_and_aggregation_is_known_once() {
    let mut names: Vec<&str> = Function::all().map(|function| function.name).collect();
    names.extend(AGGREGATIONS.iter().map(|(name, _)| *name));
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(Function::find("info").is_none());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        let _ = parse(&text, Limits::QUERY);
    }

    #[test]
    fn anything_like_a_query_is_read_as_it_is_printed(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a", "sum", "(", ")", "{", "}", "b=\"c\"", "b=~'.*'", ",", "[5m]", "[5m:1m]", "offset 1m", "@ 5", " by ", "(x)",
            "+", "-", "*", "^", " or ", " and ", "==", "bool", " on ", " ignoring ", " group_left ", "1", "1e3", "rate(",
            "absent(", "quantile(", "\"t\"", "#\n", "\\", "`", "'", ":", "é",
        ]), 0..14),
    ) {
        if let Ok(tree) = parse(&pieces.concat(), Limits::QUERY) {
            let text = tree.to_string();
            let again = parse(&text, Limits::QUERY).expect("what is printed can be read");
            prop_assert_eq!(again.to_string(), text.clone());
            prop_assert!(selectors(&text).is_ok(), "{text}");
        }
    }
}
