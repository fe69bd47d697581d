//! All routes of the Hub API, health and metrics.

use std::sync::Arc;

use axum::extract::State;

use super::{
    application::{self, ApplicationView},
    attribute::{self, AttributeView, CountView, ValueView},
    audit::{self, AuditEventView},
    entity::{self, EntityBody, EntityPatchBody, EntityView},
    entity_bulk::{self, LoadedView},
    gateway::{self, GatewayView},
    health,
    list::List,
    metrics,
    openapi::{Document, show},
    problems,
    role::{self, RoleView},
    whoami::{self, WhoAmI},
};
use crate::{
    app::App,
    domain::resource::{Resource, SecurityResource},
    http::{
        counters::Counters,
        document::{Documentation, operation},
        gate::{Caller, Permission},
        route::{Route, RouteTable, console_only, delete, get, patch, post, put},
        surface::Surface,
    },
};

/// The security state, read-only for applications; every unsafe method below these paths is refused (DESIGN: rule 4).
const SECURITY_PATHS: [&str; 15] = [
    "/api/v1/applications",
    "/api/v1/applications/{client_id}",
    "/api/v1/applications/{client_id}/{*rest}",
    "/api/v1/roles",
    "/api/v1/roles/{id}",
    "/api/v1/roles/{id}/{*rest}",
    "/api/v1/users",
    "/api/v1/users/{*rest}",
    "/api/v1/gateways",
    "/api/v1/gateways/{name}",
    "/api/v1/gateways/{name}/{*rest}",
    "/api/v1/settings",
    "/api/v1/settings/{*rest}",
    "/api/v1/audit",
    "/api/v1/audit/{*rest}",
];

/// The table. The OpenAPI document covers it and the tables `also`.
#[must_use]
pub fn table(also: &[RouteTable], counters: &Arc<Counters>) -> RouteTable {
    let document = Arc::new(Document::default());
    let mut routes = anyone(&document);
    routes.extend(applications(counters));
    routes.extend(entities());
    routes.extend(attributes());
    routes.extend(refused());
    document.describe(routes.iter().chain(also.iter().flat_map(|table| &table.routes)));
    RouteTable::new(Surface::Api, routes)
}

/// What `--ops-listen` answers, without a token.
#[must_use]
pub fn operations(counters: &Arc<Counters>) -> RouteTable {
    let metrics = metrics::show(Arc::clone(counters));
    let routes = vec![
        get("/healthz", Caller::Operations, Permission::None, health::healthz),
        get("/readyz", Caller::Operations, Permission::None, health::readyz_details),
        get("/metrics", Caller::Operations, Permission::None, async move |State(app): State<Arc<App>>| metrics(&app)),
    ];
    RouteTable::new(Surface::Other, routes)
}

fn anyone(document: &Arc<Document>) -> Vec<Route> {
    let openapi = show(Arc::clone(document));
    vec![
        get("/healthz", Caller::Anyone, Permission::None, health::healthz)
            .documented(operation("Whether the hub answers").answers_text(200, "text/plain", "It does.")),
        get("/readyz", Caller::Anyone, Permission::None, health::readyz).documented(
            operation("Whether this node decides requests").answers_text(200, "text/plain", "It does.").answers_text(
                503,
                "text/plain",
                "It has not heard from its store for too long and refuses.",
            ),
        ),
        get("/api/openapi.json", Caller::Anyone, Permission::None, async move |State(app): State<Arc<App>>| {
            openapi(&app)
        })
        .documented(operation("This document").answers_text(200, "application/json", "OpenAPI 3.1.")),
        get("/problems", Caller::Anyone, Permission::None, problems::list)
            .documented(operation("All kinds of problems").answers_text(200, "text/html", "A page.")),
        get("/problems/{slug}", Caller::Anyone, Permission::None, problems::show).documented(
            operation("What one kind of problem means and what to do")
                .path("slug", "The last segment of a problem's type.")
                .answers_text(200, "text/html", "A page.")
                .refuses(&[404]),
        ),
    ]
}

