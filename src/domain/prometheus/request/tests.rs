//! Requests with parameters.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use crate::domain::grant::Action;
use crate::domain::prometheus::answer::AnswerRule;
use crate::domain::prometheus::endpoint::{ENDPOINTS, Endpoint, UnderFilter};
use crate::domain::prometheus::samples::{labels, limit, permit};
use crate::domain::prometheus::{EnforcedRequest, Memory, Received, RequestFault, enforce};

const FILTERS: &[&str] = &["team = a", "env = test"];
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

fn get(filters: &[&str], path: &str, query: &str) -> Result<EnforcedRequest, RequestFault> {
    let received = Received { query: Some(query), ..Received::default() };
    let endpoint = Endpoint::find("GET", path).expect(path);
    enforce(&endpoint, &limit(endpoint.action(), filters), &received, &Memory::new())
}

fn post(filters: &[&str], path: &str, query: &str, form: &str) -> Result<EnforcedRequest, RequestFault> {
    let body = Bytes::copy_from_slice(form.as_bytes());
    let received = Received { query: Some(query), content_type: FORM, content_encoding: None, body };
    let endpoint = Endpoint::find("POST", path).expect(path);
    enforce(&endpoint, &limit(endpoint.action(), filters), &received, &Memory::new())
}

/// What goes up as parameters, in their order.
fn sent(request: &EnforcedRequest) -> Vec<(String, String)> {
    let text = match request.body() {
        Some((headers, bytes)) => {
            assert_eq!(headers, [("content-type", "application/x-www-form-urlencoded")]);
            assert_eq!(request.query(), None);
            bytes.to_vec()
        }
        None => request.query().unwrap_or_default().as_bytes().to_vec(),
    };
    form_urlencoded::parse(&text).into_owned().collect()
}

fn values(request: &EnforcedRequest, name: &str) -> Vec<String> {
    sent(request).into_iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect()
}

#[test]
fn queries_are_rewritten() {
    for path in ["api/v1/query", "api/v1/query_range", "api/v1/query_exemplars"] {
        let requests = [
            get(FILTERS, path, "query=up").unwrap(),
            post(FILTERS, path, "query=up", "").unwrap(),
            post(FILTERS, path, "", "query=up").unwrap(),
        ];
        for request in requests {
            let query = values(&request, "query");
            assert_eq!(query.len(), 1);
            assert!(query[0].contains("l_team") && query[0].contains("l_env"), "{query:?}");
            assert!(matches!(request.answer(), AnswerRule::Members));
        }
    }
    assert!(get(FILTERS, "api/v1/query", "").is_err());
    assert!(get(FILTERS, "api/v1/query", "query=").is_err());
    assert!(matches!(get(FILTERS, "api/v1/query", "query=up{"), Err(RequestFault::Query(_))));
}

#[test]
fn without_a_filter_a_query_is_not_parsed() {
    let request = get(&[], "api/v1/query", "query=this+is+no{query&time=1").unwrap();
    assert_eq!(
        sent(&request),
        [("query".to_owned(), "this is no{query".to_owned()), ("time".to_owned(), "1".to_owned())]
    );
    assert!(matches!(request.answer(), AnswerRule::Unchanged));
    // But parameters are those of the table.
    assert!(get(&[], "api/v1/query", "query=a&query=b").is_err());
    assert!(get(&[], "api/v1/query", "query=a&unknown=b").is_err());
}

/// SECURITY 26: every `match[]` is filtered, and none asks for permitted series only.
#[test]
fn sec_26_every_selector_is_limited_to_every_alternative() {
    for path in ["api/v1/series", "api/v1/labels", "api/v1/label/job/values", "federate"] {
        for query in ["match[]=up&match%5B%5D={job%3D\"x\"}", "match[]=up&match[]=down&start=1"] {
            if path == "federate" && query.contains("start") {
                continue;
            }
            let request = get(FILTERS, path, query).unwrap();
            let selectors = values(&request, "match[]");
            assert_eq!(selectors.len(), 4, "{path} {selectors:?}");
            assert!(selectors.iter().all(|one| one.contains("l_team=") != one.contains("l_env=")), "{selectors:?}");
        }
        let selectors = values(&get(FILTERS, path, "").unwrap(), "match[]");
        assert_eq!(selectors.len(), 2, "{path} {selectors:?}");
        assert!(selectors.iter().all(|one| one.contains("l_team=") != one.contains("l_env=")), "{selectors:?}");
        assert!(get(FILTERS, path, "match[]=").is_err(), "{path}");
        assert!(get(FILTERS, path, "match[]=up&match[]=").is_err(), "{path}");
        // Without a filter nothing is added.
        assert_eq!(get(&[], path, "").unwrap().query(), None);
    }
    let split = post(FILTERS, "api/v1/series", "match[]=up", "match[]=down").unwrap();
    assert_eq!(values(&split, "match[]").len(), 4);
    assert!(matches!(get(FILTERS, "federate", "").unwrap().answer(), AnswerRule::Body));
    assert!(matches!(get(FILTERS, "api/v1/labels", "").unwrap().answer(), AnswerRule::Members));
    assert!(get(FILTERS, "api/v1/series", &"match[]=up&".repeat(251)).is_err());
}

