//! What an open exchange hangs on: the caller's key, token and roles, and the gateway itself.

use std::net::IpAddr;
use std::sync::Arc;

use crate::app::verifier::{Verified, check_again};
use crate::app::{App, LiveGateway};
use crate::domain::access::Permit;
use crate::domain::resource::Resource;
use crate::http::context::Cut;
use crate::upstream::Tether;

/// Asked again and again while an exchange is open.
pub(super) struct Hold {
    pub(super) app: Arc<App>,
    pub(super) verified: Verified,
    pub(super) permit: Permit,
    pub(super) gateway: Arc<LiveGateway>,
    pub(super) address: IpAddr,
    pub(super) cut: Cut,
}

impl Tether for Hold {
    fn holds(&self) -> bool {
        let Ok(roles) = check_again(&self.app, &self.verified, self.address) else { return false };
        let same_reach =
            roles.access.reach(self.permit.resource(), self.permit.action()).as_ref() == Some(self.permit.reach());
        let Resource::Gateway(name) = self.permit.resource() else { return false };
        // A gateway of the same name may be another one by now.
        same_reach
            && self.app.snapshot.gateway(name.as_str()).is_some_and(|live| live.gateway.id == self.gateway.gateway.id)
    }

    fn cut(&self) {
        self.cut.cut();
    }
}
