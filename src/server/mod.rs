//! The server: mounts the surfaces, binds, and stops gracefully.

mod connection;
mod http1;
mod inflow;
mod listener;
mod seldom;
mod termination;
mod tls;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

pub use listener::{Listeners, StartError};
pub use termination::{Stop, Termination};

use crate::{
    actions::node,
    api,
    app::App,
    console,
    http::{counters::Counters, route::RouteTable, service::Service},
    jobs, oauth, proxy,
    upstream::{self, Upstreams},
};

/// How long open requests may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// Every route of the hub: what `--listen` answers.
#[must_use]
pub fn route_tables(counters: &Arc<Counters>, upstreams: &Arc<Upstreams>) -> Vec<RouteTable> {
    let mut tables = vec![oauth::routes::table(), proxy::routes::table(upstreams)];
    let api = api::routes::table(&tables, counters);
    tables.push(api);
    tables.push(console::routes::table(upstreams));
    tables
}

/// What `--ops-listen` answers: health in detail and metrics, without a token.
#[must_use]
pub fn operations_tables(counters: &Arc<Counters>) -> Vec<RouteTable> {
    vec![api::routes::operations(counters)]
}

/// Starts servers.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Binds as the app's configuration says, and serves. With port 0, [`Running::address`] tells the real one; a public URL
    /// that follows the port needs [`Listeners::bind`] and [`crate::config::Config::bound_to`] before the app is opened.
    ///
    /// # Errors
    /// What stands in the way: an address in use, a certificate or a store that can't be read.
    pub async fn start(app: Arc<App>) -> Result<Running, StartError> {
        let listeners = Listeners::bind(&app.config).await?;
        Self::start_on(app, listeners).await
    }

    /// Serves on listeners that are already bound, and runs the jobs beside. Reads the store first if that was not done yet,
    /// so that the first request is answered as any other.
    ///
    /// # Errors
    /// [`StartError::Store`].
    pub async fn start_on(app: Arc<App>, listeners: Listeners) -> Result<Running, StartError> {
        if app.fresh().is_err() {
            node::join(&app).await?;
        }
        let (stop, stopped) = watch::channel(false);
        let counters = Arc::new(Counters::default());
        let (address, ops_address) = (listeners.address, listeners.ops_address);
        let upstreams = Arc::new(Upstreams::new([Some(address), ops_address].into_iter().flatten().collect()));
        let mut tasks = Vec::new();
        let tables = route_tables(&counters, &upstreams);
        let service = Arc::new(Service::new(Arc::clone(&app), tables, Arc::clone(&counters)));
        tasks.push(tokio::spawn(connection::accept(listeners.main, listeners.tls, service, false, stopped.clone())));
        if let Some(operations) = listeners.operations {
            let service = Arc::new(Service::new(Arc::clone(&app), operations_tables(&counters), counters));
            tasks.push(tokio::spawn(connection::accept(operations, None, service, true, stopped.clone())));
        }
        tasks.push(tokio::spawn(jobs::follow(Arc::clone(&app), stopped.clone())));
        tasks.push(tokio::spawn(upstream::follow(Arc::clone(&app), upstreams, stopped.clone())));
        tasks.push(tokio::spawn(jobs::keep_up(Arc::clone(&app), stopped.clone())));
        tasks.push(tokio::spawn(jobs::report(Arc::clone(&app), stopped.clone())));
        tasks.push(tokio::spawn(jobs::listen(Arc::clone(&app), stopped.clone())));
        tasks.push(tokio::spawn(jobs::count(Arc::clone(&app), stopped)));
        Ok(Running { address, ops_address, app, stop, tasks })
    }
}

/// A server that runs until it is shut down.
#[derive(Debug)]
pub struct Running {
    /// The address it really listens on.
    pub address: SocketAddr,
    /// The address of `--ops-listen`, if there is one.
    pub ops_address: Option<SocketAddr>,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Says that this node is not ready and goes on serving for `time`, or until `hurry` ends, so that whoever sends callers
    /// here turns away before they are turned away.
    pub async fn drain(&self, time: Duration, hurry: impl Future<Output = Stop>) {
        self.app.drain();
        let _ = tokio::time::timeout(time, hurry).await;
    }

    /// Stops accepting, lets open requests finish for up to 10 s, and returns when all is quiet and counted.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            let _ = task.await;
        }
        jobs::count_the_rest(&self.app).await;
        jobs::report_no_more(&self.app).await;
    }
}

#[cfg(test)]
mod tests;
