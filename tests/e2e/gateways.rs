//! Gateways, as a person connects, tries, changes and deletes them.

use super::browser::{Browser, story};
use thirtyfour::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A service that answers with the first line of what it was asked; gives its address.
async fn service() -> String {
    service_at(0).await
}

/// The same at this port, unless somebody has it.
pub(crate) async fn service_at(port: u16) -> String {
    let listener = match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("127.0.0.1:0").await.expect("a free port"),
    };
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = vec![0; 8192];
                let length = stream.read(&mut asked).await.unwrap_or(0);
                let asked = String::from_utf8_lossy(&asked[..length]).lines().next().unwrap_or_default().to_owned();
                let body = match asked.split(' ').nth(1).unwrap_or_default() {
                    "/api/v1/status/buildinfo" => r#"{"status":"success","data":{"version":"2.42.0"}}"#.to_owned(),
                    "/api/v1/labels" => r#"{"status":"success","data":["__name__","instance","job"]}"#.to_owned(),
                    _ => format!("<script>document.title = 'taken over'</script> {asked}"),
                };
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: ";
                let _ = stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await;
            });
        }
    });
    format!("http://{address}")
}

async fn is_shown(browser: &Browser, label: &str) -> bool {
    browser.field(label).await.is_displayed().await.expect("an answer")
}

pub(crate) async fn open_more(browser: &Browser) {
    let more = browser.driver.find(By::Css("form[data-gateway-form] summary")).await.expect("More options");
    more.click().await.expect("a click");
}

#[test]
fn a_gateway_is_connected_tried_changed_and_deleted() {
    story(async |browser, hub| {
        let url = service().await;
        hub.administrator().await;
        browser.sign_in(hub).await;
        browser.follow("Gateways").await;
        browser.says("No gateway yet").await;
        browser.is_accessible("no gateway").await;
        browser.press("New gateway").await;
        browser.heading("New gateway").await;
        // The fields of what is chosen, and no others.
        assert!(!is_shown(browser, "Token").await && !is_shown(browser, "Password").await);
        browser.choose("Authentication", "Bearer token").await;
        assert!(is_shown(browser, "Token").await && !is_shown(browser, "Password").await);
        open_more(browser).await;
        assert!(is_shown(browser, "Path rules").await && !is_shown(browser, "Label map").await);
        browser.is_accessible("new gateway, with more options").await;
        browser.fill("Name", "echo").await;
        browser.fill("Address", "echo.example").await;
        browser.fill("Token", "canary-token").await;
        browser.fill("Path rules", "GET /admin/** = refused").await;
        browser.press("Create gateway").await;
        browser.says("starts with http://").await;
        browser.is_accessible("new gateway, with a fault").await;
        assert_eq!(browser.value("Path rules").await, "GET /admin/** = refused", "what was typed stays");
        assert_eq!(browser.value("Token").await, "", "but no secret");
        browser.fill("Address", &url).await;
        browser.fill("Token", "canary-token").await;
        browser.press("Create gateway").await;
        browser.says("The gateway was made").await;
        browser.says("answers 200 to GET /").await;
        browser.says("bearer token").await;
        browser.is_accessible("a gateway").await;

        browser.press("Try it").await;
        browser.heading("Try it").await;
        browser.fill("Path", "/a/b?c=d").await;
        browser.press("Send").await;
        browser.says("200 OK").await;
        browser.says("GET /a/b?c=d HTTP/1.1").await;
        assert!(browser.driver.title().await.expect("a title").starts_with("Try echo"), "the answer is text");
        browser.is_accessible("try it, with an answer").await;
        browser.fill("Path", "/admin/x").await;
        browser.press("Send").await;
        browser.says("A path rule of the gateway refuses this path").await;
        browser.is_accessible("try it, refused").await;

        browser.follow("echo").await;
        browser.heading("echo").await;
        browser.fill("Address", &format!("{url}/prefix")).await;
        browser.press("Save changes").await;
        browser.says("credentials were erased").await;
        browser.press("Check now").await;
        browser.says("The upstream was asked").await;
        browser.follow("Gateways").await;
        browser.row("echo").await;
        browser.is_accessible("gateways").await;
        browser.follow("echo").await;
        browser.press("Delete").await;
        browser.window_titled("Delete gateway").await;
        browser.is_accessible("delete gateway").await;
        browser.press("Delete gateway").await;
        browser.says("The gateway was deleted").await;
    });
}

#[test]
fn a_store_brings_its_labels() {
    story(async |browser, hub| {
        let url = service().await;
        hub.administrator().await;
        browser.sign_in(hub).await;
        browser.go(&hub.url("/console/gateways/new")).await;
        browser.field("Prometheus").await.click().await.expect("a choice");
        open_more(browser).await;
        assert!(!is_shown(browser, "Path rules").await && is_shown(browser, "Label map").await);
        browser.fill("Name", "metrics").await;
        browser.fill("Address", &url).await;
        browser.fill("Label map", "user.department=job").await;
        browser.press("Create gateway").await;
        browser.says("Prometheus 2.42.0, 3 labels").await;
        browser.says("user.department").await;
        browser.says("instance").await;
        browser.is_accessible("a store").await;
        // The matrix of a role offers it by its name.
        browser.go(&hub.url("/console/roles/new")).await;
        browser.fill("Name", "FX metrics").await;
        let view = browser.driver.find(By::Css("input[aria-label='gateway/metrics: view']")).await.expect("a box");
        view.click().await.expect("a box to tick");
        browser.is_accessible("new role, with a gateway").await;
        browser.fill("Data filter", "user.departmend = fx").await;
        browser.press("Create role").await;
        browser.says("user.departmend").await;
        browser.says("metrics").await;
        browser.fill("Data filter", "user.department = fx").await;
        browser.press("Create role").await;
        browser.says("The role was made").await;
        browser.go(&hub.url("/console/gateways")).await;
        browser.says("FX metrics").await;
    });
}
