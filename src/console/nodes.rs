//! The Nodes page: every node of this store, and how far it is.

use super::answer;
use super::frame::{Frame, Section};
use super::session::SignedIn;
use super::when::When;
use crate::actions;
use crate::app::App;
use crate::domain::node::{Node, Standing};
use crate::domain::time::Timestamp;
use crate::http::problem::Problem;
use crate::store;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// A node, in words.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Whether it is the one that answers.
    pub(crate) this: bool,
    /// The style of the badge, and what it says.
    pub(crate) style: &'static str,
    pub(crate) standing: String,
    /// The number of the last change that is in effect there.
    pub(crate) applied: u64,
    /// How far it is behind, in words.
    pub(crate) lag: String,
    pub(crate) seen: When,
    pub(crate) started: When,
}

/// The page.
#[derive(Template)]
#[template(path = "nodes.html")]
pub(crate) struct NodesPage {
    pub(crate) frame: Frame,
    /// The number of the last change in the store.
    pub(crate) head: u64,
    pub(crate) nodes: Vec<Row>,
}

/// `GET /console/nodes`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
) -> Result<Response, Problem> {
    let mut tx = app.store.read().await?;
    let head = store::changes::head(&mut tx).await?.seq;
    let mut nodes = store::node::all(&mut tx).await?;
    drop(tx);
    if let Some(here) = nodes.iter_mut().find(|node| node.id == app.identity.id) {
        *here = actions::node::here(&app); // it knows more of itself than its last report
    }
    let now = app.clock.now();
    let page = NodesPage {
        frame: signed_in.frame(Section::Overview),
        head,
        nodes: nodes.iter().map(|node| Row::new(node, node.id == app.identity.id, head, now)).collect(),
    };
    Ok(answer::page(StatusCode::OK, &page))
}

impl Row {
    fn new(node: &Node, this: bool, head: u64, now: Timestamp) -> Self {
        let (style, standing) = match node.standing(now) {
            Standing::Serving => ("good", "serving".to_owned()),
            Standing::Starting => ("", "starting".to_owned()),
            Standing::Silent(by) => ("off", format!("not heard of; refuses everything by {}", When::new(by).time)),
            Standing::Refusing(since) => ("ended", format!("refuses everything since {}", When::new(since).full)),
        };
        let lag = match head.saturating_sub(node.applied) {
            0 => "up to date".to_owned(),
            1 => "1 change behind".to_owned(),
            behind => format!("{behind} changes behind"),
        };
        Self {
            name: node.name.clone(),
            version: node.version.clone(),
            this,
            style,
            standing,
            applied: node.applied,
            lag,
            seen: When::new(node.seen_at),
            started: When::new(node.started_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_shows_who_serves_and_who_refuses() {
        let start = Timestamp::from_seconds(1_795_000_000);
        let node = Node {
            id: "node_1".into(),
            name: "<script>name</script>".into(),
            version: "<script>version</script>".into(),
            started_at: start,
            applied: 40,
            applied_at: start,
            polled_at: Some(start),
            staleness_limit: Duration::from_secs(30),
            seen_at: start,
        };
        let row = |seconds| Row::new(&node, seconds == 0, 42, start.plus(Duration::from_secs(seconds)));
        let frame = Frame::sample(Section::Overview);
        let html = NodesPage { frame, head: 42, nodes: vec![row(0), row(20), row(60)] }.render().expect("renders");
        assert!(!html.contains("<script>name") && !html.contains("<script>version"));
        for words in ["this node", "serving", "not heard of", "refuses everything since", "2 changes behind"] {
            assert!(html.contains(words), "{words}");
        }
    }
}