/// SECURITY 26: URL and form can't disagree.
#[test]
fn sec_26_url_and_form_can_not_disagree() {
    for filters in [FILTERS, &[]] {
        assert!(post(filters, "api/v1/query", "query=up", "query=down").is_err());
        assert!(post(filters, "api/v1/query", "time=1&query=up", "time=1").is_err());
        assert!(get(filters, "api/v1/query", "query=up&%71uery=down").is_err());
        // A body on GET is read by some.
        let body = Bytes::from_static(b"query=down");
        let received = Received { query: Some("query=up"), content_type: FORM, content_encoding: None, body };
        let endpoint = Endpoint::find("GET", "api/v1/query").unwrap();
        let limit = limit(Action::View, filters);
        assert!(enforce(&endpoint, &limit, &received, &Memory::new()).is_err());
        // So is a multipart body, and one without a type by nobody.
        let endpoint = Endpoint::find("POST", "api/v1/query").unwrap();
        for content_type in [Some("multipart/form-data; boundary=x"), Some("text/plain"), None] {
            let received = Received { content_type, ..received.clone() };
            let fault = enforce(&endpoint, &limit, &received, &Memory::new()).unwrap_err();
            assert!(matches!(fault, RequestFault::Media(_)), "{content_type:?}");
        }
    }
}

/// SECURITY 25: an endpoint that can't be filtered is refused, every endpoint of the table with and without a filter.
#[test]
fn sec_25_every_endpoint_does_what_the_table_says() {
    for row in ENDPOINTS {
        let path = row.path.replace("{name}", "job");
        if matches!(row.under_filter, UnderFilter::Read | UnderFilter::Write) {
            continue;
        }
        for method in row.methods {
            let ask = |filters: &[&str]| {
                let query = if row.parameters.iter().any(|one| one.name == "query") { "query=up" } else { "" };
                match method.as_str() {
                    "GET" => get(filters, &path, query),
                    _ => post(filters, &path, "", query),
                }
            };
            assert!(matches!(ask(&[]).unwrap().answer(), AnswerRule::Unchanged), "{path}");
            match row.under_filter {
                UnderFilter::Refused => {
                    assert!(matches!(ask(FILTERS), Err(RequestFault::Unfilterable { .. })), "{path}");
                }
                UnderFilter::Harmless => assert!(matches!(ask(FILTERS).unwrap().answer(), AnswerRule::Unchanged)),
                _ => assert!(ask(FILTERS).unwrap().answer().hides_errors(), "{path}"),
            }
        }
    }
}

/// SECURITY 27: a permit to view reads, a permit to edit writes, and neither does the other.
#[test]
fn sec_27_a_permit_is_for_its_action() {
    for row in ENDPOINTS {
        let path = row.path.replace("{name}", "job");
        let endpoint = Endpoint::find(row.methods[0].as_str(), &path).unwrap();
        let other = if endpoint.action() == Action::View { Action::Edit } else { Action::View };
        let fault = enforce(&endpoint, &limit(other, &[]), &Received::default(), &Memory::new()).unwrap_err();
        assert!(matches!(fault, RequestFault::Internal(_)), "{path}");
    }
}

#[test]
fn long_requests_go_as_forms_where_they_can() {
    let long = format!("query={}", "a".repeat(5_000));
    let request = get(&[], "api/v1/query", &long).unwrap();
    assert_eq!((request.method().as_str(), request.query()), ("POST", None));
    assert_eq!(values(&request, "query")[0].len(), 5_000);
    let request = get(&[], "api/v1/label/job/values", &format!("match[]={}", "a".repeat(5_000))).unwrap();
    assert_eq!(request.method().as_str(), "GET");
}

#[test]
fn queries_are_remembered_by_filter() {
    let memory = Memory::new();
    let endpoint = Endpoint::find("GET", "api/v1/query").unwrap();
    let labels = labels();
    let mut found = BTreeMap::new();
    for round in 0..3 {
        for filters in [&["team = a"][..], &["team = b"], FILTERS] {
            let limit = memory.limit(&permit(Action::View, filters), 1, &labels).unwrap();
            let received = Received { query: Some("query=up"), ..Received::default() };
            let query = values(&enforce(&endpoint, &limit, &received, &memory).unwrap(), "query");
            let known = found.entry(filters).or_insert_with(|| query.clone());
            assert_eq!((&query, memory.queries()), (&*known, if round == 0 { memory.queries() } else { 3 }));
        }
    }
    assert_eq!(found.values().collect::<std::collections::BTreeSet<_>>().len(), 3);
}

/// However many queries are asked: what is remembered has its bounds, and the others are rewritten again.
#[test]
fn what_is_remembered_has_bounds() {
    let memory = Memory::new();
    let endpoint = Endpoint::find("GET", "api/v1/query").unwrap();
    let limit = memory.limit(&permit(Action::View, &["team = a"]), 1, &labels()).unwrap();
    let long = "x".repeat(8_000);
    for number in 0..1_500 {
        let query = format!("query=up%7Bn%3D%22{number}{long}%22%7D");
        let received = Received { query: Some(&query), ..Received::default() };
        enforce(&endpoint, &limit, &received, &memory).unwrap();
    }
    // 8 MiB of queries as asked and as rewritten.
    let most = 8 * 1024 * 1024 / (2 * long.len());
    assert!((most / 2..=most).contains(&memory.queries()), "{} of {most}", memory.queries());
}

proptest! {
    /// Whatever a caller writes: what goes up names each single parameter once and every selector a conjunction.
    #[test]
    fn nothing_slips_through(query in "([a-z%\\[\\]=&+0-9]|query=|match\\[\\]=|up|&){0,12}", form in "(query=|match%5B%5D=|up|&|x){0,8}") {
        for path in ["api/v1/query", "api/v1/series"] {
            if let Ok(request) = post(FILTERS, path, &query, &form) {
                let name = if path.ends_with("query") { "query" } else { "match[]" };
                let found = values(&request, name);
                prop_assert!(!found.is_empty());
                prop_assert!(name != "query" || found.len() == 1);
            }
        }
    }
}
