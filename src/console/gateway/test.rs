//! The button that asks a gateway's upstream whether it answers, and for the labels that it reports.

use super::health::Known;
use super::page::{CHECKED, LABELS_READ};
use super::wanted;
use crate::actions::ActionError;
use crate::actions::gateway::{GatewayInput, LabelsInput, draft_update, update};
use crate::app::App;
use crate::console::form::{Fields, FromFields, Guarded};
use crate::console::refusal::{self, Link};
use crate::console::{answer, paths, words};
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use crate::upstream::probe;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The button.
pub(crate) struct Check {
    /// Whether labels that are new are to be mapped.
    labels: bool,
}

impl FromFields for Check {
    fn from_fields(fields: &Fields) -> Self {
        Self { labels: fields.some("labels").is_some() }
    }
}

/// `POST /console/gateways/{id}/test`.
pub(crate) async fn run(
    State(app): State<Arc<App>>,
    Segment(id): Segment,
    known: Known,
    Guarded { signed_in, form }: Guarded<Check>,
) -> Result<Response, Problem> {
    let stored = match wanted(&app, &id).await? {
        Ok(stored) => stored,
        Err(gone) => return Ok(gone),
    };
    let id = &stored.gateway.id;
    let actor = signed_in.actor();
    let done = async {
        let draft = draft_update(&app, &actor, id, &GatewayInput::default()).await?;
        let looked = probe(&app, known.upstreams.own_listeners(), &draft.gateway, &draft.credentials).await;
        known.note(&app, draft.gateway.name.as_str(), id, &looked);
        match looked {
            Ok(found) if form.labels => {
                let labels = LabelsInput { reported: found.labels, ..LabelsInput::default() };
                update(&app, &actor, id, &GatewayInput { labels, ..GatewayInput::default() }).await?;
                Ok(LABELS_READ)
            }
            _ => Ok(CHECKED),
        }
    };
    match done.await {
        Ok(notice) => Ok(answer::see_other(&format!("{}?notice={notice}", paths::gateway(id.as_str())))),
        Err(ActionError::Forbidden(message)) => {
            let back = Link { path: paths::gateway(id.as_str()).into(), label: "Back to the gateway" };
            let detail = words::sentence(&message);
            Ok(refusal::page(StatusCode::FORBIDDEN, "Your roles do not allow this", &detail, Some(back)))
        }
        Err(error) => Err(error.into()),
    }
}
