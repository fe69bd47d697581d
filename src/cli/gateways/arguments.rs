//! What the commands under `gateways` take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{
    config::{Size, Span},
    domain::{
        gateway::{AddressFault, FixedHeader, GatewayKind, HeaderFault, PathRule, PathRuleFault, UpstreamAddress},
        prometheus::LabelName,
    },
};

/// Connect existing services, so that applications reach them with their key and roles
#[derive(Subcommand)]
#[command(after_help = "\
G is a gateway's name. Applications reach it at /gateways/G/ if a role grants gateway/G, or a pattern such as gateway/*.")]
pub(in crate::cli) enum Gateways {
    Create(Box<Create>),
    /// List the gateways
    List,
    /// Show a gateway; its credentials are never shown
    Show(GatewayArgument),
    Update(Box<Update>),
    Test(Test),
    /// Delete a gateway, and the grants of roles that name exactly it
    Delete(GatewayArgument),
}

/// Names one gateway.
#[derive(Args)]
pub(in crate::cli) struct GatewayArgument {
    /// The gateway's name
    #[arg(value_name = "G")]
    pub(super) gateway: String,
}

/// Connect a service
///
/// The files of credentials hold nothing else; a newline at the end is dropped.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gateway-hub gateways create search --kind http --url https://search.example:8443/v2 --bearer-file token.txt \\
      --rule 'POST /query/** = view' --rule '* /admin/** = refused'
  gateway-hub gateways create metrics --kind prometheus --url http://10.0.0.5:9090 --url http://10.0.0.6:9090 \\
      --label user.department=department
  gateway-hub gateways create tenant-a --kind prometheus --url https://mimir.example/prometheus \\
      --header 'X-Scope-OrgID: a' --basic-user hub --password-file password.txt

Kind http: GET and HEAD take gateway/G:view, everything else gateway/G:edit, unless a rule says otherwise; the first rule
that fits decides. A rule is METHODS PATTERN = view|edit|refused, with * for one segment and ** at the end for the rest.")]
pub(in crate::cli) struct Create {
    /// The name, of lower-case letters, digits and inner hyphens; part of the gateway's address
    #[arg(value_name = "NAME")]
    pub(super) name: String,
    /// What the upstream speaks
    #[arg(long, value_name = "http|prometheus", value_parser = kind)]
    pub(super) kind: String,
    /// The upstream's address, with a path that is put before every other; several are tried in this order
    #[arg(long, value_name = "URL", required = true, value_parser = address)]
    pub(super) url: Vec<String>,
    #[command(flatten)]
    pub(super) settings: Settings,
}

/// Change a gateway; what is not named stays
///
/// Another address, authority or kind erases the stored credentials, unless they are given again with it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gateway-hub gateways update search --bearer-file new-token.txt
  gateway-hub gateways update search --url https://search2.example --bearer-file token.txt
  gateway-hub gateways update search --rule 'POST /query/** = view'      these rules and no others
  gateway-hub gateways update metrics --label user.region=region --no-label dc")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(in crate::cli) struct Update {
    /// The gateway's name
    #[arg(value_name = "G")]
    pub(super) gateway: String,
    /// What the upstream speaks
    #[arg(long, value_name = "http|prometheus", value_parser = kind)]
    pub(super) kind: Option<String>,
    /// The upstream's addresses from now on
    #[arg(long, value_name = "URL", value_parser = address)]
    pub(super) url: Vec<String>,
    #[command(flatten)]
    pub(super) settings: Settings,
    /// Don't prove the hub to the upstream any more
    #[arg(long, conflicts_with_all = ["basic_user", "bearer_file", "header_file"])]
    pub(super) no_credentials: bool,
    /// Let the system's authorities vouch for the upstream again
    #[arg(long, conflicts_with = "ca")]
    pub(super) no_ca: bool,
    /// Present no certificate any more
    #[arg(long, conflicts_with = "cert")]
    pub(super) no_cert: bool,
    /// Add no headers any more
    #[arg(long, conflicts_with = "header")]
    pub(super) no_headers: bool,
    /// Have no path rules any more
    #[arg(long, conflicts_with = "rule")]
    pub(super) no_rules: bool,
    /// Ask the upstream for its labels again, and map those that are new under their own names (kind prometheus)
    #[arg(long)]
    pub(super) refresh_labels: bool,
    /// Map this attribute no more; once per attribute
    #[arg(long, value_name = "ATTRIBUTE")]
    pub(super) no_label: Vec<String>,
}

