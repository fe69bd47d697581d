//! Several nodes: the page tells where a change is in effect, and goes on telling without being loaded again.

use std::sync::Arc;
use std::time::Duration;

use gateway_hub::actions::{self, Actor, application::NewApplication, node};
use gateway_hub::ambient::{Clock, Randomness};
use gateway_hub::domain::role::RoleId;

use super::browser::story_on_postgres;

#[test]
fn a_page_follows_a_change_to_every_node() {
    story_on_postgres(async |browser, hub| {
        hub.administrator().await;
        let made = NewApplication {
            name: "Grafana".to_owned(),
            roles: vec![RoleId::new(RoleId::OPERATOR)],
            ..NewApplication::default()
        };
        let key = actions::application::create(&hub.app, &Actor::operator(), &made).await.expect("a key");

        // Another node that reads on only when it is told to.
        let mut config = hub.app.config.clone();
        config.node_name = Some("node-b".to_owned());
        // However slow the browser is, it is still waited for.
        config.timing.staleness_limit = Duration::from_mins(10);
        let other = actions::hub::open(config, Clock::system(), Randomness::system()).await.expect("another node");
        node::join(&other).await.expect("it joins");

        browser.sign_in(hub).await;
        browser.go(&hub.url(&format!("/console/applications/{}", key.client_id))).await;
        browser.set("Description", "Dashboards").await;
        browser.press("Save changes").await;
        browser.says("In effect on 1 of 2 nodes").await;
        browser.says("node-b by").await;
        browser.is_accessible("a change that is not yet in effect everywhere").await;
        // What the script writes into the page is lost if the page is loaded again.
        browser.driver.execute("document.title = 'not loaded again'", vec![]).await.expect("a script");

        other.poll().await.expect("it reads on");
        node::report(&other).await.expect("it says so");
        browser.says("In effect on 2 of 2 nodes").await;
        assert_eq!(browser.driver.title().await.expect("a title"), "not loaded again");
        let asked = browser.count("main [data-effect][data-done]").await;
        assert_eq!(asked, 1, "nothing is asked any more");

        Arc::clone(&other).store.close().await;
    });
}
