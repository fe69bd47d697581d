//! The Delete role window: it asks once more, and says who loses what.

use super::list::{self, Card, DELETED};
use super::{Members, wanted};
use crate::actions::{self, ActionError};
use crate::app::App;
use crate::console::form::{Button, Guarded};
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::console::{answer, effect, paths, words};
use crate::domain::role::Role;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The question.
#[derive(Template)]
#[template(path = "role/delete.html")]
pub(crate) struct DeletePage {
    pub(crate) frame: Frame,
    /// The page behind the window.
    pub(crate) roles: Vec<Card>,
    pub(crate) editable: bool,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) members: Members,
    pub(crate) error: Option<String>,
}

/// `GET /console/roles/{id}/delete`: the question.
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(id): Segment,
) -> Result<Response, Problem> {
    match wanted(&app, &id).await? {
        Ok(role) => window(&app, &signed_in, StatusCode::OK, &role, None).await,
        Err(gone) => Ok(gone),
    }
}

/// `POST /console/roles/{id}/delete`: and then it is so.
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    Segment(id): Segment,
    Guarded { signed_in, form: Button }: Guarded<Button>,
) -> Result<Response, Problem> {
    let role = match wanted(&app, &id).await? {
        Ok(role) => role,
        Err(gone) => return Ok(gone),
    };
    match actions::role::delete(&app, &signed_in.actor(), &role.id).await {
        // Somebody else was faster: it is deleted all the same.
        Ok(()) | Err(ActionError::NotFound { .. }) => {
            Ok(answer::see_other(&effect::after(&app, &format!("{}?notice={DELETED}", paths::ROLES))))
        }
        Err(ActionError::Forbidden(message) | ActionError::Conflict(message)) => {
            window(&app, &signed_in, StatusCode::FORBIDDEN, &role, Some(words::sentence(&message))).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn window(
    app: &App,
    signed_in: &SignedIn,
    status: StatusCode,
    role: &Role,
    error: Option<String>,
) -> Result<Response, Problem> {
    let mut tx = app.store.read().await?;
    let page = DeletePage {
        frame: signed_in.frame(Section::Roles),
        roles: list::cards(&mut tx).await?,
        editable: signed_in.user.is_administrator(),
        id: role.id.as_str().to_owned(),
        name: role.name.to_string(),
        about: words::about(role),
        members: Members::of(&mut tx, &role.id).await?,
        error,
    };
    Ok(answer::page(status, &page))
}

#[cfg(test)]
mod tests {
    use super::super::Member;
    use super::*;

    #[test]
    fn it_says_who_loses_what() {
        let member = |only| Member { name: "<script>app</script>".into(), only };
        let page = DeletePage {
            frame: Frame::sample(Section::Roles),
            roles: Vec::new(),
            editable: true,
            id: "role_1".into(),
            name: "<script>role</script>".into(),
            about: "<script>about</script>".into(),
            members: Members {
                applications: vec![member(true), member(false)],
                count: "2 applications".into(),
                more: false,
                users: vec!["<script>user</script>".into()],
            },
            error: Some("<script>error</script>".into()),
        };
        let html = page.render().expect("renders");
        for markup in ["<script>app", "<script>role", "<script>about", "<script>user", "<script>error"] {
            assert!(!html.contains(markup), "{markup}");
        }
        assert_eq!(html.matches("has no other role").count(), 1);
        assert!(html.contains("permanent") && html.contains("Delete role</button>"));
    }
}
