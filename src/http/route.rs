//! Route tables: each surface lists its routes in one, and all of them are mounted here and nowhere else.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    handler::Handler,
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use http::Method;

use crate::{
    app::App,
    http::{
        document::Documentation,
        forwarding::{Forwarder, Forwarding},
        gate::{Access, Caller, Gate, Guard, Permission, Trace, unknown_path},
        kind,
        problem::Problem,
        surface::Surface,
    },
};

/// How a surface writes down a problem that arose outside of its handlers: unknown path, method, overload, panic.
pub type Rescue = fn(&App, &Problem) -> Response;

type Attach = Box<dyn FnOnce(Arc<Gate>) -> MethodRouter<Arc<App>> + Send>;

/// One route: method, path, caller, permission, handler.
pub struct Route {
    /// The methods it answers. GET answers HEAD too.
    pub methods: Vec<Method>,
    /// The path, with parameters in braces: `/api/v1/entities/{id}`; `{*rest}` takes the rest of the path.
    pub path: &'static str,
    /// Who may call it.
    pub caller: Caller,
    /// With which permission.
    pub permission: Permission,
    /// Its documentation, for the surfaces that the OpenAPI document covers.
    pub documentation: Option<Documentation>,
    /// How the router gets at its handler; a forwarded route needs none.
    attach: Option<Attach>,
}

impl Route {
    /// Adds the documentation.
    #[must_use]
    pub fn documented(mut self, documentation: Documentation) -> Self {
        self.documentation = Some(documentation);
        self
    }
}

/// A route that answers these methods.
///
/// # Panics
/// If a method is not one of the standard ones: a mistake in a table, found by the first test.
pub fn on_methods<H, T>(
    methods: &[Method],
    path: &'static str,
    caller: Caller,
    permission: Permission,
    handler: H,
) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    let filter = methods
        .iter()
        .map(|method| MethodFilter::try_from(method.clone()).expect("route tables use standard methods"))
        .reduce(MethodFilter::or)
        .expect("a route has a method");
    let attach: Option<Attach> = Some(Box::new(move |gate| on(filter, Gated { gate, handler })));
    Route { methods: methods.to_vec(), path, caller, permission, documentation: None, attach }
}

/// A route that the table's [`Forwarder`] answers for applications, by its own decision.
#[must_use]
pub fn forwarded(methods: &[Method], path: &'static str) -> Route {
    let (caller, permission) = (Caller::Application, Permission::ByHandler);
    Route { methods: methods.to_vec(), path, caller, permission, documentation: None, attach: None }
}

/// A GET route.
pub fn get<H, T>(path: &'static str, caller: Caller, permission: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    on_methods(&[Method::GET], path, caller, permission, handler)
}

/// A POST route.
pub fn post<H, T>(path: &'static str, caller: Caller, permission: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    on_methods(&[Method::POST], path, caller, permission, handler)
}

/// A PUT route.
pub fn put<H, T>(path: &'static str, caller: Caller, permission: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    on_methods(&[Method::PUT], path, caller, permission, handler)
}

/// A PATCH route.
pub fn patch<H, T>(path: &'static str, caller: Caller, permission: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    on_methods(&[Method::PATCH], path, caller, permission, handler)
}

/// A DELETE route.
pub fn delete<H, T>(path: &'static str, caller: Caller, permission: Permission, handler: H) -> Route
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    on_methods(&[Method::DELETE], path, caller, permission, handler)
}

/// Every unsafe method at a path below security state: refused for each application, whatever its roles (DESIGN: rule 4).
#[must_use]
pub fn console_only(path: &'static str) -> Route {
    let methods = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    // The gate answers; the handler is there for the type and never runs.
    on_methods(&methods, path, Caller::Application, Permission::ConsoleOnly, async || Problem::internal())
}

/// All routes of one surface.
pub struct RouteTable {
    /// Whose routes they are.
    pub surface: Surface,
    /// The routes, grouped by caller.
    pub routes: Vec<Route>,
    guard: Option<Arc<dyn Guard>>,
    rescue: Option<Rescue>,
    forwarder: Option<Arc<dyn Forwarder>>,
}

impl RouteTable {
    /// The table of a surface.
    #[must_use]
    pub fn new(surface: Surface, routes: Vec<Route>) -> Self {
        Self { surface, routes, guard: None, rescue: None, forwarder: None }
    }

    /// Puts the surface's own guard in front of every route of this table.
    #[must_use]
    pub fn guarded_by(mut self, guard: Arc<dyn Guard>) -> Self {
        self.guard = Some(guard);
        self
    }

    /// Sets who answers the routes that are forwarded.
    #[must_use]
    pub fn forwarded_by(mut self, forwarder: Arc<dyn Forwarder>) -> Self {
        self.forwarder = Some(forwarder);
        self
    }

