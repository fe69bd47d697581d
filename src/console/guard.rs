//! The guard in front of every route of the console: where a write may come from, who is signed in, what they may do.

use super::answer;
use super::form::RoutePath;
use super::gateway::health::Known;
use super::paths;
use super::refusal::{Link, MessagePage};
use super::resume::Interruption;
use super::session::{self, SignedIn};
use super::throttle::Throttle;
use crate::app::App;
use crate::domain::access::decide_for_person;
use crate::domain::grant::Action;
use crate::http::context::RequestContext;
use crate::http::gate::{Access, Admission, Caller, Explanation, Guard, Permission};
use crate::http::problem::Problem;
use crate::upstream::Upstreams;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

/// The console's guard.
#[derive(Default)]
pub(crate) struct ConsoleGuard {
    throttle: Arc<Throttle>,
    known: Known,
}

impl ConsoleGuard {
    /// With the upstreams of this node, for the pages of gateways.
    pub(crate) fn new(upstreams: Arc<Upstreams>) -> Self {
        Self { known: Known { upstreams, ..Known::default() }, ..Self::default() }
    }
}

impl Guard for ConsoleGuard {
    fn admit<'a>(&'a self, app: &'a Arc<App>, access: &'a Access, parts: &'a mut Parts) -> Admission<'a> {
        Box::pin(self.check(app, access, parts))
    }

    fn explain<'a>(&'a self, access: &'a Access, refusal: Response, request: Request) -> Explanation<'a> {
        Box::pin(async move {
            match refusal.extensions().get::<Interruption>() {
                Some(interruption) => interruption.answer(access.path, request).await,
                None => refusal,
            }
        })
    }
}

impl ConsoleGuard {
    async fn check(&self, app: &App, access: &Access, parts: &mut Parts) -> Result<(), Response> {
        let write = !parts.method.is_safe();
        if write {
            check_origin(app.config.public_url.as_str(), &parts.headers).map_err(|page| forbidden(&page))?;
        }
        let context = parts.extensions.get::<RequestContext>().copied();
        let context = context.ok_or_else(|| Problem::internal().into_response())?;
        if access.caller == Caller::Anyone {
            parts.extensions.insert(Arc::clone(&self.throttle));
            return Ok(());
        }
        let signed_in = session::resume(app, &parts.headers, context.address).await;
        let Some(signed_in) = signed_in.map_err(|error| Problem::from(error).into_response())? else {
            return Err(if write {
                held_up(Interruption::NotSignedIn)
            } else {
                answer::see_other(&sign_in_path(parts))
            });
        };
        permitted(&signed_in, &access.permission).map_err(|page| forbidden(&page))?;
        if needs_recent_sign_in(access) && !signed_in.is_recent(app.clock.now()) {
            return Err(if write {
                held_up(Interruption::NotRecent)
            } else {
                answer::see_other(&format!("{}&again=1", sign_in_path(parts)))
            });
        }
        parts.extensions.insert(Arc::new(signed_in));
        parts.extensions.insert(RoutePath(access.path));
        parts.extensions.insert(self.known.clone());
        Ok(())
    }
}

/// Refuses a write that carries a token, or that another site's page sent. The CSRF token is checked where the form is
/// read ([`super::form::Guarded`]).
fn check_origin(public_url: &str, headers: &HeaderMap) -> Result<(), MessagePage> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(refused(
            "This page takes no Authorization header",
            "The Web Console is for people who are signed in. No application can change security settings with its \
             token or API key, whatever its roles.",
        ));
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let good = match (text("sec-fetch-site"), text("origin")) {
        // Browsers say it themselves (Fetch Metadata): `none` is the person's own doing.
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        // Not a browser of these years: the Origin, if there is one, must be ours.
        (None, Some(origin)) => origin == public_url,
        (None, None) => true,
    };
    if good {
        return Ok(());
    }
    Err(refused(
        "This form was sent from another site",
        "Only the console's own pages can send it. Open the console and do it there.",
    ))
}

fn permitted(signed_in: &SignedIn, permission: &Permission) -> Result<(), MessagePage> {
    let decided = match permission {
        Permission::None => return Ok(()),
        Permission::View(resource) => decide_for_person(&signed_in.access, resource, Action::View),
        Permission::Edit(resource) => decide_for_person(&signed_in.access, resource, Action::Edit),
        Permission::ByHandler | Permission::ConsoleOnly => {
            return Err(refused("Nobody can do this", "The console has no such page."));
        }
    };
    decided.map(|_| ()).map_err(|refusal| {
        refused(
            "Your roles do not allow this",
            &format!("It needs {}. An administrator can give you a role that has it.", refusal.needed()),
        )
    })
}

/// Every route that edits security state (SECURITY 34).
const fn needs_recent_sign_in(access: &Access) -> bool {
    matches!(access.permission, Permission::Edit(_))
}

fn sign_in_path(parts: &Parts) -> String {
    let asked = parts.uri.path_and_query().map_or(paths::CONSOLE, |asked| asked.as_str());
    paths::sign_in_and_return(asked)
}

/// Turns a form away; [`Interruption::answer`] words it.
fn held_up(interruption: Interruption) -> Response {
    let mut refusal = StatusCode::FORBIDDEN.into_response();
    refusal.extensions_mut().insert(interruption);
    refusal
}

fn refused(title: &str, detail: &str) -> MessagePage {
    let link = Link { path: paths::CONSOLE.into(), label: "Go to the console" };
    MessagePage { title: title.to_owned(), detail: detail.to_owned(), link: Some(link) }
}

fn forbidden(page: &MessagePage) -> Response {
    answer::page(StatusCode::FORBIDDEN, page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn check(pairs: &[(&'static str, &'static str)]) -> bool {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        check_origin("https://hub.example", &pairs.iter().map(pair).collect()).is_ok()
    }

    #[test]
    fn sec_32_writes_come_from_the_consoles_own_pages() {
        assert!(check(&[]));
        assert!(check(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(check(&[("origin", "https://hub.example")]));
        for foreign in ["cross-site", "same-site", "", "same-origin, cross-site"] {
            assert!(!check(&[("sec-fetch-site", foreign), ("origin", "https://hub.example")]), "{foreign}");
        }
        for foreign in ["null", "https://evil.example", "http://hub.example", "https://hub.example.evil"] {
            assert!(!check(&[("origin", foreign)]), "{foreign}");
        }
    }

    #[test]
    fn sec_29_a_token_writes_nothing_here() {
        assert!(!check(&[("authorization", "Bearer x")]));
        assert!(!check(&[("authorization", ""), ("sec-fetch-site", "same-origin")]));
    }
}
