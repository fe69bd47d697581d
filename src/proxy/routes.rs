//! The routes of the gateways.

use std::sync::Arc;

use http::Method;

use super::handler::Forwarding;
use crate::domain::prometheus::Memory;
use crate::http::document::{Documentation, operation};
use crate::http::route::{RouteTable, forwarded};
use crate::http::surface::Surface;
use crate::upstream::Upstreams;

/// The methods that are forwarded; any other is refused (`TRACE`, `CONNECT`, and what nobody has heard of).
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Every path of every gateway.
#[must_use]
pub fn table(upstreams: &Arc<Upstreams>) -> RouteTable {
    let paths = ["/gateways/{name}", "/gateways/{name}/", "/gateways/{name}/{*path}"];
    let route = |path| forwarded(&METHODS, path).documented(documentation(path));
    let forwarding = Forwarding { upstreams: Arc::clone(upstreams), memory: Arc::new(Memory::new()) };
    RouteTable::new(Surface::Gateways, paths.into_iter().map(route).collect()).forwarded_by(Arc::new(forwarding))
}

fn documentation(path: &str) -> Documentation {
    let documentation = operation("Forwarded to the service behind the gateway")
        .describe(
            "GET and HEAD take view on gateway/NAME, every other method edit, unless the gateway's rules say otherwise. The answer \
             is the service's own, without cookies and what else concerns the hub's own address.",
        )
        .path("name", "The gateway's name.")
        .refuses(&[400, 401, 403, 404, 413, 502, 503, 504]);
    if path.ends_with("{*path}") {
        documentation.path("path", "What follows the service's own address.")
    } else {
        documentation
    }
}
