//! The two ways in which the full store is asked for what a filter permits: by the functions that rewrite, and through a
//! running hub.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gateway_hub::domain::prometheus::{all_selectors, rewrite, rewrite_selectors};

use super::answer::Answer;
use super::api::Api;
use super::difference::{Moment, names};
use super::filters::{Filter, MAP};
use super::store::Store;
use super::support::{HubProcess, Installation};

/// How all of a run asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Rewriting,
    Hub,
}

/// How one filter's permitted series are asked for.
pub enum Limited {
    /// The store is asked what the rewriter makes.
    Rewriting(Api),
    /// The hub is asked, by an application that has the filter's roles.
    Hub(Api),
}

impl Limited {
    /// What it said, or why the hub refuses to ask.
    pub fn ask(&self, filter: &Filter, query: &str, moment: &Moment, instant: bool) -> Result<Answer, String> {
        match self {
            Self::Rewriting(store) => {
                let sent = rewrite(query, &filter.enforcement).map_err(|fault| fault.to_string())?;
                Ok(moment.ask(store, &sent, instant))
            }
            Self::Hub(hub) => match moment.ask(hub, query, instant) {
                // The words of a store are not shown under a filter.
                Answer::Refused(reason) if !reason.contains("held back") => Err(reason),
                answer => Ok(answer),
            },
        }
    }

    /// Series, label names or label values.
    pub fn names(&self, filter: &Filter, path: &str, selectors: &[String]) -> Vec<String> {
        match self {
            Self::Rewriting(store) => {
                let limited =
                    selectors.iter().flat_map(|own| rewrite_selectors(own, &filter.enforcement).expect("possible"));
                let sent = if selectors.is_empty() { all_selectors(&filter.enforcement) } else { limited.collect() };
                names(store, path, &sent)
            }
            Self::Hub(hub) => names(hub, path, selectors),
        }
    }
}

/// A hub in front of the store, with an application for each filter: one role for each of its texts.
pub struct HubInFront<'a> {
    process: HubProcess<'a>,
    keys: Vec<(String, String)>,
}

impl<'a> HubInFront<'a> {
    pub fn start(installation: &'a Installation, store: &Store, filters: &[Filter]) -> Self {
        let url = format!("http://{}", store.api.address);
        let labels: Vec<String> = MAP.iter().map(|(attribute, label)| format!("{attribute}={label}")).collect();
        let mut create = vec!["gateways", "create", "store", "--kind", "prometheus", "--url", &url];
        create.extend(labels.iter().flat_map(|pair| ["--label", pair.as_str()]));
        installation.run(&create).good();
        let process = installation.serve(&[]);
        let key = |(number, filter): (usize, &Filter)| {
            let roles: Vec<String> = (0..filter.texts.len()).map(|part| format!("filter {number}.{part}")).collect();
            for (role, text) in roles.iter().zip(filter.texts) {
                installation.run(&["roles", "create", role, "--grant", "gateway/store:view", "--filter", text]).good();
            }
            let name = format!("filter {number}");
            let mut create = vec!["keys", "create", &name, "--allow-basic", "--json"];
            create.extend(roles.iter().flat_map(|role| ["--role", role.as_str()]));
            let made = installation.run(&create).good().json();
            let text = |member: &str| made[member].as_str().expect(member).to_owned();
            (text("client_id"), text("client_secret"))
        };
        let keys = filters.iter().enumerate().map(key).collect();
        // A command's changes are obeyed within a second.
        std::thread::sleep(std::time::Duration::from_secs(1));
        Self { process, keys }
    }

    /// With the key of that filter's application, as Basic: long runs outlive a token.
    pub fn of(&self, filter: usize) -> Api {
        let (id, secret) = &self.keys[filter];
        let pair = STANDARD.encode(format!("{id}:{secret}"));
        let headers = format!("Authorization: Basic {pair}\r\n");
        Api { address: self.process.site.address, prefix: "/gateways/store", headers }
    }
}
