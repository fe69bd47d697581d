//! The overview: what there is, and how data is reached.

use super::frame::{Frame, Section};
use super::session::SignedIn;
use super::{answer, words};
use crate::app::App;
use crate::domain::grant::Action;
use crate::domain::resource::SecurityResource;
use crate::http::problem::Problem;
use crate::store;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The page.
#[derive(Template)]
#[template(path = "overview.html")]
pub(crate) struct OverviewPage {
    pub(crate) frame: Frame,
    /// How many applications have a key; `None` for a person who may not see them.
    pub(crate) applications: Option<u64>,
    /// How many roles there are; `None` for a person who may not see them.
    pub(crate) roles: Option<usize>,
    /// How many nodes there are; `None` for a person who may not see them.
    pub(crate) nodes: Option<usize>,
    /// How many gateways there are; `None` for a person who may not see them.
    pub(crate) gateways: Option<usize>,
    pub(crate) token_endpoint: String,
    /// How long a token lives, in words.
    pub(crate) token_lifetime: String,
}

/// `GET /` and `GET /console`: the overview is the start.
pub(crate) async fn start() -> Response {
    answer::see_other(super::paths::OVERVIEW)
}

/// `GET /console/overview`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
) -> Result<Response, Problem> {
    let mut tx = app.store.read().await?;
    let applications = store::application::count(&mut tx).await?;
    let roles = store::role::all(&mut tx).await?.len();
    let nodes = store::node::all(&mut tx).await?.len();
    let page = OverviewPage {
        frame: signed_in.frame(Section::Overview),
        applications: signed_in.may(SecurityResource::Applications, Action::View).then_some(applications),
        roles: signed_in.may(SecurityResource::Roles, Action::View).then_some(roles),
        nodes: signed_in.may(SecurityResource::Metrics, Action::View).then_some(nodes),
        gateways: signed_in.may(SecurityResource::Gateways, Action::View).then(|| app.snapshot.all_gateways().len()),
        token_endpoint: app.config.public_url.join("/oauth2/token"),
        token_lifetime: words::duration(app.config.token.lifetime),
    };
    Ok(answer::page(StatusCode::OK, &page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::frame::Section;

    #[test]
    fn it_names_the_token_endpoint() {
        let page = OverviewPage {
            frame: Frame::sample(Section::Overview),
            applications: Some(12),
            roles: None,
            gateways: Some(3),
            nodes: Some(3),
            token_endpoint: "https://hub.example/oauth2/token".into(),
            token_lifetime: "10 minutes".into(),
        };
        let html = page.render().expect("renders");
        assert!(html.contains("https://hub.example/oauth2/token"));
        assert!(!html.contains("<script>alert"));
    }
}
