//! Clients that other people wrote, against the started program.

use std::process::Command;

use crate::support::{Application, Installation};

/// Runs a Python script of this folder with these arguments; Debian's libraries belong to the system's Python.
fn python(script: &str, arguments: &[&str]) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/clients");
    let output = Command::new("/usr/bin/python3")
        .arg(format!("{folder}/{script}"))
        .args(arguments)
        .env("OAUTHLIB_INSECURE_TRANSPORT", "1")
        .output()
        .expect("python3 (Debian: apt-get install python3-requests-oauthlib python3-jwt)");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{script}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pythons_requests_oauthlib_and_pyjwt_work_as_they_are() {
    let installation = Installation::new();
    let (id, secret) = installation.key("Python", &["Operator"]);
    let process = installation.serve(&[]);
    let printed = python("client_credentials.py", &[&process.site.issuer, &id, &secret]);
    assert!(printed.contains("all good"), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rust_oauth2_crate_works_as_it_is() {
    use oauth2::{AuthType, ClientId, ClientSecret, Scope, TokenResponse as _, TokenUrl, basic::BasicClient};

    let installation = Installation::new();
    let (id, secret) = installation.key("Rust", &["Operator"]);
    let process = installation.serve(&[]);
    let issuer = process.site.issuer.clone();
    for way in [AuthType::BasicAuth, AuthType::RequestBody] {
        let client = BasicClient::new(ClientId::new(id.clone()))
            .set_client_secret(ClientSecret::new(secret.clone()))
            .set_auth_type(way.clone())
            .set_token_uri(TokenUrl::new(format!("{issuer}/oauth2/token")).expect("an address"));
        let granted = client
            .exchange_client_credentials()
            .add_scope(Scope::new("entities:view".to_owned()))
            .request_async(&send)
            .await
            .expect("a token");
        assert!(granted.expires_in().is_some_and(|life| life.as_secs() == 600));
        let mut application = Application::with_key(&process.site, "Rust", &id, &secret);
        granted.access_token().secret().clone_into(&mut application.token);
        application.get("/api/v1/entities").await.expect(200);
        verify_with_jsonwebtoken(&process.site, &application).await;
        // Too much is an error that the library understands.
        let refused = client
            .exchange_client_credentials()
            .add_scope(Scope::new("applications:edit".to_owned()))
            .request_async(&send)
            .await
            .expect_err("more than the role gives");
        assert!(
            matches!(
                refused,
                oauth2::RequestTokenError::ServerResponse(ref answer)
                    if *answer.error() == oauth2::basic::BasicErrorResponseType::InvalidScope
            ),
            "{refused:?}"
        );
    }
}

/// The crate's own adapter is for an older `reqwest`.
async fn send(request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, reqwest::Error> {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let answer = client.execute(request.try_into()?).await?;
    let mut response = oauth2::http::Response::new(Vec::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.to_vec();
    Ok(response)
}

/// A library that is not ours verifies the token through the published keys alone.
async fn verify_with_jsonwebtoken(site: &crate::support::Site, application: &Application) {
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};

    let metadata = site.get("/.well-known/oauth-authorization-server").await.expect(200).json();
    let address =
        metadata["jwks_uri"].as_str().expect("jwks_uri").strip_prefix(&site.issuer).expect("our own").to_owned();
    let set: JwkSet = serde_json::from_slice(&site.get(&address).await.expect(200).body).expect("a JWK set");
    let header = decode_header(&application.token).expect("a header");
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let key = set.find(header.kid.as_deref().expect("a kid")).expect("the key is published");
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[&site.issuer]);
    validation.set_audience(&[&site.issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = 0;
    let decoded =
        decode::<serde_json::Value>(&application.token, &DecodingKey::from_jwk(key).expect("a key"), &validation)
            .expect("the signature and the claims hold");
    assert_eq!(decoded.claims["client_id"], application.client_id);
    assert_eq!(decoded.claims["scope"], "entities:view");
}
