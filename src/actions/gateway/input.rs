//! What an administrator says of a gateway, as typed, and how it becomes settings.

use super::{ClientCertificateInput, CredentialInput};
use crate::actions::ActionError;
use crate::actions::seen::Seen;
use crate::crypto::pem;
use crate::domain::gateway::{FixedHeader, Gateway, GatewayKind, PathRule, UpstreamAddress};
use crate::domain::prometheus::{LabelMap, LabelName};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What is said of a gateway; `None` leaves a thing as it is, or at its standard for a new one.
#[derive(Clone, Debug, Default)]
pub struct GatewayInput {
    /// What it is, in somebody's words.
    pub description: Option<String>,
    /// `http` or `prometheus`.
    pub kind: Option<String>,
    /// Where it is, tried in this order.
    pub addresses: Option<Vec<String>>,
    /// How the hub proves itself.
    pub credential: Option<CredentialInput>,
    /// The authorities (PEM) that vouch for the upstream's certificate; empty for those of the system.
    pub ca: Option<String>,
    /// The certificate that the hub presents.
    pub client_certificate: Option<ClientCertificateInput>,
    /// Headers for every request, each `NAME: VALUE`.
    pub headers: Option<Vec<String>>,
    /// How long a connection may take.
    pub connect_timeout: Option<Duration>,
    /// How long an answer may take to begin.
    pub answer_timeout: Option<Duration>,
    /// How long a body may pause.
    pub idle_timeout: Option<Duration>,
    /// The longest request body in bytes; 0 for any length.
    pub body_limit: Option<u64>,
    /// The most requests at once, on each node.
    pub concurrent: Option<u32>,
    /// Path rules, in their order.
    pub path_rules: Option<Vec<String>>,
    /// Whether the upstream gets a signed assertion of who calls.
    pub assertion: Option<bool>,
    /// Whether it carries the caller's data filter; that includes the assertion.
    pub forward_filter: Option<bool>,
    /// Which labels carry which attributes.
    pub labels: LabelsInput,
    /// Names the gateway in view of which this is asked ([`super::seen`]); another one there now is left as it is.
    pub seen: Option<Seen>,
}

/// What is said of a label map; applied in the order of the fields.
#[derive(Clone, Debug, Default)]
pub struct LabelsInput {
    /// The whole map, each `ATTRIBUTE=LABEL`, instead of the one before.
    pub only: Option<Vec<String>>,
    /// Labels that the upstream reports: under their own names, where no such attribute is mapped. Names that are none
    /// are passed over.
    pub reported: Vec<String>,
    /// Attributes to map, or to map otherwise, each `ATTRIBUTE=LABEL`.
    pub set: Vec<String>,
    /// Attributes to take out.
    pub remove: Vec<String>,
}

const MOST_DESCRIPTION: usize = 2_000;
const MOST_ADDRESSES: usize = 16;
const MOST_PEM: usize = 256 * 1_024;
const MOST_HEADERS: usize = 32;
const MOST_RULES: usize = 200;
const MOST_LABELS: usize = 10_000;
const CONNECT: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_mins(1);
const WAIT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);
const CONCURRENT: RangeInclusive<u32> = 1..=100_000;

impl GatewayInput {
    /// Whether it says anything of where the upstream is, or how the hub gets in there.
    #[must_use]
    pub const fn reaches_anew(&self) -> bool {
        self.kind.is_some()
            || self.addresses.is_some()
            || self.credential.is_some()
            || self.ca.is_some()
            || self.client_certificate.is_some()
    }

    /// Puts all but the credentials into the settings.
    pub(super) fn apply(&self, gateway: &mut Gateway) -> Result<(), ActionError> {
        if let Some(description) = &self.description {
            gateway.description = parse_description(description)?;
        }
        if let Some(kind) = &self.kind {
            let kind = parse_kind(kind)?;
            if kind != gateway.kind {
                gateway.kind = kind;
                // What belongs to the other kind only.
                gateway.path_rules.clear();
                gateway.forward_filter = false;
                gateway.labels = LabelMap::new();
            }
        }
        if let Some(addresses) = &self.addresses {
            gateway.addresses = parse_addresses(addresses)?;
        }
        if gateway.addresses.is_empty() {
            return Err(ActionError::invalid("url", "give the upstream's address, for example http://10.0.0.5:9090"));
        }
        if let Some(ca) = &self.ca {
            gateway.ca = parse_ca(ca)?;
        }
        if let Some(headers) = &self.headers {
            gateway.headers = parse_lines("header", headers, MOST_HEADERS, FixedHeader::parse)?;
        }
        let times = &mut gateway.timeouts;
        set_within("connect_timeout", self.connect_timeout, &CONNECT, &mut times.connect)?;
        set_within("answer_timeout", self.answer_timeout, &WAIT, &mut times.answer)?;
        set_within("idle_timeout", self.idle_timeout, &WAIT, &mut times.idle)?;
        set_within("concurrent", self.concurrent, &CONCURRENT, &mut gateway.limits.concurrent)?;
        if let Some(limit) = self.body_limit {
            gateway.limits.body = (limit > 0).then_some(limit);
        }
        if let Some(rules) = &self.path_rules {
            gateway.path_rules = parse_lines("rule", rules, MOST_RULES, PathRule::parse)?;
        }
        if let Some(assertion) = self.assertion {
            gateway.assertion = assertion;
        }
        if let Some(forward_filter) = self.forward_filter {
            gateway.forward_filter = forward_filter;
            // The filter travels in the assertion.
            gateway.assertion |= forward_filter && self.assertion.is_none();
        }
        self.labels.apply(&mut gateway.labels)?;
        check(gateway)
    }
}

