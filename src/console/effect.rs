//! Where a change is in effect: told beside what was changed, and on a page of its own.

use super::form::{Fields, FromFields};
use super::frame::{Frame, Section};
use super::session::SignedIn;
use super::when::When;
use super::{answer, paths, refusal};
use crate::app::App;
use crate::config::Database;
use crate::domain::node::{Effect, Took, Waiting};
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use crate::store::{self, StoreError};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Where a change is in effect, in words.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The page that tells it anew.
    pub(crate) path: String,
    pub(crate) words: String,
    /// Whether nothing more will happen.
    pub(crate) done: bool,
}

/// The number of the change that a page tells of, from its query.
pub(crate) struct Changed(Option<u64>);

impl FromFields for Changed {
    fn from_fields(fields: &Fields) -> Self {
        Self(fields.one("change").parse().ok())
    }
}

impl Changed {
    /// Where it is in effect.
    pub(crate) async fn told(&self, app: &App) -> Result<Option<Told>, StoreError> {
        match self.0 {
            Some(seq) => told(app, seq).await,
            None => Ok(None),
        }
    }
}

/// The address of a page that tells of the change that was just made.
pub(crate) fn after(app: &App, page: &str) -> String {
    if matches!(app.config.database, Database::Sqlite) {
        return page.to_owned(); // one node, and it is in effect there
    }
    let separator = if page.contains('?') { '&' } else { '?' };
    format!("{page}{separator}change={}", just_made(app))
}

/// Where the change that was just made is in effect. Never in the way of the page that tells of the change.
pub(crate) async fn of_change_just_made(app: &App) -> Option<Told> {
    if matches!(app.config.database, Database::Sqlite) {
        return None;
    }
    told(app, just_made(app)).await.unwrap_or_default()
}

/// An action is done when the applier has passed its number. What is in effect up to a number that is as high or higher
/// includes it.
fn just_made(app: &App) -> u64 {
    app.snapshot.seq()
}

async fn told(app: &App, seq: u64) -> Result<Option<Told>, StoreError> {
    let mut tx = app.store.read().await?;
    let Some(made) = store::changes::made_at(&mut tx, seq).await? else { return Ok(None) };
    let mut nodes = store::node::all(&mut tx).await?;
    drop(tx);
    let now = app.clock.now();
    let since = app.snapshot.in_effect_since(seq);
    // This node knows it of itself, before its report.
    if let (Some(since), Some(here)) = (since, nodes.iter_mut().find(|node| node.id == app.identity.id)) {
        (here.applied, here.applied_at) = (seq, since);
    }
    // It was committed before it was in effect here.
    let committed = since.unwrap_or(now);
    let effect = Effect::of(seq, made, committed, &nodes, now);
    Ok(Some(Told { path: paths::change(seq), words: words(&effect), done: effect.is_final() }))
}

fn words(effect: &Effect) -> String {
    let Effect { confirmed, nodes, took, waiting } = effect;
    if (*confirmed, *nodes) == (1, 1) {
        return "In effect on the only node.".to_owned();
    }
    let after = match took {
        Some(Took::Exactly(took)) => format!(" after {} ms", took.as_millis()),
        Some(Took::AtMost(took)) => format!(" within {} ms", took.as_millis()),
        None => String::new(),
    };
    let mut text = format!("In effect on {confirmed} of {nodes} nodes{after}");
    let late: Vec<String> = waiting.iter().map(late).collect();
    if !late.is_empty() {
        text.push_str("; ");
        text.push_str(&late.join(", "));
    }
    text.push('.');
    text
}

fn late(node: &Waiting) -> String {
    let by = When::new(node.by);
    if node.refuses {
        format!("{} was not heard of and has refused everything since {} at the latest", node.name, by.time)
    } else {
        format!("{} by {}", node.name, by.time)
    }
}

/// The page.
#[derive(Template)]
#[template(path = "change.html")]
pub(crate) struct ChangePage {
    pub(crate) frame: Frame,
    pub(crate) seq: u64,
    pub(crate) made: When,
    pub(crate) told: Told,
}

/// `GET /console/changes/{seq}`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(seq): Segment,
) -> Result<Response, Problem> {
    let unknown = || refusal::gone("There is no such change", "The address was mistyped.");
    let Ok(seq) = seq.parse() else { return Ok(unknown()) };
    let made = store::changes::made_at(&mut app.store.read().await?, seq).await?;
    match (made, told(&app, seq).await?) {
        (Some(made), Some(told)) => {
            let page = ChangePage { frame: signed_in.frame(Section::Overview), seq, made: When::new(made), told };
            Ok(answer::page(StatusCode::OK, &page))
        }
        _ => Ok(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;
    use std::time::Duration;

    const BY: Timestamp = Timestamp::from_seconds(1_795_003_230);

    fn effect(confirmed: usize, nodes: usize, took: Option<Took>, waiting: Vec<Waiting>) -> String {
        words(&Effect { confirmed, nodes, took, waiting })
    }

    #[test]
    fn it_says_how_far_a_change_has_come() {
        let waits = |name: &str, refuses| Waiting { name: name.to_owned(), by: BY, refuses };
        assert_eq!(
            effect(2, 3, None, vec![waits("node-c", false)]),
            "In effect on 2 of 3 nodes; node-c by 12:00:30 UTC."
        );
        let took = Duration::from_micros(42_900);
        assert_eq!(effect(3, 3, Some(Took::Exactly(took)), vec![]), "In effect on 3 of 3 nodes after 42 ms.");
        assert_eq!(effect(3, 3, Some(Took::AtMost(took)), vec![]), "In effect on 3 of 3 nodes within 42 ms.");
        assert_eq!(effect(3, 3, None, vec![]), "In effect on 3 of 3 nodes.");
        assert_eq!(effect(1, 1, Some(Took::Exactly(took)), vec![]), "In effect on the only node.");
        assert_eq!(
            effect(1, 3, None, vec![waits("node-b", true), waits("node-c", false)]),
            "In effect on 1 of 3 nodes; node-b was not heard of and has refused everything since 12:00:30 UTC at the \
             latest, node-c by 12:00:30 UTC."
        );
    }

    #[test]
    fn names_of_nodes_are_text() {
        let waiting = vec![Waiting { name: "<script>node".to_owned(), by: BY, refuses: false }];
        let told = Told { path: paths::change(7), words: effect(2, 3, None, waiting), done: false };
        let frame = Frame { notice: Some("Deleted."), effect: Some(told.clone()), ..Frame::sample(Section::Overview) };
        let page = ChangePage { frame, seq: 7, made: When::new(BY), told };
        let html = page.render().expect("renders");
        assert!(!html.contains("<script>node"));
        assert!(html.matches("data-effect=\"/console/changes/7\"").count() == 2, "beside the notice, and on its page");
    }
}