    /// Sets the form that this surface gives to problems outside of its handlers.
    #[must_use]
    pub fn rescued_by(mut self, rescue: Rescue) -> Self {
        self.rescue = Some(rescue);
        self
    }
}

/// The mounted tables.
pub struct Mounted {
    /// The router over all routes.
    pub router: Router,
    /// By [`Surface::index`], the form of errors.
    pub rescues: [Rescue; Surface::ALL.len()],
    /// The way to the gateways.
    pub(super) forwarding: Option<Forwarding>,
}

/// Mounts the tables: the only place where paths become routes.
///
/// # Panics
/// If two routes have the same method and path, or forwarded ones no forwarder: a mistake in the tables, found by the first test.
#[must_use]
pub fn mount(tables: Vec<RouteTable>, app: Arc<App>) -> Mounted {
    let mut rescues = [problem_details as Rescue; Surface::ALL.len()];
    let mut by_path: BTreeMap<&'static str, Path> = BTreeMap::new();
    let mut forwarding = None;
    for table in tables {
        if let Some(rescue) = table.rescue {
            rescues[table.surface.index()] = rescue;
        }
        for route in table.routes {
            let Some(attach) = route.attach else {
                let forwarder = table.forwarder.clone().expect("a table with forwarded routes has a forwarder");
                forwarding = Some(Forwarding::new(route.path, route.methods, forwarder));
                continue;
            };
            let access = Access { path: route.path, caller: route.caller, permission: route.permission };
            let console_only = access.permission == Permission::ConsoleOnly;
            let gate = Arc::new(Gate::new(access, table.guard.clone()));
            let path = by_path.entry(route.path).or_default();
            path.handlers = std::mem::take(&mut path.handlers).merge(attach(Arc::clone(&gate)));
            if console_only {
                path.console_only = Some(gate);
            }
        }
    }
    let mut router = Router::new();
    for (path, Path { handlers, console_only }) in by_path {
        // Axum adds Allow to the answer of a path's fallback.
        let other = async move |State(app): State<Arc<App>>, request: Request| {
            other_method(path, console_only, &app, request).await
        };
        router = router.route(path, handlers.fallback(other));
    }
    let router = router.fallback(async || unknown_path()).with_state(app);
    Mounted { router, rescues, forwarding }
}

/// What is mounted at one path.
#[derive(Default)]
struct Path {
    handlers: MethodRouter<Arc<App>>,
    /// The gate that refuses what would change security state.
    console_only: Option<Arc<Gate>>,
}

/// A method that no route at this path has. Below security state a method that is not known to be safe (RFC 9110 §9.2.1) is
/// refused as every other change is, whatever it is called.
async fn other_method(
    path: &'static str,
    console_only: Option<Arc<Gate>>,
    app: &Arc<App>,
    request: Request,
) -> Response {
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(request.method());
    if let Some(gate) = console_only.filter(|_| !safe)
        && let Err(refusal) = gate.admit(app, &mut request.into_parts().0, &mut None).await
    {
        return refusal;
    }
    method_not_allowed(path)
}

/// 405; the header Allow is for whoever knows the methods.
pub(super) fn method_not_allowed(path: &'static str) -> Response {
    let detail = "The header Allow lists the methods that are possible here.";
    let mut response = Problem::new(&kind::METHOD_NOT_ALLOWED, detail).into_response();
    response.extensions_mut().insert(Trace { path, client_id: None });
    response
}

/// Problem details, for surfaces without a form of their own.
fn problem_details(app: &App, problem: &Problem) -> Response {
    problem.to_response(app.config.public_url.as_str())
}

/// A handler behind its gate.
#[derive(Clone)]
struct Gated<H> {
    gate: Arc<Gate>,
    handler: H,
}

impl<H, T> Handler<T, Arc<App>> for Gated<H>
where
    H: Handler<T, Arc<App>>,
    T: 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, app: Arc<App>) -> Self::Future {
        Box::pin(async move {
            let Self { gate, handler } = self;
            let (mut parts, body) = request.into_parts();
            let mut caught = None;
            let admitted = gate.admit(&app, &mut parts, &mut caught).await;
            let mut response = match (admitted, &caught) {
                (Ok(()), Some(caught)) => {
                    let response = handler.call(Request::from_parts(parts, body), Arc::clone(&app)).await;
                    gate.count(&app, caught, &response, None);
                    response
                }
                (Ok(()), None) => handler.call(Request::from_parts(parts, body), app).await,
                (Err(refusal), _) => gate.explain(refusal, Request::from_parts(parts, body)).await,
            };
            gate.trace(caught.as_ref(), &mut response);
            response
        })
    }
}