/// What belongs to one kind only is not kept for the other.
fn check(gateway: &Gateway) -> Result<(), ActionError> {
    if gateway.kind == GatewayKind::Prometheus {
        if !gateway.path_rules.is_empty() {
            return Err(ActionError::invalid(
                "rule",
                "a gateway of kind prometheus has no path rules: the hub knows its endpoints",
            ));
        }
        if gateway.forward_filter {
            return Err(ActionError::invalid(
                "forward_filter",
                "a gateway of kind prometheus forwards no filter: the hub enforces it",
            ));
        }
    } else if !gateway.labels.is_empty() {
        return Err(ActionError::invalid("label", "a gateway of kind http has no labels"));
    }
    if gateway.forward_filter && !gateway.assertion {
        return Err(ActionError::invalid("forward_filter", "the filter travels in the assertion: switch both on"));
    }
    Ok(())
}

impl LabelsInput {
    fn apply(&self, labels: &mut LabelMap) -> Result<(), ActionError> {
        if let Some(only) = &self.only {
            *labels = LabelMap::new();
            for (line, text) in (1..).zip(only) {
                let (attribute, label) =
                    parse_label(text).map_err(|fault| at_line("label", line, only.len(), &fault))?;
                if labels.insert(attribute, label).is_some() {
                    return Err(at_line("label", line, only.len(), &"this attribute is mapped already"));
                }
            }
        }
        for name in &self.reported {
            if labels.get(name).is_none()
                && let Ok(label) = LabelName::parse(name)
            {
                labels.insert(name.clone(), label);
            }
        }
        for text in &self.set {
            let (attribute, label) = parse_label(text).map_err(|fault| ActionError::invalid("label", fault))?;
            labels.insert(attribute, label);
        }
        if !self.remove.is_empty() {
            for attribute in &self.remove {
                if labels.get(attribute).is_none() {
                    return Err(ActionError::invalid("label", format!("the attribute {attribute:?} is not mapped")));
                }
            }
            let keep = |(attribute, _): &(&str, &LabelName)| !self.remove.iter().any(|gone| gone == attribute);
            *labels = labels.iter().filter(keep).map(|(key, label)| (key.to_owned(), label.clone())).collect();
        }
        if labels.iter().count() > MOST_LABELS {
            return Err(ActionError::invalid("label", format!("at most {MOST_LABELS} attributes can be mapped")));
        }
        Ok(())
    }
}

pub(super) fn parse_kind(text: &str) -> Result<GatewayKind, ActionError> {
    GatewayKind::parse(text).ok_or_else(|| ActionError::invalid("kind", "choose http or prometheus"))
}

fn parse_description(text: &str) -> Result<String, ActionError> {
    let text = text.trim();
    if text.chars().count() > MOST_DESCRIPTION {
        return Err(ActionError::invalid("description", format!("at most {MOST_DESCRIPTION} characters")));
    }
    if text.contains('\0') {
        return Err(ActionError::invalid("description", "can't contain the character NUL"));
    }
    Ok(text.to_owned())
}

fn parse_addresses(texts: &[String]) -> Result<Vec<UpstreamAddress>, ActionError> {
    let addresses = parse_lines("url", texts, MOST_ADDRESSES, UpstreamAddress::parse)?;
    match addresses.iter().enumerate().find(|(index, address)| addresses[..*index].contains(address)) {
        Some((_, twice)) => Err(ActionError::invalid("url", format!("{twice} is given twice"))),
        None => Ok(addresses),
    }
}

fn parse_ca(text: &str) -> Result<Option<String>, ActionError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    if text.len() > MOST_PEM {
        return Err(ActionError::invalid("ca", format!("at most {MOST_PEM} bytes")));
    }
    pem::authorities(text).map_err(|fault| ActionError::invalid("ca", fault))?;
    Ok(Some(text.to_owned()))
}

fn parse_label(text: &str) -> Result<(String, LabelName), String> {
    // No label holds an equals sign, an attribute may.
    let (attribute, label) = text
        .rsplit_once('=')
        .map(|(attribute, label)| (attribute.trim(), label.trim()))
        .filter(|(attribute, _)| !attribute.is_empty() && !attribute.chars().any(char::is_control))
        .ok_or_else(|| format!("{text:?} is no pair: give ATTRIBUTE=LABEL, for example user.department=department"))?;
    let label = LabelName::parse(label).map_err(|fault| fault.to_string())?;
    Ok((attribute.to_owned(), label))
}

/// Parses each text; a fault names its line where there are several. Empty ones are passed over.
fn parse_lines<T, E: Display>(
    field: &'static str,
    texts: &[String],
    most: usize,
    parse: fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, ActionError> {
    let mut parsed = Vec::new();
    for (line, text) in (1..).zip(texts) {
        if !text.trim().is_empty() {
            parsed.push(parse(text).map_err(|fault| at_line(field, line, texts.len(), &fault))?);
        }
    }
    if parsed.len() > most {
        return Err(ActionError::invalid(field, format!("at most {most} can be given")));
    }
    Ok(parsed)
}

fn at_line(field: &'static str, line: usize, of: usize, fault: &dyn Display) -> ActionError {
    if of > 1 {
        ActionError::invalid(field, format!("line {line}: {fault}"))
    } else {
        ActionError::invalid(field, fault)
    }
}

fn set_within<T: Copy + PartialOrd + std::fmt::Debug>(
    field: &'static str,
    given: Option<T>,
    range: &RangeInclusive<T>,
    place: &mut T,
) -> Result<(), ActionError> {
    let Some(value) = given else { return Ok(()) };
    if !range.contains(&value) {
        return Err(ActionError::invalid(field, format!("give {:?} to {:?}", range.start(), range.end())));
    }
    *place = value;
    Ok(())
}
