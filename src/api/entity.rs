//! `/api/v1/entities`: the inventory, under the data filters of the caller's roles.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::list::{Json, List};
use crate::{
    actions::entity::{self, EntityChange, EntityError, EntityQuery, Written},
    app::App,
    domain::{
        data_filter::{DataFilter, FilterError},
        entity::{
            AttributeFault, Attributes, DocumentFault, Entity, EntityAccess, EntityDocument, EntityId, EntityPatch,
            EntityRefusal, EntityTags, Precondition,
        },
        grant::Action,
        resource::Resource,
    },
    http::{
        body,
        gate::Authorised,
        kind,
        parameters::{Query, Segment, bad_cursor},
        problem::Problem,
    },
};

/// An entity as the API shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Entity)]
pub struct EntityView {
    /// Its id.
    #[schema(example = "host/web-1")]
    pub id: String,
    /// Its attributes; those that are absent are not listed.
    #[schema(example = json!({"itrs.os-type": "Linux", "user.department": "fx"}))]
    pub attributes: BTreeMap<String, String>,
}

/// What a PUT takes: the whole entity.
#[derive(ToSchema)]
#[schema(as = EntityDocument)]
#[expect(dead_code, reason = "describes the body, which the domain parses")]
pub struct EntityBody {
    /// The id, which the path tells: if given, it must be the same.
    id: Option<String>,
    /// All attributes; an empty value means absent.
    #[schema(example = json!({"itrs.os-type": "Linux", "user.department": "fx"}))]
    attributes: BTreeMap<String, String>,
}

/// What a PATCH takes: a JSON merge patch (RFC 7396).
#[derive(ToSchema)]
#[schema(as = EntityPatch)]
#[expect(dead_code, reason = "describes the body, which the domain parses")]
pub struct EntityPatchBody {
    /// The id, which the path tells: if given, it must be the same.
    id: Option<String>,
    /// The attributes to set; `null` removes one. Others stay as they are.
    #[schema(example = json!({"user.department": "rates", "obsolete": null}))]
    attributes: Option<BTreeMap<String, Option<String>>>,
}

impl From<Entity> for EntityView {
    fn from(entity: Entity) -> Self {
        Self { id: entity.id.to_string(), attributes: entity.attributes.into_map() }
    }
}

/// The list, by id.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Authorised,
    RawQuery(query): RawQuery,
) -> Result<Json<List<EntityView>>, Problem> {
    let query = Query::parse(query.as_deref(), &["filter", "limit", "cursor"])?;
    let limit = query.limit()?;
    let filter = query.get("filter").map(DataFilter::parse).transpose()?;
    // A page may end at an entity that the caller must not know of.
    let after = match query.get("cursor") {
        Some(cursor) => app.keyring.reveal(cursor).ok_or_else(bad_cursor)?,
        None => String::new(),
    };
    let query = EntityQuery { filter: filter.as_ref(), after: &after, limit };
    let found = entity::list(&app, &access(caller), query).await?;
    let next_cursor = found.next_after.and_then(|id| app.keyring.conceal(id.as_str()));
    Ok(Json(List { items: found.items.into_iter().map(EntityView::from).collect(), next_cursor }))
}

/// One entity.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Authorised,
    Segment(id): Segment,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = parse_id(id)?;
    let precondition = precondition(&headers)?;
    let entity = entity::get(&app, &access(caller), &id).await?;
    if precondition.if_match.is_some_and(|tags| !tags.include(Some(&entity.version))) {
        return Err(EntityError::PreconditionFailed.into());
    }
    if precondition.if_none_match.is_some_and(|tags| tags.include(Some(&entity.version))) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, entity.version.to_tag())]).into_response());
    }
    Ok(tagged(StatusCode::OK, entity))
}

/// Creates or replaces.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Authorised,
    Segment(id): Segment,
    headers: HeaderMap,
    body::Json(document): body::Json<Value>,
) -> Result<Response, Problem> {
    let id = parse_id(id)?;
    let precondition = precondition(&headers)?;
    let document = EntityDocument::try_from(document)?;
    same_id(document.id.as_deref(), &id)?;
    let attributes = Attributes::new(document.attributes)?;
    Ok(answer(entity::change(&app, &access(caller), &id, EntityChange::Put(&attributes), &precondition).await?))
}

