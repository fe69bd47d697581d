//! A search for secrets in everything that the program writes.

use crate::support::{Application, ConsoleUser, Installation, Request, html};

const PASSWORD: &str = "canary-password-7261-long-enough";

/// A password typed into the wrong field: the page may show the field again to whoever typed it, and nobody else sees it.
const SLIPPED: &str = "canary-slipped-5519-into-the-name";

/// The file from which an upstream's password is read.
const UPSTREAM_FILE: &str = "upstream-password";

/// What must not be found, and what it is.
struct Canaries(Vec<(String, String)>);

impl Canaries {
    fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 16, "{what} is too short to search for: {secret:?}");
        self.0.push((what.to_owned(), secret.to_owned()));
    }

    /// Asserts that the content holds none of them, as they are or as a log may encode them.
    #[track_caller]
    fn absent(&self, place: &str, content: &[u8]) {
        for (what, secret) in &self.0 {
            let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, secret);
            let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            for form in [secret.as_bytes(), base64.trim_end_matches('=').as_bytes(), hexadecimal.as_bytes()] {
                // Cut short it is as bad. Of a token the end counts: all of them begin alike.
                let length = form.len().min(40);
                let cut = if secret.contains('.') { &form[form.len() - length..] } else { &form[..length] };
                assert!(!content.windows(cut.len()).any(|window| window == cut), "{place} holds {what}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_11_nothing_that_the_program_writes_holds_a_secret() {
    let mut installation = Installation::new();
    // Everything that can be logged is logged.
    for name in ["RUST_LOG", "GATEWAY_HUB_LOG"] {
        installation.environment.push((name.to_owned(), "trace".to_owned()));
    }
    let mut canaries = Canaries(Vec::new());
    let process = installation.serve(&[]);
    let link = process.stdout();
    let token = link.split_whitespace().find_map(|word| word.split_once("first-run#")).expect("a first-run link").1;
    let token = token.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();

    // Keys from the command line, while it serves.
    let (id, secret) = installation.key("From the command line", &["Administrator"]);
    canaries.add("a secret from the command line", &secret);
    installation.user("admin", "Administrator", PASSWORD);
    canaries.add("a password", PASSWORD);
    let site = process.site.clone();
    let mut administrator = Application::with_key(&site, "From the command line", &id, &secret);
    wait_until_known(&administrator).await;
    administrator.sign_in().await;
    canaries.add("an access token", &administrator.token);

    // Keys from the console.
    let mut person = ConsoleUser::sign_in(&site, "admin", PASSWORD).await;
    for (name, value) in &person.cookies {
        canaries.add(&format!("the cookie {name}"), value);
    }
    let request = person.new_key_request("From the console", &["Operator"]).await;
    let window = person.go(request.clone()).await;
    let mut key = person.shown_key("From the console", &window);
    canaries.add("a secret from the console", &key.client_secret);
    key.sign_in().await;
    canaries.add("a second access token", &key.token);
    person.go(request).await;

    // Credentials for upstreams.
    connect(&installation, &mut canaries, &mut person).await;

    // Everything that can go wrong with them.
    provoke(&site, &administrator, &key).await;
    let (_, refused) = ConsoleUser::try_sign_in(&site, "admin", &format!("{PASSWORD}-wrong")).await;
    assert_ne!(refused.status, 303);
    let (_, refused) = ConsoleUser::try_sign_in(&site, SLIPPED, PASSWORD).await;
    assert_ne!(refused.status, 303);
    person.get("/console/applications").await;
    for page in ["/console/roles", "/console/documentation", "/console/nothing"] {
        person.get(page).await;
    }
    // The commands that read.
    let mut printed = Vec::new();
    for arguments in [
        &["keys", "list"][..],
        &["keys", "list", "--json"],
        &["keys", "show", &id],
        &["keys", "show", &id, "--json"],
        &["roles", "list", "--json"],
        &["users", "list", "--json"],
        &["gateways", "list", "--json"],
        &["gateways", "show", "search"],
        &["gateways", "show", "search", "--json"],
        &["gateways", "update", "search", "--url", "http://127.0.0.1:2"],
        &["check-config"],
        &["check-config", "--json"],
        &["keys", "regenerate", "nobody"],
        &["keys", "create", "From the console", "--role", "Operator"],
        &["keys", "create", "x", "--role", "None", "--json"],
    ] {
        let done = installation.run(arguments);
        printed.push((format!("{arguments:?}"), format!("{}{}", done.stdout, done.stderr)));
    }
    let regenerated = installation.run(&["keys", "regenerate", &key.client_id, "--json"]).good();
    let new = regenerated.json()["client_secret"].as_str().expect("a secret").to_owned();
    canaries.add("a regenerated secret", &new);
    printed.push(("regenerate, on standard error".to_owned(), regenerated.stderr));
    let deleted = installation.run(&["keys", "delete", &key.client_id]);
    printed.push(("delete".to_owned(), format!("{}{}", deleted.stdout, deleted.stderr)));

    answers(&site, &canaries, &key, &administrator);
    // The first-run link is the one exception in form, and only on standard output.
    let (stdout, stderr) = (process.stdout(), process.stderr());
    assert!(stderr.len() > 2_000, "the log is on: {stderr}");
    canaries.absent("standard output", stdout.as_bytes());
    canaries.add("the first-run link", &token);
    canaries.add("a password as a name", SLIPPED);
    canaries.absent("standard error", stderr.as_bytes());
    for (place, text) in &printed {
        canaries.absent(place, text.as_bytes());
    }
    let hub_key = std::fs::read_to_string(installation.data().join("hub.key")).expect("hub.key");
    canaries.add("hub.key", hub_key.trim());
    files(&installation, &canaries, "while it runs");
    process.stop();
    files(&installation, &canaries, "after it ended");
}

/// A gateway from the command line and one from the console, each with a credential of its own.
async fn connect(installation: &Installation, canaries: &mut Canaries, person: &mut ConsoleUser) {
    let (password, token) = ("canary-upstream-password-8812", "canary-upstream-token-4471");
    canaries.add("an upstream's password", password);
    canaries.add("an upstream's token", token);
    std::fs::write(installation.folder().join(UPSTREAM_FILE), format!("{password}\n")).expect("a file");
    let create = ["gateways", "create", "search", "--kind", "http", "--url", "http://127.0.0.1:1"];
    let basic = ["--basic-user", "hub", "--password-file", UPSTREAM_FILE];
    installation.run(&[&create[..], &basic].concat()).good();
    let window = person.get("/console/gateways/new").await.expect(200);
    let form = html::form_with(&window, "Create gateway").fill("Name", "other").fill("Token", token);
    let form = form.set("authentication", "bearer").fill("Address", "no address");
    // Refused with the secret in it, and then taken.
    let refused = person.go(form.press("Create gateway", "/console/gateways")).await.expect(422);
    let form = html::form_with(&refused, "Create gateway").fill("Token", token).fill("Address", "http://127.0.0.1:1");
    person.go(form.set("authentication", "bearer").press("Create gateway", "/console/gateways")).await.expect(200);
    person.get("/console/gateways").await.expect(200);
}

/// Every answer but the ones whose purpose it is.
fn answers(site: &crate::support::Site, canaries: &Canaries, key: &Application, administrator: &Application) {
    let mut shown = 0;
    for (line, answer) in site.seen() {
        let mut text = answer.everything();
        if html::shown(&answer, "client_secret").is_some() {
            shown += 1;
            text = text.replace(&key.client_secret, "");
        }
        if line.starts_with("POST /oauth2/token") && answer.status == 200 {
            for token in [&key.token, &administrator.token] {
                text = text.replace(token.as_str(), "");
            }
        }
        let cookies = answer.headers("set-cookie").join(" ");
        if !cookies.is_empty() {
            text = text.replace(&cookies, "");
            for cookie in answer.headers("set-cookie") {
                text = text.replace(cookie, "");
            }
        }
        canaries.absent(&format!("the answer to {line}"), text.as_bytes());
    }
    assert_eq!(shown, 1, "the secret was shown once");
}

fn files(installation: &Installation, canaries: &Canaries, when: &str) {
    let mut searched = Vec::new();
    for (path, mut content) in installation.files() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "hub.key" || name == UPSTREAM_FILE {
            continue;
        }
        if name.starts_with("stdout") {
            content = String::from_utf8_lossy(&content)
                .lines()
                .filter(|line| !line.contains("first-run#"))
                .collect::<Vec<_>>()
                .join("\n")
                .into_bytes();
        }
        canaries.absent(&format!("{} {when}", path.display()), &content);
        searched.push(name);
    }
    assert!(searched.iter().any(|name| name == "gateway-hub.db"), "{searched:?}");
}

async fn wait_until_known(application: &Application) {
    let start = std::time::Instant::now();
    while !application.key_works().await {
        assert!(start.elapsed().as_secs() < 10, "the server never learns of the key");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Secrets where they do not belong, and every kind of refusal.
async fn provoke(site: &crate::support::Site, administrator: &Application, key: &Application) {
    let secret = key.client_secret.as_str();
    let id = key.client_id.as_str();
    let token = key.token.as_str();
    let grant = ("grant_type", "client_credentials");
    let requests = vec![
        Request::get(&format!("/oauth2/token?client_id={id}&client_secret={secret}")),
        Request::post(&format!("/oauth2/token?client_secret={secret}")).form(&[grant]),
        Request::post("/oauth2/token").form(&[grant, ("client_id", secret), ("client_secret", secret)]),
        Request::post("/oauth2/token").form(&[grant, ("client_id", id), ("client_secret", secret), ("scope", secret)]),
        Request::post("/oauth2/token").form(&[("grant_type", secret), ("client_id", id), ("client_secret", secret)]),
        Request::post("/oauth2/token").form(&[
            grant,
            ("client_id", id),
            ("client_secret", secret),
            ("resource", token),
        ]),
        Request::post("/oauth2/token").form(&[grant, (secret, secret), (secret, secret)]),
        Request::post("/oauth2/token").basic(secret, id).form(&[grant]),
        Request::post("/oauth2/token").basic(id, &format!("{secret}x")).form(&[grant]),
        Request::post("/oauth2/token").body("text/plain", secret.as_bytes()),
        Request::post("/oauth2/revoke").basic(id, secret).form(&[("token", secret)]),
        Request::post("/oauth2/introspect").basic(id, secret).form(&[("token", token)]),
        Request::post("/oauth2/introspect").basic(id, secret).form(&[("token", secret)]),
        Request::get("/api/v1/whoami").bearer(secret),
        Request::get("/api/v1/whoami").bearer(&format!("{token}x")),
        Request::get(&format!("/api/v1/whoami?access_token={token}")),
        Request::get(&format!("/api/v1/entities?filter={secret}")).bearer(token),
        Request::get(&format!("/api/v1/entities?filter={token}")).bearer(token),
        Request::get(&format!("/{secret}")),
        Request::get("/api/v1/audit").bearer(&administrator.token),
        Request::get("/api/v1/applications").bearer(&administrator.token),
        Request::get(&format!("/api/v1/applications/{id}")).bearer(&administrator.token),
        Request::get("/api/v1/gateways").bearer(&administrator.token),
        Request::get("/api/v1/gateways/search").bearer(&administrator.token),
        Request::get("/metrics").bearer(&administrator.token),
        Request::get("/api/openapi.json"),
        Request::get("/readyz"),
        Request::new("PUT", "/api/v1/entities/x")
            .bearer(&administrator.token)
            .body("application/json", secret.as_bytes()),
        Request::get("/console/applications").header("Cookie", &format!("gateway-hub-session={secret}")),
    ];
    let mut statuses = Vec::new();
    for request in requests {
        let line = format!("{} {}", request.method, request.target);
        let answer = site.ask(request).await;
        assert!(!answer.everything().contains(secret), "{line}: {}", answer.everything());
        assert!(answer.status < 500, "{line}");
        statuses.push(answer.status);
    }
    assert!(statuses.contains(&200) && statuses.contains(&401) && statuses.contains(&400), "{statuses:?}");
}
