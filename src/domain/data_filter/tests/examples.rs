//! The language by example.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::data_filter::{DataFilter, Pattern, limits};

fn filter(text: &str) -> DataFilter {
    DataFilter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn web_1() -> BTreeMap<String, String> {
    attributes(&[("itrs.os-type", "Linux"), ("user.department", "fx"), ("name", "web-1"), ("and", "quoted \"x\" \\ y")])
}

#[test]
fn each_operator_says_what_its_name_says() {
    let cases = [
        ("itrs.os-type = Linux", true),
        ("itrs.os-type = linux", false),
        ("itrs.os-type != Linux", false),
        ("user.department > fw", true),
        ("user.department > fx", false),
        ("user.department >= fx", true),
        ("user.department < fx", false),
        ("user.department <= fx", true),
        ("user.department < fxa", true),
        ("user.department IN (rates, fx)", true),
        ("user.department NOT IN (rates, fx)", false),
        ("user.department in (rates)", false),
        ("name EXISTS", true),
        ("name NOT EXISTS", false),
        ("missing EXISTS", false),
        (r#"name LIKE "web-*""#, true),
        (r#"name LIKE "*b*1""#, true),
        (r#"name LIKE "web""#, false),
        (r#"name LIKE "*web-1*""#, true),
        (r#"name LIKE "web-1*1""#, false),
        (r#"name LIKE "*""#, true),
        (r#"name MATCHES "web-[0-9]+""#, true),
        (r#"name MATCHES "web""#, false),
        (r#"name MATCHES "^web|x-1$""#, false),
        (r#"name MATCHES "(?:db|web)-.""#, true),
        (r#""and" = "quoted \"x\" \\ y""#, true),
        ("name = web-1 and not itrs.os-type = Windows or missing exists", true),
    ];
    for (text, selected) in cases {
        assert_eq!(filter(text).matches(&web_1()), selected, "{text}");
    }
}

#[test]
fn an_absent_attribute_is_the_empty_string_for_every_operator() {
    for (text, selected) in [
        (r#"k = """#, true),
        (r#"k != """#, false),
        ("k != x", true),
        ("k < x", true),
        ("k <= x", true),
        ("k > x", false),
        (r#"k >= """#, true),
        (r#"k < """#, false),
        (r#"k IN (x, "")"#, true),
        (r#"k NOT IN (x, "")"#, false),
        ("k NOT IN (x)", true),
        ("k NOT EXISTS", true),
        (r#"k LIKE "*""#, true),
        (r#"k LIKE """#, true),
        (r#"k MATCHES ".*""#, true),
        (r#"k MATCHES """#, true),
        (r#"k MATCHES ".+""#, false),
    ] {
        assert_eq!(filter(text).matches(&BTreeMap::new()), selected, "absent: {text}");
        assert_eq!(filter(text).matches(&attributes(&[("k", "")])), selected, "empty: {text}");
    }
}

#[test]
fn not_binds_tighter_than_and_and_and_tighter_than_or() {
    for (text, meaning) in [
        ("a = 1 OR b = 1 AND c = 1", "a = 1 OR (b = 1 AND c = 1)"),
        ("NOT a = 1 AND b = 1", "(NOT a = 1) AND b = 1"),
        ("NOT a = 1 OR b = 1", "(NOT (a = 1)) OR b = 1"),
        ("a = 1 AND (b = 1 AND c = 1)", "((a = 1 AND b = 1)) AND c = 1"),
    ] {
        assert_eq!(filter(text), filter(meaning), "{text}");
    }
    assert_ne!(filter("(a = 1 OR b = 1) AND c = 1"), filter("a = 1 OR b = 1 AND c = 1"));
}

#[test]
fn the_canonical_text_is_plain() {
    for (text, canonical) in [
        ("  a=1\n and\tb  in(x,\"y z\" ,x)", r#"a = 1 AND b IN (x, "y z")"#),
        ("not not(a exists)", "NOT NOT a EXISTS"),
        ("((a=1 or b=2)) and not (c=3 or d=4)", "(a = 1 OR b = 2) AND NOT (c = 3 OR d = 4)"),
        (r#""plain" = "Überwert""#, "plain = Überwert"),
        (r#""in" = "Not""#, r#""in" = "Not""#),
        (r#"a like x and b matches x and c = "x*""#, r#"a LIKE "x" AND b MATCHES "x" AND c = "x*""#),
        (r#"a like "***x**y""#, r#"a LIKE "*x*y""#),
        (r#"a matches "1\\.2\"""#, r#"a MATCHES "1\\.2\"""#),
    ] {
        assert_eq!(filter(text).to_string(), canonical);
    }
}

#[test]
fn an_error_points_at_the_column_and_says_what_was_expected() {
    for (text, column, message) in [
        ("", 1, "expected an attribute name, NOT or `(`, found the end of the filter"),
        ("a", 2, "expected an operator"),
        ("a =", 4, "expected a value, found the end of the filter"),
        ("a = 1 b = 2", 7, "expected AND, OR or the end of the filter, found `b`"),
        ("(a = 1", 7, "expected AND, OR or `)`"),
        ("a = 1)", 6, "expected AND, OR or the end of the filter, found `)`"),
        ("a = and", 5, "quote it"),
        ("or = 1", 1, "expected an attribute name, NOT or `(`, found `or`"),
        ("a IN x", 6, "expected `(`"),
        ("a IN ()", 7, "expected a value, found `)`"),
        ("a IN (x y)", 9, "expected `,` or `)`"),
        ("a NOT LIKE x", 7, "put NOT before the attribute name"),
        ("a & b", 3, "found `&`"),
        ("ä = \"x", 7, "a closing quote for the text that begins at column 5"),
        (r#"a = "\n""#, 7, "after a backslash"),
        ("a = \"x\u{0}\"", 7, "the control character U+0000"),
        ("a = \"\u{7f}\"", 6, "the control character U+007F"),
        (r#""" = x"#, 1, "found an empty name"),
        ("a == 1", 4, "expected a value, found `=`"),
        ("a ! 1", 3, "found `!`"),
        ("a = 1 AND", 10, "expected an attribute name"),
    ] {
        let error = DataFilter::parse(text).expect_err(text);
        assert_eq!(error.column, column, "{text}: {error}");
        assert!(error.to_string().starts_with(&format!("column {column}: expected ")), "{error}");
        assert!(error.to_string().contains(message), "{text}: {error}");
    }
}

#[test]
fn the_pattern_subset_is_what_it_says() {
    for text in [
        "",
        "web",
        "(a|b)*",
        "a{2}b{2,}c{2,5}d*?e+?f??",
        "[a-z0-9_-]",
        "[-a]",
        "[^a-z]",
        r"[\]\-\^]",
        r"\.\*\[\]\{\}\_\-\%",
        "^a$",
        "^(?:x)$|y",
        "a||b",
        "é+[ä-ü]",
        "(x{100}){10}",
        "[]a]",
    ] {
        assert!(Pattern::new(text).is_ok(), "{text}");
    }
    for (text, index) in [
        (r"\d", 0),
        (r"ab\w", 2),
        (r"é\s", 1),
        (r"\pL", 0),
        (r"\p{Greek}", 0),
        ("[[:alpha:]]", 1),
        (r"[\d]", 1),
        ("[a[b]]", 2),
        ("[a-z&&b]", 1),
        ("[a-z--b]", 1),
        ("[a-b-c]", 4),
        (r"\bx", 0),
        (r"\Bx", 0),
        (r"\<x", 0),
        (r"\Ax", 0),
        (r"x\z", 1),
        ("(?i)a", 0),
        ("(?i:a)", 2),
        ("(?P<n>a)", 4),
        ("(?<n>a)", 3),
        ("(?=a)", 0),
        (r"(a)\1", 3),
        (r"\x41", 0),
        (r"\n", 0),
        (r"\u0041", 0),
        ("a**", 2),
        ("a{2}{3}", 4),
        ("a*+", 2),
        ("^*", 1),
        ("a{01}", 1),
        ("a{ 1 }", 1),
        ("a{,5}", 2),
        ("{", 0),
        ("a}", 1),
        ("a]", 1),
        ("a{1001}", 1),
        ("(x{100}){11}", 2),
        ("*", 0),
        ("a{3,2}", 1),
        ("[b-a]", 1),
        ("(", 0),
        (")", 0),
        ("a)|(b", 1),
        (r"\Qa\E", 0),
    ] {
        let Err(refused) = Pattern::new(text) else { panic!("{text} was accepted") };
        assert_eq!(refused.index, index, "{text}: {}, found {}", refused.expected, refused.found);
    }
    assert!(filter(r#"a MATCHES "x.y""#).matches(&attributes(&[("a", "x\ny")])), "`.` is any character");
    // The column counts the escapes of the quoted text: the pattern is `\.\d`.
    let error = DataFilter::parse(r#"ä MATCHES "\\.\\d""#).expect_err("a Perl class");
    assert_eq!(error.column, 15, "{error}");
}

#[test]
fn patterns_tell_their_literals_and_prefix() {
    for (text, literals, prefix) in [
        ("prod|staging", Some(vec!["prod", "staging"]), ""),
        ("(prod|(?:a|b))", Some(vec!["prod", "a", "b"]), ""),
        (r"10\.1", Some(vec!["10.1"]), "10.1"),
        ("", Some(vec![""]), ""),
        ("a|", Some(vec!["a", ""]), ""),
        ("web-.*", None, "web-"),
        ("web-?", None, "web"),
        ("a.|b", None, ""),
    ] {
        let pattern = Pattern::new(text).unwrap_or_else(|refused| panic!("{text}: {}", refused.expected));
        let literals = literals.map(|values| values.into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(pattern.literals(), literals.as_deref(), "{text}");
        assert_eq!(pattern.prefix(), prefix, "{text}");
    }
}

#[test]
fn deep_nesting_and_huge_inputs_are_refused_with_the_column() {
    let refused_at = |text: &str| DataFilter::parse(text).expect_err("beyond a limit").column;
    let nested =
        |levels: usize, open: &str, close: &str| format!("{}a = 1{}", open.repeat(levels), close.repeat(levels));
    filter(&nested(limits::NESTING, "(", ")"));
    filter(&nested(limits::NESTING, "NOT ", ""));
    assert_eq!(refused_at(&nested(limits::NESTING + 1, "(", ")")), limits::NESTING + 1);
    assert_eq!(refused_at(&nested(limits::NESTING + 1, "NOT ", "")), 4 * limits::NESTING + 1);
    assert_eq!(refused_at(&"(".repeat(limits::TEXT_BYTES)), limits::NESTING + 1);

    let conditions = |count: usize| vec!["a=1"; count].join(" OR ");
    filter(&conditions(limits::CONDITIONS));
    assert_eq!(refused_at(&conditions(limits::CONDITIONS + 1)), limits::CONDITIONS * 7 + 1);

    let list = |count: usize| format!("a IN ({})", vec!["x"; count].join(","));
    filter(&list(limits::IN_VALUES));
    assert_eq!(refused_at(&list(limits::IN_VALUES + 1)), 7 + 2 * limits::IN_VALUES);

    let text = |bytes: usize| format!("a={}", "x".repeat(bytes - 2));
    filter(&text(limits::TEXT_BYTES));
    assert_eq!(refused_at(&text(limits::TEXT_BYTES + 1)), limits::TEXT_BYTES + 1);
    // Characters are counted, not bytes.
    assert_eq!(refused_at(&"ä".repeat(limits::TEXT_BYTES)), limits::TEXT_BYTES / 2 + 1);

    let patterns = |count: usize| vec!["a MATCHES b"; count].join(" AND ");
    filter(&patterns(limits::PATTERNS));
    assert_eq!(refused_at(&patterns(limits::PATTERNS + 1)), limits::PATTERNS * 16 + 3);

    let pattern = |bytes: usize| format!(r#"a MATCHES "{}""#, "x".repeat(bytes));
    filter(&pattern(limits::PATTERN_BYTES));
    assert_eq!(refused_at(&pattern(limits::PATTERN_BYTES + 1)), 12);
    assert_eq!(refused_at(&format!(r#"a MATCHES "{}""#, ".{1000}".repeat(60))), 12);
    assert!(DataFilter::parse(&format!(r#"a MATCHES "{}x{}""#, "(".repeat(100), ")".repeat(100))).is_err());
}

#[test]
fn any_selects_what_one_of_them_selects_whatever_their_order() {
    assert_eq!(DataFilter::any(vec![]), None);
    let (a, b) = (Arc::new(filter("a = 1")), Arc::new(filter("b = 2 OR c = 3")));
    assert_eq!(DataFilter::any(vec![Arc::clone(&a), Arc::clone(&a)]), Some(Arc::clone(&a)));
    let both = DataFilter::any(vec![Arc::clone(&b), Arc::clone(&a)]).expect("two filters");
    assert_eq!(Some(Arc::clone(&both)), DataFilter::any(vec![a, b]));
    assert_eq!(both.to_string(), "a = 1 OR b = 2 OR c = 3");
}

#[test]
fn sql_binds_every_value_and_numbers_from_where_it_is_told() {
    let sql = filter("a = x AND NOT (b LIKE \"yy*\" OR c != \"\")").sql_superset(4).expect("it narrows");
    let value = "COALESCE((SELECT a.value FROM entity_attribute a WHERE a.entity_id = e.id AND a.key =";
    assert_eq!(
        sql.sql,
        format!(
            "(({value} $4), '') = $5) AND (NOT (substr({value} $6), ''), 1, 2) = $7) AND NOT ({value} $8), '') != $9)))"
        )
    );
    assert_eq!(sql.binds, ["a", "x", "b", "yy", "c", ""]);
    for text in [r#"a LIKE "*""#, "NOT a MATCHES \"x.*\"", "a = 1 OR NOT b MATCHES \"x.\"", r#"NOT a LIKE "x*y""#] {
        assert_eq!(filter(text).sql_superset(1), None, "{text}");
    }
    assert!(filter(r#"NOT a LIKE "*""#).sql_superset(1).is_some(), "nothing at all is a condition");
}

#[test]
fn sql_says_the_beginning_of_a_long_conjunction_and_nothing_of_a_long_alternative() {
    let conditions = |join: &str| filter(&vec!["a = 1"; 100].join(join)).sql_superset(1);
    let binds = conditions(" AND ").expect("it narrows").binds.len();
    assert!((2..100).contains(&binds), "{binds}");
    assert_eq!(conditions(" OR "), None);
    let mixed = filter(&format!("b = 2 AND ({}) AND c = 3", vec!["a = 1"; 100].join(" OR ")));
    assert_eq!(mixed.sql_superset(1).expect("it narrows").binds, ["b", "2", "c", "3"]);
}
