//! A form that comes when its session has ended, or when the sign-in is no longer recent enough: nothing is done, and the
//! answer is the sign-in page, which leads back to the window with what was typed.

use super::form::{CSRF, Fields};
use super::sign_in::SignInPage;
use super::{answer, form, paths};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;

/// Why a form was held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// There is no living session.
    NotSignedIn,
    /// The password was given too long ago for this (SECURITY 34).
    NotRecent,
}

/// A form whose fields are kept.
struct Kept {
    /// Where it is sent to.
    route: &'static str,
    /// The page that takes the fields in its query; `None` for the page at the same address.
    page: Option<&'static str>,
    /// Which fields; a name with `*` at its end stands for all that begin so. They end up in an address, so no field that
    /// could hold a secret may ever stand here.
    names: &'static [&'static str],
}

const APPLICATION_FIELDS: &[&str] =
    &["name", "role", "description", "owner", "expires", "expires_on", "networks", "allow_basic"];
const ROLE_FIELDS: &[&str] = &["name", "grant", "gateway-*", "filter", "seen"];

/// `edited` tells the page that the others were typed.
const SETTINGS_FIELDS: &[&str] =
    &["edited", "name", "description", "owner", "role", "expires", "networks", "allow_basic", "seen"];

/// No secret, and no certificates, which are long: they are given again.
const GATEWAY_FIELDS: &[&str] = &[
    "edited",
    "name",
    "kind",
    "url",
    "description",
    "authentication",
    "basic_user",
    "header",
    "connect_timeout",
    "answer_timeout",
    "idle_timeout",
    "body_limit",
    "concurrent",
    "rule",
    "assertion",
    "forward_filter",
    "label",
    "seen",
];

const KEPT: [Kept; 8] = [
    Kept { route: paths::APPLICATIONS, page: Some(paths::APPLICATION_NEW_ROLES), names: APPLICATION_FIELDS },
    Kept { route: paths::ROLES, page: Some(paths::ROLE_NEW), names: ROLE_FIELDS },
    Kept { route: paths::GATEWAYS, page: Some(paths::GATEWAY_NEW), names: GATEWAY_FIELDS },
    Kept { route: paths::GATEWAY, page: None, names: GATEWAY_FIELDS },
    Kept { route: paths::GATEWAY_TRY, page: None, names: &["path"] },
    Kept { route: paths::ROLE, page: None, names: ROLE_FIELDS },
    Kept { route: paths::APPLICATION, page: None, names: SETTINGS_FIELDS },
    Kept { route: paths::APPLICATION_REGENERATE, page: None, names: &["how", "back"] },
];

/// Forms that are sent to the address of their own page.
const SAME_PAGE: [&str; 3] = [paths::APPLICATION_DELETE, paths::ROLE_DELETE, paths::GATEWAY_DELETE];

/// Buttons of an application's page, which stands above them.
const BUTTONS: [&str; 4] =
    [paths::APPLICATION_DISABLE, paths::APPLICATION_ENABLE, paths::APPLICATION_END_OVERLAP, paths::GATEWAY_TEST];

impl Interruption {
    const fn status(self) -> StatusCode {
        match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::NotRecent => StatusCode::FORBIDDEN,
        }
    }

    const fn notice(self, kept: bool) -> &'static str {
        match (self, kept) {
            (Self::NotSignedIn, true) => {
                "Your session has ended, and nothing was changed. Sign in: what you typed is kept."
            }
            (Self::NotSignedIn, false) => "Your session has ended, and nothing was changed. Sign in and do it again.",
            (Self::NotRecent, true) => {
                "Sign in again to do this: keys need a sign-in from the last hour. Nothing was changed, and what you \
                 typed is kept."
            }
            (Self::NotRecent, false) => {
                "Sign in again to do this: keys and roles need a sign-in from the last hour. Nothing was changed."
            }
        }
    }

    /// The answer to a form of this route. The guard has made sure that the console's own page sent it.
    pub(crate) async fn answer(self, route: &str, request: Request) -> Response {
        let path = request.uri().path().to_owned();
        // A form that can't be read keeps nothing; it is not worth another kind of answer.
        let fields = form::read(request).await.unwrap_or_default();
        let kept = window_with(route, &path, &fields);
        let is_kept = kept.is_some();
        let next = match (kept, path.rsplit_once('/')) {
            (Some(window), _) => window,
            (None, Some((page, _))) if BUTTONS.contains(&route) => page.to_owned(),
            // Where such a window was opened from.
            (None, _) if SAME_PAGE.contains(&route) => with_query(&path, &fields, &["back"]),
            (None, _) => paths::CONSOLE.to_owned(),
        };
        let page = SignInPage {
            next: paths::local(&next).to_owned(),
            notice: Some(self.notice(is_kept)),
            ..SignInPage::default()
        };
        answer::page(self.status(), &page)
    }
}

/// The page that a form was sent from, with what was typed; `None` for forms of which nothing is kept. `path` is where it
/// was sent to.
pub(crate) fn window_with(route: &str, path: &str, fields: &Fields) -> Option<String> {
    let kept = KEPT.iter().find(|kept| kept.route == route)?;
    Some(with_query(kept.page.unwrap_or(path), fields, kept.names))
}

fn with_query(page: &str, fields: &Fields, names: &[&str]) -> String {
    debug_assert!(!names.contains(&CSRF), "the token of a session that is over");
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in names {
        query.extend_pairs(fields.named(name));
    }
    match query.finish() {
        empty if empty.is_empty() => page.to_owned(),
        query => format!("{page}?{query}"),
    }
}
