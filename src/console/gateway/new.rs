//! The form that connects a service.

use super::form::{FormView, GatewayForm, Typed};
use super::health::Known;
use super::page::MADE;
use crate::actions::ActionError;
use crate::actions::gateway::{create, draft};
use crate::actions::seen::Seen;
use crate::app::App;
use crate::console::application::entry::Fault;
use crate::console::form::{Guarded, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::session::SignedIn;
use crate::console::{answer, paths, words};
use crate::http::problem::Problem;
use crate::upstream::probe;
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The page.
#[derive(Template)]
#[template(path = "gateway/new.html")]
pub(crate) struct NewPage {
    pub(crate) frame: Frame,
    pub(crate) form: FormView,
}

impl NewPage {
    fn new(frame: Frame, typed: Typed, fault: Option<Fault>) -> Self {
        let form = FormView {
            typed,
            action: paths::GATEWAYS.to_owned(),
            seen: Seen::default(),
            fault,
            kept: false,
            saved: None,
        };
        Self { frame, form }
    }
}

/// `GET /console/gateways/new`.
pub(crate) async fn open(
    Extension(signed_in): Extension<Arc<SignedIn>>,
    InQuery(form): InQuery<GatewayForm>,
) -> Response {
    let typed = if form.edited { form.typed } else { Typed::standard() };
    let mut page = NewPage::new(signed_in.frame(Section::Gateways), typed, None);
    page.form.kept = form.edited;
    answer::page(StatusCode::OK, &page)
}

/// `POST /console/gateways`: connects it.
pub(crate) async fn make(
    State(app): State<Arc<App>>,
    known: Known,
    Guarded { signed_in, form }: Guarded<GatewayForm>,
) -> Result<Response, Problem> {
    let again = |status: StatusCode, typed: Typed, fault: Fault| {
        let page = NewPage::new(signed_in.frame(Section::Gateways), typed, Some(fault));
        Ok(answer::page(status, &page))
    };
    let mut input = match form.input() {
        Ok(input) => input,
        Err(fault) => return again(StatusCode::UNPROCESSABLE_ENTITY, form.typed, fault),
    };
    let actor = signed_in.actor();
    let name = &form.typed.name;
    let made = async {
        let draft = draft(&app, &actor, name, &input)?;
        // One out of reach is told on its page, and no reason to refuse it.
        let looked = probe(&app, known.upstreams.own_listeners(), &draft.gateway, &draft.credentials).await;
        if let Ok(found) = &looked {
            input.labels.reported.clone_from(&found.labels);
        }
        let saved = create(&app, &actor, name, &input).await?;
        known.note(&app, saved.gateway.name.as_str(), &saved.gateway.id, &looked);
        Ok(saved)
    };
    match made.await {
        Ok(saved) => Ok(answer::see_other(&format!("{}?notice={MADE}", paths::gateway(saved.gateway.id.as_str())))),
        Err(ActionError::Invalid { field, message }) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, form.typed, Fault::new(field, words::sentence(&message)))
        }
        Err(ActionError::Forbidden(message)) => {
            again(StatusCode::FORBIDDEN, form.typed, Fault::new("", words::sentence(&message)))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::form::{Fields, FromFields};

    #[test]
    fn what_was_typed_stays_as_text_and_no_secret_stays() {
        let markup = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
        let names = [
            "name",
            "kind",
            "url",
            "description",
            "authentication",
            "basic_user",
            "ca",
            "header",
            "connect_timeout",
            "answer_timeout",
            "idle_timeout",
            "body_limit",
            "concurrent",
            "rule",
            "label",
        ];
        let mut query = names.map(|name| format!("{name}={markup}&")).concat();
        query.push_str("password=canary&bearer=canary&header_credential=canary&key=canary&cert=canary");
        let form = GatewayForm::from_fields(&Fields::parse(query.as_bytes()));
        for field in names.into_iter().chain(["", "password", "bearer", "header_credential", "cert", "forward_filter"])
        {
            let fault = Fault::new(field, "<script>alert(1)</script>");
            let html = NewPage::new(Frame::sample(Section::Gateways), form.typed.clone(), Some(fault)).render();
            let html = html.expect("renders");
            assert!(!html.contains("<script>alert") && !html.contains("canary"), "{field}");
            assert_eq!(html.matches("role=\"alert\"").count(), 1, "{field}: told once");
        }
    }
}
