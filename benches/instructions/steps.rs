//! The steps that are counted.

use axum::body::Body;
use axum::extract::{Request, State};
use gateway_hub::actions::application::{self, NewApplication};
use gateway_hub::actions::role::{self, RoleInput};
use gateway_hub::actions::{Actor, hub};
use gateway_hub::ambient::{Clock, Randomness};
use gateway_hub::app::App;
use gateway_hub::app::verifier::{Place, Verified, verify};
use gateway_hub::config::Config;
use gateway_hub::crypto::token::{Claims, Expected, token_id};
use gateway_hub::domain::data_filter::DataFilter;
use gateway_hub::domain::grant::Action;
use gateway_hub::domain::prometheus::{Enforcement, LabelMap, LabelName, rewrite};
use gateway_hub::domain::resource::{GatewayName, Resource};
use gateway_hub::domain::time::Timestamp;
use gateway_hub::http::context::{RequestContext, RequestIds};
use gateway_hub::oauth::client_auth::authenticate;
use gateway_hub::oauth::form::Form;
use gateway_hub::oauth::token::issue;
use http::{HeaderMap, Method};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Name and meaning, in the order of a request.
pub(crate) const STEPS: [(&str, &str); 10] = [
    ("client", "an API key is authenticated"),
    ("sign", "an access token is signed (ES256)"),
    ("token", "a token request as a whole, from form to answer"),
    ("signature", "a token's signature and claims are verified"),
    ("verify", "a token that was verified lately is verified again: liveness, audience, network"),
    ("decide", "the roles and the scope decide, out of twelve grants"),
    ("parse", "a data filter of four conditions is parsed"),
    ("filter", "that filter judges an entity"),
    ("compile", "that filter becomes label matchers"),
    ("rewrite", "a PromQL query with two selectors is put under that filter"),
];

const FILTER: &str = r#"user.department = "fx" AND user.environment IN (production, uat) AND NOT itrs.os-type = AIX
    AND host LIKE "web-*""#;
const QUERY: &str = r#"sum by (instance) (rate(http_requests_total{job="api",code=~"5.."}[5m]))
    / on (instance) group_left () sum by (instance) (rate(http_requests_total{job="api"}[5m])) > 0.05"#;
const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A step, ready to be taken again and again.
pub(crate) fn prepare(name: &str) -> Box<dyn FnMut()> {
    match name {
        "client" => {
            let (hub, headers) = (Hub::open(), HeaderMap::new());
            let body = hub.form();
            Box::new(move || {
                let form = Form::parse(body.as_bytes()).expect("a form");
                assert!(authenticate(&hub.app, &headers, &form, CALLER).is_ok());
            })
        }
        "sign" => {
            let hub = Hub::open();
            let claims = hub.claims();
            Box::new(move || {
                let (keys, app) = (hub.app.snapshot.keys(), &hub.app);
                let key = keys.signing_key(app.clock.now(), app.config.token.algorithm).expect("a key");
                black_box(key.sign(&claims, &app.randomness).expect("a token"));
            })
        }
        "token" => {
            let hub = Hub::open();
            Box::new(move || _ = black_box(hub.token()))
        }
        "signature" => {
            let hub = Hub::open();
            let token = hub.token();
            Box::new(move || {
                let expected = Expected { issuer: hub.app.issuer(), now: hub.app.clock.now() };
                assert!(hub.app.snapshot.keys().verification.verify(&token, &expected).is_ok());
            })
        }
        "verify" => {
            let hub = Hub::open();
            let token = hub.token();
            Box::new(move || _ = black_box(hub.verified(&token)))
        }
        "decide" => {
            let hub = Hub::open();
            let verified = hub.verified(&hub.token());
            let gateway = Resource::Gateway(GatewayName::parse("service-11").expect("a name"));
            Box::new(move || assert!(verified.decide(black_box(&gateway), Action::View).is_ok()))
        }
        "parse" => Box::new(|| assert!(DataFilter::parse(black_box(FILTER)).is_ok())),
        "filter" => {
            let filter = DataFilter::parse(FILTER).expect("a filter");
            let attributes =
                [("user.department", "fx"), ("user.environment", "uat"), ("itrs.os-type", "Linux"), ("host", "web-7")];
            let attributes: BTreeMap<String, String> =
                attributes.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            Box::new(move || assert!(filter.matches(black_box(&attributes))))
        }
        "compile" => {
            let (filters, labels) = limits();
            Box::new(move || assert!(Enforcement::compile(black_box(&filters), &labels).is_ok()))
        }
        "rewrite" => {
            let (filters, labels) = limits();
            let enforcement = Enforcement::compile(&filters, &labels).expect("it can be said with matchers");
            Box::new(move || _ = black_box(rewrite(black_box(QUERY), &enforcement).expect("a query")))
        }
        _ => panic!("no such step: {name}"),
    }
}

