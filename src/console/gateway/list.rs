//! The Gateways page.

use super::health::{Known, Standing};
use super::kind_words;
use crate::actions::gateway::roles_reaching;
use crate::app::App;
use crate::console::answer;
use crate::console::form::{Fields, FromFields, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::domain::gateway::Gateway;
use crate::domain::grant::Action;
use crate::domain::resource::SecurityResource;
use crate::http::problem::Problem;
use crate::store::{self, StoreError, Tx};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// A gateway, in words.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) description: String,
    pub(crate) addresses: Vec<String>,
    /// The names of the roles that reach it.
    pub(crate) roles: Vec<String>,
    pub(crate) standing: Standing,
}

/// The page.
#[derive(Template)]
#[template(path = "gateway/list.html")]
pub(crate) struct GatewaysPage {
    pub(crate) frame: Frame,
    pub(crate) rows: Vec<Row>,
    /// Whether this person may connect services.
    pub(crate) editable: bool,
}

/// The value of `notice` after a gateway was deleted.
pub(crate) const DELETED: &str = "deleted";

/// What has just happened.
pub(crate) struct Notice(String);

impl FromFields for Notice {
    fn from_fields(fields: &Fields) -> Self {
        Self(fields.one("notice"))
    }
}

/// `GET /console/gateways`.
pub(crate) async fn page(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    known: Known,
    InQuery(notice): InQuery<Notice>,
) -> Result<Response, Problem> {
    let mut page = load(&app, &signed_in, &known).await?;
    // Only words of our own: a link can't put text onto the page.
    page.frame.notice = (notice.0 == DELETED)
        .then_some("The gateway was deleted. Nobody reaches its upstream through the hub any more.");
    Ok(answer::page(StatusCode::OK, &page))
}

/// The page as this person sees it.
pub(crate) async fn load(app: &App, signed_in: &SignedIn, known: &Known) -> Result<GatewaysPage, StoreError> {
    Ok(GatewaysPage {
        frame: signed_in.frame(Section::Gateways),
        rows: rows(&mut app.store.read().await?, known).await?,
        editable: signed_in.may(SecurityResource::Gateways, Action::Edit),
    })
}

async fn rows(tx: &mut Tx, known: &Known) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    for stored in store::gateway::all(tx).await? {
        let roles = roles_reaching(tx, &stored.gateway.name).await?;
        let roles = roles.iter().map(|reaching| reaching.role.name.to_string()).collect();
        rows.push(Row::new(&stored.gateway, roles, known.standing(&stored.gateway.id)));
    }
    Ok(rows)
}

impl Row {
    fn new(gateway: &Gateway, roles: Vec<String>, standing: Standing) -> Self {
        Self {
            id: gateway.id.as_str().to_owned(),
            name: gateway.name.as_str().to_owned(),
            kind: kind_words(gateway.kind),
            description: gateway.description.clone(),
            addresses: gateway.addresses.iter().map(ToString::to_string).collect(),
            roles,
            standing,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::console::gateway) fn sample() -> GatewaysPage {
        let markup = || "<script>alert(1)</script>".to_owned();
        let row = Row {
            id: markup(),
            name: markup(),
            kind: "HTTP API",
            description: markup(),
            addresses: vec![markup()],
            roles: vec![markup()],
            standing: Standing::sample(),
        };
        GatewaysPage { frame: Frame::sample(Section::Gateways), rows: vec![row], editable: true }
    }

    #[test]
    fn everything_is_text_and_an_empty_page_says_what_to_do() {
        let mut page = sample();
        assert!(!page.render().expect("renders").contains("<script>alert"));
        page.rows.clear();
        let html = page.render().expect("renders");
        assert!(html.contains("No gateway yet") && html.contains("New gateway"));
    }
}
