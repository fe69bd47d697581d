//! The form that changes an application: what was typed, and what of it is to be changed.

use super::{page, wanted};
use crate::actions::ActionError;
use crate::actions::application::{ApplicationUpdate, update};
use crate::app::App;
use crate::config::parse_network;
use crate::console::form::{Fields, FromFields, Guarded};
use crate::console::{answer, paths, words};
use crate::domain::application::Application;
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use aws_lc_rs::digest;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnet::IpNet;
use std::fmt;
use std::sync::Arc;

/// What stands in the form, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) name: String,
    pub(crate) description: String,
    /// A console user's id; empty for nobody.
    pub(crate) owner: String,
    /// The chosen roles' ids.
    pub(crate) roles: Vec<String>,
    /// The last day on which the key works, in UTC; empty for never.
    pub(crate) expires: String,
    /// Networks, separated by white space or commas.
    pub(crate) networks: String,
    pub(crate) allow_basic: bool,
}

/// Something in the form that can't be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The field, or empty for the form as a whole.
    pub(crate) field: &'static str,
    pub(crate) message: String,
}

/// Names the settings that a form was filled with, so that nobody overwrites what they have not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen(String);

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Seen {
    /// A name as the form sent it.
    pub(crate) fn named(text: String) -> Self {
        Self(text)
    }

    /// The name of an application's present settings.
    pub(crate) fn of(application: &Application) -> Self {
        let settings = format!("{:?} {:?}", Typed::of(application), application.expires_at);
        Self(URL_SAFE_NO_PAD.encode(&digest::digest(&digest::SHA256, settings.as_bytes()).as_ref()[..16]))
    }
}

impl Typed {
    /// The form for an application as it is.
    pub(crate) fn of(application: &Application) -> Self {
        Self {
            name: application.name.to_string(),
            description: application.description.clone(),
            owner: application.owner.clone().unwrap_or_default(),
            roles: application.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            expires: application.expires_at.map(last_day).unwrap_or_default(),
            networks: application.networks.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            allow_basic: application.allow_basic,
        }
    }

    /// What is to be changed of the application, and nothing else.
    fn changes(&self, application: &Application) -> Result<ApplicationUpdate, Fault> {
        let now = Self::of(application);
        let mut roles: Vec<RoleId> = self.roles.iter().map(RoleId::new).collect();
        roles.sort_unstable();
        roles.dedup();
        let expires_at = match self.expires.as_str() {
            same if same == now.expires => None,
            "" => Some(None),
            day => Some(Some(end_of(day)?)),
        };
        let networks = networks(&self.networks)?;
        // Browsers send line ends as CR LF.
        let description = self.description.replace("\r\n", "\n");
        Ok(ApplicationUpdate {
            name: (self.name.trim() != now.name).then(|| self.name.clone()),
            roles: (roles != application.roles).then_some(roles),
            description: (description.trim() != now.description).then_some(description),
            owner: (self.owner != now.owner).then(|| Some(self.owner.clone()).filter(|owner| !owner.is_empty())),
            expires_at,
            networks: (networks != application.networks).then_some(networks),
            allow_basic: (self.allow_basic != application.allow_basic).then_some(self.allow_basic),
        })
    }
}

/// The last day, in UTC, on which something that ends then works.
fn last_day(end: Timestamp) -> String {
    let last = Timestamp::from_micros(end.micros().saturating_sub(1)).to_string();
    last.split('T').next().unwrap_or_default().to_owned()
}

/// The end of a day in UTC.
fn end_of(day: &str) -> Result<Timestamp, Fault> {
    let next = day.trim().parse::<jiff::civil::Date>().ok().and_then(|day| day.tomorrow().ok());
    let midnight = next.and_then(|next| jiff::tz::TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)).ok());
    let message = || format!("“{day}” is not a day. Write it as 2027-12-31, or leave it empty for never.");
    midnight
        .map(|midnight| Timestamp::from_seconds(midnight.as_second()))
        .ok_or_else(|| Fault { field: "expires", message: message() })
}