/// Ask a gateway's upstream whether it answers
#[derive(Args)]
#[command(after_help = "Exit status: 0 if the upstream answers, 1 with the reason if it does not.")]
pub(in crate::cli) struct Test {
    /// The gateway's name
    #[arg(value_name = "G")]
    pub(super) gateway: String,
}

/// What a gateway is besides its kind and addresses.
#[derive(Args)]
pub(in crate::cli) struct Settings {
    /// What the gateway is
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,
    /// Filter by this attribute by way of this label (kind prometheus); once per attribute
    #[arg(long, value_name = "ATTRIBUTE=LABEL", value_parser = label)]
    pub(super) label: Vec<String>,
    /// HTTP Basic towards the upstream: the user name
    #[arg(long, value_name = "USER", requires = "password_file", conflicts_with_all = ["bearer_file", "header_file"])]
    pub(super) basic_user: Option<String>,
    /// HTTP Basic towards the upstream: a file with the password
    #[arg(long, value_name = "FILE", requires = "basic_user")]
    pub(super) password_file: Option<PathBuf>,
    /// A file with a bearer token for the upstream
    #[arg(long, value_name = "FILE", conflicts_with = "header_file")]
    pub(super) bearer_file: Option<PathBuf>,
    /// A file with a secret header for the upstream, NAME: VALUE
    #[arg(long, value_name = "FILE")]
    pub(super) header_file: Option<PathBuf>,
    /// Certificates (PEM) of the authorities that vouch for the upstream, instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// The certificate (PEM) that the hub presents to the upstream
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(super) cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) key: Option<PathBuf>,
    /// A header for every request to the upstream, such as a tenant's; shown in full, so not for secrets
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub(super) header: Vec<String>,
    /// How long a connection to the upstream may take [standard: 5s]
    #[arg(long, value_name = "TIME")]
    pub(super) connect_timeout: Option<Span>,
    /// How long the upstream's answer may take to begin [standard: 1m]
    #[arg(long, value_name = "TIME")]
    pub(super) answer_timeout: Option<Span>,
    /// How long a body may pause, either way [standard: 1m]
    #[arg(long, value_name = "TIME")]
    pub(super) idle_timeout: Option<Span>,
    /// The longest body of a request, such as 10MiB, or none for any [standard: none]
    #[arg(long, value_name = "SIZE")]
    pub(super) body_limit: Option<BodyLimit>,
    /// The most requests at once, on each node [standard: 1024]
    #[arg(long, value_name = "N")]
    pub(super) concurrent: Option<u32>,
    /// Which requests are view, edit or refused (kind http); once per rule, the first that fits decides
    #[arg(long, value_name = "METHODS PATTERN = view|edit|refused", value_parser = rule)]
    pub(super) rule: Vec<String>,
    /// Whether the upstream gets a signed assertion of who calls
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    pub(super) assertion: Option<bool>,
    /// Whether the assertion carries the caller's data filter, which the upstream then enforces (kind http)
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    pub(super) forward_filter: Option<bool>,
}

/// The longest request body.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) enum BodyLimit {
    /// Any length.
    Any,
    /// At most this.
    Most(Size),
}

impl BodyLimit {
    /// In bytes; 0 for any.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Any => 0,
            Self::Most(size) => size.bytes(),
        }
    }
}

impl std::str::FromStr for BodyLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::Any);
        }
        text.parse().map(Self::Most).map_err(|expected| format!("expected {expected}, or none"))
    }
}

// Wrong text is wrong usage, found before anything is opened; the action parses it again.

fn kind(text: &str) -> Result<String, String> {
    GatewayKind::parse(text).map(|_| text.to_owned()).ok_or_else(|| "expected http or prometheus".to_owned())
}

fn address(text: &str) -> Result<String, AddressFault> {
    UpstreamAddress::parse(text).map(|_| text.to_owned())
}

fn header(text: &str) -> Result<String, HeaderFault> {
    FixedHeader::parse(text).map(|_| text.to_owned())
}

fn rule(text: &str) -> Result<String, PathRuleFault> {
    PathRule::parse(text).map(|_| text.to_owned())
}

fn label(text: &str) -> Result<String, String> {
    let (_, label) = text.rsplit_once('=').ok_or("expected ATTRIBUTE=LABEL, for example user.department=department")?;
    LabelName::parse(label.trim()).map(|_| text.to_owned()).map_err(|fault| fault.to_string())
}
