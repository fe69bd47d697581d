//! Several nodes on one database, and the person who changes things at all of them.

use std::{
    net::SocketAddr,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use super::support::{
    Answer, ConsoleUser, HubProcess, Installation, Request, Site, chance::Chance, html, process::free_port,
};
use super::wire::Client;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub const ISSUER: &str = "https://hub.example.com";
const PASSWORD: &str = "correct horse battery staple";

/// Where the nodes of a fleet keep what they keep; nothing but logs, since the store is elsewhere.
pub struct Places(Vec<Installation>);

impl Places {
    /// A place for each of these addresses of the database.
    pub fn on(urls: &[String]) -> Self {
        let place = |url: &String| {
            let mut place = Installation::new();
            place.database_url = Some(url.clone());
            place.environment.push(("GATEWAY_HUB_KEY".to_owned(), KEY.to_owned()));
            place
        };
        Self(urls.iter().map(place).collect())
    }

    /// One place with files of its own.
    pub fn embedded() -> Self {
        Self(vec![Installation::new()])
    }

    pub fn first(&self) -> &Installation {
        &self.0[0]
    }

    /// Starts node-a, node-b, …
    pub fn start(&self, arguments: &[&str]) -> Fleet<'_> {
        self.first().user("root", "Administrator", PASSWORD);
        let sites: Vec<Site> = self.0.iter().map(|_| site()).collect();
        let nodes = (0..self.0.len()).map(|number| self.start_node(number, &sites[number], arguments)).collect();
        Fleet { nodes }
    }

    /// Starts one node at an address.
    pub fn start_node(&self, number: usize, site: &Site, arguments: &[&str]) -> HubProcess<'_> {
        let name = name(number);
        let mut all = vec!["--node-name", &name, "--public-url", ISSUER];
        all.extend(arguments);
        self.0[number].serve_at(&all, site.clone())
    }
}

fn site() -> Site {
    Site::new(SocketAddr::from(([127, 0, 0, 1], free_port())), ISSUER)
}

pub fn name(number: usize) -> String {
    format!("node-{}", ["a", "b", "c"][number])
}

/// Running nodes.
pub struct Fleet<'a> {
    pub nodes: Vec<HubProcess<'a>>,
}

impl Fleet<'_> {
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.site.address).collect()
    }

    /// Sends a signal to a node.
    pub fn signal(&self, number: usize, signal: &str) {
        let pid = self.nodes[number].pid().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().is_ok_and(|status| status.success()));
    }

    /// The administrator, signed in at one node, and by that at all.
    pub async fn person(&self) -> Person {
        let mut user = ConsoleUser::sign_in(&self.nodes[0].site, "root", PASSWORD).await;
        let page = user.get("/console/overview").await.expect(200).text();
        let csrf =
            page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
        let cookies: Vec<_> = user.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Person { cookies: cookies.join("; "), csrf: csrf.to_owned(), addresses: self.addresses() }
    }
}

/// A key as the console showed it.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

/// A browser with a session that any node knows. What a node did not answer with success gives `None`: it may have
/// happened or not.
#[derive(Clone)]
pub struct Person {
    cookies: String,
    csrf: String,
    addresses: Vec<SocketAddr>,
}

impl Person {
    /// The same, who knows no node but this one.
    pub fn through(&self, address: SocketAddr) -> Self {
        Self { addresses: vec![address], ..self.clone() }
    }

    pub async fn send(&self, node: usize, request: Request) -> Option<Answer> {
        let request = request.header("Cookie", &self.cookies).header("Sec-Fetch-Site", "same-origin");
        Client::new(self.addresses[node]).ask(&request).await
    }

    async fn submit(&self, node: usize, target: &str, fields: &[(&str, &str)]) -> Option<Answer> {
        let mut all = vec![("csrf", &*self.csrf)];
        all.extend(fields);
        let answer = self.send(node, Request::post(target).form(&all)).await?;
        assert!(matches!(answer.status, 200 | 303 | 503), "{target}: {} {}", answer.status, answer.text());
        (answer.status != 503).then_some(answer)
    }

    fn shown(answer: &Answer) -> Option<Key> {
        Some(Key { id: html::shown(answer, "client_id")?, secret: html::shown(answer, "client_secret")? })
    }

    pub async fn create(&self, node: usize, chance: &mut Chance, role: &str) -> Option<Key> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("application {}", COUNT.fetch_add(1, Ordering::Relaxed));
        let fields = [("submission", &*submission(chance)), ("name", &*name), ("role", role)];
        Self::shown(&self.submit(node, "/console/applications", &fields).await?)
    }

    pub async fn regenerate(&self, node: usize, chance: &mut Chance, key: &Key) -> Option<Key> {
        let target = format!("/console/applications/{}/regenerate", key.id);
        let fields = [("submission", &*submission(chance)), ("how", "now")];
        Self::shown(&self.submit(node, &target, &fields).await?)
    }

    pub async fn delete(&self, node: usize, key: &Key) -> Option<Answer> {
        self.submit(node, &format!("/console/applications/{}/delete", key.id), &[]).await
    }

    pub async fn create_role(&self, node: usize, name: &str, grants: &[&str]) -> Option<()> {
        let mut fields = vec![("name", name), ("filter", "")];
        fields.extend(grants.iter().map(|grant| ("grant", *grant)));
        self.submit(node, "/console/roles", &fields).await.map(drop)
    }

    /// Changes the grants of a role, by its page.
    pub async fn change_role(&self, node: usize, role: &str, name: &str, grants: &[&str]) -> Option<()> {
        let page = self.send(node, Request::get(role)).await?;
        if page.status != 200 {
            return None;
        }
        let seen = page.text();
        let seen = seen.split("name=\"seen\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("seen");
        let seen = html::unescape(seen);
        let mut fields = vec![("name", name), ("filter", ""), ("seen", &*seen)];
        fields.extend(grants.iter().map(|grant| ("grant", *grant)));
        let answer = self.submit(node, role, &fields).await?;
        assert_eq!(answer.status, 303, "{}", answer.text());
        Some(())
    }

    /// The address of that role's page.
    pub async fn role_page(&self, name: &str) -> String {
        let page = self.send(0, Request::get("/console/roles")).await.expect("an answer").expect(200).text();
        let before = page.split(&format!(">{name}</a>")).next().expect("the role");
        let path = before.rsplit("href=\"").next().and_then(|rest| rest.split('"').next());
        path.expect("its address").to_owned()
    }
}

fn submission(chance: &mut Chance) -> String {
    format!("submission_{:016x}{:016x}", chance.number(), chance.number())
}
