//! Which headers pass between caller and upstream. What is not about the message itself stays on its side.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The caller, for the upstream.
pub(super) const X_CLIENT_ID: HeaderName = HeaderName::from_static("x-gateway-hub-client-id");

/// What the names begin with of the hub's own headers for upstreams; a caller's are stripped.
pub(super) const X_HUB_PREFIX: &str = "x-gateway-hub-";

/// About one connection only (RFC 9110 §7.6.1), besides those that `Connection` names.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-authentication-info"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Never go up: the caller's credentials, who they say they are, and what would make the upstream see another request.
fn never_goes_up(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "cookie"
            | "cookie2"
            | "expect"
            | "forwarded"
            | "host"
            | "http2-settings"
            | "max-forwards"
            | "remote-user"
            | "via"
            | "x-authenticated-user"
            | "x-client-cert"
            | "x-client-dn"
            | "x-client-verify"
            | "x-email"
            | "x-groups"
            | "x-http-method"
            | "x-http-method-override"
            | "x-http-path-override"
            | "x-method-override"
            | "x-original-method"
            | "x-original-uri"
            | "x-original-url"
            | "x-real-ip"
            | "x-rewrite-url"
            | "x-scope-orgid"
            | "x-user"
            | "thanos-tenant"
    )
}

/// The same, all that begin so.
const NEVER_UP_PREFIXES: [&str; 10] = [
    "x-accel-",
    "x-auth-request-",
    "x-envoy-",
    "x-forwarded",
    "x-gateway-hub-",
    "x-goog-authenticated-",
    "x-ms-client-principal",
    "x-remote-",
    "x-ssl-",
    "x-webauth-",
];

/// Never come down: what would act on the hub's own address, or on a proxy in front of it.
fn never_comes_down(name: &str) -> bool {
    matches!(
        name,
        "accept-ch"
            | "alt-svc"
            | "authentication-info"
            | "clear-site-data"
            | "content-security-policy"
            | "content-security-policy-report-only"
            | "critical-ch"
            | "cross-origin-embedder-policy"
            | "cross-origin-opener-policy"
            | "cross-origin-resource-policy"
            | "expect-ct"
            | "nel"
            | "origin-agent-cluster"
            | "permissions-policy"
            | "public-key-pins"
            | "public-key-pins-report-only"
            | "refresh"
            | "report-to"
            | "reporting-endpoints"
            | "service-worker-allowed"
            | "set-cookie"
            | "set-cookie2"
            | "sourcemap"
            | "strict-transport-security"
            | "timing-allow-origin"
            | "www-authenticate"
            | "x-sendfile"
    )
}

const NEVER_DOWN_PREFIXES: [&str; 4] = ["access-control-", "x-accel-", "x-gateway-hub-", "x-lighttpd-"];

/// Leaves of a caller's headers what may go up.
pub(super) fn strip_up(headers: &mut HeaderMap) {
    strip(headers, |name| {
        // Servers read X_A and X.A as X-A; no name in use needs other characters.
        let odd = name.bytes().any(|byte| !byte.is_ascii_alphanumeric() && byte != b'-');
        odd || never_goes_up(name) || begins_with(name, &NEVER_UP_PREFIXES)
    });
}

/// Leaves of an upstream's headers what may come down. `Location` and the like are seen to elsewhere.
pub(super) fn strip_down(headers: &mut HeaderMap) {
    strip(headers, |name| never_comes_down(name) || begins_with(name, &NEVER_DOWN_PREFIXES));
}

fn begins_with(name: &str, prefixes: &[&str]) -> bool {
    // Few names begin as any of them do.
    matches!(name.as_bytes().first(), Some(b'a' | b'x')) && prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// What every answer of a gateway carries besides what all answers do: no browser treats it as a page of the hub.
pub(super) fn add_down(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
}

fn strip(headers: &mut HeaderMap, refused: impl Fn(&str) -> bool) {
    let named = named_by_connection(headers);
    loop {
        // A few at a time, which takes no memory: mostly there are no more.
        let mut doomed = [const { None }; 8];
        let mut places = doomed.iter_mut();
        for name in headers.keys() {
            let text = name.as_str();
            if is_hop_by_hop(text) || refused(text) || named.iter().any(|own| own == text) {
                let Some(place) = places.next() else { break };
                *place = Some(name.clone());
            }
        }
        let full = places.len() == 0;
        for name in doomed.iter().flatten() {
            headers.remove(name);
        }
        if !full {
            return;
        }
    }
}

/// The headers that the other side declares to be about this connection only (RFC 9110 §7.6.1), in lower case.
fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    let mut named = Vec::new();
    for value in headers.get_all(header::CONNECTION) {
        for token in value.as_bytes().split(|byte| *byte == b',') {
            let token = token.trim_ascii();
            // The common ones name no header.
            if !token.eq_ignore_ascii_case(b"close") && !token.eq_ignore_ascii_case(b"keep-alive") && !token.is_empty()
            {
                named.push(String::from_utf8_lossy(token).to_ascii_lowercase());
            }
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(pairs: &[(&'static str, &'static str)], strip: fn(&mut HeaderMap)) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        strip(&mut headers);
        let mut left: Vec<String> = headers.keys().map(ToString::to_string).collect();
        left.sort();
        left
    }

    #[test]
    fn sec_24_what_never_goes_up() {
        let pairs = [
            ("authorization", "Bearer x"),
            ("cookie", "a=b"),
            ("x-gateway-hub-client-id", "gh_forged"),
            ("x_gateway_hub_client_id", "gh_forged"),
            ("x.gateway.hub.client.id", "gh_forged"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-user", "admin"),
            ("x-webauth-user", "admin"),
            ("x-scope-orgid", "other"),
            ("forwarded", "for=1"),
            ("x-http-method-override", "DELETE"),
            ("x-original-url", "/admin"),
            ("te", "trailers"),
            ("upgrade", "websocket"),
            ("connection", "close, X-Mine, x-gateway-hub-client-id"),
            ("x-mine", "1"),
            ("proxy-authorization", "Basic x"),
            ("expect", "100-continue"),
            ("accept", "*/*"),
            ("content-type", "text/plain"),
            ("range", "bytes=0-1"),
            ("x-request-purpose", "sync"),
        ];
        assert_eq!(left(&pairs, strip_up), ["accept", "content-type", "range", "x-request-purpose"]);
    }

    #[test]
    fn prefixes_begin_as_is_looked_for() {
        for prefix in NEVER_UP_PREFIXES.iter().chain(&NEVER_DOWN_PREFIXES) {
            assert!(begins_with(&format!("{prefix}y"), &[prefix]), "{prefix}");
        }
    }

    #[test]
    fn sec_24_what_never_comes_down() {
        let pairs = [
            ("set-cookie", "a=b"),
            ("strict-transport-security", "max-age=0"),
            ("clear-site-data", "*"),
            ("alt-svc", "h2=\"evil:443\""),
            ("access-control-allow-origin", "*"),
            ("service-worker-allowed", "/"),
            ("x-accel-redirect", "/etc/passwd"),
            ("refresh", "0; url=//evil"),
            ("connection", "x-private"),
            ("x-private", "1"),
            ("content-type", "text/html"),
            ("etag", "\"1\""),
        ];
        assert_eq!(left(&pairs, strip_down), ["content-type", "etag"]);
    }
}
