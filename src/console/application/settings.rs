//! The form that changes an application: what was typed, and what of it is to be changed.

use super::entry::{Fault, end_of, networks};
use super::{page, wanted};
use crate::actions::ActionError;
use crate::actions::application::{ApplicationUpdate, update};
use crate::actions::seen::Seen;
use crate::app::App;
use crate::console::form::{Fields, FromFields, Guarded};
use crate::console::{answer, effect, paths, words};
use crate::domain::application::Application;
use crate::domain::role::RoleId;
use crate::domain::time::Timestamp;
use crate::http::parameters::Segment;
use crate::http::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
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
            seen: None,
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
    seen: Seen,
}

impl FromFields for SettingsForm {
    fn from_fields(fields: &Fields) -> Self {
        Self { typed: Typed::from_fields(fields), seen: Seen::named(fields.one("seen")) }
    }
}

const CHANGED: &str = "Somebody changed this application meanwhile. Nothing was saved, and the form below holds what you \
                       typed: compare it with the history, then save again.";

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
        Ok(changes) => ApplicationUpdate { seen: Some(form.seen), ..changes },
        Err(fault) => {
            return page::with_fault(&app, &signed_in, unprocessable, &application, Some(form.typed), fault).await;
        }
    };
    let page = |notice: &str| format!("{}?notice={notice}", paths::application(id.as_str()));
    if is_empty(&changes) {
        return Ok(answer::see_other(&page("unchanged")));
    }
    let (status, fault) = match update(&app, &signed_in.actor(), id, &changes).await {
        Ok(_) => return Ok(answer::see_other(&effect::after(&app, &page("saved")))),
        Err(ActionError::Invalid { field, message }) => (unprocessable, Fault::new(field, words::sentence(&message))),
        Err(ActionError::Forbidden(message)) => (StatusCode::FORBIDDEN, Fault::new("", words::sentence(&message))),
        Err(ActionError::Conflict(_)) => (StatusCode::CONFLICT, Fault::new("", CHANGED)),
        Err(error) => return Err(error.into()),
    };
    page::with_fault(&app, &signed_in, status, &application, Some(form.typed), fault).await
}

fn is_empty(changes: &ApplicationUpdate) -> bool {
    let ApplicationUpdate { name, roles, description, owner, expires_at, networks, allow_basic, seen: _ } = changes;
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
    use crate::console::application::entry::end_of;

    #[test]
    fn the_last_day_is_the_one_that_an_end_follows() {
        assert_eq!(last_day(end_of("2027-12-31").expect("a day")), "2027-12-31");
        assert_eq!(last_day(Timestamp::from_seconds(1_700_000_000)), "2023-11-14");
    }
}
