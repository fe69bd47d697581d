//! The library's route tables, in the form in which tests walk them.

use std::sync::Arc;

use gateway_hub::{
    http::{counters::Counters, gate::Caller},
    server,
};

/// One route of one surface.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// An access token is what this route wants.
    pub(crate) wants_token: bool,
}

/// Every route of every surface that `--listen` answers.
pub(crate) fn all() -> Vec<Route> {
    let tables = server::route_tables(&Arc::new(Counters::default()), &Arc::default());
    let routes = tables.iter().flat_map(|table| &table.routes);
    let mut found = Vec::new();
    for route in routes {
        for method in &route.methods {
            let method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
                .into_iter()
                .find(|name| method.as_str() == *name)
                .expect("a standard method");
            let path = route.path.replace("{*", "{");
            found.push(Route { method, path, wants_token: route.caller == Caller::Application });
        }
    }
    found
}