fn applications(counters: &Arc<Counters>) -> Vec<Route> {
    let metrics = metrics::show(Arc::clone(counters));
    let view = |resource| Permission::View(Resource::Security(resource));
    vec![
        get("/api/v1/whoami", Caller::Application, Permission::None, whoami::show).documented(
            operation("What the application is, and what it may view and edit")
                .answers::<WhoAmI>(200, "The application.")
                .refuses(&[401]),
        ),
        get("/api/v1/applications", Caller::Application, view(SecurityResource::Applications), application::list)
            .documented(
                operation("The applications, by name")
                    .paged()
                    .answers::<List<ApplicationView>>(200, "A page.")
                    .refuses(&[400, 401, 403]),
            ),
        get(
            "/api/v1/applications/{client_id}",
            Caller::Application,
            view(SecurityResource::Applications),
            application::show,
        )
        .documented(
            operation("One application")
                .path("client_id", "Its client_id.")
                .answers::<ApplicationView>(200, "The application.")
                .refuses(&[401, 403, 404]),
        ),
        get("/api/v1/roles", Caller::Application, view(SecurityResource::Roles), role::list).documented(
            operation("The roles, by id").paged().answers::<List<RoleView>>(200, "A page.").refuses(&[400, 401, 403]),
        ),
        get("/api/v1/roles/{id}", Caller::Application, view(SecurityResource::Roles), role::show).documented(
            operation("One role").path("id", "Its id.").answers::<RoleView>(200, "The role.").refuses(&[401, 403, 404]),
        ),
        get("/api/v1/gateways", Caller::Application, view(SecurityResource::Gateways), gateway::list).documented(
            operation("The connection settings of the gateways, by name; never their credentials")
                .paged()
                .answers::<List<GatewayView>>(200, "A page.")
                .refuses(&[400, 401, 403]),
        ),
        get("/api/v1/gateways/{name}", Caller::Application, view(SecurityResource::Gateways), gateway::show)
            .documented(
                operation("The connection settings of one gateway")
                    .path("name", "Its name.")
                    .answers::<GatewayView>(200, "The gateway.")
                    .refuses(&[401, 403, 404]),
            ),
        get("/api/v1/audit", Caller::Application, view(SecurityResource::Audit), audit::list).documented(
            operation("The audit log, newest first")
                .paged()
                .answers::<List<AuditEventView>>(200, "A page.")
                .refuses(&[400, 401, 403]),
        ),
        get(
            "/metrics",
            Caller::Application,
            view(SecurityResource::Metrics),
            async move |State(app): State<Arc<App>>| metrics(&app),
        )
        .documented(
            operation("The hub's own metrics")
                .answers_text(200, metrics::MEDIA_TYPE, "OpenMetrics text.")
                .refuses(&[401, 403]),
        ),
    ]
}

