//! Gateways: their settings as one document, their credentials wrapped.

use super::{StoreError, Tx, on, statements};
use crate::domain::gateway::{
    FixedHeader, Gateway, GatewayId, GatewayKind, HeaderName, Limits, PathRule, Timeouts, UpstreamAddress,
    UpstreamAuthentication,
};
use crate::domain::prometheus::{LabelMap, LabelName};
use crate::domain::resource::GatewayName;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use std::collections::BTreeMap;
use std::time::Duration;

statements! {
    ALL = "SELECT id, name, kind, settings, wrapped_secret, wrapped_client_key, created_at FROM gateway ORDER BY name";
    GET = "SELECT id, name, kind, settings, wrapped_secret, wrapped_client_key, created_at FROM gateway WHERE id = $1";
    BY_NAME = "SELECT id, name, kind, settings, wrapped_secret, wrapped_client_key, created_at FROM gateway WHERE name = $1";
    INSERT = "INSERT INTO gateway (id, name, kind, settings, wrapped_secret, wrapped_client_key, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    UPDATE = "UPDATE gateway SET name = $1, kind = $2, settings = $3, wrapped_secret = $4, wrapped_client_key = $5 \
        WHERE id = $6";
    DELETE = "DELETE FROM gateway WHERE id = $1";
}

/// A gateway as stored.
#[derive(Clone, Debug)]
pub struct StoredGateway {
    /// Its settings.
    pub gateway: Gateway,
    /// The wrapped password, token or header value.
    pub wrapped_secret: Option<String>,
    /// The wrapped key of its client certificate.
    pub wrapped_client_key: Option<String>,
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    kind: String,
    settings: String,
    wrapped_secret: Option<String>,
    wrapped_client_key: Option<String>,
    created_at: i64,
}

/// The document. A field that an older program did not write has its default; texts are parsed by the domain's types.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Document {
    description: String,
    addresses: Vec<String>,
    authentication: String,
    user: String,
    header: String,
    ca: Option<String>,
    client_certificate: Option<String>,
    headers: Vec<String>,
    connect_ms: Option<u64>,
    answer_ms: Option<u64>,
    idle_ms: Option<u64>,
    body_limit: Option<u64>,
    concurrent: Option<u32>,
    path_rules: Vec<String>,
    assertion: bool,
    forward_filter: bool,
    labels: BTreeMap<String, String>,
}

impl Document {
    fn of(gateway: &Gateway) -> Self {
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).ok();
        let (user, header) = match &gateway.authentication {
            UpstreamAuthentication::Basic { user } => (user.clone(), String::new()),
            UpstreamAuthentication::Header { name } => (String::new(), name.as_str().to_owned()),
            UpstreamAuthentication::None | UpstreamAuthentication::Bearer => (String::new(), String::new()),
        };
        Self {
            description: gateway.description.clone(),
            addresses: gateway.addresses.iter().map(ToString::to_string).collect(),
            authentication: gateway.authentication.as_str().to_owned(),
            user,
            header,
            ca: gateway.ca.clone(),
            client_certificate: gateway.client_certificate.clone(),
            headers: gateway.headers.iter().map(ToString::to_string).collect(),
            connect_ms: milliseconds(gateway.timeouts.connect),
            answer_ms: milliseconds(gateway.timeouts.answer),
            idle_ms: milliseconds(gateway.timeouts.idle),
            body_limit: gateway.limits.body,
            concurrent: Some(gateway.limits.concurrent),
            path_rules: gateway.path_rules.iter().map(ToString::to_string).collect(),
            assertion: gateway.assertion,
            forward_filter: gateway.forward_filter,
            labels: gateway.labels.iter().map(|(attribute, label)| (attribute.to_owned(), label.to_string())).collect(),
        }
    }

    fn authentication(&self) -> Result<UpstreamAuthentication, String> {
        Ok(match self.authentication.as_str() {
            "none" => UpstreamAuthentication::None,
            "basic" => UpstreamAuthentication::Basic { user: self.user.clone() },
            "bearer" => UpstreamAuthentication::Bearer,
            "header" => {
                UpstreamAuthentication::Header { name: HeaderName::parse_credential(&self.header).map_err(text)? }
            }
            other => return Err(format!("the authentication {other:?} is unknown")),
        })
    }

    fn timeouts(&self) -> Timeouts {
        let standard = Timeouts::default();
        let duration = |stored: Option<u64>, standard| stored.map_or(standard, Duration::from_millis);
        Timeouts {
            connect: duration(self.connect_ms, standard.connect),
            answer: duration(self.answer_ms, standard.answer),
            idle: duration(self.idle_ms, standard.idle),
        }
    }
}

fn text(fault: impl std::fmt::Display) -> String {
    fault.to_string()
}

