//! *Try it*: a GET request through a gateway, in the name of the person who looks, and its answer as text.

use super::health::Known;
use super::wanted;
use crate::app::{App, LiveGateway};
use crate::console::form::{Fields, FromFields, Guarded, InQuery};
use crate::console::frame::{Frame, Section};
use crate::console::refusal::{self, Link};
use crate::console::session::SignedIn;
use crate::console::{answer, paths, words};
use crate::domain::access::{Permit, Reach, decide_for_person};
use crate::domain::gateway::{ForwardPath, Gateway, GatewayKind, UpstreamAuthentication};
use crate::domain::grant::Action;
use crate::domain::prometheus::endpoint::Endpoint;
use crate::domain::prometheus::{self, Memory, Received};
use crate::domain::resource::SecurityResource;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use crate::upstream::assertion::{AssertionFault, Caller, X_ASSERTION, sign};
use crate::upstream::{EnforcedRequest, RequestBody, Sample};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The most of an answer that is shown, in bytes.
const MOST: usize = 64 * 1024;

/// The longest path with its query.
const LONGEST: usize = 8 * 1024;

/// Headers that are shown.
const SHOWN: [&str; 6] = ["content-type", "content-length", "date", "server", "etag", "last-modified"];

/// What stands in place of the hub's credential, should the upstream repeat it.
const HIDDEN: &str = "[the hub's credential]";

/// What stands in place of the assertion, which would be good for a minute.
const ASSERTION: &str = "[the hub's assertion]";

/// What was typed.
pub(crate) struct TryForm {
    path: String,
}

impl FromFields for TryForm {
    fn from_fields(fields: &Fields) -> Self {
        Self { path: fields.one("path").trim().to_owned() }
    }
}

/// An answer, as text.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) status: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    /// Whether only its beginning is shown.
    pub(crate) more: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "gateway/try_it.html")]
pub(crate) struct TryPage {
    pub(crate) frame: Frame,
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether this person may open the gateway's page.
    pub(crate) opens: bool,
    pub(crate) path: String,
    pub(crate) shown: Option<Shown>,
    pub(crate) error: Option<String>,
}

/// `GET /console/gateways/{id}/try`.
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Extension(signed_in): Extension<Arc<SignedIn>>,
    Segment(id): Segment,
    InQuery(typed): InQuery<TryForm>,
) -> Result<Response, Problem> {
    let gateway = match admitted(&app, &signed_in, &id, &typed.path).await? {
        Ok((gateway, _)) => gateway,
        Err(refused) => return Ok(refused),
    };
    let path = if typed.path.is_empty() { first_path(gateway.kind).to_owned() } else { typed.path };
    Ok(answer::page(StatusCode::OK, &TryPage::new(&signed_in, &gateway, path)))
}

