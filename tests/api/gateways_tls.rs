//! Services behind TLS: whose certificates are trusted, and the certificate that the hub shows.

use gateway_hub::actions::gateway::{ClientCertificateInput, CredentialInput, GatewayInput};

use crate::support::{
    Application, Hub, Request, Upstream,
    certificates::{Authority, Certificate, Front},
};

/// A gateway to this address that trusts this authority.
fn trusting(authority: &Authority) -> GatewayInput {
    GatewayInput { ca: Some(authority.pem()), ..GatewayInput::default() }
}

/// Why the gateway is down, as its page tells administrators.
async fn reason(hub: &Hub) -> String {
    let mut person = hub.console_user("Administrator").await;
    let id = hub.app.snapshot.gateway("shop").expect("the gateway").gateway.id.clone();
    person.get(&format!("/console/gateways/{}", id.as_str())).await.expect(200).text()
}

/// The request is refused with a problem that names the gateway and nothing else of it, and never reached the service.
async fn refused(hub: &Hub, application: &Application, upstream: &Upstream, front: &Front, why: &str) {
    let before = upstream.seen().len();
    for request in [Request::get("/gateways/shop/x"), Request::post("/gateways/shop/x").body("text/plain", b"hello")] {
        let answer = application.ask(request).await.expect(502);
        assert_eq!((answer.problem().as_str(), answer.member("gateway").as_str()), ("gateway-fault", "shop"), "{why}");
        let told = answer.everything();
        assert!(!told.contains(&front.address.port().to_string()) && !told.contains("ertificate"), "{why}: {told}");
    }
    assert_eq!(upstream.seen().len(), before, "{why}");
    let page = reason(hub).await;
    assert!(page.contains(why), "{why}: {page}");
}

#[tokio::test]
async fn a_service_is_reached_by_the_authority_that_the_gateway_trusts() {
    let (hub, upstream, authority) = (Hub::start().await, Upstream::echo().await, Authority::new());
    let front = Front::before(&upstream, &authority.signs("DNS:localhost,IP:127.0.0.1"), None).await;
    let application = hub.application(&["Administrator"]).await;
    for (name, host) in [("by-name", "localhost"), ("by-number", "127.0.0.1")] {
        hub.gateway_with(name, &front.url(host), trusting(&authority)).await;
        for body in ["one", "two", "three"] {
            let post = Request::post(&format!("/gateways/{name}/x")).body("text/plain", body.as_bytes());
            assert_eq!(application.ask(post).await.expect(200).text(), body);
        }
        let host = format!("{host}:{}", front.address.port());
        assert_eq!(upstream.last().header("host"), Some(host.as_str()));
    }
    assert_eq!(upstream.connections(), 2, "each gateway used its connection again");
}

/// SECURITY 28: whoever stands between the hub and a service can't pass for it.
#[tokio::test]
async fn sec_28_a_service_that_can_not_prove_its_name_is_refused() {
    let (hub, upstream) = (Hub::start().await, Upstream::echo().await);
    let (authority, other) = (Authority::new(), Authority::new());
    let application = hub.application(&["Administrator"]).await;
    let good = || authority.signs("DNS:localhost");
    let cases: [(Certificate, GatewayInput, &str); 4] = [
        (good(), trusting(&other), "UnknownIssuer"),
        (good(), GatewayInput::default(), "UnknownIssuer"),
        (authority.signs("DNS:elsewhere.example"), trusting(&authority), "not valid for name"),
        (authority.signs_until("DNS:localhost", "20200102000000Z"), trusting(&authority), "expired"),
    ];
    for (certificate, input, why) in cases {
        let front = Front::before(&upstream, &certificate, None).await;
        let id = hub.gateway_with("shop", &front.url("localhost"), input).await;
        refused(&hub, &application, &upstream, &front, why).await;
        hub.delete_gateway(&id).await;
    }
    // Plain HTTP where the gateway says TLS, and the reverse.
    let front = Front::before(&upstream, &good(), None).await;
    let id = hub.gateway_with("shop", &upstream.url().replace("http:", "https:"), trusting(&authority)).await;
    assert_eq!(application.get("/gateways/shop/x").await.expect(502).member("gateway"), "shop");
    hub.delete_gateway(&id).await;
    hub.gateway_with("shop", &front.url("localhost").replace("https:", "http:"), GatewayInput::default()).await;
    assert_eq!(application.get("/gateways/shop/x").await.expect(502).member("gateway"), "shop");
}

#[tokio::test]
async fn a_service_that_asks_for_a_certificate_gets_the_gateways() {
    let (hub, upstream) = (Hub::start().await, Upstream::echo().await);
    let (authority, clients, other) = (Authority::new(), Authority::new(), Authority::new());
    let front = Front::before(&upstream, &authority.signs("DNS:localhost"), Some(&clients)).await;
    let application = hub.application(&["Administrator"]).await;
    let showing = |certificate: &Certificate| GatewayInput {
        client_certificate: Some(ClientCertificateInput { chain: certificate.chain(), key: certificate.key().into() }),
        ..trusting(&authority)
    };
    let (own, foreign) = (clients.signs("DNS:hub.example"), other.signs("DNS:hub.example"));
    let secret = GatewayInput {
        credential: Some(CredentialInput::Bearer("upstream-secret".to_owned().into())),
        ..trusting(&authority)
    };
    for (input, why) in
        [(trusting(&authority), "CertificateRequired"), (secret, "CertificateRequired"), (showing(&foreign), "alert")]
    {
        let id = hub.gateway_with("shop", &front.url("localhost"), input).await;
        refused(&hub, &application, &upstream, &front, why).await;
        hub.delete_gateway(&id).await;
    }
    hub.gateway_with("shop", &front.url("localhost"), showing(&own)).await;
    for _ in 0..3 {
        application.get("/gateways/shop/x").await.expect(200);
    }
    assert_eq!(upstream.connections(), 1);
}
