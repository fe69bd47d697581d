//! The form of a gateway: what it sends, and how it stands on the page. No secret that was typed ever stands on a page again.

use crate::actions::gateway::{ClientCertificateInput, CredentialInput, GatewayInput, LabelsInput};
use crate::actions::seen::Seen;
use crate::config::{Size, Span};
use crate::console::application::entry::Fault;
use crate::console::form::{Fields, FromFields};
use crate::domain::gateway::{Gateway, Limits, Timeouts, UpstreamAuthentication};
use std::time::Duration;
use zeroize::Zeroizing;

/// The value of *Authentication* that leaves the stored credentials as they are.
const KEEP: &str = "keep";

/// What stands in the form, as typed.
#[derive(Clone)]
pub(crate) struct Typed {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// One address to a line.
    pub(crate) url: String,
    pub(crate) description: String,
    /// `keep`, `none`, `basic`, `bearer` or `header`.
    pub(crate) authentication: String,
    pub(crate) basic_user: String,
    pub(crate) ca: String,
    pub(crate) no_cert: bool,
    /// One header to a line.
    pub(crate) header: String,
    pub(crate) connect_timeout: String,
    pub(crate) answer_timeout: String,
    pub(crate) idle_timeout: String,
    pub(crate) body_limit: String,
    pub(crate) concurrent: String,
    /// One rule to a line.
    pub(crate) rule: String,
    pub(crate) assertion: bool,
    pub(crate) forward_filter: bool,
    /// One `ATTRIBUTE=LABEL` to a line.
    pub(crate) label: String,
}

/// What was typed and is not shown again.
#[derive(Default)]
pub(crate) struct TypedSecrets {
    password: Zeroizing<String>,
    bearer: Zeroizing<String>,
    header_credential: Zeroizing<String>,
    cert: String,
    key: Zeroizing<String>,
}

/// The form as it is sent.
pub(crate) struct GatewayForm {
    pub(crate) typed: Typed,
    pub(crate) secrets: TypedSecrets,
    pub(crate) seen: Seen,
    /// Whether the fields were typed: by a page that was opened again after signing in.
    pub(crate) edited: bool,
}

/// The form as it stands on a page.
pub(crate) struct FormView {
    pub(crate) typed: Typed,
    /// Where it is sent.
    pub(crate) action: String,
    /// Names the gateway that the form was filled with.
    pub(crate) seen: Seen,
    pub(crate) fault: Option<Fault>,
    /// It holds what was typed before signing in again.
    pub(crate) kept: bool,
    /// The gateway as it is saved; `None` for a new one.
    pub(crate) saved: Option<SavedParts>,
}

/// What the form says of what is stored and not shown.
#[derive(Clone, Debug)]
pub(crate) struct SavedParts {
    /// How the hub proves itself now.
    pub(crate) authentication: String,
    /// Whether it presents a certificate.
    pub(crate) certificate: bool,
}

impl Typed {
    /// A form for something new.
    pub(crate) fn standard() -> Self {
        let (timeouts, limits) = (Timeouts::default(), Limits::default());
        Self {
            name: String::new(),
            kind: "http".to_owned(),
            url: String::new(),
            description: String::new(),
            authentication: "none".to_owned(),
            basic_user: String::new(),
            ca: String::new(),
            no_cert: false,
            header: String::new(),
            connect_timeout: Span::from(timeouts.connect).to_string(),
            answer_timeout: Span::from(timeouts.answer).to_string(),
            idle_timeout: Span::from(timeouts.idle).to_string(),
            body_limit: String::new(),
            concurrent: limits.concurrent.to_string(),
            rule: String::new(),
            assertion: false,
            forward_filter: false,
            label: String::new(),
        }
    }

    /// The form of a gateway as it is.
    pub(crate) fn of(gateway: &Gateway) -> Self {
        let user = match &gateway.authentication {
            UpstreamAuthentication::Basic { user } => user.clone(),
            _ => String::new(),
        };
        let authentication = if gateway.authentication.has_secret() { KEEP } else { "none" };
        Self {
            name: gateway.name.as_str().to_owned(),
            kind: gateway.kind.to_string(),
            url: lines(&gateway.addresses),
            description: gateway.description.clone(),
            authentication: authentication.to_owned(),
            basic_user: user,
            ca: gateway.ca.clone().unwrap_or_default(),
            no_cert: false,
            header: lines(&gateway.headers),
            connect_timeout: Span::from(gateway.timeouts.connect).to_string(),
            answer_timeout: Span::from(gateway.timeouts.answer).to_string(),
            idle_timeout: Span::from(gateway.timeouts.idle).to_string(),
            body_limit: gateway.limits.body.and_then(Size::of).map(|size| size.to_string()).unwrap_or_default(),
            concurrent: gateway.limits.concurrent.to_string(),
            rule: lines(&gateway.path_rules),
            assertion: gateway.assertion,
            forward_filter: gateway.forward_filter,
            label: lines(&gateway.labels.iter().map(|(key, label)| format!("{key}={label}")).collect::<Vec<_>>()),
        }
    }
}