fn limits() -> (Vec<Arc<DataFilter>>, LabelMap) {
    let labels = [
        ("user.department", "department"),
        ("user.environment", "environment"),
        ("itrs.os-type", "os"),
        ("host", "host"),
    ];
    let label = |(key, label): (&str, &str)| (key.to_owned(), LabelName::parse(label).expect("a label"));
    (vec![Arc::new(DataFilter::parse(FILTER).expect("a filter"))], labels.into_iter().map(label).collect())
}

/// A hub in a folder of its own, with one application.
struct Hub {
    app: Arc<App>,
    id: String,
    secret: String,
    ids: RequestIds,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Hub {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let (clock, _) = Clock::manual(Timestamp::from_seconds(1_800_000_000));
        let (app, id, secret) = runtime.block_on(async {
            let app = hub::open(Config::local(folder.path()), clock, Randomness::system()).await.expect("a hub");
            app.bootstrap().await.expect("a snapshot");
            let operator = Actor::operator();
            let grants = (0..12).map(|number| format!("gateway/service-{number}:view")).collect();
            let role = RoleInput { name: "measured".to_owned(), grants, filter: FILTER.to_owned() };
            let role = role::create(&app, &operator, &role).await.expect("a role");
            let new = NewApplication { name: "measured".to_owned(), roles: vec![role.id], ..NewApplication::default() };
            let key = application::create(&app, &operator, &new).await.expect("a key");
            app.poll().await.expect("it is in effect");
            (app, key.client_id.as_str().to_owned(), key.client_secret.expose().to_owned())
        });
        Self { app, id, secret, ids: RequestIds::new(1), runtime, _folder: folder }
    }

    /// What a token request sends.
    fn form(&self) -> String {
        format!("grant_type=client_credentials&client_id={}&client_secret={}", self.id, self.secret)
    }

    fn token(&self) -> String {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/oauth2/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(self.form()))
            .expect("a request");
        let context =
            RequestContext { address: CALLER, tls: false, private: true, operations: false, id: self.ids.next() };
        // Reading a body asks for the time.
        let _timers = self.runtime.enter();
        let answer = now(issue(State(Arc::clone(&self.app)), context, request)).expect("a token");
        let body = now(axum::body::to_bytes(answer.into_body(), usize::MAX)).expect("a body");
        let text = std::str::from_utf8(&body).expect("JSON");
        text.split('"').nth(3).expect("the access token comes first").to_owned()
    }

    fn verified(&self, token: &str) -> Verified {
        let place = Place::Gateway("service-11");
        now(verify(&self.app, token, place, CALLER)).expect("a good token")
    }

    fn claims(&self) -> Claims {
        let now = self.app.clock.now().seconds();
        Claims {
            iss: self.app.issuer().to_owned(),
            client_id: self.id.clone(),
            aud: vec![self.app.issuer().to_owned()],
            iat: now,
            exp: now + 600,
            jti: token_id(&self.app.randomness),
            scope: "gateway/service-11:view".to_owned(),
            roles: vec!["measured".to_owned()],
            cred: "0123456789abcdef0123456789abcdef".to_owned(),
            seq: 7,
        }
    }
}

/// The outcome of what has nothing to wait for.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return outcome;
        }
    }
}
