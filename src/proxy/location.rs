//! Redirects of an upstream: what leads back to the gateway is rewritten to the hub's address, anything else is dropped.

use http::{HeaderMap, HeaderValue, header};

use crate::domain::gateway::{Gateway, UpstreamAddress};

/// Rewrites or drops `Location` and `Content-Location`; `hub` is the public URL.
pub(super) fn rewrite(headers: &mut HeaderMap, gateway: &Gateway, hub: &str) {
    for name in [header::LOCATION, header::CONTENT_LOCATION] {
        let Some(value) = headers.remove(&name) else { continue };
        let rewritten = value.to_str().ok().and_then(|value| of(value, gateway.name.as_str(), &gateway.addresses, hub));
        if let Some(value) = rewritten.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
}

fn of(location: &str, name: &str, addresses: &[UpstreamAddress], hub: &str) -> Option<String> {
    let location = location.trim();
    let end = location.find(['?', '#']).unwrap_or(location.len());
    // Browsers read a backslash as a slash, and dots as a way out.
    let path_part = &location[..end];
    if path_part.contains('\\') || location.chars().any(|c| c.is_control() || c == ' ') {
        return None;
    }
    let (first, _) = path_part.split_once('/').unwrap_or((path_part, ""));
    if !path_part.starts_with('/') && !first.contains(':') {
        // Relative to the request's own path, which has the same form here.
        return (!climbs(path_part)).then(|| location.to_owned());
    }
    let inside = addresses.iter().find_map(|address| inside(location, address))?;
    let path_end = inside.find(['?', '#']).unwrap_or(inside.len());
    if climbs(&inside[..path_end]) || inside[..path_end].contains("//") {
        return None;
    }
    Some(format!("{hub}/gateways/{name}{inside}"))
}

/// What follows the address in a location that lies below it.
fn inside<'a>(location: &'a str, address: &UpstreamAddress) -> Option<&'a str> {
    let rest = if location.starts_with('/') && !location.starts_with("//") {
        location
    } else {
        let (scheme, rest) = location.split_once("//")?;
        let own_scheme = if address.is_tls() { "https:" } else { "http:" };
        if !scheme.is_empty() && !scheme.eq_ignore_ascii_case(own_scheme) {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = address.authority();
        let with_port = format!("{}:{}", authority.trim_end_matches(&format!(":{}", address.port())), address.port());
        let same = |own: &str| rest[..end].eq_ignore_ascii_case(own);
        if !same(&authority) && !same(&with_port) {
            return None;
        }
        &rest[end..]
    };
    let below = rest.strip_prefix(address.path())?;
    (below.is_empty() || below.starts_with(['/', '?', '#'])).then_some(below)
}

fn climbs(path: &str) -> bool {
    path.split('/').any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        matches!(plain.split(';').next(), Some(".." | "."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    fn address(text: &str) -> [UpstreamAddress; 1] {
        [UpstreamAddress::parse(text).expect("an address")]
    }

    #[test]
    fn sec_24_a_location_leads_to_the_hub_or_nowhere() {
        let plain = address("http://10.0.0.5:9090");
        let below = address("https://api.example/v1");
        for (addresses, location, expected) in [
            (&plain, "/orders/7?x=/../y", Some("https://hub/gateways/shop/orders/7?x=/../y")),
            (&plain, "http://10.0.0.5:9090/orders", Some("https://hub/gateways/shop/orders")),
            (&plain, "//10.0.0.5:9090/orders", Some("https://hub/gateways/shop/orders")),
            (&plain, "http://10.0.0.5:9090", Some("https://hub/gateways/shop")),
            (&plain, "orders/7", Some("orders/7")),
            (&plain, "?page=2", Some("?page=2")),
            (&plain, "https://10.0.0.5:9090/orders", None),
            (&plain, "http://10.0.0.5/orders", None),
            (&plain, "http://10.0.0.5:9090@evil/", None),
            (&plain, "http://evil/", None),
            (&plain, "//evil/", None),
            (&plain, "\\\\evil/", None),
            (&plain, "/\\evil/", None),
            (&plain, "///evil/", None),
            (&plain, "javascript:alert(1)", None),
            (&plain, "../../console", None),
            (&plain, "/a/../../../console", None),
            (&plain, "/%2e%2e/console", None),
            (&below, "https://API.example:443/v1/a", Some("https://hub/gateways/shop/a")),
            (&below, "/v1", Some("https://hub/gateways/shop")),
            (&below, "/v1?x", Some("https://hub/gateways/shop?x")),
            (&below, "/v1beta/a", None),
            (&below, "/login", None),
        ] {
            assert_eq!(of(location, "shop", addresses, "https://hub").as_deref(), expected, "{location}");
        }
    }
}