fn networks(text: &str) -> Result<Vec<IpNet>, Fault> {
    let mut networks = Vec::new();
    for piece in text.split([' ', '\t', '\r', '\n', ',', ';']).filter(|piece| !piece.is_empty()) {
        let network = parse_network(piece)
            .map_err(|right| Fault { field: "networks", message: format!("“{piece}” is not {right}.") })?;
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    Ok(networks)
}

impl FromFields for Typed {
    fn from_fields(fields: &Fields) -> Self {
        Self {
            name: fields.one("name"),
            description: fields.one("description"),
            owner: fields.one("owner"),
            roles: fields.all("role"),
            expires: fields.one("expires"),
            networks: fields.one("networks"),
            allow_basic: !fields.one("allow_basic").is_empty(),
        }
    }
}

/// The form.
pub(crate) struct SettingsForm {
    typed: Typed,
    seen: String,
}

impl FromFields for SettingsForm {
    fn from_fields(fields: &Fields) -> Self {
        Self { typed: Typed::from_fields(fields), seen: fields.one("seen") }
    }
}

/// `POST /console/applications/{client_id}`: saves what was changed.
pub(crate) async fn save(
    State(app): State<Arc<App>>,
    Segment(client_id): Segment,
    Guarded { signed_in, form }: Guarded<SettingsForm>,
) -> Result<Response, Problem> {
    let application = match wanted(&app, &client_id).await? {
        Ok(application) => application,
        Err(gone) => return Ok(gone),
    };
    let id = &application.client_id;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let changes = match form.typed.changes(&application) {
        Ok(changes) => changes,
        Err(fault) => {
            return page::with_fault(&app, &signed_in, unprocessable, &application, Some(form.typed), fault).await;
        }
    };
    let saved = |notice: &str| answer::see_other(&format!("{}?notice={notice}", paths::application(id.as_str())));
    if is_empty(&changes) {
        return Ok(saved("unchanged"));
    }
    if form.seen != Seen::of(&application).to_string() {
        let message = "Somebody changed this application meanwhile. Nothing was saved, and the form below holds what \
                       you typed: compare it with the history, then save again."
            .to_owned();
        let fault = Fault { field: "", message };
        return page::with_fault(&app, &signed_in, StatusCode::CONFLICT, &application, Some(form.typed), fault).await;
    }
    let (status, fault) = match update(&app, &signed_in.actor(), id, &changes).await {
        Ok(_) => return Ok(saved("saved")),
        Err(ActionError::Invalid { field, message }) => {
            (unprocessable, Fault { field, message: words::sentence(&message) })
        }
        Err(ActionError::Forbidden(message)) => {
            (StatusCode::FORBIDDEN, Fault { field: "", message: words::sentence(&message) })
        }
        Err(ActionError::Conflict(message)) => {
            (StatusCode::CONFLICT, Fault { field: "", message: words::sentence(&message) })
        }
        Err(error) => return Err(error.into()),
    };
    page::with_fault(&app, &signed_in, status, &application, Some(form.typed), fault).await
}

fn is_empty(changes: &ApplicationUpdate) -> bool {
    let ApplicationUpdate { name, roles, description, owner, expires_at, networks, allow_basic } = changes;
    name.is_none()
        && roles.is_none()
        && description.is_none()
        && owner.is_none()
        && expires_at.is_none()
        && networks.is_none()
        && allow_basic.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_worked_through_to_its_end() {
        let end = end_of("2027-12-31").expect("a day");
        assert_eq!(end.to_string(), "2028-01-01T00:00:00Z");
        assert_eq!(last_day(end), "2027-12-31");
        assert_eq!(last_day(Timestamp::from_seconds(1_700_000_000)), "2023-11-14");
        for wrong in ["tomorrow", "2027-02-30", "31.12.2027", "9999-12-31"] {
            assert_eq!(end_of(wrong).expect_err(wrong).field, "expires");
        }
    }

    #[test]
    fn networks_are_read_one_by_one() {
        let read = networks("10.1.2.3/8, 192.0.2.7\r\n\r\n 10.0.0.0/8").expect("networks");
        assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "192.0.2.7/32"]);
        assert!(networks("").expect("none").is_empty());
        assert!(networks("10.0.0.0/8 office").expect_err("no network").message.contains("“office”"));
    }
}
