//! Remote read.

use bytes::Bytes;

use crate::domain::grant::Action;
use crate::domain::prometheus::answer::AnswerRule;
use crate::domain::prometheus::endpoint::Endpoint;
use crate::domain::prometheus::samples::{labels_of, limit, series};
use crate::domain::prometheus::wire::{Fields, close, open, put};
use crate::domain::prometheus::{EnforcedRequest, Memory, ReadAnswer, Received, RequestFault, enforce};

/// `{__name__="up"}` over some time, asked `count` times.
fn request(count: usize) -> Vec<u8> {
    let mut matcher = Vec::new();
    put(2, b"__name__", &mut matcher);
    put(3, b"up", &mut matcher);
    let mut query = vec![0x08, 1, 0x10, 2];
    put(3, &matcher, &mut query);
    put(4, b"\x08\x05\x12\x04rate", &mut query);
    let mut message = Vec::new();
    for _ in 0..count {
        put(1, &query, &mut message);
    }
    // Prometheus asks for chunks first.
    put(2, &[1, 0], &mut message);
    message
}

fn asked(filters: &[&str], message: &[u8]) -> Result<EnforcedRequest, RequestFault> {
    let received = Received {
        query: None,
        content_type: Some("application/x-protobuf"),
        content_encoding: Some("snappy"),
        body: close(message).unwrap(),
    };
    let endpoint = Endpoint::find("POST", "api/v1/read").unwrap();
    enforce(&endpoint, &limit(Action::View, filters), &received, &Memory::new())
}

/// Every query's matchers: kind, name and value.
fn matchers(request: &EnforcedRequest) -> Vec<Vec<(u8, String, String)>> {
    let message = open(request.body().unwrap().1, 1 << 20).unwrap();
    let fields = |message: &[u8], wanted: u64| -> Vec<Vec<u8>> {
        let fields = Fields(message).map(|field| field.unwrap()).filter(|(number, _)| *number == wanted);
        fields.map(|(_, content)| content.unwrap_or_default().to_vec()).collect()
    };
    let text = |matcher: &[u8], number| String::from_utf8(fields(matcher, number).concat()).unwrap();
    assert!(fields(&message, 2).is_empty(), "samples are the only type of answer that is asked for");
    let queries = fields(&message, 1);
    queries
        .iter()
        .map(|query| {
            assert!(query.starts_with(&[0x08, 1, 0x10, 2]) && !fields(query, 4).is_empty());
            let kind = |matcher: &[u8]| if matcher[0] == 0x08 { matcher[1] } else { 0 };
            fields(query, 3).iter().map(|one| (kind(one), text(one, 2), text(one, 3))).collect()
        })
        .collect()
}

fn matcher(kind: u8, name: &str, value: &str) -> (u8, String, String) {
    (kind, name.to_owned(), value.to_owned())
}

#[test]
fn every_query_gets_the_matchers() {
    let request = asked(&["team = a.b AND env != test"], &request(2)).unwrap();
    for mut query in matchers(&request) {
        assert_eq!(query.remove(0), matcher(0, "__name__", "up"));
        query.sort();
        assert_eq!(query, [matcher(1, "l_env", "test"), matcher(2, "l_team", r"a\.b")]);
    }
}

/// SECURITY 25: Prometheus makes something else of an equality that its external labels have too; of `label=""` some versions
/// make nothing at all, which would answer every series.
#[test]
fn sec_25_no_matcher_of_ours_is_an_equality() {
    for filter in ["team NOT EXISTS", "team = a", "team = \"\" AND env = test", "NOT team EXISTS OR env = x"] {
        for query in matchers(&asked(&[filter], &request(1)).unwrap()) {
            assert!(query.len() > 1, "{filter}");
            assert!(query.iter().skip(1).all(|(kind, ..)| *kind != 0), "{filter} {query:?}");
        }
    }
}

#[test]
fn alternatives_are_queries_of_their_own() {
    let request = asked(&["team = a", "env = test"], &request(2)).unwrap();
    let found = matchers(&request);
    assert_eq!(found.len(), 4);
    assert_eq!(found[0], found[2]);
    assert_ne!(found[0], found[1]);
}

#[test]
fn without_a_filter_the_message_is_passed_on() {
    let request = asked(&[], &request(1)).unwrap();
    assert!(matches!(request.answer(), AnswerRule::Unchanged));
    assert_eq!(open(request.body().unwrap().1, 1 << 20).unwrap(), self::request(1));
}

#[test]
fn what_is_no_request_is_refused() {
    assert!(matches!(asked(&["team = a"], &request(201)), Err(RequestFault::TooLarge(_))));
    assert!(matches!(asked(&["team = a", "env = b"], &request(101)), Err(RequestFault::TooLarge(_))));
    assert!(matches!(asked(&["team = a"], &vec![0; 300_000]), Err(RequestFault::TooLarge(_))));
    assert!(matches!(asked(&["team = a"], b"\x0a\x09"), Err(RequestFault::Malformed(_))));
    // A matcher of a kind that is none.
    assert!(matches!(asked(&["team = a"], b"\x0a\x04\x1a\x02\x08\x04"), Err(RequestFault::Malformed(_))));
}

fn result(series: &[Vec<u8>]) -> Vec<u8> {
    let mut message = Vec::new();
    for one in series {
        put(1, one, &mut message);
    }
    message
}

fn answer(results: &[Vec<u8>]) -> Bytes {
    close(&result(results)).unwrap()
}

fn reader(filters: &[&str], queries: usize) -> ReadAnswer {
    match asked(filters, &request(queries)).unwrap().answer() {
        AnswerRule::Read(reader) => reader.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_of_alternatives_become_one() {
    let reader = reader(&["team = a", "env = test"], 2);
    let both = series(&[("__name__", "up"), ("l_env", "test"), ("l_team", "a")]);
    let one = series(&[("__name__", "up"), ("l_team", "a")]);
    let other = series(&[("__name__", "up"), ("l_env", "test")]);
    let given = answer(&[
        result(&[one.clone(), both.clone()]),
        result(&[both.clone(), other.clone()]),
        result(&[]),
        result(std::slice::from_ref(&both)),
    ]);
    let merged = open(&reader.merge(&given).unwrap(), 1 << 20).unwrap();
    assert_eq!(merged, result(&[result(&[other, both.clone(), one]), result(&[both])]));
}

/// SECURITY 25: whatever an upstream makes of the matchers, a series beyond the filter does not come down.
#[test]
fn sec_25_series_beyond_the_filter_are_left_out() {
    let reader = reader(&["team = a"], 1);
    let good = series(&[("__name__", "up"), ("l_team", "a")]);
    let bad = [series(&[("__name__", "up"), ("l_team", "b")]), series(&[("__name__", "up")])];
    let given = answer(&[result(&[bad[0].clone(), good.clone(), bad[1].clone()])]);
    let merged = open(&reader.merge(&given).unwrap(), 1 << 20).unwrap();
    assert_eq!(merged, result(&[result(std::slice::from_ref(&good))]));
    assert_eq!(labels_of(&good)[1].1, "a");
}

#[test]
fn an_answer_that_does_not_fit_is_none() {
    let reader = reader(&["team = a", "env = test"], 1);
    for bad in [answer(&[]), answer(&[result(&[])]), Bytes::from_static(b"\x05hello"), close(b"\x0a\x09").unwrap()] {
        assert!(reader.merge(&bad).is_err(), "{bad:?}");
    }
    assert!(reader.merge(&answer(&[result(&[]), b"\x0a\x02\x0a\x09".to_vec()])).is_err());
}