/// The inventory, under the data filters of the caller's roles.
fn entities() -> Vec<Route> {
    const ID: &str = "The entity's id; a slash inside is written %2F.";
    const IF_MATCH: &str = "Only if the entity has one of these ETags.";
    const ONE: &str = "/api/v1/entities/{id}";
    let view = Permission::View(Resource::Entities);
    let edit = Permission::Edit(Resource::Entities);
    vec![
        get("/api/v1/entities", Caller::Application, view.clone(), entity::list).documented(
            operation("The entities that the application's roles reach, by id")
                .describe("A page can be shorter than `limit`, or empty, and still have a `next_cursor`: go on until it is null.")
                .query("filter", "A data filter, for example user.department = fx AND itrs.os-type IN (Linux, Windows).")
                .paged()
                .answers::<List<EntityView>>(200, "A page.")
                .refuses(&[400, 401, 403]),
        ),
        post("/api/v1/entities/bulk", Caller::Application, edit.clone(), entity_bulk::load).documented(
            operation("Creates or replaces many entities: all of them or none")
                .describe(
                    "One entity in each line, with its `id`, as PUT takes it: at most 64 MiB, 100,000 lines and 1 MiB in a \
                     line. An id may come more than once; its last line counts. All lines are read before anything is \
                     written. A problem names the `line` that it is about; nothing was changed then.",
                )
                .takes::<EntityBody>("application/x-ndjson")
                .answers::<LoadedView>(200, "What became of the lines.")
                .answers_nothing(204, "Done, for a caller that may not view entities.")
                .refuses(&[400, 401, 403, 408, 409, 413, 415, 503]),
        ),
        get(ONE, Caller::Application, view, entity::show).documented(
            operation("One entity")
                .path("id", ID)
                .header("If-None-Match", "Answers 304 if the entity still has this ETag.")
                .answers::<EntityView>(200, "The entity, with its ETag.")
                .answers_nothing(304, "It still has that ETag.")
                .refuses(&[400, 401, 403, 404, 412]),
        ),
        put(ONE, Caller::Application, edit.clone(), entity::put).documented(
            operation("Creates an entity or replaces its attributes")
                .path("id", ID)
                .header("If-Match", IF_MATCH)
                .header("If-None-Match", "* creates only.")
                .takes::<EntityBody>("application/json")
                .answers::<EntityView>(200, "Replaced; the entity with its ETag.")
                .answers::<EntityView>(201, "Created; the entity with its ETag.")
                .answers_nothing(204, "Done, for a caller that may not view the entity.")
                .refuses(&[400, 401, 403, 409, 412, 413, 415]),
        ),
        patch(ONE, Caller::Application, edit.clone(), entity::patch).documented(
            operation("Changes some attributes of an entity: a JSON merge patch (RFC 7396)")
                .path("id", ID)
                .header("If-Match", IF_MATCH)
                .takes::<EntityPatchBody>("application/merge-patch+json")
                .answers::<EntityView>(200, "Changed; the entity with its ETag.")
                .answers_nothing(204, "Done, for a caller that may not view the entity.")
                .refuses(&[400, 401, 403, 404, 412, 413, 415]),
        ),
        delete(ONE, Caller::Application, edit, entity::delete).documented(
            operation("Deletes an entity")
                .path("id", ID)
                .header("If-Match", IF_MATCH)
                .answers_nothing(204, "Deleted.")
                .refuses(&[400, 401, 403, 404, 412]),
        ),
    ]
}

/// What the entities that an application may view have in common.
fn attributes() -> Vec<Route> {
    let view = Permission::View(Resource::Entities);
    vec![
        get("/api/v1/entities/summary", Caller::Application, view.clone(), attribute::summary).documented(
            operation("How many entities have each value of an attribute, by value")
                .describe(
                    "Counts the entities that the application's roles reach; those without the attribute have the empty value.",
                )
                .query("by", "The attribute's name, for example user.department. Needed.")
                .query("filter", "A data filter: counts only the entities that it selects.")
                .paged()
                .answers::<List<CountView>>(200, "A page.")
                .refuses(&[400, 401, 403]),
        ),
        get("/api/v1/attributes", Caller::Application, view.clone(), attribute::names).documented(
            operation("The names of the attributes that entities have, by name")
                .describe("Of the entities that the application's roles reach.")
                .paged()
                .answers::<List<AttributeView>>(200, "A page.")
                .refuses(&[400, 401, 403]),
        ),
        get("/api/v1/attributes/{key}/values", Caller::Application, view, attribute::values).documented(
            operation("The values of an attribute, by value")
                .describe("Of the entities that the application's roles reach.")
                .path("key", "The attribute's name; a slash inside is written %2F.")
                .query("prefix", "Only values that begin with this; at most 100 characters.")
                .paged()
                .answers::<List<ValueView>>(200, "A page.")
                .refuses(&[400, 401, 403]),
        ),
    ]
}

fn refused() -> Vec<Route> {
    SECURITY_PATHS.into_iter().map(|path| console_only(path).documented(parameters(path))).collect()
}

fn parameters(path: &str) -> Documentation {
    let refused = operation("Refused: security settings are changed in the Web Console only").refuses(&[401, 403]);
    ["client_id", "id", "name", "rest"].into_iter().fold(refused, |documentation, name| {
        let named = path.contains(&format!("{{{name}}}")) || path.contains(&format!("{{*{name}}}"));
        if named { documentation.path(name, "Anything.") } else { documentation }
    })
}