fn parse_each<T, E: std::fmt::Display>(texts: &[String], parse: fn(&str) -> Result<T, E>) -> Result<Vec<T>, String> {
    texts.iter().map(|stored| parse(stored).map_err(text)).collect()
}

fn read(row: &Row) -> Result<Gateway, String> {
    let document: Document = serde_json::from_str(&row.settings).map_err(text)?;
    let addresses = parse_each(&document.addresses, UpstreamAddress::parse)?;
    if addresses.is_empty() {
        return Err("it has no address".to_owned());
    }
    let label =
        |(attribute, label): (&String, &String)| Ok((attribute.clone(), LabelName::parse(label).map_err(text)?));
    let labels = document.labels.iter().map(label).collect::<Result<LabelMap, String>>()?;
    Ok(Gateway {
        id: GatewayId::new(row.id.clone()),
        name: GatewayName::parse(&row.name).ok_or("its name is no slug")?,
        kind: GatewayKind::parse(&row.kind).ok_or("its kind is unknown")?,
        addresses,
        authentication: document.authentication()?,
        headers: parse_each(&document.headers, FixedHeader::parse)?,
        path_rules: parse_each(&document.path_rules, PathRule::parse)?,
        timeouts: document.timeouts(),
        limits: Limits {
            body: document.body_limit,
            concurrent: document.concurrent.unwrap_or_else(|| Limits::default().concurrent),
        },
        description: document.description,
        ca: document.ca,
        client_certificate: document.client_certificate,
        assertion: document.assertion,
        forward_filter: document.forward_filter,
        labels,
        created_at: Timestamp::from_micros(row.created_at),
    })
}

impl TryFrom<Row> for StoredGateway {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let gateway = read(&row).map_err(|fault| StoreError::Unreadable(format!("gateway {}: {fault}", row.name)))?;
        Ok(Self { gateway, wrapped_secret: row.wrapped_secret, wrapped_client_key: row.wrapped_client_key })
    }
}

fn settings(gateway: &Gateway) -> Result<String, StoreError> {
    serde_json::to_string(&Document::of(gateway)).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// All gateways, by name.
///
/// # Errors
/// [`StoreError`].
pub async fn all(tx: &mut Tx) -> Result<Vec<StoredGateway>, StoreError> {
    let rows: Vec<Row> = on!(tx, connection => sqlx::query_as(ALL).fetch_all(connection).await)?;
    rows.into_iter().map(StoredGateway::try_from).collect()
}

/// The gateway of that id.
///
/// # Errors
/// [`StoreError`].
pub async fn get(tx: &mut Tx, id: &GatewayId) -> Result<Option<StoredGateway>, StoreError> {
    let row: Option<Row> =
        on!(tx, connection => sqlx::query_as(GET).bind(id.as_str()).fetch_optional(connection).await)?;
    row.map(StoredGateway::try_from).transpose()
}

/// The gateway of that name.
///
/// # Errors
/// [`StoreError`].
pub async fn by_name(tx: &mut Tx, name: &GatewayName) -> Result<Option<StoredGateway>, StoreError> {
    let row: Option<Row> =
        on!(tx, connection => sqlx::query_as(BY_NAME).bind(name.as_str()).fetch_optional(connection).await)?;
    row.map(StoredGateway::try_from).transpose()
}

/// Adds a gateway.
///
/// # Errors
/// [`StoreError::Duplicate`] for a name that is taken.
pub async fn insert(tx: &mut Tx, stored: &StoredGateway) -> Result<(), StoreError> {
    let gateway = &stored.gateway;
    let settings = settings(gateway)?;
    on!(tx, connection => sqlx::query(INSERT)
        .bind(gateway.id.as_str())
        .bind(gateway.name.as_str())
        .bind(gateway.kind.as_str())
        .bind(&settings)
        .bind(stored.wrapped_secret.as_deref())
        .bind(stored.wrapped_client_key.as_deref())
        .bind(gateway.created_at.micros())
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Replaces a gateway's settings and credentials.
///
/// # Errors
/// [`StoreError::Duplicate`] for a name that is taken.
pub async fn update(tx: &mut Tx, stored: &StoredGateway) -> Result<(), StoreError> {
    let gateway = &stored.gateway;
    let settings = settings(gateway)?;
    on!(tx, connection => sqlx::query(UPDATE)
        .bind(gateway.name.as_str())
        .bind(gateway.kind.as_str())
        .bind(&settings)
        .bind(stored.wrapped_secret.as_deref())
        .bind(stored.wrapped_client_key.as_deref())
        .bind(gateway.id.as_str())
        .execute(connection).await.map(|_| ()))?;
    Ok(())
}

/// Removes a gateway.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, id: &GatewayId) -> Result<(), StoreError> {
    on!(tx, connection => sqlx::query(DELETE).bind(id.as_str()).execute(connection).await.map(|_| ()))?;
    Ok(())
}