fn lines<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn split(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// The lines that say something.
fn filled(text: &str) -> Vec<String> {
    split(text).into_iter().filter(|line| !line.is_empty()).collect()
}

impl FromFields for GatewayForm {
    fn from_fields(fields: &Fields) -> Self {
        let secret = |name: &str| Zeroizing::new(fields.one(name));
        // Browsers send line ends as CR LF.
        let text = |name: &str| fields.one(name).replace("\r\n", "\n");
        Self {
            typed: Typed {
                name: fields.one("name").trim().to_owned(),
                kind: fields.one("kind"),
                url: text("url"),
                description: text("description"),
                authentication: fields.one("authentication"),
                basic_user: fields.one("basic_user"),
                ca: text("ca"),
                no_cert: fields.some("no_cert").is_some(),
                header: text("header"),
                connect_timeout: fields.one("connect_timeout"),
                answer_timeout: fields.one("answer_timeout"),
                idle_timeout: fields.one("idle_timeout"),
                body_limit: fields.one("body_limit"),
                concurrent: fields.one("concurrent"),
                rule: text("rule"),
                assertion: fields.some("assertion").is_some(),
                forward_filter: fields.some("forward_filter").is_some(),
                label: text("label"),
            },
            secrets: TypedSecrets {
                password: secret("password"),
                bearer: secret("bearer"),
                header_credential: secret("header_credential"),
                cert: text("cert"),
                key: secret("key"),
            },
            seen: Seen::named(fields.one("seen")),
            edited: fields.some("edited").is_some(),
        }
    }
}

impl GatewayForm {
    /// What it asks for.
    ///
    /// # Errors
    /// What can't be read, at its field.
    pub(crate) fn input(&self) -> Result<GatewayInput, Fault> {
        let typed = &self.typed;
        let prometheus = typed.kind == "prometheus";
        Ok(GatewayInput {
            description: Some(typed.description.clone()),
            kind: Some(typed.kind.clone()),
            addresses: Some(filled(&typed.url)),
            credential: self.credential()?,
            ca: Some(typed.ca.clone()),
            client_certificate: self.client_certificate(),
            headers: Some(split(&typed.header)),
            connect_timeout: time("connect_timeout", &typed.connect_timeout)?,
            answer_timeout: time("answer_timeout", &typed.answer_timeout)?,
            idle_timeout: time("idle_timeout", &typed.idle_timeout)?,
            body_limit: Some(size(&typed.body_limit)?),
            concurrent: number(&typed.concurrent)?,
            // Fields of the other kind do not count, whatever was typed there.
            path_rules: Some(if prometheus { Vec::new() } else { split(&typed.rule) }),
            assertion: Some(typed.assertion || typed.forward_filter && !prometheus),
            forward_filter: Some(typed.forward_filter && !prometheus),
            labels: LabelsInput {
                only: Some(if prometheus { filled(&typed.label) } else { Vec::new() }),
                ..LabelsInput::default()
            },
            seen: None,
        })
    }

    fn credential(&self) -> Result<Option<CredentialInput>, Fault> {
        let secrets = &self.secrets;
        Ok(Some(match self.typed.authentication.as_str() {
            KEEP => return Ok(None),
            "none" => CredentialInput::None,
            "basic" => {
                CredentialInput::Basic { user: self.typed.basic_user.clone(), password: secrets.password.clone() }
            }
            "bearer" => CredentialInput::Bearer(secrets.bearer.clone()),
            "header" => CredentialInput::Header(secrets.header_credential.clone()),
            _ => return Err(Fault::new("authentication", "Choose one of the list.")),
        }))
    }

    fn client_certificate(&self) -> Option<ClientCertificateInput> {
        let secrets = &self.secrets;
        let empty = secrets.cert.trim().is_empty() && secrets.key.trim().is_empty();
        match (self.typed.no_cert, empty) {
            (true, _) => Some(ClientCertificateInput { chain: String::new(), key: Zeroizing::default() }),
            (false, true) => None,
            (false, false) => Some(ClientCertificateInput { chain: secrets.cert.clone(), key: secrets.key.clone() }),
        }
    }
}

fn time(field: &'static str, text: &str) -> Result<Option<Duration>, Fault> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse::<Span>() {
            Ok(span) => Ok(Some(span.duration())),
            Err(expected) => Err(Fault::new(field, format!("Give {expected}."))),
        },
    }
}

