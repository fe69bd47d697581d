//! The catalogue of problems: every kind of refusal the hub answers with, each with a readable page at `/problems/SLUG`.

use http::StatusCode;

/// One kind of problem (RFC 9457 §3): what it is called, what it means and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The last segment of the `type` URL; never changed once published.
    pub slug: &'static str,
    /// The status it is answered with.
    pub status: StatusCode,
    /// The short title, the same for every occurrence.
    pub title: &'static str,
    /// What it means, for the page.
    pub meaning: &'static str,
    /// What to do about it, for the page.
    pub advice: &'static str,
}

macro_rules! kinds {
    ($($name:ident $slug:literal $status:ident $title:literal, $meaning:literal, $advice:literal;)+) => {
        $(
            #[doc = $meaning]
            pub static $name: Kind = Kind {
                slug: $slug,
                status: StatusCode::$status,
                title: $title,
                meaning: $meaning,
                advice: $advice,
            };
        )+
        /// Every kind, in the order of their status.
        pub static CATALOGUE: &[&Kind] = &[$(&$name),+];
    };
}

kinds! {
    BAD_REQUEST "bad-request" BAD_REQUEST "The request is malformed",
        "The request breaks a rule of HTTP or can be read in two ways, so it was not acted on.",
        "Read the detail, correct the request and send it again. A client library in common use never sends such a request; \
         look at what was added by hand or by a proxy on the way.";
    INVALID_PARAMETER "invalid-parameter" BAD_REQUEST "A parameter is not valid",
        "A parameter in the query or the path is unknown, repeated, or has a value outside what is allowed.",
        "The member “parameter” names it and the detail says what is expected. The parameters of every route are in /api/openapi.json.";
    INVALID_FILTER "invalid-filter" BAD_REQUEST "The data filter is not valid",
        "The filter can't be parsed, so nothing was selected by it.",
        "The member “column” says where, and the detail says what was expected there. Example: \
         user.department = \"fx\" AND itrs.os-type IN (Linux, Windows)";
    INVALID_QUERY "invalid-query" BAD_REQUEST "The query is refused",
        "The query is malformed, or it uses what can't be limited to the data filters of the application's roles.",
        "The detail says what stands in the way. Under a filter a few things can't be asked; most can be written in another way.";
    INVALID_BODY "invalid-body" BAD_REQUEST "The request body is not valid",
        "The body is not JSON, or not of the shape that this route expects. Nothing was changed.",
        "The detail names the place and what is expected there. The shapes are in /api/openapi.json.";
    TOKEN_MISSING "token-missing" UNAUTHORIZED "An access token is needed",
        "The request has no access token in its Authorization header.",
        "Get one from POST /oauth2/token with the client_id and client_secret of your API key, and send it as \
         “Authorization: Bearer TOKEN”. Tokens in the query or in the body are not accepted.";
    INVALID_TOKEN "invalid-token" UNAUTHORIZED "The access token is not good",
        "The access token is malformed, has expired or was revoked, was made for another address, or its API key was \
         regenerated, disabled or deleted.",
        "Get a new token from POST /oauth2/token. If that is refused too, the API key itself has ended: ask an administrator \
         of this hub.";
    INVALID_CREDENTIALS "invalid-credentials" UNAUTHORIZED "The API key is not good here",
        "The client_id and client_secret that were sent as HTTP Basic are not right, this API key can't be used, or HTTP Basic is not \
         allowed for the application.",
        "Check both for typing errors. An administrator of this hub can allow Basic on gateways for an application; otherwise get an \
         access token from POST /oauth2/token.";
    INSUFFICIENT_SCOPE "insufficient-scope" FORBIDDEN "The token does not allow this",
        "The token is good, but neither its scope nor the roles of the application allow this.",
        "The member “scope” names what is needed. GET /api/v1/whoami shows what the application has. An administrator can \
         give it a role that grants more; if the token was requested with a narrower scope, request one without.";
    OUTSIDE_FILTER "outside-filter" FORBIDDEN "Outside the data that may be edited",
        "The application may edit some entities, but this one lies outside the data filters of its roles, before or after the change.",
        "Change only entities within the filters that GET /api/v1/whoami shows under edit, and keep the attributes that the filters \
         ask for.";
    FILTER_UNENFORCEABLE "filter-unenforceable" FORBIDDEN "The data filter is not enforceable here",
        "A role of the application limits its data by a filter, and at this gateway nothing can make sure that the answer keeps to it. \
         So the request is refused.",
        "Ask an administrator for a role without a filter on this gateway, or for a gateway whose service enforces the filter. GET \
         /api/v1/whoami shows the filters.";
    PATH_REFUSED "path-refused" FORBIDDEN "The gateway does not forward this",
        "The gateway's rules refuse this method at this path, whatever the roles of the application.",
        "Use what the service offers to applications; an administrator of this hub knows the rules of the gateway.";
    CONSOLE_ONLY "console-only" FORBIDDEN "Only possible in the Web Console",
        "Applications can't change applications, roles, users, gateways or settings, whatever their roles.",
        "An administrator does this in the Web Console at /console, or the operator of the host on the command line.";
    FORBIDDEN "forbidden" FORBIDDEN "Not allowed",
        "The request was understood and is not allowed.",
        "The detail says why. GET /api/v1/whoami shows what the application may do.";
    UNKNOWN_PATH "unknown-path" NOT_FOUND "There is nothing at this path",
        "The hub has no route with this path.",
        "Check the path, upper and lower case included; /api/openapi.json lists all routes. A slash inside an id is written %2F.";
    NOT_FOUND "not-found" NOT_FOUND "Not found",
        "There is no such item, or none that the roles of this application let it see.",
        "Check the id. An item outside the data filters of the roles looks exactly like one that does not exist.";
    METHOD_NOT_ALLOWED "method-not-allowed" METHOD_NOT_ALLOWED "This method is not possible here",
        "The path exists, but not with this method.",
        "The header Allow lists the methods that are possible here.";
    REQUEST_TIMEOUT "request-timeout" REQUEST_TIMEOUT "The request took too long to arrive",
        "The body did not arrive within the time allowed. Nothing was changed.",
        "Send it again, in smaller parts if the connection is slow.";
    CONFLICT "conflict" CONFLICT "In conflict with what exists",
        "The request is valid but does not fit the present state.",
        "The detail says what it conflicts with.";
    ID_UNAVAILABLE "id-unavailable" CONFLICT "This id is not available",
        "An entity with this id exists outside of what this application can see, so it can't be created or replaced by it.",
        "Use another id, or ask an administrator for a role that reaches the entity.";
    PRECONDITION_FAILED "precondition-failed" PRECONDITION_FAILED "Changed in the meantime",
        "The item's ETag is not one that If-Match names: somebody changed it after it was read.",
        "Read it again, apply the change to the new state and send it with the new ETag.";
    BODY_TOO_LARGE "body-too-large" PAYLOAD_TOO_LARGE "The request body is too large",
        "The body is larger than this route accepts. Nothing was changed.",
        "The detail names the limit. Send less at once.";
    UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE "This content type is not accepted",
        "The route does not read bodies of this content type.",
        "Set Content-Type to the type that the detail names.";
    QUERY_FAILED "query-failed" UNPROCESSABLE_ENTITY "The query failed",
        "The service behind the gateway understood the query and could not carry it out.",
        "Look at what the query divides, joins and aggregates, and ask for less at once. The service's own words are held back: they \
         can quote the data filters of the application's roles.";
    TOO_MANY_FAILURES "too-many-failures" TOO_MANY_REQUESTS "Too many failed attempts",
        "Credentials from this address were wrong too often. Those that are right are never refused for it.",
        "Correct the credentials, and wait as long as Retry-After says.";
    HEAD_TOO_LARGE "head-too-large" REQUEST_HEADER_FIELDS_TOO_LARGE "The head of the request is too large",
        "The request line and the header fields together are longer, or more, than the hub reads.",
        "Send a shorter query, in the body of a POST where the route takes one, and fewer or shorter headers.";
    INTERNAL "internal-error" INTERNAL_SERVER_ERROR "Something went wrong in the hub",
        "A fault in the hub itself. It has been logged under the request's id.",
        "Try again. If it stays, give the operator of this hub the X-Request-Id of the answer.";
    GATEWAY_FAULT "gateway-fault" BAD_GATEWAY "The service behind the gateway did not answer",
        "The hub could not reach the service behind this gateway, or its answer broke off, is not HTTP, or refused the hub.",
        "Try again later. If it stays, an administrator of this hub finds the reason on the page of the gateway in the Web Console.";
    GATEWAY_TIMEOUT "gateway-timeout" GATEWAY_TIMEOUT "The service behind the gateway took too long",
        "The service behind this gateway did not answer within the time that the gateway allows.",
        "Ask for less at once, or try again later. An administrator of this hub can raise the gateway's timeouts.";
    GATEWAY_BUSY "gateway-busy" SERVICE_UNAVAILABLE "The gateway is busy or resting",
        "As many requests as the gateway allows are under way, or its service failed several times and is left alone for a moment.",
        "Try again after the seconds that Retry-After says.";
    UNAVAILABLE "unavailable" SERVICE_UNAVAILABLE "Not available right now",
        "The hub can't reach its store, or has not heard of changes for too long to decide safely, so it refuses rather than guess.",
        "Try again after the seconds that Retry-After says. If it stays, the operator of this hub looks at /readyz and the log.";
}

/// The kind with this slug.
#[must_use]
pub fn find(slug: &str) -> Option<&'static Kind> {
    CATALOGUE.iter().copied().find(|kind| kind.slug == slug)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn slugs_are_unique_and_plain() {
        let slugs: BTreeSet<&str> = CATALOGUE.iter().map(|kind| kind.slug).collect();
        assert_eq!(slugs.len(), CATALOGUE.len());
        for kind in CATALOGUE {
            assert!(kind.slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", kind.slug);
            assert!(kind.status.is_client_error() || kind.status.is_server_error());
            assert!(kind.advice.ends_with('.') || kind.advice.ends_with(')'), "{}", kind.slug);
        }
    }
}
