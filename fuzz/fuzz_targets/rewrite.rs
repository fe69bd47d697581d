//! Whatever is asked, every selector of what is sent carries one whole conjunction.
//!
//! This looks at the text alone, with a few lines of its own, and trusts neither the parser nor the check within.
#![no_main]

use std::sync::{Arc, LazyLock};

use gateway_hub::domain::prometheus::{Enforcement, LabelMap, LabelName, MatchOp, Matcher, rewrite, rewrite_selectors};
use libfuzzer_sys::fuzz_target;

/// The first byte of an input says which.
const FILTERS: [&[&str]; 6] = [
    &["team = a"],
    &["team = a OR region = eu"],
    &["region = eu AND job = x", "region = us AND job = y", "team LIKE \"a*\""],
    &["region NOT EXISTS OR NOT (job = x AND team IN (a, b))"],
    &["name LIKE \"up*\" OR team MATCHES \"a.|[^b]\""],
    &["job = x AND job = y"],
];

/// An input of the second kind is a list of these.
const PIECES: [&str; 72] = [
    "up",
    "secret",
    "sum",
    "(",
    ")",
    "{",
    "}",
    ",",
    "[5m]",
    "[5m:1m]",
    "[5m:]",
    " offset 5m",
    " offset -1m",
    " @ 5",
    " @ -5",
    " @ start()",
    " @ end()",
    " by ",
    " without ",
    "(team)",
    "()",
    "team=\"a\"",
    "team=\"b\"",
    "region=\"eu\"",
    "region=~\".*\"",
    "job!=\"x\"",
    "__name__=\"up\"",
    "{team=\"a\"}",
    "{region!=\"\"}",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    " atan2 ",
    "==",
    "!=",
    ">",
    "<=",
    " bool ",
    " and ",
    " or ",
    " unless ",
    " on ",
    " ignoring ",
    " group_left ",
    " group_right ",
    "1",
    "1e3",
    "0x1f",
    "Inf",
    "NaN",
    "5m",
    "\"text\"",
    "'}'",
    "`{`",
    "# }\n",
    "rate(",
    "absent(",
    "absent_over_time(",
    "timestamp(",
    "quantile(",
    "quantile_over_time(",
    "topk(",
    "scalar(",
    "label_replace(",
    "count_values(",
    "time()",
    "vector(",
    "info(",
    "last_over_time(",
];

static ENFORCEMENTS: LazyLock<Vec<Enforcement>> = LazyLock::new(|| {
    let pairs = [("team", "team"), ("region", "region"), ("job", "job"), ("name", "__name__")];
    let labels: LabelMap =
        pairs.iter().map(|(key, label)| ((*key).to_owned(), LabelName::parse(label).expect("a label"))).collect();
    let compile = |texts: &&[&str]| {
        let filters: Vec<_> = texts.iter().map(|text| Arc::new(text.parse().expect("a filter"))).collect();
        Enforcement::compile(&filters, &labels).expect("enforceable")
    };
    FILTERS.iter().map(compile).collect()
});

fuzz_target!(|input: &[u8]| {
    let [kind, rest @ ..] = input else { return };
    let enforcement = &ENFORCEMENTS[usize::from(kind >> 1) % FILTERS.len()];
    let query = if kind & 1 == 0 {
        match std::str::from_utf8(rest) {
            Ok(text) => text.to_owned(),
            Err(_) => return,
        }
    } else {
        rest.iter().map(|byte| PIECES[usize::from(*byte) % PIECES.len()]).collect()
    };
    match rewrite(&query, enforcement) {
        Ok(sent) => check(&query, &sent, enforcement),
        Err(fault) => assert!(!fault.is_ours(), "{query}: {fault}"),
    }
    if let Ok(sent) = rewrite_selectors(&query, enforcement) {
        sent.iter().for_each(|sent| check(&query, sent, enforcement));
    }
});

fn check(query: &str, sent: &str, enforcement: &Enforcement) {
    for selector in selectors(sent) {
        let whole = enforcement.conjunctions().iter().any(|all| all.matchers().iter().all(|own| holds(own, &selector)));
        let nothing = selector.contains("__name__=\"-none-\",__name__=\"-never-\"");
        assert!(whole || nothing, "{query}\nbecame {sent}\nwith {selector}");
    }
}

/// Whether the matcher stands there, or, within `absent()`, as what does the same.
fn holds(matcher: &Matcher, selector: &str) -> bool {
    let (label, value) = (matcher.label.as_str(), matcher.value.replace('\\', "\\\\"));
    let stands = |op: &str, value: &str| selector.contains(&format!("{label}{op}\"{value}\""));
    match matcher.op {
        MatchOp::Equal => stands("=", &value) || stands("=~", &value),
        // A value that the caller demands makes the matcher idle; which values do, the unit tests say.
        MatchOp::NotEqual => stands("!=", &value) || selector.contains(&format!("{label}=\"")),
        MatchOp::Regex => stands("=~", &value) || selector.contains(&format!("{label}=\"")),
        MatchOp::NotRegex => stands("!~", &value) || selector.contains(&format!("{label}=\"")),
    }
}

/// What stands within braces outside of strings. A word elsewhere is a keyword, a number, a label of a list, or called.
fn selectors(sent: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current: Option<String> = None;
    let (mut in_string, mut escaped, mut list_follows, mut in_list) = (false, false, false, false);
    let mut word = String::new();
    for c in sent.chars().chain([' ']) {
        if in_string {
            if let Some(current) = &mut current {
                current.push(c);
            }
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        in_string = c == '"';
        match (&mut current, c) {
            (None, '{') => current = Some(String::new()),
            (None, '}') => panic!("a brace too many: {sent}"),
            (Some(_), '}') => found.extend(current.take()),
            (Some(current), c) => current.push(c),
            (None, c) if c.is_alphanumeric() || matches!(c, '_' | ':' | '.') => word.push(c),
            (None, c) => {
                let number = word.starts_with(|first: char| first.is_ascii_digit() || first == '.');
                let keyword = KEYWORDS.contains(&word.to_ascii_lowercase().as_str());
                let known = word.is_empty() || number || in_list || keyword || c == '(';
                assert!(known, "a metric name without braces: {word} in {sent}");
                if c == '(' && word.is_empty() && list_follows {
                    in_list = true;
                }
                in_list &= c != ')';
                list_follows = LISTS.contains(&word.as_str()) || list_follows && word.is_empty() && c == ' ';
                word.clear();
            }
        }
    }
    assert!(current.is_none() && !in_string, "{sent}");
    found
}

/// A list of labels follows.
const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

const KEYWORDS: [&str; 28] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "and",
    "or",
    "unless",
    "atan2",
    "inf",
    "nan",
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
    "count_values",
    "limitk",
    "limit_ratio",
];
