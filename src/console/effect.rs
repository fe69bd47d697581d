//! Where a change is in effect: told beside what was changed, and on a page of its own.

use super::form::{Fields, FromFields};
use super::frame::{Frame, Section};
use super::session::SignedIn;
use super::when::When;
use super::{answer, paths, refusal};
use crate::actions::node;
use crate::app::App;
use crate::config::Database;
use crate::domain::node::Effect;
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

/// Where the change that was just made is in effect. Never in the way of the page that tells of the change: it was made,
/// and that page may show what nobody can see again.
pub(crate) async fn of_change_just_made(app: &App) -> Option<Told> {
    if matches!(app.config.database, Database::Sqlite) {
        return None;
    }
    let seq = just_made(app);
    told(app, seq).await.unwrap_or_else(|fault| Some(untold(seq, &fault)))
}

/// It can't be told now; the page asks again.
fn untold(seq: u64, fault: &StoreError) -> Told {
    tracing::warn!(%fault, seq, "where a change is in effect can't be told");
    let words =
        "In effect on this node. Whether it is on the others can't be told just now: the database does not answer.";
    Told { path: paths::change(seq), words: words.to_owned(), done: false }
}

/// An action is done when the applier has passed its number. What is in effect up to a number that is as high or higher
/// includes it.
fn just_made(app: &App) -> u64 {
    app.snapshot.seq()
}

async fn told(app: &App, seq: u64) -> Result<Option<Told>, StoreError> {
    let effect = node::effect(app, seq).await?;
    let told = |effect: Effect| Told { path: paths::change(seq), words: effect.to_string(), done: effect.is_final() };
    Ok(effect.map(told))
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
    use crate::domain::node::Waiting;
    use crate::domain::time::Timestamp;

    const BY: Timestamp = Timestamp::from_seconds(1_795_003_230);

    #[test]
    fn what_can_not_be_told_is_said_and_asked_again() {
        let told = untold(7, &StoreError::Unavailable("gone".to_owned()));
        assert!(told.words.contains("can't be told") && !told.done, "{told:?}");
        assert_eq!(told.path, paths::change(7));
    }

    #[test]
    fn names_of_nodes_are_text() {
        let waiting = vec![Waiting { name: "<script>node".to_owned(), by: BY, refuses: false }];
        let effect = Effect { confirmed: 2, nodes: 3, took: None, waiting };
        let told = Told { path: paths::change(7), words: effect.to_string(), done: false };
        let frame = Frame { notice: Some("Deleted."), effect: Some(told.clone()), ..Frame::sample(Section::Overview) };
        let page = ChangePage { frame, seq: 7, made: When::new(BY), told };
        let html = page.render().expect("renders");
        assert!(!html.contains("<script>node"));
        assert!(html.matches("data-effect=\"/console/changes/7\"").count() == 2, "beside the notice, and on its page");
    }
}
