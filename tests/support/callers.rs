//! Typed callers: an application with its key and token, and a person in the Web Console.

use serde_json::Value;

use super::{
    html,
    wire::{Answer, Request, Site},
};

/// An external application: its key, and the access token that it got with it.
#[derive(Clone)]
pub struct Application {
    pub site: Site,
    pub name: String,
    pub client_id: String,
    pub client_secret: String,
    pub token: String,
}

impl Application {
    /// An application that has no token yet.
    pub fn with_key(site: &Site, name: &str, client_id: &str, client_secret: &str) -> Self {
        Self {
            site: site.clone(),
            name: name.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            token: String::new(),
        }
    }

    /// Asks the token endpoint with the credentials in the body, and these parameters more.
    pub async fn ask_token(&self, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &*self.client_id),
            ("client_secret", &*self.client_secret),
        ];
        fields.extend(more);
        self.site.ask(Request::post("/oauth2/token").form(&fields)).await
    }

    /// Gets a new token with everything that the roles give.
    pub async fn sign_in(&mut self) -> &mut Self {
        self.token = self.ask_token(&[]).await.expect(200).member("access_token");
        self
    }

    /// A token for this scope.
    pub async fn token_for(&self, scope: &str) -> String {
        self.ask_token(&[("scope", scope)]).await.expect(200).member("access_token")
    }

    pub async fn ask(&self, request: Request) -> Answer {
        self.site.ask(request.bearer(&self.token)).await
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.ask(Request::get(target)).await
    }

    pub async fn send(&self, method: &str, target: &str, value: &Value) -> Answer {
        self.ask(Request::new(method, target).json(value)).await
    }

    /// Whether the hub takes the token now.
    pub async fn is_in(&self) -> bool {
        let answer = self.get("/api/v1/whoami").await;
        assert!(matches!(answer.status, 200 | 401), "{answer:?}");
        answer.status == 200
    }

    /// Whether the hub takes the key now.
    pub async fn key_works(&self) -> bool {
        let answer = self.ask_token(&[]).await;
        assert!(matches!(answer.status, 200 | 401), "{answer:?}");
        answer.status == 200
    }

    /// A request to an endpoint where the client authenticates itself: introspection, revocation.
    pub async fn client_post(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.site.ask(Request::post(target).basic(&self.client_id, &self.client_secret).form(fields)).await
    }
}

/// A person in the Web Console, as a browser would send them.
#[derive(Clone)]
pub struct ConsoleUser {
    pub site: Site,
    pub name: String,
    pub cookies: Vec<(String, String)>,
}

impl ConsoleUser {
    /// A browser that nobody has signed in with.
    pub fn nobody(site: &Site) -> Self {
        Self { site: site.clone(), name: String::new(), cookies: Vec::new() }
    }

    /// Signs in through the page. The answer tells how it went; the cookies are kept either way.
    pub async fn try_sign_in(site: &Site, name: &str, password: &str) -> (Self, Answer) {
        let mut user = Self::nobody(site);
        name.clone_into(&mut user.name);
        let page = user.get("/console/sign-in").await.expect(200);
        let form = html::form_with(&page, "Sign in").fill("Username", name).fill("Password", password);
        let answer = user.send(form.press("Sign in", "/console/sign-in")).await;
        (user, answer)
    }

    /// Signs in and expects to be let in.
    pub async fn sign_in(site: &Site, name: &str, password: &str) -> Self {
        let (user, answer) = Self::try_sign_in(site, name, password).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        user
    }

    /// A request with this browser's cookies, from a page of the console.
    pub async fn send(&mut self, request: Request) -> Answer {
        let line = format!("{} {}", request.method, request.target);
        self.try_send(request).await.unwrap_or_else(|| panic!("{line}: no answer"))
    }

    /// The same; `None` if the hub is gone.
    pub async fn try_send(&mut self, mut request: Request) -> Option<Answer> {
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("Cookie", &pairs.join("; "));
        }
        if request.method != "GET" {
            request = request.header("Origin", &self.site.issuer).header("Sec-Fetch-Site", "same-origin");
            request = request.header("Sec-Fetch-Mode", "navigate").header("Sec-Fetch-Dest", "document");
        }
        let answer = self.site.try_ask(request).await.ok()?;
        for cookie in answer.headers("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or_default();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        Some(answer)
    }

    pub async fn get(&mut self, target: &str) -> Answer {
        self.send(Request::get(target)).await
    }

    /// Sends, and follows what a browser would follow.
    pub async fn go(&mut self, request: Request) -> Answer {
        let line = format!("{} {}", request.method, request.target);
        self.try_go(request).await.unwrap_or_else(|| panic!("{line}: no answer"))
    }

    /// The same; `None` if the hub is gone.
    pub async fn try_go(&mut self, request: Request) -> Option<Answer> {
        let mut answer = self.try_send(request).await?;
        for _ in 0..5 {
            let Some(next) = (answer.status == 303).then(|| answer.header("location")).flatten() else { break };
            let next = next.strip_prefix(&self.site.issuer).unwrap_or(next).to_owned();
            answer = self.try_send(Request::get(&next)).await?;
        }
        Some(answer)
    }

    /// Opens the page with that button and presses it.
    pub async fn press(&mut self, page: &str, button: &str) -> Answer {
        let answer = self.get(page).await.expect(200);
        let request = html::form_with(&answer, button).press(button, page);
        self.go(request).await
    }

    /// *New API Key* up to the choice of roles.
    pub async fn name_new_key(&mut self, name: &str) -> Answer {
        let window = self.press("/console/applications", "New API Key").await;
        let next = html::form_with(&window, "Next").fill("Name", name);
        self.go(next.press("Next", "/console/applications")).await
    }

    /// *New API Key* to the end: the request that generates it, for whoever wants to send it twice.
    pub async fn new_key_request(&mut self, name: &str, roles: &[&str]) -> Request {
        let window = self.name_new_key(name).await.expect(200);
        let mut form = html::form_with(&window, "Generate API Key");
        for role in roles {
            form = form.tick(role);
        }
        form.press("Generate API Key", "/console/applications")
    }

    /// *New API Key* to the end.
    pub async fn new_key(&mut self, name: &str, roles: &[&str]) -> Application {
        let request = self.new_key_request(name, roles).await;
        let answer = self.go(request).await;
        self.shown_key(name, &answer)
    }

    /// The key that a window shows.
    #[track_caller]
    pub fn shown_key(&self, name: &str, window: &Answer) -> Application {
        let id = html::shown(window, "client_id").unwrap_or_else(|| panic!("no client_id: {}", window.text()));
        let secret = html::shown(window, "client_secret").unwrap_or_else(|| panic!("no secret: {}", window.text()));
        Application::with_key(&self.site, name, &id, &secret)
    }
}