/// `POST /console/gateways/{id}/try`: sends it.
pub(crate) async fn run(
    State(app): State<Arc<App>>,
    Segment(id): Segment,
    known: Known,
    Guarded { signed_in, form }: Guarded<TryForm>,
) -> Result<Response, Problem> {
    let (gateway, permit) = match admitted(&app, &signed_in, &id, &form.path).await? {
        Ok(admitted) => admitted,
        Err(refused) => return Ok(refused),
    };
    let mut page = TryPage::new(&signed_in, &gateway, form.path.clone());
    let request = enforced(&gateway, &permit, &form.path);
    let status = match (request, app.snapshot.gateway(gateway.name.as_str())) {
        (Err(reason), _) => {
            page.error = Some(reason);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        // Deleted this moment.
        (_, None) => return Ok(super::gone()),
        (Ok(request), Some(live)) => {
            match asserted(&app, &live, &signed_in, &permit, request) {
                Ok((request, assertion)) => match known.upstreams.sample(&app, &live, request, MOST).await {
                    Ok(sample) => page.shown = Some(Shown::of(&sample, &live, assertion.as_ref())),
                    Err(reason) => page.error = Some(format!("There is no answer: {reason}.")),
                },
                Err(reason) => page.error = Some(format!("Nothing was sent: {reason}. Try again in a moment.")),
            }
            StatusCode::OK
        }
    };
    Ok(answer::page(status, &page))
}

/// The gateway and the permit to view it, for a person who gave their password lately; or the answer that refuses.
async fn admitted(
    app: &App,
    signed_in: &SignedIn,
    id: &str,
    path: &str,
) -> Result<Result<(Gateway, Permit), Response>, Problem> {
    let gateway = match wanted(app, id).await? {
        Ok(stored) => stored.gateway,
        Err(gone) => return Ok(Err(gone)),
    };
    let Ok(permit) = decide_for_person(&signed_in.access, &gateway.resource(), Action::View) else {
        let back = Link { path: paths::GATEWAYS.into(), label: "Back to Gateways" };
        let detail = format!("It needs {}:view. An administrator can give you a role that has it.", gateway.resource());
        return Ok(Err(refusal::page(StatusCode::FORBIDDEN, "Your roles do not allow this", &detail, Some(back))));
    };
    if !signed_in.is_recent(app.clock.now()) {
        let query: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
        let back = paths::sign_in_and_return(&format!("{}?path={query}", paths::gateway_try(id)));
        return Ok(Err(answer::see_other(&format!("{back}&again=1"))));
    }
    Ok(Ok((gateway, permit)))
}

/// The request, by the same rules as for applications; the error is for the person.
fn enforced(gateway: &Gateway, permit: &Permit, typed: &str) -> Result<EnforcedRequest, String> {
    let (raw_path, query) = typed.split_once('?').map_or((typed, None), |(path, query)| (path, Some(query)));
    if !raw_path.starts_with('/') || typed.len() > LONGEST {
        return Err("Give a path that begins with a slash, such as /api/v1/status.".to_owned());
    }
    let in_query = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>' | b'\\');
    if !query.unwrap_or_default().bytes().all(in_query) {
        return Err("The query holds a character that has to be percent-encoded.".to_owned());
    }
    let path = ForwardPath::parse(raw_path).map_err(|fault| told(&fault))?;
    if matches!(permit.reach(), Reach::Filtered(_)) {
        return Err(
            "Your roles reach only some rows of this gateway, and this page shows answers as they are.".to_owned()
        );
    }
    let (action, target) = match gateway.kind {
        GatewayKind::Http => {
            let target = query.map_or_else(|| path.sent().to_owned(), |query| format!("{}?{query}", path.sent()));
            (gateway.action_of("GET", &path), target)
        }
        GatewayKind::Prometheus => prometheus_target(gateway, permit, &path, query)?,
    };
    match action {
        Some(Action::View) => {}
        Some(Action::Edit) => return Err("This path takes edit; here a person can only view.".to_owned()),
        None => return Err("A path rule of the gateway refuses this path for everybody.".to_owned()),
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("gateway-hub console"));
    EnforcedRequest::unfiltered(permit, Method::GET, target, headers, RequestBody::Empty)
        .map_err(|fault| fault.to_string())
}

/// The request with what the gateway says of its callers, if it does: that this is a test of the console's. And that value.
fn asserted(
    app: &App,
    live: &LiveGateway,
    signed_in: &SignedIn,
    permit: &Permit,
    request: EnforcedRequest,
) -> Result<(EnforcedRequest, Option<HeaderValue>), AssertionFault> {
    if !live.gateway.asserts() {
        return Ok((request, None));
    }
    let caller = Caller::ConsoleTest { user: signed_in.user.name.as_str() };
    let assertion = sign(app, &live.gateway, caller, permit, &request)?;
    Ok((request.saying(X_ASSERTION, assertion.clone()), Some(assertion)))
}

/// By the table of Prometheus' endpoints: made anew, as for applications.
fn prometheus_target(
    gateway: &Gateway,
    permit: &Permit,
    path: &ForwardPath<'_>,
    query: Option<&str>,
) -> Result<(Option<Action>, String), String> {
    let endpoint = Endpoint::find("GET", path.decoded().trim_start_matches('/')).map_err(|fault| told(&fault))?;
    let memory = Memory::new();
    let limit = memory.limit(permit, 0, &gateway.labels).map_err(|fault| told(&fault))?;
    let received = Received { query, ..Received::default() };
    let made = prometheus::enforce(&endpoint, &limit, &received, &memory).map_err(|fault| told(&fault))?;
    if made.body().is_some() {
        return Err("The query is too long for this page.".to_owned());
    }
    let target = made.query().map_or_else(|| format!("/{}", made.path()), |query| format!("/{}?{query}", made.path()));
    Ok((Some(endpoint.action()), target))
}

fn told(fault: &dyn std::fmt::Display) -> String {
    words::sentence(&fault.to_string())
}

const fn first_path(kind: GatewayKind) -> &'static str {
    match kind {
        GatewayKind::Http => "/",
        GatewayKind::Prometheus => "/api/v1/query?query=up",
    }
}

impl TryPage {
    fn new(signed_in: &SignedIn, gateway: &Gateway, path: String) -> Self {
        Self {
            frame: signed_in.frame(Section::Gateways),
            id: gateway.id.as_str().to_owned(),
            name: gateway.name.as_str().to_owned(),
            opens: signed_in.may(SecurityResource::Gateways, Action::View),
            path,
            shown: None,
            error: None,
        }
    }
}

impl Shown {
    fn of(sample: &Sample, live: &LiveGateway, assertion: Option<&HeaderValue>) -> Self {
        let assertion = assertion.and_then(|value| value.to_str().ok());
        let text = |bytes: &[u8]| {
            let text = conceal(&String::from_utf8_lossy(bytes), live);
            match assertion {
                Some(assertion) => text.replace(assertion, ASSERTION),
                None => text,
            }
        };
        let header = |name: &'static str| {
            let value = sample.headers.get(name)?;
            Some((name, text(value.as_bytes())))
        };
        Self {
            status: sample.status.to_string(),
            headers: SHOWN.into_iter().filter_map(header).collect(),
            body: text(&sample.body),
            more: sample.more,
        }
    }
}

/// A service that repeats what it was asked with must not give the hub's credential to the person who asks.
fn conceal(text: &str, live: &LiveGateway) -> String {
    let Some(secret) = live.credentials.secret.as_deref().filter(|secret| !secret.is_empty()) else {
        return text.to_owned();
    };
    let mut text = text.replace(secret.as_str(), HIDDEN);
    if let UpstreamAuthentication::Basic { user } = &live.gateway.authentication {
        let pair = Zeroizing::new(STANDARD.encode(format!("{user}:{}", secret.as_str())));
        text = text.replace(pair.as_str(), HIDDEN);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_text() {
        let markup = || "<script>alert(1)</script>".to_owned();
        let shown = Shown { status: markup(), headers: vec![("server", markup())], body: markup(), more: true };
        let page = TryPage {
            frame: Frame::sample(Section::Gateways),
            id: markup(),
            name: markup(),
            opens: true,
            path: markup(),
            shown: Some(shown),
            error: Some(markup()),
        };
        assert!(!page.render().expect("renders").contains("<script>alert"));
    }
}
