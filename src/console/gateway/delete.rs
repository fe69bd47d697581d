//! The Delete gateway window: it asks once more, and lists the grants that go with the gateway.

use super::health::Known;
use super::list::{self, DELETED, Row};
use super::wanted;
use crate::actions::ActionError;
use crate::actions::gateway::{Lost, delete, grants_naming};
use crate::app::App;
use crate::console::form::{Button, Guarded};
use crate::console::frame::Frame;
use crate::console::session::SignedIn;
use crate::console::{answer, paths, words};
use crate::domain::gateway::Gateway;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Grants that a role loses.
#[derive(Clone, Debug)]
pub(crate) struct LostLine {
    pub(crate) role: String,
    pub(crate) grants: Vec<String>,
    /// Whether nothing is left of the role.
    pub(crate) all: bool,
}

/// The question.
#[derive(Template)]
#[template(path = "gateway/delete.html")]
pub(crate) struct DeletePage {
    pub(crate) frame: Frame,
    /// The page behind the window.
    pub(crate) rows: Vec<Row>,
    pub(crate) editable: bool,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) addresses: Vec<String>,
    pub(crate) lost: Vec<LostLine>,
    pub(crate) error: Option<String>,
}

/// `GET /console/gateways/{id}/delete`: the question.
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(id): Segment,
    known: Known,
) -> Result<Response, Problem> {
    match wanted(&app, &id).await? {
        Ok(stored) => window(&app, &signed_in, &known, StatusCode::OK, &stored.gateway, None).await,
        Err(gone) => Ok(gone),
    }
}

/// `POST /console/gateways/{id}/delete`: and then it is so.
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    Segment(id): Segment,
    known: Known,
    Guarded { signed_in, form: Button }: Guarded<Button>,
) -> Result<Response, Problem> {
    let stored = match wanted(&app, &id).await? {
        Ok(stored) => stored,
        Err(gone) => return Ok(gone),
    };
    match delete(&app, &signed_in.actor(), &stored.gateway.id).await {
        // Somebody else was faster: it is deleted all the same.
        Ok(_) | Err(ActionError::NotFound { .. }) => {
            Ok(answer::see_other(&format!("{}?notice={DELETED}", paths::GATEWAYS)))
        }
        Err(ActionError::Forbidden(message) | ActionError::Conflict(message)) => {
            let message = Some(words::sentence(&message));
            window(&app, &signed_in, &known, StatusCode::FORBIDDEN, &stored.gateway, message).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn window(
    app: &App,
    signed_in: &SignedIn,
    known: &Known,
    status: StatusCode,
    gateway: &Gateway,
    error: Option<String>,
) -> Result<Response, Problem> {
    let behind = list::load(app, signed_in, known).await?;
    let lost = grants_naming(&mut app.store.read().await?, &gateway.name).await?;
    let page = DeletePage {
        frame: behind.frame,
        rows: behind.rows,
        editable: behind.editable,
        id: gateway.id.as_str().to_owned(),
        name: gateway.name.as_str().to_owned(),
        addresses: gateway.addresses.iter().map(ToString::to_string).collect(),
        lost: lost.iter().map(LostLine::of).collect(),
        error,
    };
    Ok(answer::page(status, &page))
}

impl LostLine {
    fn of(lost: &Lost) -> Self {
        Self {
            role: lost.role.name.to_string(),
            grants: lost.grants.iter().map(ToString::to_string).collect(),
            all: lost.grants.len() == lost.role.grants.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lists_the_grants_that_go() {
        let markup = || "<script>alert(1)</script>".to_owned();
        let behind = list::tests::sample();
        let page = DeletePage {
            frame: behind.frame,
            rows: behind.rows,
            editable: true,
            id: markup(),
            name: markup(),
            addresses: vec![markup()],
            lost: vec![LostLine { role: markup(), grants: vec!["gateway/a:view".into()], all: true }],
            error: Some(markup()),
        };
        let html = page.render().expect("renders");
        assert!(!html.contains("<script>alert"));
        assert!(
            html.contains("gateway/a:view")
                && html.contains("Delete gateway</button>")
                && html.contains("allows nothing")
        );
    }
}