/// In bytes; 0 for any.
fn size(text: &str) -> Result<u64, Fault> {
    match text.trim() {
        "" | "none" => Ok(0),
        text => match text.parse::<Size>() {
            Ok(size) => Ok(size.bytes()),
            Err(expected) => Err(Fault::new("body_limit", format!("Give {expected}, or nothing for any length."))),
        },
    }
}

fn number(text: &str) -> Result<Option<u32>, Fault> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Fault::new("concurrent", "Give a number, for example 1024.")),
    }
}

impl SavedParts {
    pub(crate) fn of(gateway: &Gateway) -> Self {
        Self {
            authentication: authentication_words(&gateway.authentication),
            certificate: gateway.client_certificate.is_some(),
        }
    }
}

/// How the hub proves itself, in words.
pub(crate) fn authentication_words(authentication: &UpstreamAuthentication) -> String {
    match authentication {
        UpstreamAuthentication::None => "none".to_owned(),
        UpstreamAuthentication::Basic { user } => format!("HTTP Basic as {user}"),
        UpstreamAuthentication::Bearer => "bearer token".to_owned(),
        UpstreamAuthentication::Header { name } => format!("the header {}", name.as_str()),
    }
}

impl FormView {
    /// The message for one field.
    pub(crate) fn fault_of(&self, field: &str) -> Option<&str> {
        self.fault.as_ref().filter(|fault| fault.field == field).map(|fault| fault.message.as_str())
    }

    /// Whether the further options are open: where something is said there, or wrong.
    pub(crate) fn is_open(&self) -> bool {
        // What is saved stands on the page itself.
        if self.saved.is_some() && self.fault.is_none() && !self.kept {
            return false;
        }
        let typed = &self.typed;
        let first = ["name", "kind", "url", "description", "authentication", "basic_user", "password", "bearer", ""];
        let fault = self
            .fault
            .as_ref()
            .is_some_and(|fault| !first.contains(&fault.field) && fault.field != "header_credential");
        let said = [&typed.ca, &typed.header, &typed.rule, &typed.label, &typed.body_limit];
        fault || typed.assertion || typed.forward_filter || said.into_iter().any(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_parse_is_told_at_its_field() {
        let fault = |pairs: &str| {
            let form = GatewayForm::from_fields(&Fields::parse(format!("authentication=none&{pairs}").as_bytes()));
            form.input().err().map(|fault| fault.field)
        };
        assert_eq!(fault(""), None);
        assert_eq!(fault("connect_timeout=soon"), Some("connect_timeout"));
        assert_eq!(fault("body_limit=10MB"), Some("body_limit"));
        assert_eq!(fault("concurrent=many"), Some("concurrent"));
        let form = GatewayForm::from_fields(&Fields::parse(b"authentication=magic"));
        assert_eq!(form.input().err().map(|fault| fault.field), Some("authentication"));
    }

    #[test]
    fn fields_of_the_other_kind_do_not_count() {
        let all = "authentication=keep&rule=GET+/a+%3D+view&forward_filter=on&label=a%3Db";
        let input = |kind: &str| {
            GatewayForm::from_fields(&Fields::parse(format!("kind={kind}&{all}").as_bytes())).input().expect("readable")
        };
        let (http, prometheus) = (input("http"), input("prometheus"));
        assert_eq!((http.path_rules.map(|rules| rules.len()), http.labels.only), (Some(1), Some(Vec::new())));
        assert_eq!(
            (http.forward_filter, http.assertion),
            (Some(true), Some(true)),
            "the filter travels in the assertion"
        );
        assert_eq!((prometheus.path_rules, prometheus.forward_filter), (Some(Vec::new()), Some(false)));
        assert_eq!(prometheus.labels.only, Some(vec!["a=b".to_owned()]));
        assert!(prometheus.credential.is_none() && prometheus.client_certificate.is_none());
    }
}
