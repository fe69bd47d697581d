//! Asks an upstream what it is: whether it answers, and for a Prometheus-compatible store, its version and labels.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::time::timeout;

use super::answer::AnswerBody;
use super::registry::Upstreams;
use super::request::{EnforcedRequest, Head, RequestBody};
use super::watch::Tether;
use crate::app::{App, LiveGateway, UpstreamCredentials};
use crate::domain::gateway::{Gateway, GatewayKind, Limits, Timeouts, UpstreamAddress};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In words, such as `Prometheus 2.42.0, 37 labels`.
    pub words: String,
    /// The names of the labels that the upstream has ever reported; for kind `prometheus`.
    pub labels: Vec<String>,
    /// What is not as it should be, although it answers.
    pub warning: Option<String>,
}

/// How long each question may take. Whoever asks is waiting.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const MOST: usize = 8 * 1024 * 1024;

/// Asks every address of a gateway, which need not be saved yet. `own` are the hub's listeners, to which none may lead.
///
/// # Errors
/// Why none of them answers as it should, in words for administrators.
pub async fn probe(
    app: &App,
    own: &[SocketAddr],
    gateway: &Gateway,
    credentials: &UpstreamCredentials,
) -> Result<Found, String> {
    let several = gateway.addresses.len() > 1;
    let (mut found, mut failed): (Option<Found>, Vec<String>) = (None, Vec::new());
    for address in &gateway.addresses {
        let place = Place::new(own, gateway, credentials, address);
        match place.look(app).await {
            Ok(here) => found = found.or(Some(here)),
            Err(reason) if several => failed.push(format!("{address}: {reason}")),
            Err(reason) => failed.push(reason),
        }
    }
    let failed = failed.join("; ");
    match found {
        None => Err(failed),
        Some(found) if failed.is_empty() => Ok(found),
        Some(found) => {
            let warning = found.warning.iter().cloned().chain([failed]).collect::<Vec<_>>().join("; ");
            Ok(Found { warning: Some(warning), ..found })
        }
    }
}

/// One address, by connections of its own: what is tried may never be saved.
struct Place {
    upstreams: Arc<Upstreams>,
    live: Arc<LiveGateway>,
}

/// Nobody's key hangs on a test.
struct Free;

impl Tether for Free {
    fn holds(&self) -> bool {
        true
    }

    fn cut(&self) {}
}

impl Place {
    fn new(
        own: &[SocketAddr],
        gateway: &Gateway,
        credentials: &UpstreamCredentials,
        address: &UpstreamAddress,
    ) -> Self {
        let mut gateway = gateway.clone();
        gateway.addresses = vec![address.clone()];
        gateway.timeouts = Timeouts { connect: PATIENCE, answer: PATIENCE, idle: PATIENCE };
        gateway.limits = Limits::default();
        let live = LiveGateway { gateway, version: 0, credentials: credentials.clone() };
        Self { upstreams: Arc::new(Upstreams::new(own.to_vec())), live: Arc::new(live) }
    }

    async fn look(&self, app: &App) -> Result<Found, String> {
        match self.live.gateway.kind {
            GatewayKind::Http => {
                let (status, _) = self.ask(app, "/").await?;
                let warning = status.is_server_error().then(|| "it answers with a fault of its own".to_owned());
                Ok(Found { words: format!("answers {} to GET /", status.as_u16()), labels: Vec::new(), warning })
            }
            GatewayKind::Prometheus => self.look_at_store(app).await,
        }
    }

    async fn look_at_store(&self, app: &App) -> Result<Found, String> {
        let (status, body) = self.ask(app, "/api/v1/status/buildinfo").await?;
        let version = data(status, &body).and_then(|data| Some(data.get("version")?.as_str()?.to_owned()));
        // Without start and end: every label there ever was (DESIGN: the label map).
        let (status, body) = self.ask(app, "/api/v1/labels").await?;
        let Some(Value::Array(names)) = data(status, &body) else {
            return Err(format!(
                "it answers {} to GET /api/v1/labels, and not with a list of labels: is the path of the address right?",
                status.as_u16()
            ));
        };
        let labels: Vec<String> = names.into_iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        let what = version
            .map_or_else(|| "a Prometheus-compatible store".to_owned(), |version| format!("Prometheus {version}"));
        let warning = labels.is_empty().then(|| "it reports no label yet".to_owned());
        let plural = if labels.len() == 1 { "" } else { "s" };
        Ok(Found { words: format!("{what}, {} label{plural}", labels.len()), labels, warning })
    }

    async fn ask(&self, app: &App, target: &str) -> Result<(StatusCode, Bytes), String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("gateway-hub"));
        let mut request = EnforcedRequest {
            resource: self.live.gateway.resource(),
            head: Box::new(Head { method: Method::GET, target: target.to_owned(), headers }),
            body: RequestBody::Empty,
        };
        let answered = self.upstreams.forward(app, &self.live, &mut request, &mut Some(Free)).await;
        let (parts, body) = answered.map_err(|fault| fault.to_string())?.into_parts();
        let read = timeout(PATIENCE, read(body, MOST)).await;
        match read.map_err(|_| "its answer does not end".to_owned())?? {
            (_, true) => Err("its answer is longer than what a test reads".to_owned()),
            (body, false) => Ok((parts.status, body)),
        }
    }
}

/// An answer as far as it was read.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// The beginning of its body.
    pub body: Bytes,
    /// Whether there is more of it.
    pub more: bool,
}

/// How long a sample may take from its head to its end.
const SAMPLE_PATIENCE: Duration = Duration::from_secs(15);

impl Upstreams {
    /// Forwards a request and reads at most `most` bytes of its answer: for a person who looks at it.
    ///
    /// # Errors
    /// Why there is no answer, in words for administrators.
    pub async fn sample(
        self: &Arc<Self>,
        app: &App,
        live: &Arc<LiveGateway>,
        mut request: EnforcedRequest,
        most: usize,
    ) -> Result<Sample, String> {
        let answered = self.forward(app, live, &mut request, &mut Some(Free)).await;
        let (parts, body) = answered.map_err(|fault| fault.to_string())?.into_parts();
        let read = timeout(SAMPLE_PATIENCE, read(body, most)).await;
        let (body, more) = read.map_err(|_| "its answer does not end".to_owned())??;
        Ok(Sample { status: parts.status, headers: parts.headers, body, more })
    }
}

/// Reads at most so many bytes, and tells whether there is more.
async fn read(mut body: AnswerBody, most: usize) -> Result<(Bytes, bool), String> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|fault| fault.to_string())?;
        if let Ok(data) = frame.into_data() {
            all.extend_from_slice(&data);
        }
        if all.len() > most {
            all.truncate(most);
            return Ok((all.freeze(), true));
        }
    }
    Ok((all.freeze(), false))
}

/// The member `data` of a successful answer of Prometheus' API.
fn data(status: StatusCode, body: &[u8]) -> Option<Value> {
    if !status.is_success() {
        return None;
    }
    let mut answer: Value = serde_json::from_slice(body).ok()?;
    (answer.get("status")? == "success").then(|| answer["data"].take())
}
