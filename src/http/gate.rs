//! The gate in front of every handler: who may call a route, and with which permission. Built from the route table, so a new
//! route can't forget it.

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header, request::Parts};

use crate::{
    app::{
        App, client_auth,
        usage::Refused,
        verifier::{self, Place, TokenFacts, Verified},
    },
    domain::{access::Permit, denial::DenialReason, grant::Action, resource::Resource},
    http::{
        basic::{self, BasicFault},
        bearer::{self, Challenge, Presented},
        context::RequestContext,
        kind,
        problem::Problem,
        refusal,
    },
};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Everybody.
    Anyone,
    /// An application with its API key: the handler authenticates it (RFC 6749 §2.3).
    Client,
    /// An application with an access token.
    Application,
    /// A person with a console session; the surface's [`Guard`] decides.
    ConsoleUser,
    /// Whoever reaches `--ops-listen`.
    Operations,
}

/// What the caller needs besides being who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Nothing more.
    None,
    /// View on this resource.
    View(Resource),
    /// Edit on this resource.
    Edit(Resource),
    /// One that depends on the request; the handler asks [`Verified::decide`] and can't go on without the permit.
    ByHandler,
    /// No application may, whatever its roles: refused with a hint to the Web Console.
    ConsoleOnly,
}

/// A route's entry in the table, as far as the gate needs it.
#[derive(Clone, Debug)]
pub struct Access {
    /// The path as the table has it, with its parameters in braces.
    pub path: &'static str,
    /// Who may call.
    pub caller: Caller,
    /// With which permission.
    pub permission: Permission,
}

/// The future of [`Guard::admit`].
pub type Admission<'a> = Pin<Box<dyn Future<Output = Result<(), Response>> + Send + 'a>>;

/// The future of [`Guard::explain`].
pub type Explanation<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

/// The check of a surface that has callers of its own kind: the console's sessions.
pub trait Guard: Send + Sync {
    /// Lets the request through, perhaps after adding to its extensions who calls, or answers it.
    fn admit<'a>(&'a self, app: &'a Arc<App>, access: &'a Access, parts: &'a mut Parts) -> Admission<'a>;

    /// Words the answer to a request that was not let through, with the request at hand. It can't let it through.
    fn explain<'a>(&'a self, access: &'a Access, refusal: Response, request: Request) -> Explanation<'a> {
        let _ = (access, request);
        Box::pin(async { refusal })
    }
}

/// The gate of one route.
pub struct Gate {
    access: Access,
    guard: Option<Arc<dyn Guard>>,
}

/// The application that calls, verified, and its permit where the route asks for one. Handlers extract it.
#[derive(Clone, Debug)]
pub struct Authorised {
    /// Whose token it is and what it allows.
    pub verified: Verified,
    /// The permit for the route's permission; `None` where that is [`Permission::None`] or [`Permission::ByHandler`].
    pub permit: Option<Permit>,
}

/// Which route a refused request met and whose it was, for the access log: nothing that the caller wrote.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The path as the table has it.
    pub path: &'static str,
    /// The application, once verified.
    pub client_id: Option<String>,
}

/// Says of an upstream's answer which grant it took.
#[derive(Clone, Debug)]
pub struct Forwarded {
    /// The gateway.
    pub resource: Resource,
    /// To do what.
    pub action: Action,
}

/// What the paths of gateways begin with.
pub const GATEWAYS: &str = "/gateways/";

impl Gate {
    /// The gate of a route of a surface with this guard, if it has one.
    #[must_use]
    pub fn new(access: Access, guard: Option<Arc<dyn Guard>>) -> Self {
        Self { access, guard }
    }

