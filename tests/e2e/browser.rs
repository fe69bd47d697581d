//! A browser of its own for each story, and ways to find things as a person does.

use super::hub::{ADMINISTRATOR, Hub, PASSWORD};
use super::postgres::PostgresDatabase;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;

/// Browsers are large: one at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Runs a story with a hub and a browser, and puts both away however it ends.
pub(crate) fn story(told: impl AsyncFnOnce(&Browser, &Hub)) {
    story_of(Hub::start(), told);
}

/// The same with a hub on PostgreSQL.
pub(crate) fn story_on_postgres(told: impl AsyncFnOnce(&Browser, &Hub)) {
    let database = PostgresDatabase::create();
    story_of(Hub::start_on(&database), told);
}

fn story_of(start: impl Future<Output = Hub>, told: impl AsyncFnOnce(&Browser, &Hub)) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let hub = start.await;
        let browser = Browser::open().await;
        told(&browser, &hub).await;
        browser.close().await;
        hub.stop().await;
    });
}

/// Chromium behind a chromedriver on a free port.
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    /// Killed when dropped; Chromium ends with it.
    _process: Chromedriver,
    _profile: tempfile::TempDir,
}

struct Chromedriver(Child);

impl Drop for Chromedriver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Browser {
    /// Opens one with an empty profile.
    pub(crate) async fn open() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver (Debian: apt-get install chromium chromium-driver)");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let process = Chromedriver(child);
        let mut lines = output.lines().map_while(Result::ok);
        let told =
            lines.find_map(|line| line.split_once("started successfully on port ").map(|(_, port)| port.to_owned()));
        let port = told.expect("chromedriver tells its port").trim_end_matches('.').to_owned();
        std::thread::spawn(move || lines.for_each(drop));

