//! Requests counted by surface and status class, with no lock and no allocation per request.

use http::StatusCode;
use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::http::surface::Surface;

/// The prefix of all metrics of the hub.
pub const PREFIX: &str = "gateway_hub";

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// One counter per surface and status class, and the registry that shows them.
#[derive(Debug)]
pub struct Counters {
    registry: Registry,
    requests: [[Counter; CLASSES.len()]; Surface::ALL.len()],
}

impl Default for Counters {
    /// Counters at zero, shown as `gateway_hub_http_requests_total{surface="…",status="2xx"}`.
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let family = Family::<[(&'static str, &'static str); 2], Counter>::default();
        registry.register("http_requests", "Requests answered, by surface and status class", family.clone());
        let requests = Surface::ALL.map(|surface| {
            CLASSES.map(|class| family.get_or_create_owned(&[("surface", surface.name()), ("status", class)]))
        });
        Self { registry, requests }
    }
}

impl Counters {
    /// What has been counted so far.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Counts one answered request.
    pub fn count(&self, surface: Surface, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.requests[surface.index()][class].inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_surface_and_class() {
        let counters = Counters::default();
        counters.count(Surface::Api, StatusCode::OK);
        counters.count(Surface::Api, StatusCode::NO_CONTENT);
        counters.count(Surface::OAuth, StatusCode::UNAUTHORIZED);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, counters.registry()).unwrap();
        assert!(text.contains("gateway_hub_http_requests_total{surface=\"api\",status=\"2xx\"} 2"), "{text}");
        assert!(text.contains("http_requests_total{surface=\"oauth\",status=\"4xx\"} 1"), "{text}");
    }
}