    /// The path as the table has it.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.access.path
    }

    /// Lets a request through to its handler or answers it. `caught` tells whose it is, once verified.
    ///
    /// # Errors
    /// The answer, when the request is refused.
    pub(super) async fn admit(
        &self,
        app: &Arc<App>,
        parts: &mut Parts,
        caught: &mut Option<Caught>,
    ) -> Result<(), Response> {
        if let Some(guard) = &self.guard {
            return guard.admit(app, &self.access, parts).await;
        }
        match self.access.caller {
            Caller::Anyone | Caller::Client => Ok(()),
            Caller::Application => {
                let context = *context_of(parts).map_err(IntoResponse::into_response)?;
                let authorised = self.authorise(app, parts, &context, caught).await;
                parts.extensions.insert(authorised.map_err(IntoResponse::into_response)?);
                Ok(())
            }
            Caller::Operations => {
                let context = parts.extensions.get::<RequestContext>();
                if context.is_some_and(|context| context.operations) {
                    Ok(())
                } else {
                    Err(unknown_path().into_response())
                }
            }
            // A table with console routes has a guard; without one nobody gets in.
            Caller::ConsoleUser => Err(Problem::new(&kind::FORBIDDEN, "Sign in to the Web Console.").into_response()),
        }
    }

    /// The answer to a request that was not let through.
    pub(super) async fn explain(&self, refusal: Response, request: Request) -> Response {
        match &self.guard {
            Some(guard) => guard.explain(&self.access, refusal, request).await,
            None => refusal,
        }
    }

    /// The application whose token the request carries, with its permit. `caught` tells whose it is even when it is refused.
    ///
    /// # Errors
    /// The problem, when the request is refused.
    pub(super) async fn authorise(
        &self,
        app: &Arc<App>,
        parts: &Parts,
        context: &RequestContext,
        caught: &mut Option<Caught>,
    ) -> Result<Authorised, Problem> {
        if bearer::in_query(parts.uri.query()) {
            let reason = "access tokens are not accepted in the query";
            return Err(Problem::bad_request(
                "Send the access token as “Authorization: Bearer TOKEN”, never in the query: URLs end up in logs.",
            )
            .challenged(Challenge::InvalidRequest(reason)));
        }
        let verified = match bearer::presented(&parts.headers) {
            Presented::Token(token) => verifier::verify(app, token, self.place(parts), context.address)
                .await
                .map_err(|refused| refusal::token(&refused))?,
            Presented::Nothing => match parts.headers.get(header::AUTHORIZATION) {
                Some(value) if self.is_gateway() => by_basic(app, value.as_bytes(), context)?,
                _ => return Err(token_missing()),
            },
            Presented::Malformed => {
                return Err(refusal::invalid_token("the Authorization header does not hold one well-formed token"));
            }
        };
        // The application is named to the access log even when it is refused here.
        let caught = caught.insert(Caught { token: Arc::clone(&verified.token), source: context.address });
        let permit = match &self.access.permission {
            Permission::None | Permission::ByHandler => None,
            Permission::View(resource) => {
                Some(verified.decide(resource, Action::View).map_err(|refused| refusal::access(&refused)))
            }
            Permission::Edit(resource) => {
                Some(verified.decide(resource, Action::Edit).map_err(|refused| refusal::access(&refused)))
            }
            Permission::ConsoleOnly => Some(Err(refusal::console_only())),
        };
        if let Some(Err(_)) = &permit {
            let console_only = self.access.permission == Permission::ConsoleOnly;
            caught.refused(app, if console_only { DenialReason::ConsoleOnly } else { DenialReason::NotAllowed });
        }
        Ok(Authorised { verified, permit: permit.transpose()? })
    }

    fn is_gateway(&self) -> bool {
        self.access.path.starts_with(GATEWAYS)
    }

    /// Where a token must be good for this request: a gateway is a resource of its own (RFC 8707).
    fn place<'a>(&self, parts: &'a Parts) -> Place<'a> {
        if !self.is_gateway() {
            return Place::Hub;
        }
        let rest = parts.uri.path().strip_prefix(GATEWAYS).unwrap_or_default();
        Place::Gateway(rest.split('/').next().unwrap_or_default())
    }

    /// The grant that a request of this route takes, if it takes one.
    fn grant(&self) -> Option<(&Resource, Action)> {
        match &self.access.permission {
            Permission::View(resource) => Some((resource, Action::View)),
            Permission::Edit(resource) => Some((resource, Action::Edit)),
            Permission::None | Permission::ByHandler | Permission::ConsoleOnly => None,
        }
    }

    /// Tells the access log which route a refused request met, and whose it was.
    pub(super) fn trace(&self, caught: Option<&Caught>, response: &mut Response) {
        if response.status().as_u16() >= 400 {
            let client_id = caught.map(|caught| caught.client_id().to_owned());
            response.extensions_mut().insert(Trace { path: self.path(), client_id });
        }
    }

    /// Counts a request that got to its handler.
    pub(super) fn count(&self, app: &App, caught: &Caught, response: &Response, forwarded: Option<&Forwarded>) {
        if response.status() == StatusCode::FORBIDDEN && forwarded.is_none() {
            caught.refused(app, DenialReason::NotAllowed);
        } else {
            let used = forwarded.map(|forwarded| (&forwarded.resource, forwarded.action)).or(self.grant());
            let TokenFacts { claims, credential, seat, .. } = &*caught.token;
            app.usage.request_at(seat, &claims.client_id, *credential, used, app.clock.now());
        }
    }
}