        let profile = tempfile::Builder::new().prefix("gateway-hub-browser-").tempdir().expect("a temporary folder");
        let mut wanted = DesiredCapabilities::chrome();
        let profile_flag = format!("--user-data-dir={}", profile.path().display());
        let flags =
            ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900"];
        for flag in flags.into_iter().chain([profile_flag.as_str()]) {
            wanted.add_arg(flag).expect("a flag");
        }
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.expect("a browser");
        driver.set_implicit_wait_timeout(Duration::from_secs(5)).await.expect("a timeout");
        Self { driver, _process: process, _profile: profile }
    }

    /// Closes it.
    pub(crate) async fn close(self) {
        let _ = self.driver.quit().await;
    }

    /// Opens an address.
    pub(crate) async fn go(&self, url: &str) {
        self.driver.goto(url).await.expect("a page");
    }

    /// Signs in as the administrator, through the page.
    pub(crate) async fn sign_in(&self, hub: &Hub) {
        self.sign_in_as(hub, ADMINISTRATOR).await;
    }

    /// Signs in as somebody.
    pub(crate) async fn sign_in_as(&self, hub: &Hub, name: &str) {
        self.go(&hub.url("/console/sign-in")).await;
        self.fill("Username", name).await;
        self.fill("Password", PASSWORD).await;
        self.press("Sign in").await;
        self.heading("Overview").await;
    }

    /// The field with that label.
    pub(crate) async fn field(&self, label: &str) -> WebElement {
        let label = self.one(&format!("//label[normalize-space(.)='{label}']")).await;
        let id = label.attr("for").await.expect("an answer").expect("a label says whose it is");
        self.driver.find(By::Id(id)).await.expect("the field of the label")
    }

    /// Types into the field with that label, in place of what is there.
    pub(crate) async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.clear().await.expect("a field to clear");
        field.send_keys(text).await.expect("a field to type in");
    }

    /// Puts a text into the field that the driver can't type: emoji.
    pub(crate) async fn set(&self, label: &str, text: &str) {
        let field = self.field(label).await.to_json().expect("an element");
        let script =
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))";
        self.driver.execute(script, vec![field, text.into()]).await.expect("a script");
    }

    /// Chooses from the list of choices with that label, as the mouse does.
    pub(crate) async fn choose(&self, label: &str, option: &str) {
        let field = self.field(label).await;
        let xpath = format!(".//option[normalize-space(.)={}]", quoted(option));
        let option = field.find(By::XPath(xpath)).await.unwrap_or_else(|error| panic!("{label}: {option}: {error}"));
        option.click().await.expect("an option to choose");
    }

    /// What the field with that label holds.
    pub(crate) async fn value(&self, label: &str) -> String {
        self.field(label).await.value().await.expect("an answer").unwrap_or_default()
    }

    /// Presses the button with that text, in the window if one is open.
    pub(crate) async fn press(&self, text: &str) {
        let inside = if self.window().await.is_some() { "//dialog" } else { "" };
        let button = self.one(&format!("{inside}//button[normalize-space(.)='{text}']")).await;
        button.click().await.unwrap_or_else(|error| panic!("the button {text} can't be pressed: {error}"));
    }

    /// Follows the link with that text.
    pub(crate) async fn follow(&self, text: &str) {
        self.one(&format!("//a[normalize-space(.)='{text}']")).await.click().await.expect("a link to follow");
    }

    /// Waits for a page with that heading.
    pub(crate) async fn heading(&self, text: &str) {
        self.one(&format!("//h1[normalize-space(.)='{text}']")).await;
    }

    /// The title of the open window, by which it is named to people who can't see it.
    pub(crate) async fn window(&self) -> Option<String> {
        let script = "const d = document.querySelector('dialog[open]'); \
                      return d && document.getElementById(d.getAttribute('aria-labelledby')).textContent;";
        let answer = self.driver.execute(script, Vec::new()).await.expect("a script");
        answer.json().as_str().map(str::to_owned)
    }

    /// The row of the list that shows this name.
    pub(crate) async fn row(&self, name: &str) -> WebElement {
        self.one(&format!("//tr[td[normalize-space(.)={}]]", quoted(name))).await
    }

    /// Waits until no window is open.
    pub(crate) async fn no_window(&self) {
        self.until("the window to close", async || self.window().await.is_none()).await;
    }

    /// Points at a row.
    pub(crate) async fn point_at(&self, name: &str) -> WebElement {
        for _ in 0..10 {
            let row = self.row(name).await;
            let pointed = self.driver.action_chain().move_to_element_center(&row).perform().await;
            match pointed {
                Ok(()) => return row,
                // Found on a page that was just being left.
                Err(fault) if matches!(*fault, WebDriverErrorInner::StaleElementReference(_)) => {}
                Err(fault) => panic!("a pointer: {fault}"),
            }
        }
        panic!("the row {name} is never still")
    }

    /// Points at a row and presses one of its buttons.
    pub(crate) async fn press_in_row(&self, name: &str, button: &str) {
        let row = self.point_at(name).await;
        let button = row.find(By::XPath(format!(".//button[normalize-space(.)='{button}']"))).await.expect("a button");
        for _ in 0..40 {
            if button.is_displayed().await.expect("an answer") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert!(button.is_displayed().await.expect("an answer"), "pointing at the row does not show its buttons");
        button.click().await.expect("a button that can be pressed");
    }

    /// Waits until a window with this title is open.
    pub(crate) async fn window_titled(&self, title: &str) {
        self.until(&format!("a window titled {title}"), async || self.window().await.as_deref() == Some(title)).await;
    }

    /// Waits until the page says this.
    pub(crate) async fn says(&self, words: &str) {
        self.until(words, async || self.text().await.contains(words)).await;
    }

    /// Waits until so many elements match.
    pub(crate) async fn has(&self, number: u64, css: &str) {
        self.until(&format!("{number} of {css}"), async || self.count(css).await == number).await;
    }

    /// Waits until it holds.
    pub(crate) async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        for _ in 0..150 {
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited in vain for {what}; the page says:\n{}", self.text().await);
    }

    /// Everything the page says.
    pub(crate) async fn text(&self) -> String {
        let answer = self.driver.execute("return document.body.innerText", Vec::new()).await.expect("a script");
        answer.json().as_str().unwrap_or_default().to_owned()
    }

    /// How many elements match.
    pub(crate) async fn count(&self, css: &str) -> u64 {
        let script = format!("return document.querySelectorAll({css:?}).length");
        self.driver.execute(script, Vec::new()).await.expect("a script").json().as_u64().expect("a number")
    }

    async fn one(&self, xpath: &str) -> WebElement {
        match self.driver.find(By::XPath(xpath)).await {
            Ok(found) => found,
            Err(error) => panic!("{xpath}: {error}\n{}", self.text().await),
        }
    }
}

/// A text as `XPath` writes it.
fn quoted(text: &str) -> String {
    if text.contains('\'') { format!("\"{text}\"") } else { format!("'{text}'") }
}
