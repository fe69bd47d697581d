//! One address of a gateway: its idle connections, its breaker, and the making of new connections.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

use super::breaker::Breaker;
use super::line::Line;
use super::{socket, trust};
use crate::app::LiveGateway;
use crate::domain::gateway::UpstreamAddress;

/// So many idle connections are kept.
const MOST_IDLE: usize = 256;
/// An idle connection is closed after so many beats of a second: sooner than most servers close theirs.
const LONGEST_IDLE: u32 = 30;

/// An address of a gateway.
pub(super) struct Place {
    pub(super) address: UpstreamAddress,
    /// What `Host` says.
    pub(super) host: String,
    pub(super) breaker: Breaker,
    tls: OnceCell<TlsConnector>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    line: Box<Line>,
    since: u32,
}

impl Place {
    pub(super) fn new(address: UpstreamAddress) -> Self {
        let host = address.authority();
        Self { address, host, breaker: Breaker::default(), tls: OnceCell::new(), idle: Mutex::default() }
    }

    /// A connection that waits for work, if there is a good one: the one used last.
    pub(super) fn idle(&self) -> Option<Box<Line>> {
        loop {
            let mut line = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?.line;
            if line.is_free() {
                return Some(line);
            }
        }
    }

    /// Keeps a connection for the next request, if it can take one.
    pub(super) fn keep(&self, mut line: Box<Line>, beat: u32) {
        if line.is_free() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < MOST_IDLE {
                idle.push(Idle { line, since: beat });
            }
        }
    }

    /// Closes the connections that waited too long or were closed by the upstream.
    pub(super) fn sweep(&self, beat: u32) {
        let all = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        let mut good: Vec<Idle> = all
            .into_iter()
            .filter_map(|mut idle| {
                (beat.wrapping_sub(idle.since) < LONGEST_IDLE && idle.line.is_free()).then_some(idle)
            })
            .collect();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // What came back meanwhile was used last and stays on top.
        good.append(&mut idle);
        *idle = good;
    }

    /// A new connection, within `limit`. The error is for administrators.
    pub(super) async fn connect(
        &self,
        live: &LiveGateway,
        own: &[SocketAddr],
        limit: Duration,
    ) -> Result<Box<Line>, String> {
        let connecting = async {
            let tls = if self.address.is_tls() {
                Some(self.tls.get_or_try_init(|| trust::connector(live)).await?)
            } else {
                None
            };
            let socket = socket::connect(&self.address, tls, own).await?;
            Ok(Line::over(socket))
        };
        match tokio::time::timeout(limit, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(format!("no connection to {} within {limit:?}", self.address.authority())),
        }
    }
}