/// Changes some attributes.
pub(super) async fn patch(
    State(app): State<Arc<App>>,
    caller: Authorised,
    Segment(id): Segment,
    headers: HeaderMap,
    body::Json(patch): body::Json<Value>,
) -> Result<Response, Problem> {
    let id = parse_id(id)?;
    let precondition = precondition(&headers)?;
    let patch = EntityPatch::try_from(patch)?;
    same_id(patch.id.as_deref(), &id)?;
    Ok(answer(entity::change(&app, &access(caller), &id, EntityChange::Patch(&patch), &precondition).await?))
}

/// Deletes.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Authorised,
    Segment(id): Segment,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let id = parse_id(id)?;
    entity::change(&app, &access(caller), &id, EntityChange::Delete, &precondition(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the caller's token and roles reach. The gate has asked for the route's own permit already.
pub(super) fn access(Authorised { verified, .. }: Authorised) -> EntityAccess {
    let permits = [Action::View, Action::Edit].map(|action| verified.decide(&Resource::Entities, action));
    EntityAccess::of(permits.into_iter().flatten(), verified.roles.access.reach(&Resource::Entities, Action::View))
}

fn parse_id(id: String) -> Result<EntityId, Problem> {
    EntityId::parse(id).map_err(|fault| Problem::invalid_parameter("id", format!("{fault}.")))
}

fn same_id(in_body: Option<&str>, id: &EntityId) -> Result<(), Problem> {
    match in_body {
        Some(other) if other != id.as_str() => {
            Err(Problem::new(&kind::INVALID_BODY, "The id in the body is not the one in the path; leave it out."))
        }
        _ => Ok(()),
    }
}

fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    Ok(Precondition {
        if_match: tags(headers, &header::IF_MATCH, false)?,
        if_none_match: tags(headers, &header::IF_NONE_MATCH, true)?,
    })
}

fn tags(headers: &HeaderMap, name: &HeaderName, weak: bool) -> Result<Option<EntityTags>, Problem> {
    let malformed = || Problem::bad_request(format!("{name} is * or a list of quoted ETags, as they were answered."));
    let values: Vec<&str> =
        headers.get_all(name).iter().map(|value| value.to_str()).collect::<Result<_, _>>().map_err(|_| malformed())?;
    if values.is_empty() {
        return Ok(None);
    }
    EntityTags::parse(&values.join(","), weak).map(Some).ok_or_else(malformed)
}

/// The answer to a write: the entity as it is now, or nothing for a caller that may not view it.
fn answer(written: Written) -> Response {
    match written.entity {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(entity) if written.created => tagged(StatusCode::CREATED, entity),
        Some(entity) => tagged(StatusCode::OK, entity),
    }
}

fn tagged(status: StatusCode, entity: Entity) -> Response {
    (status, [(header::ETAG, entity.version.to_tag())], Json(EntityView::from(entity))).into_response()
}

impl From<EntityError> for Problem {
    fn from(error: EntityError) -> Self {
        match error {
            EntityError::Refused(refusal) => refused(refusal),
            EntityError::PreconditionFailed => Self::new(
                &kind::PRECONDITION_FAILED,
                "The entity is not in the state that If-Match or If-None-Match asks for. Read it again.",
            ),
            EntityError::Invalid(fault) => fault.into(),
            EntityError::Store(error) => error.into(),
        }
    }
}

pub(super) fn refused(refusal: EntityRefusal) -> Problem {
    match refusal {
        EntityRefusal::NotFound => {
            Problem::not_found("There is no entity with this id, or none that the roles of this application reach.")
        }
        EntityRefusal::NotEditable => Problem::new(
            &kind::OUTSIDE_FILTER,
            "This entity lies outside what the application's roles may edit; GET /api/v1/whoami shows their filters.",
        ),
        EntityRefusal::Outside => Problem::new(
            &kind::OUTSIDE_FILTER,
            "With these attributes the entity would lie outside what the application's roles may edit; GET /api/v1/whoami \
             shows their filters.",
        ),
        EntityRefusal::IdUnavailable => {
            Problem::new(&kind::ID_UNAVAILABLE, "This id is not available to this application. Use another one.")
        }
    }
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Self {
        Self::new(&kind::INVALID_FILTER, format!("The filter can't be read: {error}."))
            .with("column", error.column)
            .with("expected", error.expected)
    }
}

impl From<AttributeFault> for Problem {
    fn from(fault: AttributeFault) -> Self {
        Self::new(&kind::INVALID_BODY, format!("The attributes can't be kept: {fault}."))
    }
}

impl From<DocumentFault> for Problem {
    fn from(fault: DocumentFault) -> Self {
        Self::new(&kind::INVALID_BODY, format!("The body is not an entity: {fault}."))
    }
}
