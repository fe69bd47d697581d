//! What the commands under `keys` take.

use clap::{Args, Subcommand};
use ipnet::IpNet;

use super::import::Import;
use crate::config::{Span, parse_network};

/// Make and manage applications and their API keys
#[derive(Subcommand)]
#[command(after_help = "K is an application's name or its client_id.")]
pub(in crate::cli) enum Keys {
    Create(Create),
    /// List the applications
    List,
    /// Show an application; its secret is never shown again
    Show(Key),
    Update(Update),
    /// Refuse the application and all its tokens until it is enabled
    Disable(Key),
    /// Accept the application again; tokens from before stay dead
    Enable(Key),
    Regenerate(Regenerate),
    /// End an overlap now: the old secret and every token issued with it stop, the new one goes on
    EndOverlap(Key),
    /// Delete the application with its key, for good: it and its tokens are refused at once
    Delete(Key),
    Find(Find),
    Import(Import),
}

/// Names one application.
#[derive(Args)]
pub(in crate::cli) struct Key {
    /// The application's name or client_id
    #[arg(value_name = "K")]
    pub(super) key: String,
}

/// Make an application with an API key, and show the key once
#[derive(Args)]
#[command(after_help = "\
Examples:
  gateway-hub keys create Grafana --role Operator
  gateway-hub keys create 'ServiceNow sync' --role 'FX hosts' --role Auditor --expires 90d --network 10.2.0.0/16
  gateway-hub keys create ci --role Operator --json | jq -r .client_secret")]
pub(in crate::cli) struct Create {
    /// The name, unique whatever its capitals
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// A role of the application; once per role
    #[arg(long, value_name = "ROLE", required = true)]
    pub(super) role: Vec<String>,
    /// What the application is for
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,
    /// The console user who answers for the application
    #[arg(long, value_name = "USER")]
    pub(super) owner: Option<String>,
    /// Refuse the key after this time, such as 90d
    #[arg(long, value_name = "TIME")]
    pub(super) expires: Option<Span>,
    /// Accept the key from this network only; once per network
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub(super) network: Vec<IpNet>,
    /// Let client_id and client_secret work as HTTP Basic on gateways, for clients without OAuth
    #[arg(long)]
    pub(super) allow_basic: bool,
}

/// Change an application; what is not named stays
#[derive(Args)]
#[command(after_help = "\
Examples:
  gateway-hub keys update Grafana --name 'Grafana Berlin'
  gateway-hub keys update Grafana --role Operator --role Auditor      these roles and no others
  gateway-hub keys update Grafana --expires never --any-network")]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
pub(in crate::cli) struct Update {
    /// The application's name or client_id
    #[arg(value_name = "K")]
    pub(super) key: String,
    /// A new name
    #[arg(long, value_name = "NAME", group = "change")]
    pub(super) name: Option<String>,
    /// The roles from now on; once per role
    #[arg(long, value_name = "ROLE", group = "change")]
    pub(super) role: Vec<String>,
    /// What the application is for
    #[arg(long, value_name = "TEXT", group = "change")]
    pub(super) description: Option<String>,
    /// The console user who answers for the application
    #[arg(long, value_name = "USER", group = "change")]
    pub(super) owner: Option<String>,
    /// Nobody answers for the application any more
    #[arg(long, group = "change", conflicts_with = "owner")]
    pub(super) no_owner: bool,
    /// Refuse the key after this time from now, or `never`
    #[arg(long, value_name = "TIME", group = "change")]
    pub(super) expires: Option<Expiry>,
    /// The networks from now on; once per network
    #[arg(long, value_name = "CIDR", value_parser = network, group = "change")]
    pub(super) network: Vec<IpNet>,
    /// Accept the key from everywhere
    #[arg(long, group = "change", conflicts_with = "network")]
    pub(super) any_network: bool,
    /// Whether client_id and client_secret work as HTTP Basic on gateways
    #[arg(long, value_name = "true|false", group = "change", num_args = 0..=1, default_missing_value = "true")]
    pub(super) allow_basic: Option<bool>,
}

/// Make a new secret and show it once; the client_id stays
///
/// The old secret and every token issued with it stop at once, unless an overlap is given: then at its end.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gateway-hub keys regenerate Grafana                     the old secret is dead at once
  gateway-hub keys regenerate Grafana --overlap 24h       both secrets work for a day
  gateway-hub keys regenerate Grafana --leaked            ends all its secrets and all its tokens, an overlap's too")]
pub(in crate::cli) struct Regenerate {
    /// The application's name or client_id
    #[arg(value_name = "K")]
    pub(super) key: String,
    /// Let the old secret and its tokens work for this time
    #[arg(long, value_name = "TIME")]
    pub(super) overlap: Option<Span>,
    /// The secret has leaked: end all secrets and all tokens now
    #[arg(long, conflicts_with = "overlap")]
    pub(super) leaked: bool,
}

/// Find the application that a secret belongs to, for example one found in a log
#[derive(Args)]
#[command(after_help = "\
Example:
  gateway-hub keys find --secret-stdin < found.txt")]
pub(in crate::cli) struct Find {
    /// Read the secret from standard input
    #[arg(long, required = true)]
    pub(super) secret_stdin: bool,
}

/// When an updated key ends.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) enum Expiry {
    /// It does not.
    Never,
    /// After this time.
    After(Span),
}

impl std::str::FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        text.parse().map(Self::After).map_err(|expected| format!("expected {expected}, or never"))
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    parse_network(text).map_err(|expected| format!("expected {expected}"))
}
