//! The language's laws, by property.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::domain::data_filter::{Comparison, DataFilter, Expression, Glob, Pattern, Test};

fn key() -> impl Strategy<Value = String> {
    select(vec!["a", "b.c", "user.department", "and", "näme", "with space", "q\"\\"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["", "a", "ab", "b", "web-1", "NOT", "\\", "\"", "ü", "a b", "\u{D7FF}", "\u{E000}", "\u{10FFFF}"])
            .prop_map(str::to_owned),
        1 => "[^\\p{Cc}]{0,6}",
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let comparison = select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ]);
    let pattern = select(vec!["", "a|b", "a.*", "(?:ab?)+", "[^a]*", "web-[0-9]", r"\\|\.", "[a-ü]{1,3}", "x.?|"]);
    prop_oneof![
        (comparison, value()).prop_map(|(comparison, value)| Test::Compare(comparison, value)),
        (any::<bool>(), vec(value(), 1..4)).prop_map(|(negated, values)| Test::list(negated, values)),
        Just(Test::Exists),
        Just(Test::NotExists),
        vec(value(), 1..4).prop_map(|pieces| Test::Like(Glob::new(&pieces.join("*")))),
        pattern.prop_map(|text| Test::Matches(Pattern::new(text).unwrap_or_else(|_| panic!("{text}")))),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    let condition = (key(), test()).prop_map(|(key, test)| Expression::Condition { key, test });
    condition.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Expression::all_of),
            vec(inner.clone(), 1..4).prop_map(Expression::any_of),
            inner.prop_map(|part| Expression::Not(Box::new(part))),
        ]
    })
}

fn row() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map(key(), value(), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn printing_and_reading_back_gives_the_same(expression in expression()) {
        let built = DataFilter { expression };
        let read = DataFilter::parse(&built.to_string()).map_err(|error| TestCaseError::fail(format!("{built}: {error}")))?;
        prop_assert_eq!(&read, &built);
        prop_assert_eq!(read.to_string(), built.to_string());
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = DataFilter::parse(&text);
    }

    #[test]
    fn no_soup_of_the_languages_own_words_panics(words in vec(select(vec![
        "a", "\"b\"", "(", ")", ",", "=", "!=", ">", "<=", "IN", "not", "AND", "or", "exists", "LIKE", "MATCHES",
        "\"[a-\"", "\"(x{9}){9}\"", "\"\\\\d\"", "\\", "\"", "*", "\u{0}", "é", " ",
    ]), 0..40)) {
        if let Ok(filter) = DataFilter::parse(&words.join(" ")) {
            prop_assert_eq!(DataFilter::parse(&filter.to_string()), Ok(filter));
        }
    }

    #[test]
    fn no_mutated_filter_panics_and_errors_point_into_the_text(
        expression in expression(), at in any::<Index>(), with in any::<Option<char>>(), cut in 0..3_usize,
    ) {
        let mut characters: Vec<char> = expression.to_string().chars().collect();
        let at = at.index(characters.len());
        let until = (at + cut).min(characters.len());
        characters.splice(at..until, with);
        let text: String = characters.iter().collect();
        match DataFilter::parse(&text) {
            Ok(filter) => prop_assert_eq!(DataFilter::parse(&filter.to_string()), Ok(filter)),
            Err(error) => prop_assert!((1..=characters.len() + 1).contains(&error.column), "{}: {}", text, error),
        }
    }

    #[test]
    fn no_pattern_panics(text in r"[\[\]()\\?*+{}|^$.a-c0-9:&,<>-]{0,24}") {
        let _ = Pattern::new(&text);
    }

    #[test]
    fn negation_keeps_the_laws(left in expression(), right in expression(), row in row()) {
        let not = |part: &Expression| Expression::Not(Box::new(part.clone()));
        let and = Expression::all_of(vec![left.clone(), right.clone()]);
        let or = Expression::any_of(vec![left.clone(), right.clone()]);
        prop_assert_eq!(not(&and).matches(&row), Expression::any_of(vec![not(&left), not(&right)]).matches(&row));
        prop_assert_eq!(not(&or).matches(&row), Expression::all_of(vec![not(&left), not(&right)]).matches(&row));
        prop_assert_eq!(not(&not(&left)).matches(&row), left.matches(&row));
    }

    #[test]
    fn each_operator_has_its_opposite(value in value(), other in value(), list in vec(value(), 1..4)) {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        for (one, opposite) in [(Equal, NotEqual), (Less, GreaterOrEqual), (Greater, LessOrEqual)] {
            let holds = |comparison| Test::Compare(comparison, other.clone()).matches(&value);
            prop_assert_ne!(holds(one), holds(opposite));
        }
        prop_assert_ne!(Test::list(false, list.clone()).matches(&value), Test::list(true, list).matches(&value));
        prop_assert_ne!(Test::Exists.matches(&value), Test::NotExists.matches(&value));
    }

    #[test]
    fn absent_is_empty(expression in expression(), mut row in row(), key in key()) {
        row.remove(&key);
        let absent = expression.matches(&row);
        row.insert(key, String::new());
        prop_assert_eq!(expression.matches(&row), absent);
    }

    #[test]
    fn a_glob_is_the_pattern_that_it_stands_for(pieces in vec("[ab]{0,2}", 1..5), value in "[ab]{0,6}") {
        let pattern = Pattern::new(&pieces.join(".*")).unwrap_or_else(|refused| panic!("{}", refused.expected));
        prop_assert_eq!(Glob::new(&pieces.join("*")).matches(&value), pattern.matches(&value));
    }
}
