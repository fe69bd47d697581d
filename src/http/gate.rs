//! The gate in front of every handler: who may call a route, and with which permission. Built from the route table, so a new
//! route can't forget it.

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};

use crate::{
    app::{
        App,
        usage::Refused,
        verifier::{self, Place, Verified},
    },
    domain::{access::Permit, application::CredentialId, denial::DenialReason, grant::Action, resource::Resource},
    http::{
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

/// Marks the answer of an upstream, whatever its status, and says which grant it took.
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

    /// Lets a request through to its handler or answers it.
    ///
    /// # Errors
    /// The answer, when the request is refused.
    pub async fn admit(&self, app: &Arc<App>, parts: &mut Parts) -> Result<(), Response> {
        if let Some(guard) = &self.guard {
            return guard.admit(app, &self.access, parts).await;
        }
        match self.access.caller {
            Caller::Anyone | Caller::Client => Ok(()),
            Caller::Application => self.admit_application(app, parts).await.map_err(IntoResponse::into_response),
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

    async fn admit_application(&self, app: &Arc<App>, parts: &mut Parts) -> Result<(), Problem> {
        let context = *parts.extensions.get::<RequestContext>().ok_or_else(Problem::internal)?;
        if bearer::in_query(parts.uri.query()) {
            let reason = "access tokens are not accepted in the query";
            return Err(Problem::bad_request(
                "Send the access token as “Authorization: Bearer TOKEN”, never in the query: URLs end up in logs.",
            )
            .challenged(Challenge::InvalidRequest(reason)));
        }
        let token = match bearer::presented(&parts.headers) {
            Presented::Token(token) => token,
            Presented::Nothing => {
                return Err(Problem::new(
                    &kind::TOKEN_MISSING,
                    "Send an access token as “Authorization: Bearer TOKEN”; POST /oauth2/token gives one for an API key.",
                )
                .challenged(Challenge::Missing));
            }
            Presented::Malformed => {
                return Err(refusal::invalid_token("the Authorization header does not hold one well-formed token"));
            }
        };
        let place = self.place(parts);
        let verified =
            verifier::verify(app, token, place, context.address).await.map_err(|refused| refusal::token(&refused))?;
        let caught = Caught {
            client_id: verified.client_id().to_owned(),
            credential: verified.token.credential,
            source: context.address,
        };
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
        // The application is named to the access log even when it is refused here.
        parts.extensions.insert(caught);
        let permit = permit.transpose()?;
        parts.extensions.insert(Authorised { verified, permit });
        Ok(())
    }

    /// Where a token must be good for this request: a gateway is a resource of its own (RFC 8707).
    fn place<'a>(&self, parts: &'a Parts) -> Place<'a> {
        if !self.access.path.starts_with(GATEWAYS) {
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

    /// Counts a request that got to its handler.
    pub(super) fn count(&self, app: &App, caught: &Caught, response: &Response) {
        let forwarded = response.extensions().get::<Forwarded>();
        if response.status() == StatusCode::FORBIDDEN && forwarded.is_none() {
            caught.refused(app, DenialReason::NotAllowed);
        } else {
            let used = forwarded.map(|forwarded| (&forwarded.resource, forwarded.action)).or(self.grant());
            app.usage.request(&caught.client_id, caught.credential, used, app.clock.now());
        }
    }
}

/// The verified application of a request that may still be refused.
#[derive(Clone)]
pub(super) struct Caught {
    pub(super) client_id: String,
    credential: CredentialId,
    source: IpAddr,
}

impl Caught {
    fn refused(&self, app: &App, reason: DenialReason) {
        let Self { client_id, credential, source } = self;
        let credential = Some(*credential);
        app.usage.refused(&Refused { client_id, credential, reason, source: *source, now: app.clock.now() });
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
