//! Gateways of kind `prometheus`: filters that can't be enforced there, and requests that are made to do harm.

use gateway_hub::actions::{
    Actor,
    gateway::{self, GatewayInput, LabelsInput},
};

use crate::gateways_prometheus::{GATEWAY, Stage, gateway, message_to, query};
use crate::support::{Application, Hub, Request};

/// SECURITY 25: whoever saves a role, a gateway or a label map learns at once which attribute or operator can't be enforced on
/// which gateway.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_25_a_filter_that_can_not_be_enforced_is_refused_when_it_is_saved() {
    let hub = Hub::start().await;
    gateway(&hub, "http://127.0.0.1:9").await;
    let says = |fault: String, words: &[&str]| {
        assert!(words.iter().all(|word| fault.contains(word)), "{fault}");
    };
    // A role: an attribute that is misspelt, one in a negation that would let everything through, operators.
    for grant in ["gateway/prom:view", "gateway/prom:edit", "gateway/*:view"] {
        for (filter, words) in [
            ("app.taem = a", &["\"app.taem\"", "prom"][..]),
            ("NOT app.taem = a", &["\"app.taem\"", "prom"]),
            ("app.team = a OR region NOT IN (eu)", &["\"region\"", "prom"]),
            ("env < b", &["operator <", "\"env\"", "prom"]),
            ("app.team = a AND NOT env >= 7", &["operator >=", "\"env\"", "prom"]),
        ] {
            says(hub.try_role_with(&[grant], Some(filter)).await.expect_err(filter).to_string(), words);
        }
    }
    hub.role("by team", &["gateway/*:view"], Some("app.team = a")).await;
    // A label map without that attribute, a kind that enforces nothing.
    let operator = Actor::operator();
    let id = hub.app.snapshot.gateway("prom").expect("the gateway").gateway.id.clone();
    let labels = LabelsInput { only: Some(vec!["env=env".to_owned()]), ..LabelsInput::default() };
    let fewer = GatewayInput { labels, ..GatewayInput::default() };
    let refused = gateway::update(&hub.app, &operator, &id, &fewer).await.expect_err("refused").to_string();
    says(refused, &["\"app.team\"", "prom", "by team"]);
    let http = GatewayInput { kind: Some("http".to_owned()), ..GatewayInput::default() };
    let refused = gateway::update(&hub.app, &operator, &id, &http).await.expect_err("refused").to_string();
    says(refused, &["prom", "by team"]);
    // A gateway that the role would reach.
    let labels = LabelsInput { set: vec!["env=env".to_owned()], ..LabelsInput::default() };
    let addresses = Some(vec!["http://127.0.0.1:9".to_owned()]);
    let other = GatewayInput { kind: Some("prometheus".to_owned()), addresses, labels, ..GatewayInput::default() };
    let refused = gateway::create(&hub.app, &operator, "other", &other).await.expect_err("refused").to_string();
    says(refused, &["\"app.team\"", "other", "by team"]);
}

/// SECURITY 25: an attribute that the gateway does not map is refused at the request too, whatever was saved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_25_an_attribute_without_a_label_is_refused_at_the_request() {
    let stage = Stage::set().await;
    let filtered = [stage.viewer("app.team = a").await, stage.viewer("NOT app.team = a").await];
    stage.hub.forget_labels().await;
    for application in &filtered {
        for path in ["api/v1/query?query=up", "api/v1/series", "api/v1/label/team/values", "federate"] {
            let answer = application.get(&format!("{GATEWAY}/{path}")).await.expect(403);
            assert_eq!(answer.problem(), "filter-unenforceable", "{path}");
            assert!(answer.member("detail").contains("\"app.team\""), "{}", answer.text());
        }
    }
    assert_eq!(stage.instances(&stage.hub.application(&["Operator"]).await).await, "12345");
}

/// SECURITY 25: queries and messages that are made to exhaust the hub are refused, and it goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_25_bombs_are_refused_and_the_hub_goes_on() {
    let stage = Stage::set().await;
    let a = stage.viewer("app.team = a OR env = test").await;
    let ask = async |application: &Application, path: &str, name: &str, text: &str| {
        let request = Request::post(&format!("{GATEWAY}/api/v1/{path}")).form(&[(name, text)]);
        let answer = application.ask(request).await;
        let start: String = text.chars().take(20).collect();
        assert!(matches!(answer.status, 400 | 413), "{start} x {}: {} {}", text.len(), answer.status, answer.text());
    };
    let nested = |open: &str, inside: &str, close: &str, count: usize| {
        format!("{}{inside}{}", open.repeat(count), close.repeat(count))
    };
    for count in [2_000, 200_000] {
        for (open, close) in [("(", ")"), ("-", ""), ("up+", ""), ("up^", ""), ("sum(", ")"), ("absent(", ")")] {
            ask(&a, "query", "query", &nested(open, "up", close, count)).await;
        }
        for (open, close) in [("(", ")"), ("(?:", ")"), ("(a|", ")"), ("[[", "]]"), ("(a*", ")*")] {
            let selector = format!("{{a=~\"{}\"}}", nested(open, "a", close, count));
            ask(&a, "query", "query", &selector).await;
            ask(&a, "series", "match[]", &selector).await;
        }
    }
    for pattern in ["((((a{1,1000}){1,1000}){1,1000}){1,1000})", "(a{1000}){1000}(b{1000}){1000}"] {
        ask(&a, "query", "query", &format!("sum({{a=~\"{pattern}\"}})")).await;
        ask(&a, "labels", "match[]", &format!("{{a=~\"{pattern}\"}}")).await;
    }
    // Each level would double the query.
    let doubled = (0..40).fold("up".to_owned(), |query, _| format!("quantile_over_time(scalar({query}), up[5m])"));
    ask(&a, "query_range", "query", &doubled).await;
    // Remote read: a block that says it is 4 GiB, and one that is large once opened.
    let read = format!("{GATEWAY}/api/v1/read");
    a.ask(message_to(&read, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0])).await.expect(413);
    let zeros = snap::raw::Encoder::new().compress_vec(&vec![0; 4 << 20]).expect("a block");
    a.ask(message_to(&read, &zeros)).await.expect(413);
    a.ask(message_to(&read, b"no block")).await.expect(400);
    // As many parentheses as are allowed are no bomb; and nobody notices.
    query(&a, &nested("(", "up", ")", 90)).await.expect(200);
    assert_eq!(stage.instances(&a).await, "1245");
}
