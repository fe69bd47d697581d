//! Filters as matchers.

use super::{compile, enforcement};

/// The conjunctions as they would stand in a selector.
#[track_caller]
fn matchers(filters: &[&str]) -> Vec<String> {
    let conjunction = |matchers: &[super::super::Matcher]| {
        let all = matchers.iter().map(|own| format!("{}{}{}", own.label, own.op.symbol(), own.value));
        all.collect::<Vec<_>>().join(",")
    };
    enforcement(filters).conjunctions().iter().map(|all| conjunction(all.matchers())).collect()
}

#[test]
fn sec_25_operators_become_matchers() {
    for (filter, wanted) in [
        ("user.department = fx", "department=fx"),
        ("user.department != fx", "department!=fx"),
        ("NOT user.department = fx", "department!=fx"),
        ("region IN (eu, us)", "region=~eu|us"),
        ("region NOT IN (eu, us)", "region!~eu|us"),
        ("NOT region IN (eu, us)", "region!~eu|us"),
        ("region EXISTS", "region!="),
        ("region NOT EXISTS", "region="),
        ("NOT region EXISTS", "region="),
        ("region IN (\"\", eu)", "region=~|eu"),
        ("region NOT IN (\"\", eu)", "region!=,region!=eu"),
        ("region LIKE \"eu-*\"", "region=~eu-[^\\n]*(?:\\n[^\\n]*)*"),
        ("region LIKE \"eu.1\"", "region=eu.1"),
        ("NOT region LIKE \"*(1)*\"", "region!~[^\\n]*(?:\\n[^\\n]*)*\\(1\\)[^\\n]*(?:\\n[^\\n]*)*"),
        ("region MATCHES \"eu|us\"", "region=~eu|us"),
        (
            "region MATCHES \"e.+[^a-c1]?|(x){2,3}?\"",
            "region=~e(?:[^\\n]|\\n(?:\\b|\\B))+(?:[\\x{0}-\\x{9}\\x{B}-02-\\x{60}d-\\x{10FFFF}]|\\n(?:\\b|\\B))?|(?:x){2,3}",
        ),
        ("region MATCHES \"[a\\\\-z]-\"", "region=~[\\x{2D}az]-"),
        ("region MATCHES \"^a$|b\"", "region=~^a$|b"),
        ("region IN (\"a|b\", \"c.d\")", "region=~a\\|b|c\\.d"),
    ] {
        assert_eq!(matchers(&[filter]), [wanted], "{filter}");
    }
}

#[test]
fn alternatives_are_few() {
    for (filters, wanted) in [
        // One label: one matcher.
        (vec!["region = eu OR region = us"], vec!["region=~eu|us"]),
        (vec!["region = eu", "region = us"], vec!["region=~eu|us"]),
        (vec!["region = eu OR region LIKE \"us*\""], vec!["region=~(?:eu)|(?:us[^\\n]*(?:\\n[^\\n]*)*)"]),
        (vec!["region != eu OR region = us"], vec!["region!=eu"]),
        (vec!["region NOT IN (eu, us) OR region = us"], vec!["region!=eu"]),
        (vec!["region NOT IN (eu, us) OR region MATCHES \"u.\""], vec!["region!=eu"]),
        (vec!["region != eu OR region != us"], vec![""]),
        (vec!["region EXISTS OR region NOT EXISTS"], vec![""]),
        // Two labels: two selectors, unless only one of them differs.
        (vec!["region = eu OR job = a"], vec!["region=eu", "job=a,region!=eu"]),
        (vec!["region = eu AND job = a OR region = eu AND job = b"], vec!["job=~a|b,region=eu"]),
        (vec!["region = eu AND job = a", "region = us AND job = b"], vec!["job=a,region=eu", "job=b,region=us"]),
        // No series satisfies two of them.
        (vec!["region = eu AND job = a OR env = x"], vec!["job=a,region=eu", "env=x,job!=a", "env=x,job=a,region!=eu"]),
        (
            vec!["region IN (eu, us) OR job MATCHES \"[a-c]\" AND region != ap"],
            vec!["region=~eu|us", "job=~[a-c],region!~ap|eu|us"],
        ),
        (
            vec!["region LIKE \"e*\" OR job = a"],
            vec!["region=~e[^\\n]*(?:\\n[^\\n]*)*", "job=a,region!~e[^\\n]*(?:\\n[^\\n]*)*"],
        ),
        // What is contained in another goes, and what is impossible.
        (vec!["region = eu OR region = eu AND job = a"], vec!["region=eu"]),
        (vec!["region = eu AND job = a", "region = eu"], vec!["region=eu"]),
        (vec!["region = eu AND region = us OR job = a"], vec!["job=a"]),
        (vec!["region IN (eu, us) AND region != us"], vec!["region=eu"]),
        (vec!["region LIKE \"e*\" AND region IN (eu, us)"], vec!["region=eu"]),
        (vec!["region LIKE \"e*\" AND region != us"], vec!["region=~e[^\\n]*(?:\\n[^\\n]*)*"]),
        // Negations are pushed down.
        (vec!["NOT (region = eu OR job = a)"], vec!["job!=a,region!=eu"]),
        (vec!["NOT (region = eu AND job = a)"], vec!["region!=eu", "job!=a,region=eu"]),
        // Nothing at all.
        (vec!["region = eu AND region = us"], vec!["__name__=-none-,__name__=-never-"]),
        (vec![], vec!["__name__=-none-,__name__=-never-"]),
    ] {
        assert_eq!(matchers(&filters), wanted, "{filters:?}");
    }
}

#[test]
fn sec_25_what_matchers_cannot_say_is_refused_by_name() {
    for (filter, reason) in [
        ("user.departmnt = fx", "the attribute \"user.departmnt\" is not in the gateway's label map"),
        ("NOT user.departmnt = fx", "\"user.departmnt\" is not in"),
        ("user.departmnt NOT EXISTS", "\"user.departmnt\" is not in"),
        ("region EXISTS OR region NOT EXISTS OR typo = a", "\"typo\" is not in"),
        ("region = a AND region = b AND typo = a", "\"typo\" is not in"),
        ("region > eu", "the operator > on the attribute \"region\" can't be said with label matchers"),
        ("NOT region <= eu", "the operator <= on"),
        ("region >= eu", "the operator >= on"),
        ("region < eu", "the operator < on"),
    ] {
        let error = compile(&[filter]).expect_err(filter).to_string();
        assert!(error.contains(reason), "{filter}: {error}");
    }
}

#[test]
fn a_filter_that_would_multiply_queries_too_often_is_refused() {
    let pairs = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("region = r{n} AND job = j{n}")).collect();
        all.join(" OR ")
    };
    assert_eq!(enforcement(&[&pairs(32)]).conjunctions().len(), 32);
    assert!(compile(&[&pairs(33)]).expect_err("33").to_string().contains("at most 32"));
    let product: Vec<String> = (0..20).map(|n| format!("(region LIKE \"*{n}*\" OR job LIKE \"*{n}*\")")).collect();
    assert!(compile(&[&product.join(" AND ")]).is_err());
}