fn context_of(parts: &Parts) -> Result<&RequestContext, Problem> {
    parts.extensions.get::<RequestContext>().ok_or_else(Problem::internal)
}

fn token_missing() -> Problem {
    let detail = "Send an access token as “Authorization: Bearer TOKEN”; POST /oauth2/token gives one for an API key.";
    Problem::new(&kind::TOKEN_MISSING, detail).challenged(Challenge::Missing)
}

/// The API key itself as HTTP Basic, on gateways and for applications that may: clients exist that know nothing else.
fn by_basic(app: &App, header: &[u8], context: &RequestContext) -> Result<Verified, Problem> {
    let credentials = match basic::parse(header) {
        Ok(credentials) => credentials,
        Err(BasicFault::Scheme) => return Err(token_missing()),
        Err(BasicFault::Unreadable) => return Err(invalid_credentials()),
    };
    if !context.private {
        return Err(Problem::new(
            &kind::FORBIDDEN,
            "HTTP Basic is accepted over TLS and on this host only. Treat the client_secret that was sent as leaked: regenerate it.",
        ));
    }
    app.fresh().map_err(|_| refusal::stale())?;
    let client = client_auth::authenticate(app, credentials, context.address).map_err(|refused| {
        let Some(seconds) = refused.wait_seconds else { return invalid_credentials() };
        let detail = "Credentials from this address were wrong too often: correct them and wait.";
        Problem::new(&kind::TOO_MANY_FAILURES, detail).retry_after(u32::try_from(seconds).unwrap_or(60))
    })?;
    let (client_id, credential) = (client.client_id.clone(), client.credential);
    verifier::of_key(app, client).ok_or_else(|| {
        let (credential, source) = (Some(credential), context.address);
        let reason = DenialReason::NotAllowed;
        app.usage.refused(&Refused { client_id: &client_id, credential, reason, source, now: app.clock.now() });
        invalid_credentials()
    })
}

fn invalid_credentials() -> Problem {
    let detail =
        "The client_id or client_secret is not right, this API key can't be used, or HTTP Basic is not allowed for it.";
    Problem::new(&kind::INVALID_CREDENTIALS, detail).challenged(Challenge::Basic)
}

/// The verified application of a request that may still be refused.
pub(super) struct Caught {
    token: Arc<TokenFacts>,
    source: IpAddr,
}

impl Caught {
    pub(super) fn client_id(&self) -> &str {
        &self.token.claims.client_id
    }

    fn refused(&self, app: &App, reason: DenialReason) {
        let (client_id, credential) = (self.client_id(), Some(self.token.credential));
        app.usage.refused(&Refused { client_id, credential, reason, source: self.source, now: app.clock.now() });
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Authorised {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Permitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Authorised>()
            .and_then(|authorised| authorised.permit.clone())
            .map(Self)
            .ok_or_else(Problem::internal)
    }
}

/// The permit for the route's own permission. Handlers extract it.
#[derive(Clone, Debug)]
pub struct Permitted(pub Permit);

/// The answer to a path that the hub does not know.
#[must_use]
pub fn unknown_path() -> Problem {
    Problem::new(&kind::UNKNOWN_PATH, "There is nothing at this path; GET /api/openapi.json lists every route.")
}
